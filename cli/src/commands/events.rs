//! `portolan events`: what happens, as it happens.

use std::time::Duration;

use clap::Args;
use portolan_protocol::api::{self, ErrorKind};
use tokio::time::sleep;

use super::watch;
use crate::{
    client::Client,
    context::Context,
    error::{ApiError, Result},
    text, time,
};

/// How long a daemon that is gone is left alone before it is asked again.
const AGAIN_AFTER: Duration = Duration::from_secs(1);

#[derive(Args, Debug)]
pub(super) struct Events {
    /// Go on when the daemon was stopped and started again
    #[arg(long)]
    follow: bool,
}

impl Events {
    pub(super) async fn run(self, context: &Context) -> Result<()> {
        let client = context.client()?;
        let mut gone = listen(context, &client).await;
        while self.follow && is_gone(&gone) {
            eprintln!(
                "{}",
                tr!("The daemon is gone; waiting for it. `portolan new` tells what became known meanwhile.")
            );
            loop {
                // Also where it answers: a stream that ends at once is not asked for without a pause.
                sleep(AGAIN_AFTER).await;
                match client.get::<api::Spaces>("/spaces").await {
                    Err(error) if is_gone(&error) => {}
                    Err(error) => return Err(error),
                    Ok(_) => break,
                }
            }
            gone = listen(context, &client).await;
        }
        Err(gone)
    }
}

/// Shows events until there are no more, and says why.
async fn listen(context: &Context, client: &Client) -> ApiError {
    let shown = async || -> Result<()> {
        let mut events = client.events().await?;
        while let Some(event) = events.next().await? {
            context.output.stream(&event, |event| format!("{} {}\n", time::rfc3339(time::now()), human(event)))?;
        }
        Ok(())
    };
    shown().await.err().unwrap_or_else(watch::ended)
}

/// Whether the daemon may come again.
fn is_gone(error: &ApiError) -> bool {
    error.kind == ErrorKind::Unavailable
}

/// The event's name and what it names, as `field=value`.
fn human(event: &api::Event) -> String {
    let value = serde_json::to_value(event).unwrap_or_default();
    let mut out = event.name().to_owned();
    for (key, value) in value.as_object().into_iter().flatten().filter(|(key, _)| *key != "event") {
        let value = value.as_str().map_or_else(|| value.to_string(), text::shown);
        out.push_str(&format!(" {key}={value}"));
    }
    out
}

#[cfg(test)]
mod tests {
    use portolan_protocol::id::NodeId;

    use super::*;

    #[test]
    fn an_event_is_one_line() {
        let event = api::Event::Disconnected { peer: NodeId([0; 32]), reason: "a\nb".into() };
        assert_eq!(human(&event), format!("disconnected peer={} reason=a\\u{{a}}b", NodeId([0; 32])));
    }
}
