//! BLAKE3 with a context for each use, so that a hash made for one purpose never stands for another.

/// A hash that grows part by part.
pub type Hasher = blake3::Hasher;

/// What a hash is for. The string is the BLAKE3 `derive_key` context.
#[derive(Clone, Copy, Debug)]
pub struct Context(&'static str);

impl Context {
    /// A card's header, which names the node.
    pub const CARD: Context = Context("portolan 2026 card header v1");
    /// A card's profile.
    pub const PROFILE: Context = Context("portolan 2026 card profile v1");
    /// The digits that two administrators compare.
    pub const FINGERPRINT: Context = Context("portolan 2026 fingerprint v1");
    /// A genesis payload, which names the space.
    pub const SPACE: Context = Context("portolan 2026 space v1");
    /// An entry: header and signature.
    pub const ENTRY: Context = Context("portolan 2026 entry v1");
    /// A payload as it is stored.
    pub const PAYLOAD: Context = Context("portolan 2026 payload v1");
    /// The control heads that a header cites.
    pub const HEADS: Context = Context("portolan 2026 control heads v1");
    /// From an epoch secret to its content key.
    pub const EPOCH_CONTENT: Context = Context("portolan 2026 epoch content key v1");
    /// From an epoch secret to its history key.
    pub const EPOCH_HISTORY: Context = Context("portolan 2026 epoch history key v1");
    /// The commitment to an epoch's content key.
    pub const CONTENT_COMMITMENT: Context = Context("portolan 2026 content key commitment v1");
    /// The commitment to an epoch's history key.
    pub const HISTORY_COMMITMENT: Context = Context("portolan 2026 history key commitment v1");
    /// From a content key to the key of one log.
    pub const LOG_KEY: Context = Context("portolan 2026 log content key v1");
    /// From the key of a log to the key that makes its nonces.
    pub const NONCE_KEY: Context = Context("portolan 2026 nonce key v1");
    /// The Automerge actor of a log, a document and a start.
    pub const ACTOR: Context = Context("portolan 2026 automerge actor v1");
    /// From a base and a draft to the salt of the actor that writes it, so that the same import makes the same change.
    pub const IMPORTED_CHANGE: Context = Context("portolan 2026 imported change v1");
    /// From a space and a source to the document that an imported file becomes.
    pub const IMPORTED_DOCUMENT: Context = Context("portolan 2026 imported document v1");
    /// From its content to the id of an imported list item.
    pub const IMPORTED_ITEM: Context = Context("portolan 2026 imported item v1");
    /// A bucket of a frontier, and the frontier over its buckets.
    pub const FRONTIER: Context = Context("portolan 2026 frontier v1");
    /// The first bytes of a pouch's volume, to tell it from other files.
    pub const POUCH_MARK: Context = Context("portolan 2026 pouch mark v1");
    /// From fresh randomness and an opening to the secret of a volume.
    pub const POUCH_SECRET: Context = Context("portolan 2026 pouch secret v1");
    /// The commitment to the secret of a volume.
    pub const POUCH_COMMITMENT: Context = Context("portolan 2026 pouch commitment v1");
    /// From the secret of a volume to the key of its chunks.
    pub const POUCH_KEY: Context = Context("portolan 2026 pouch chunk key v1");
    /// The checks of a volume, which need no key.
    pub const POUCH_CHECK: Context = Context("portolan 2026 pouch check v1");
    /// The frames of a volume, which its closing signs.
    pub const POUCH_FRAMES: Context = Context("portolan 2026 pouch frames v1");
    /// The contents list of one volume, and that of several.
    pub const POUCH_CONTENTS: Context = Context("portolan 2026 pouch contents v1");
    /// The checksum of a receipt that is read aloud or scanned.
    pub const POUCH_CODE: Context = Context("portolan 2026 pouch code checksum v1");

    /// Starts a hash for this use.
    pub fn hasher(self) -> Hasher {
        blake3::Hasher::new_derive_key(self.0)
    }

    /// Hashes `parts` one after another. Callers keep this unambiguous: every part but the last has a fixed length.
    pub fn hash(self, parts: &[&[u8]]) -> [u8; 32] {
        let mut hasher = self.hasher();
        for part in parts {
            hasher.update(part);
        }
        *hasher.finalize().as_bytes()
    }
}

/// The plain BLAKE3 of a file, whose tree lets any part of it be checked by itself.
pub fn file(bytes: &[u8]) -> [u8; 32] {
    *blake3::hash(bytes).as_bytes()
}

/// A keyed hash, for values that only holders of `key` may predict.
pub fn keyed(key: &[u8; 32], parts: &[&[u8]]) -> [u8; 32] {
    let mut hasher = blake3::Hasher::new_keyed(key);
    for part in parts {
        hasher.update(part);
    }
    *hasher.finalize().as_bytes()
}
