//! What can be seen without the daemon: the clock, the files of the home, the disk.

use std::{
    fs, io,
    os::unix::fs::{MetadataExt as _, PermissionsExt as _},
    path::Path,
};

use portolan_protocol::time::Timestamp;

use super::finding::Finding;
use crate::output;

/// 2026-01-01: no release is older, so no clock is right that says less.
const RELEASED: Timestamp = Timestamp(1_767_225_600_000);
/// Files of the home that nobody but its owner may read.
const SECRET: [&str; 5] = ["keys", "store", "persons.json", "pouches", "staging"];
/// The recovery secret, until the administrator moves it away.
const RECOVERY: &str = "recovery.key";
/// Below this much room, and this share of the disk, it is time to do something.
const ROOM_BYTES: u64 = 1 << 30;
const ROOM_SHARE: u64 = 20;

pub(super) fn clock(now: Timestamp) -> Option<Finding> {
    (now < RELEASED).then(|| {
        Finding::problem(
            "clock",
            tr!("the clock of this machine is wrong: it says {}", crate::time::rfc3339(now)),
            "Set it, and let it be kept (`timedatectl set-ntp true`). Changes are shown with the times that clocks give them.",
        )
    })
}

pub(super) fn files(home: &Path) -> Vec<Finding> {
    let own = match home.metadata() {
        Ok(own) => own,
        Err(error) => {
            let next = match error.kind() {
                io::ErrorKind::NotFound => "Make a node with `portolan init`, or name another with --home.",
                _ => "Run this as the login that the node belongs to, or as root.",
            };
            return vec![Finding::problem("files", format!("{}: {error}", home.display()), next)];
        }
    };
    let mut findings = Vec::new();
    if own.permissions().mode() & 0o022 != 0 {
        findings.push(Finding::problem(
            "files",
            tr!("others may change what is in {}", home.display()),
            format!("chmod go-w {}", home.display()),
        ));
    }
    for name in SECRET {
        let path = home.join(name);
        match fs::symlink_metadata(&path) {
            Ok(found) if found.permissions().mode() & 0o077 != 0 && own.permissions().mode() & 0o055 != 0 => {
                findings.push(Finding::problem(
                    "files",
                    tr!("others may read {}", path.display()),
                    format!("chmod -R go= {}", path.display()),
                ));
            }
            Ok(found) if found.uid() != own.uid() => findings.push(Finding::problem(
                "files",
                tr!("{} belongs to another login than the home", path.display()),
                format!("chown -R --reference={} {}", home.display(), path.display()),
            )),
            _ => {}
        }
    }
    if home.join(RECOVERY).symlink_metadata().is_ok() {
        findings.push(Finding::warning(
            "files",
            "the recovery key lies beside the node: who steals the machine has both",
            tr!("Move {} to a medium that is kept offline.", home.join(RECOVERY).display()),
        ));
    }
    findings
}

pub(super) fn disk(home: &Path) -> Option<Finding> {
    let room = rustix::fs::statvfs(home).ok()?;
    let (free, all) = (room.f_bavail.saturating_mul(room.f_frsize), room.f_blocks.saturating_mul(room.f_frsize));
    (free < ROOM_BYTES && free < all / ROOM_SHARE).then(|| {
        Finding::warning(
            "disk",
            tr!("{} are left on the disk of {}", output::bytes(free), home.display()),
            "Make room. When it is full, nothing is lost and nothing new is taken.",
        )
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn topics(findings: &[Finding]) -> Vec<&str> {
        findings.iter().map(|finding| finding.message.as_str()).collect()
    }

    #[test]
    fn a_home_as_it_is_made_has_nothing_wrong() {
        let home = tempfile::tempdir().unwrap();
        fs::create_dir(home.path().join("keys")).unwrap();
        fs::set_permissions(home.path().join("keys"), fs::Permissions::from_mode(0o700)).unwrap();
        assert_eq!(files(home.path()), []);
        assert_eq!(clock(RELEASED), None);
    }

    #[test]
    fn what_others_may_read_or_change_is_named() {
        let home = tempfile::tempdir().unwrap();
        let keys = home.path().join("keys");
        fs::create_dir(&keys).unwrap();
        fs::set_permissions(&keys, fs::Permissions::from_mode(0o750)).unwrap();
        fs::set_permissions(home.path(), fs::Permissions::from_mode(0o777)).unwrap();
        fs::write(home.path().join(RECOVERY), "").unwrap();
        let found = files(home.path());
        assert_eq!(found.len(), 3, "{:?}", topics(&found));
        assert!(found[1].next.starts_with("chmod -R go= "));
        assert!(clock(Timestamp(5)).is_some());
        assert_eq!(files(&home.path().join("nowhere")).len(), 1);
    }
}
