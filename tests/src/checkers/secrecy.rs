//! No plaintext leaves a machine or lies on its disk. Every change that the tests write holds a marker to look for.

use portolan_protocol::{commit::Commit, message::Message};

use crate::world::disk::Disk;

/// Stands in every plaintext.
pub const MARKER: &str = "MARKER-OF-PLAINTEXT";

/// Whether bytes hold the marker.
pub fn reveals(bytes: &[u8]) -> bool {
    let marker = MARKER.as_bytes();
    bytes.contains(&marker[0]) && bytes.windows(marker.len()).any(|window| window == marker)
}

/// Checks a frame before it leaves.
///
/// # Panics
/// When it reveals something.
pub fn check_frame(message: &Message, frame: &[u8], name: &str) {
    assert!(!reveals(frame), "{name} sends plaintext: {message:?}");
}

/// Checks what a commit has put on a disk.
///
/// # Panics
/// When it reveals something.
pub fn check_disk(disk: &Disk, commit: &Commit, name: &str) {
    let rows = commit.state.iter().filter_map(|(key, _)| disk.state().get(key));
    assert!(!rows.into_iter().any(|row| reveals(row)), "{name} keeps plaintext in a row");
    for run in &commit.runs {
        assert!(!run.pages().iter().any(|page| reveals(page)), "{name} keeps plaintext in {:?}", run.context());
    }
}
