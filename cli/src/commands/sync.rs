//! `portolan sync`: exchange with peers now, and wait for their signed receipts.

use std::time::Duration;

use clap::Args;
use portolan_protocol::api::{ErrorKind, SyncRequest, SyncResult, SyncState};

use super::status;
use crate::{
    args,
    context::Context,
    error::{ApiError, Result},
    resolve, text, time,
};

#[derive(Args, Debug)]
pub(super) struct Sync {
    /// With this peer alone (name, id, or the start of one)
    peer: Option<String>,
    /// How long to wait for receipts, such as 30s or 5m
    #[arg(long, value_name = "DURATION", value_parser = args::duration, default_value = "10s")]
    wait: Duration,
}

impl Sync {
    pub(super) async fn run(self, context: &Context) -> Result<()> {
        let client = context.client()?;
        let peer = match &self.peer {
            Some(typed) => Some(resolve::peer(&client, typed).await?.node),
            None => None,
        };
        let wait_ms = u64::try_from(self.wait.as_millis()).unwrap_or(u64::MAX);
        let result: SyncResult = client.post("/sync", &SyncRequest { peer, wait_ms }).await?;
        context.output.show(&result, human)?;
        if result.complete || wait_ms == 0 {
            return Ok(());
        }
        Err(ApiError::new(
            ErrorKind::Incomplete,
            format!("not every peer was up to date after {}", time::long(wait_ms)),
        )
        .safe("What was exchanged is kept; the rest follows by itself whenever the peers are connected.")
        .next("See `portolan status` for what each has confirmed, or wait longer with --wait."))
    }
}

fn human(result: &SyncResult) -> String {
    let now = time::now();
    if result.peers.is_empty() {
        return tr!("There are no verified peers to exchange with; `portolan peer list` shows all.\n");
    }
    let mut out = String::new();
    for peer in &result.peers {
        let state = match peer.state {
            SyncState::UpToDate => tr!("up to date"),
            SyncState::Behind => tr!("connected, not up to date yet"),
            SyncState::Disconnected if peer.reason.is_empty() => tr!("not connected"),
            SyncState::Disconnected => tr!("not connected: {}", text::shown(&peer.reason)),
            SyncState::Pouch => tr!("reached by `portolan pouch` alone"),
            SyncState::Unverified => tr!("not verified: nothing is exchanged"),
        };
        out.push_str(&format!("{}: {state}\n", text::shown(&peer.name)));
        for space in &peer.spaces {
            out.push_str(&format!("  {}\n", status::receipt(space, now)));
        }
    }
    out
}
