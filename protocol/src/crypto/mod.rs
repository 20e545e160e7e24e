//! Everything cryptographic, behind five small rooms. Nothing here is our own invention: BLAKE3, Ed25519 (RFC 8032),
//! AES-256-GCM, and HPKE (RFC 9180) with the X-Wing KEM.

pub mod aead;
pub mod chunks;
pub mod hash;
pub mod sealing;
pub mod signing;
