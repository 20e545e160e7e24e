//! Showing an answer again whenever something happens on the node: `--watch`.

use std::{
    io::{self, IsTerminal as _},
    time::Duration,
};

use portolan_protocol::api::ErrorKind;
use serde::Serialize;
use tokio::time::{Instant, sleep_until, timeout_at};

use crate::{
    client::Client,
    context::Context,
    error::{ApiError, Result},
    output::print,
};

/// What happens within this is shown together.
const TOGETHER: Duration = Duration::from_millis(300);
/// Ages of things are shown anew this often, where nothing happens.
const ANEW: Duration = Duration::from_secs(10);
/// Clears a terminal and goes to its corner.
const CLEAR: &str = "\x1b[H\x1b[2J\x1b[3J";

/// Shows what `ask` gives, and again after whatever happens, until the daemon ends. A terminal shows the last answer alone; to a
/// file or a pipe each answer is written that differs from the one before, with `--json` as one line.
///
/// # Errors
/// What `ask` gives, and when the daemon ends the stream of events.
pub(super) async fn watch<T: Serialize>(
    context: &Context,
    client: &Client,
    ask: impl AsyncFn() -> Result<T>,
    human: impl Fn(&T) -> String,
) -> Result<()> {
    // First, so that nothing is missed between the answer and the next event.
    let mut events = client.events().await?;
    let on_terminal = !context.output.json && io::stdout().is_terminal();
    let mut before = String::new();
    loop {
        let value = ask().await?;
        if context.output.json {
            let line = serde_json::to_string(&value).unwrap_or_default();
            if line != before {
                context.output.stream(&value, &human)?;
                before = line;
            }
        } else {
            let text = human(&value);
            if on_terminal {
                print(&format!("{CLEAR}{text}"))?;
            } else if text != before {
                print(&format!("{text}\n"))?;
            }
            before = text;
        }
        let anew = Instant::now() + ANEW;
        tokio::select! {
            event = events.next() => if event?.is_none() { return Err(ended()) },
            () = sleep_until(anew), if on_terminal => continue,
        }
        let end = Instant::now() + TOGETHER;
        while let Ok(event) = timeout_at(end, events.next()).await {
            if event?.is_none() {
                return Err(ended());
            }
        }
    }
}

/// The daemon ended the stream of events.
pub(super) fn ended() -> ApiError {
    ApiError::new(ErrorKind::Unavailable, "the daemon ended the stream of events").next(
        "It is stopping, this listener was too slow, or its rights were taken away: see `portolan status`, then listen again.",
    )
}
