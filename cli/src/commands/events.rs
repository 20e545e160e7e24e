//! `portolan events`: what happens, as it happens.

use clap::Args;
use portolan_protocol::api::{self, ErrorKind};

use crate::{
    context::Context,
    error::{ApiError, Result},
    text, time,
};

#[derive(Args, Debug)]
pub(super) struct Events {}

impl Events {
    pub(super) async fn run(self, context: &Context) -> Result<()> {
        let mut events = context.client()?.events().await?;
        while let Some(event) = events.next().await? {
            context.output.stream(&event, |event| format!("{} {}\n", time::rfc3339(time::now()), human(event)))?;
        }
        Err(ApiError::new(ErrorKind::Unavailable, "the daemon ended the stream of events")
            .next("It is stopping, this listener was too slow, or its rights were taken away: see `portolan status`, then listen again."))
    }
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
