//! The last line of every command: what to do with the medium now.

use crate::output::{self, count};

pub(super) const NOTHING_TO_CARRY: &str = "There is nothing to carry.";

/// What a pouch or a volume carries.
pub(super) fn carried(entries: u64, payloads: u64, attachments: u64, attachment_bytes: u64) -> String {
    let mut carried = count(entries, "entry", "entries");
    if payloads > 0 {
        carried.push_str(&tr!(", and the contents of {payloads} that were held without them"));
    }
    if attachments > 0 {
        carried.push_str(&format!(", {} ({})", count(attachments, "file", "files"), output::bytes(attachment_bytes)));
    }
    carried
}

/// After an export that is whole.
pub(super) fn carry(names: &[String]) -> String {
    tr!("Safe to remove: eject the medium, and carry it to {}.", names.join(&tr!(" and ")))
}

/// After an import that wrote a receipt.
pub(super) fn carry_back(names: &[String]) -> String {
    tr!("Safe to remove: eject the medium, and carry it back to {}: the receipt is on it.", names.join(&tr!(" and ")))
}

/// After an import whose receipt is a code.
pub(super) fn send_code(names: &[String]) -> String {
    tr!("Safe to remove: eject the medium, and send the code above to {}.", names.join(&tr!(" and ")))
}
