//! `portolan status`: what this node is, what it holds, and what each peer has confirmed.

use std::fmt::Write as _;

use clap::Args;
use portolan_protocol::{
    api::{self, Peer, PeerSpace, Route, Space, SpaceState},
    time::Timestamp,
};

use super::watch;
use crate::{
    args::role_name,
    context::Context,
    error::Result,
    messages,
    output::{self, count, short},
    text, time,
};

#[derive(Args, Debug)]
pub(super) struct Status {
    /// Show it again whenever something happens
    #[arg(long)]
    watch: bool,
}

impl Status {
    pub(super) async fn run(self, context: &Context) -> Result<()> {
        let client = context.client()?;
        let ask = async || client.get::<api::Status>("/status").await;
        if self.watch {
            return watch::watch(context, &client, ask, |status| human(status, time::now())).await;
        }
        context.output.show(&ask().await?, |status| human(status, time::now()))
    }
}

fn human(status: &api::Status, now: Timestamp) -> String {
    let node = &status.node;
    let mut out = output::pairs(&[
        ("node", node.name.clone()),
        ("organisation", node.organisation.clone()),
        ("country", node.country.clone()),
        ("id", node.id.to_string()),
        ("fingerprint", node.fingerprint.clone()),
        (
            "listening at",
            match (node.offline, node.listen.is_empty()) {
                (true, _) => tr!("nothing: this node is offline, and exchanges by `portolan pouch` alone"),
                (false, true) => "-".into(),
                (false, false) => node.listen.join(", "),
            },
        ),
        ("addresses on card", if node.addresses.is_empty() { "-".into() } else { node.addresses.join(", ") }),
        ("release", status.version.clone()),
        ("up for", time::long(status.uptime_ms)),
        ("store", output::bytes(status.store_bytes)),
        ("incarnation", node.incarnation.to_string()),
    ]);
    out.push_str(&tr!("\nSpaces\n"));
    out.push_str(&spaces(&status.spaces));
    out.push_str(&tr!("\nPeers\n"));
    if status.peers.is_empty() {
        out.push_str(&tr!("none; introduce one with `portolan peer add CARD`\n"));
    }
    for one in &status.peers {
        out.push_str(&peer(one, now));
    }
    out
}

/// Spaces in a table, and below it what needs attention.
pub(super) fn spaces(spaces: &[Space]) -> String {
    if spaces.is_empty() {
        return tr!("none; make one with `portolan space create NAME`\n");
    }
    let rows: Vec<Vec<String>> = spaces
        .iter()
        .map(|space| {
            let records = match space.entries_to_index {
                0 => space.documents.to_string(),
                behind => tr!("{} ({behind} entries to go)", space.documents),
            };
            let state = match space.state {
                SpaceState::Active => tr!("active"),
                SpaceState::Outside => tr!("not a member"),
                SpaceState::Removed => tr!("removed"),
                SpaceState::UpgradeNeeded => tr!("upgrade needed"),
                SpaceState::Unknown => tr!("unknown to this release"),
            };
            vec![
                space.name.clone(),
                short(space.id),
                role_name(space.role).into(),
                state,
                space.members.to_string(),
                space.entries.to_string(),
                records,
                space.epoch.map_or("-".into(), short),
            ]
        })
        .collect();
    let mut out = output::table(&["name", "id", "role", "state", "members", "entries", "records", "epoch"], &rows);
    for space in spaces {
        if space.parked > 0 {
            let runs = count(space.parked, "run of entries waits", "runs of entries wait");
            let _ = writeln!(out, "{}", tr!("  {}: {runs} for something before them", text::shown(&space.name)));
        }
        for (number, what) in [
            (space.quarantined, "quarantined: held and passed on, not applied"),
            (space.gaps, "without their payload"),
            (space.unreadable, "that this node has no key for"),
        ] {
            if number > 0 {
                let (name, what) = (text::shown(&space.name), messages::word(what));
                let _ = writeln!(out, "  {name}: {} {what}", count(number, "entry", "entries"));
            }
        }
        if space.damaged_logs > 0 {
            let logs = count(space.damaged_logs, "log is", "logs are");
            let _ = writeln!(
                out,
                "{}",
                tr!("  {}: {logs} DAMAGED on the disk; see `portolan check`", text::shown(&space.name))
            );
        }
        if space.forks > 0 {
            let forks = count(space.forks, "log was", "logs were");
            let _ = writeln!(
                out,
                "{}",
                tr!("  {}: {forks} FORKED by the author; see `portolan check`", text::shown(&space.name))
            );
        }
    }
    out
}

/// One peer and what it has receipted.
pub(super) fn peer(peer: &Peer, now: Timestamp) -> String {
    let mut out = format!("{}  {}\n", text::shown(&peer.name), short(peer.node));
    if !peer.verified {
        out.push_str(&tr!("  NOT VERIFIED: nothing is exchanged; compare the fingerprint with `portolan peer add`\n"));
    }
    let connection = match (&peer.connection, &peer.last_connection) {
        (Some(open), _) => {
            tr!("connected ({}) at {} for {}", route(open.route), open.address, time::long(now.since_ms(open.since_ms)))
        }
        (None, Some(last)) => tr!("not connected; last {} at {}", route(last.route), last.address),
        // Who was connected when is kept in memory, what was heard is kept on the disk.
        (None, None) if peer.last_heard_ms.is_some() => tr!("not connected since the daemon was started"),
        (None, None) => tr!("never connected"),
    };
    let _ = writeln!(out, "  {}", text::shown(&connection));
    if let Some(heard) = peer.last_heard_ms {
        let _ = writeln!(out, "{}", tr!("  last heard {} ({})", time::ago(heard, now), time::rfc3339(heard)));
    }
    if let Some(taken) = peer.last_pouch_ms {
        let _ = writeln!(out, "{}", tr!("  last pouch taken {} ({})", time::ago(taken, now), time::rfc3339(taken)));
    }
    if !peer.last_error.is_empty() {
        let _ = writeln!(out, "{}", tr!("  trouble: {}", text::shown(&messages::found(&peer.last_error))));
    }
    if let Some(next) = peer.next_attempt_ms.filter(|_| peer.connection.is_none()) {
        let _ = writeln!(
            out,
            "{}",
            tr!("  called again in {}; at once with `portolan sync`", time::long(next.since_ms(now)))
        );
    } else if peer.verified && peer.connection.is_none() && peer.addresses.is_empty() && peer.last_pouch_ms.is_none() {
        out.push_str(&tr!("  no address on its card: it has to call this node\n"));
    }
    for space in &peer.spaces {
        let _ = writeln!(out, "  {}", receipt(space, now));
    }
    out
}

/// What a peer has confirmed of a space; nothing that it did not.
pub(super) fn receipt(space: &PeerSpace, now: Timestamp) -> String {
    let name = text::shown(&space.space_name);
    let role = role_name(space.role);
    match space.receipt_ms {
        _ if space.role.is_none() => {
            tr!("{name}: no member any more; had confirmed {} entries", space.entries_receipted)
        }
        None if space.entries_receipted == 0 => tr!("{name} ({role}): has confirmed nothing yet"),
        signed => tr!(
            "{name} ({role}): {}, confirmed {} of {} entries{}",
            if space.up_to_date { tr!("up to date") } else { tr!("BEHIND") },
            space.entries_receipted,
            space.entries_held,
            signed.map_or_else(String::new, |moment| format!(" {}", time::ago(moment, now)))
        ),
    }
}

fn route(route: Route) -> String {
    match route {
        Route::Outgoing => tr!("outgoing"),
        Route::Incoming => tr!("incoming"),
        Route::Unknown => tr!("by a route unknown to this release"),
    }
}

#[cfg(test)]
mod tests {
    use portolan_protocol::{
        api::Connection,
        control::Role,
        id::{NodeId, SpaceId},
    };

    use super::*;

    fn shared(receipt: Option<u64>) -> PeerSpace {
        PeerSpace {
            space: SpaceId([1; 32]),
            space_name: "Harbours".into(),
            role: Some(Role::Writer),
            entries_receipted: 7,
            entries_held: 9,
            up_to_date: false,
            receipt_ms: receipt.map(Timestamp),
        }
    }

    #[test]
    fn a_peer_is_told_as_it_is() {
        let last = Connection { address: "192.0.2.7:7443".into(), route: Route::Outgoing, since_ms: Timestamp(0) };
        let one = Peer {
            node: NodeId([0; 32]),
            name: "Tunis\u{202e}".into(),
            organisation: String::new(),
            country: "TN".into(),
            addresses: vec![],
            card_version: 1,
            fingerprint: String::new(),
            verified: false,
            connection: None,
            last_heard_ms: Some(Timestamp(1_000)),
            last_pouch_ms: None,
            last_connection: Some(last),
            last_error: "timed out".into(),
            next_attempt_ms: Some(Timestamp(91_000)),
            spaces: vec![shared(Some(0)), PeerSpace { entries_receipted: 0, ..shared(None) }],
        };
        assert_eq!(
            peer(&one, Timestamp(61_000)),
            "Tunis\\u{202e}  aaaaaaaa\n  \
             NOT VERIFIED: nothing is exchanged; compare the fingerprint with `portolan peer add`\n  \
             not connected; last outgoing at 192.0.2.7:7443\n  \
             last heard 60 s ago (1970-01-01T00:00:01Z)\n  \
             trouble: timed out\n  \
             called again in 30 s; at once with `portolan sync`\n  \
             Harbours (writer): BEHIND, confirmed 7 of 9 entries 61 s ago\n  \
             Harbours (writer): has confirmed nothing yet\n"
        );
        let removed = PeerSpace { role: None, ..shared(Some(0)) };
        assert_eq!(receipt(&removed, Timestamp(0)), "Harbours: no member any more; had confirmed 7 entries");
        // A word for volumes does not say when.
        assert_eq!(receipt(&shared(None), Timestamp(0)), "Harbours (writer): BEHIND, confirmed 7 of 9 entries");
        let restarted = Peer { last_connection: None, ..one.clone() };
        assert!(peer(&restarted, Timestamp(61_000)).contains("not connected since the daemon was started\n"));
        let unheard = Peer { last_heard_ms: None, ..restarted };
        assert!(peer(&unheard, Timestamp(61_000)).contains("never connected\n"));
    }
}
