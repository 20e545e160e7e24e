//! What the running daemon tells of peers, spaces and users.

use portolan_protocol::{
    api::{Peer, Space, SpaceState, Status},
    time::Timestamp,
};

use super::finding::Finding;
use crate::{output::count, time};

/// A partner of whom nothing is heard for this long has gone silent.
const SILENT_MS: u64 = 7 * 24 * 3_600 * 1_000;
/// Clocks that differ by less are as good as equal.
const CLOCKS_MS: u64 = 5 * 60 * 1_000;

pub(super) fn look(status: &Status, now: Timestamp) -> Vec<Finding> {
    let mut findings: Vec<Finding> = status.peers.iter().flat_map(|one| peer(one, status.node.offline, now)).collect();
    findings.extend(status.spaces.iter().flat_map(space));
    if status.peers.is_empty() {
        let next = "Exchange cards with a partner: `portolan node card --out FILE`, `portolan peer add CARD`.";
        findings.push(Finding::hint("peers", "this node knows no partner", next));
    }
    if status.you.login == "root" && status.you.name == "root" {
        findings.push(Finding::hint(
            "users",
            "what you change here is signed with the name root",
            "Give your login a name: `portolan user add root --name NAME --can admin`.",
        ));
    }
    findings
}

fn peer(peer: &Peer, offline: bool, now: Timestamp) -> Vec<Finding> {
    let mut findings = Vec::new();
    let name = &peer.name;
    if !peer.verified {
        let next = "Call the administrator there, and type the fingerprint: `portolan peer add CARD`.";
        findings.push(Finding::warning("peers", tr!("{name} is not verified: nothing is exchanged"), next));
        return findings;
    }
    let heard = peer.last_heard_ms.max(peer.last_pouch_ms);
    let silent = heard.is_some_and(|heard| now.since_ms(heard) > SILENT_MS);
    match heard {
        _ if peer.connection.is_some() => {}
        Some(heard) if silent => findings.push(Finding::warning(
            "peers",
            tr!("nothing was heard from {name} for {}", time::long(now.since_ms(heard))),
            reach(peer, offline),
        )),
        None => {
            findings.push(Finding::warning("peers", tr!("nothing was ever heard from {name}"), reach(peer, offline)))
        }
        Some(_) => {}
    }
    let signed = peer.spaces.iter().filter_map(|space| space.receipt_ms).max();
    if let Some(ahead) = signed.map(|signed| signed.since_ms(now)).filter(|ahead| *ahead > CLOCKS_MS) {
        findings.push(Finding::warning(
            "clock",
            tr!("the clock of {name} is {} ahead of this one", time::long(ahead)),
            "See which of them is wrong. Times are shown to people and decide nothing.",
        ));
    }
    findings
}

/// What to do to hear from a peer again.
fn reach(peer: &Peer, offline: bool) -> String {
    match (offline, peer.addresses.is_empty(), peer.last_error.is_empty()) {
        (true, _, _) => "This node is offline: exchange a pouch (`portolan pouch export`).".into(),
        (false, true, _) => {
            "Its card has no address, so it has to call: see that it knows this node's address, or exchange a pouch."
                .into()
        }
        (false, false, true) => "See that its service runs and that UDP gets through, or exchange a pouch.".into(),
        (false, false, false) => tr!(
            "The last call said: {}. See that its service runs and that UDP gets through, or exchange a pouch.",
            peer.last_error
        ),
    }
}

fn space(space: &Space) -> Vec<Finding> {
    let mut findings = Vec::new();
    let name = &space.name;
    let mut say = |level: fn(&'static str, String, String) -> Finding, message: String, next: &str| {
        findings.push(level("spaces", format!("{name}: {message}"), next.to_owned()));
    };
    if space.damaged_logs > 0 {
        let logs = count(space.damaged_logs, "log is", "logs are");
        say(
            Finding::problem,
            tr!("{logs} damaged on the disk"),
            "`portolan check` names what is damaged; entries come back from partners.",
        );
    }
    if space.state == SpaceState::UpgradeNeeded {
        say(
            Finding::problem,
            "it uses something that this release does not know; nothing can be written in it".into(),
            "Install the newer release on this node.",
        );
    }
    if space.forks > 0 {
        let logs = count(space.forks, "log was", "logs were");
        say(
            Finding::warning,
            tr!("{logs} forked: an author signed two histories"),
            "`portolan check` names the author. A machine that was cloned or put back does that; so does one in other hands.",
        );
    }
    if space.parked > 0 {
        let runs = count(space.parked, "run of entries waits", "runs of entries wait");
        say(
            Finding::warning,
            tr!("{runs} for something before them"),
            "They come with the next sync; with pouches, import those before them.",
        );
    }
    if space.gaps > 0 {
        let entries = count(space.gaps, "entry is", "entries are");
        say(Finding::warning, tr!("{entries} held without their content"), "The next partner that has it brings it.");
    }
    if space.quarantined > 0 {
        let entries = count(space.quarantined, "entry is", "entries are");
        say(
            Finding::hint,
            tr!("{entries} quarantined: held and passed on, not applied"),
            "Somebody wrote who might not, or was removed meanwhile.",
        );
    }
    if space.unreadable > 0 {
        let entries = count(space.unreadable, "entry", "entries");
        say(
            Finding::hint,
            tr!("this node has no key for {entries}"),
            "They are from before it came, or it is a relay.",
        );
    }
    findings
}

#[cfg(test)]
mod tests {
    use portolan_protocol::{
        api::{Caller, NodeStatus, PeerSpace},
        control::Role,
        id::{Incarnation, NodeId, SpaceId},
    };

    use super::*;

    const NOW: Timestamp = Timestamp(2_000_000_000_000);

    fn peer_heard(at: Option<u64>) -> Peer {
        Peer {
            node: NodeId([2; 32]),
            name: "Tunis".into(),
            organisation: String::new(),
            country: "TN".into(),
            addresses: Vec::new(),
            card_version: 1,
            fingerprint: String::new(),
            verified: true,
            connection: None,
            last_heard_ms: at.map(Timestamp),
            last_pouch_ms: None,
            last_connection: None,
            last_error: String::new(),
            next_attempt_ms: None,
            spaces: Vec::new(),
        }
    }

    fn healthy() -> Status {
        Status {
            api: 1,
            version: String::new(),
            uptime_ms: 0,
            store_bytes: 0,
            node: NodeStatus {
                id: NodeId([1; 32]),
                name: String::new(),
                organisation: String::new(),
                country: String::new(),
                fingerprint: String::new(),
                card_version: 1,
                addresses: Vec::new(),
                listen: Vec::new(),
                offline: false,
                incarnation: Incarnation([1; 16]),
            },
            you: Caller { login: "amina".into(), person: None, name: "Amina".into(), rights: Vec::new() },
            spaces: Vec::new(),
            peers: vec![peer_heard(Some(NOW.0 - 1_000))],
        }
    }

    fn found(status: &Status) -> Vec<String> {
        look(status, NOW).into_iter().map(|finding| finding.message).collect()
    }

    #[test]
    fn a_healthy_node_has_nothing_wrong() {
        assert_eq!(found(&healthy()), [] as [String; 0]);
    }

    #[test]
    fn silent_and_unverified_partners_and_clocks_are_found() {
        let silent = peer_heard(Some(NOW.0 - 2 * SILENT_MS));
        let carried = Peer { last_pouch_ms: Some(NOW), ..silent.clone() };
        let unverified = Peer { verified: false, ..silent.clone() };
        let ahead = PeerSpace {
            space: SpaceId([1; 32]),
            space_name: String::new(),
            role: Some(Role::Writer),
            entries_receipted: 1,
            entries_held: 1,
            up_to_date: true,
            receipt_ms: Some(Timestamp(NOW.0 + 2 * CLOCKS_MS)),
        };
        let fast = Peer { spaces: vec![ahead], ..carried.clone() };
        for (peer, expected) in [
            (silent, Some("nothing was heard from Tunis for 14 days")),
            (carried, None),
            (unverified, Some("Tunis is not verified: nothing is exchanged")),
            (peer_heard(None), Some("nothing was ever heard from Tunis")),
            (fast, Some("the clock of Tunis is 10 min ahead of this one")),
        ] {
            let status = Status { peers: vec![peer], ..healthy() };
            assert_eq!(found(&status), expected.map(str::to_owned).into_iter().collect::<Vec<_>>());
        }
        assert_eq!(found(&Status { peers: Vec::new(), ..healthy() }).len(), 1);
    }
}
