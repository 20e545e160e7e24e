//! Constants of format suite 1: every bound that decides whether bytes are valid.
//!
//! They are the same on every node. A local preference (cache sizes, quotas) never stands here.

/// The format suite, the first byte of everything that stands alone.
pub const SUITE: u8 = 1;

/// Largest payload of one entry, in bytes.
pub const PAYLOAD_BYTES_MAX: usize = 1 << 20;

/// Most control heads that one header may cite.
pub const HEADS_MAX: usize = 256;

/// Most entries that one signature may vouch for, itself included.
pub const RUN_ENTRIES_MAX: usize = 4_096;

/// Most logs that one member may open in one space; what comes beyond is parked and alarmed.
pub const LOGS_PER_MEMBER_MAX: usize = 64;

/// Most members a space may ever have had.
pub const MEMBERS_MAX: usize = 4_096;

/// Most spaces that one node takes part in.
pub const SPACES_MAX: usize = 1_024;

/// Most dependencies that one change may name.
pub const DEPENDENCIES_MAX: usize = 1_024;

/// Largest frame on a connection, in bytes, its length field not counted.
pub const FRAME_BYTES_MAX: usize = 4 << 20;

/// Aim for the encoded size of a page of consecutive entries, in bytes.
pub const PAGE_BYTES_AIM: usize = 4_000;

/// Largest card, profile included, in bytes.
pub const CARD_BYTES_MAX: usize = 16 << 10;

/// Most addresses on a card.
pub const CARD_ADDRESSES_MAX: usize = 16;

/// Longest text in a card's profile, in bytes.
pub const CARD_TEXT_BYTES_MAX: usize = 256;

/// Parked bytes held on behalf of one peer.
pub const PARKED_BYTES_PER_PEER_MAX: usize = 16 << 20;

/// Distinct gaps that a frontier lists for one log; of a log with more, the last one listed goes on to the end of the log.
pub const GAPS_MAX: usize = 1_024;

/// Most logs that a frontier may list.
pub const FRONTIER_LOGS_MAX: usize = 40_000;

/// Most distinct gaps that a peer's frontier may come to list over all logs of a space.
pub const FRONTIER_GAPS_MAX: usize = 262_144;

/// Bytes of spaces to which one peer has invited this node, before it is known whether the node is a member.
pub const INVITED_BYTES_PER_PEER_MAX: usize = 64 << 20;

/// Spaces to which one peer may be inviting this node at a time.
pub const INVITATIONS_PER_PEER_MAX: usize = 64;

/// Payloads that are offered at once to a peer that lacks them.
pub const PAYLOADS_OFFERED_MAX: usize = 4_096;

/// Parked runs held on behalf of one peer.
pub const PARKED_RUNS_PER_PEER_MAX: usize = 1_024;

/// Operations that one change to a document may hold.
pub const OPS_PER_CHANGE_MAX: u64 = 600_000;

/// Highest operation counter that a change may reach: far from where 32 bits end, and more than a record ever needs.
pub const OP_COUNTER_MAX: u64 = 1 << 31;

/// Actors that one change may name beside its own.
pub const ACTORS_PER_CHANGE_MAX: usize = 4_096;

/// Bytes of an actor id.
pub const ACTOR_BYTES: usize = 32;

/// Largest record, keys and values together, in bytes. A change that rewrites all of it stays below the limits above.
pub const RECORD_BYTES_MAX: usize = 256 << 10;

/// Longest flat key of a record, in bytes.
pub const KEY_BYTES_MAX: usize = 256;

/// Most flat keys in one record.
pub const FIELDS_MAX: usize = 4_096;

/// Longest text in the short form of a record, in bytes; a longer one is cut there. Hundreds of letters of any script.
pub const SUMMARY_TEXT_BYTES_MAX: usize = 1_024;

/// Most tags, areas, countries, programmes, languages and years in the short form of a record.
pub const SUMMARY_ITEMS_MAX: usize = 256;

/// Longest name of a space, in bytes.
pub const SPACE_NAME_BYTES_MAX: usize = 128;

/// Largest volume of a pouch, in bytes: 3.9 GiB, below what FAT32 can hold in one file.
pub const VOLUME_BYTES_MAX: u64 = 4_187_593_113;

/// Most volumes of one pouch.
pub const VOLUMES_MAX: u16 = 256;

/// Recipient slots of every volume, used or not, and so most recipients of a pouch.
pub const POUCH_SLOTS: usize = 16;

/// Plaintext of one chunk of a volume, in bytes; only the last one may be shorter.
pub const CHUNK_BYTES: usize = 64 << 10;

/// Most ranges of entries that the contents list of one volume may hold.
pub const EXTENTS_MAX: usize = 32_768;

/// Pouches of one peer whose volumes a node remembers to hold.
pub const POUCHES_HELD_MAX: usize = 64;

/// Largest attachment, in bytes of plaintext: 1 TiB.
pub const ATTACHMENT_BYTES_MAX: u64 = 1 << 40;

/// Plaintext of one chunk of an attachment, in bytes; only the last one may be shorter.
pub const ATTACHMENT_CHUNK_BYTES: usize = 64 << 10;

/// Ciphertext in one piece of an answer, in bytes; only the last one may be shorter.
pub const ATTACHMENT_PIECE_BYTES: u64 = 256 << 10;

/// Most ranges of attachments that one volume of a pouch may hold.
pub const VOLUME_FILES_MAX: usize = 8_192;

/// Most attachments that one pouch may be to carry; what is more goes into the next one.
pub const POUCH_FILES_MAX: usize = 65_536;

/// Most attachments that a pouch may say its sender holds.
pub const FILES_TOLD_MAX: usize = 16_384;

/// Attachments of one record that are looked at.
pub const ATTACHMENTS_PER_RECORD_MAX: usize = 1_024;
