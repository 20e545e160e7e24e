//! Cards: a node's signed, versioned description of itself (`docs/spec/card.md`).
//!
//! A card is a chain of signed headers, which hold keys and no names, and the profile that the last header covers.
//! The node's id is the hash of its first header, so whoever holds that header holds the node's keys and cannot be lied to
//! about them; that is why grants carry it. A later version may change the profile. A change of keys has its place in the
//! format and is refused by this release.

use std::fmt;

use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::{
    codec::{self, DecodeError},
    crypto::{
        hash::Context,
        sealing::{SealingPublicKey, SealingSecret},
        signing::{PublicKey, Purpose, Signature, SigningKey, Verifier},
    },
    id::{CardHash, NodeId, OrganisationId, ProfileHash},
    limits::{CARD_ADDRESSES_MAX, CARD_BYTES_MAX, CARD_TEXT_BYTES_MAX},
    time::Timestamp,
};

/// Why a card is refused.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum CardError {
    /// The bytes are no card.
    #[error("not a card: {0}")]
    Decode(#[from] DecodeError),
    /// A signature of the chain does not verify: the card was altered or is forged.
    #[error("a signature on the card does not verify: the card was altered or is not genuine")]
    Signature,
    /// The parts do not belong together.
    #[error("the parts of the card do not belong together: {0}")]
    Inconsistent(&'static str),
    /// The card replaces keys.
    #[error(
        "the card replaces the node's keys, which this release does not support; ask for a card with the first keys"
    )]
    KeyChange,
    /// A text or a list is longer than a card may hold.
    #[error("the card's {0} is longer than a card may hold")]
    TooLong(&'static str),
}

/// The public keys of a node.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CardKeys {
    /// Signs entries, receipts and later cards.
    pub signing: PublicKey,
    /// Authenticates the node on the network (Ed25519 raw public key).
    pub transport: PublicKey,
    /// Receives sealed secrets.
    pub sealing: SealingPublicKey,
    /// May sign a card when the signing key is lost; its secret is kept offline.
    pub recovery: PublicKey,
}

/// One version of a card, without the profile.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CardHeader {
    /// 1 for the first version.
    pub version: u32,
    /// The header before this one; none in the first version.
    pub previous: Option<CardHash>,
    /// The node's keys.
    pub keys: CardKeys,
    /// The hash of the profile.
    pub profile: ProfileHash,
    /// When the node made it, by its clock.
    pub time: Timestamp,
}

impl CardHeader {
    /// The hash that names this header.
    pub fn hash(&self) -> CardHash {
        CardHash(Context::CARD.hash(&[&codec::encode(self)]))
    }
}

/// A header and its signature.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SignedHeader {
    /// What is signed.
    pub header: CardHeader,
    /// By the signing key of the first header.
    pub signature: Signature,
}

impl SignedHeader {
    /// Checks that this is a genuine first header, and tells whose.
    ///
    /// # Errors
    /// [`CardError`].
    pub fn verify_first(&self) -> Result<NodeId, CardError> {
        if self.header.version != 1 || self.header.previous.is_some() {
            return Err(CardError::Inconsistent("the first version has a predecessor"));
        }
        let verifier = self.verifier()?;
        verify(&self.header, &self.signature, &verifier)?;
        self.header.keys.sealing.check().map_err(|_| CardError::Inconsistent("unusable sealing key"))?;
        Ok(self.node())
    }

    /// The node's signing key made ready for checking.
    ///
    /// # Errors
    /// [`CardError::Signature`] when it is not a usable key.
    pub fn verifier(&self) -> Result<Verifier, CardError> {
        self.header.keys.signing.verifier().map_err(|_| CardError::Signature)
    }

    /// The id of the node whose first header this is.
    pub fn node(&self) -> NodeId {
        NodeId(self.header.hash().0)
    }
}

fn verify(header: &CardHeader, signature: &Signature, verifier: &Verifier) -> Result<(), CardError> {
    verifier.verify(Purpose::CARD, &codec::encode(header), signature).map_err(|_| CardError::Signature)
}

/// What people read on a card. It never enters a control log.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Profile {
    /// The node's name, such as "Rome Academy".
    pub name: String,
    /// The organisation's name.
    pub organisation_name: String,
    /// The pseudonymous id that grants write for the organisation.
    pub organisation: OrganisationId,
    /// ISO 3166-1 alpha-2.
    pub country: String,
    /// `host:port`, in order of preference.
    pub addresses: Vec<String>,
}

impl Profile {
    fn hash(&self) -> ProfileHash {
        ProfileHash(Context::PROFILE.hash(&[&codec::encode(self)]))
    }

    /// Checks the bounds of suite 1.
    ///
    /// # Errors
    /// [`CardError::TooLong`] or [`CardError::Inconsistent`].
    pub fn check(&self) -> Result<(), CardError> {
        let long = |text: &String| text.len() > CARD_TEXT_BYTES_MAX;
        if long(&self.name) {
            return Err(CardError::TooLong("name"));
        }
        if long(&self.organisation_name) {
            return Err(CardError::TooLong("organisation"));
        }
        if self.addresses.len() > CARD_ADDRESSES_MAX || self.addresses.iter().any(long) {
            return Err(CardError::TooLong("list of addresses"));
        }
        if self.country.len() != 2 || !self.country.bytes().all(|b| b.is_ascii_uppercase()) {
            return Err(CardError::Inconsistent("the country is not a code of two capital letters"));
        }
        let unprintable = |text: &String| text.chars().any(char::is_control);
        if unprintable(&self.name) || unprintable(&self.organisation_name) || self.addresses.iter().any(unprintable) {
            return Err(CardError::Inconsistent("control characters in a text"));
        }
        Ok(())
    }
}

/// A card whose signatures and hashes were checked; only [`Card::decode`], [`Card::first`] and [`Card::with_profile`] make one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Card {
    content: Content,
    node: NodeId,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Content {
    first: SignedHeader,
    latest: Option<SignedHeader>,
    profile: Profile,
}

impl Card {
    /// Makes the first card of a node.
    ///
    /// # Errors
    /// [`CardError`] when the profile breaks a bound.
    pub fn first(
        signing: &SigningKey,
        transport: PublicKey,
        sealing: &SealingSecret,
        recovery: PublicKey,
        profile: Profile,
        time: Timestamp,
    ) -> Result<Card, CardError> {
        let keys = CardKeys { signing: signing.public(), transport, sealing: sealing.public(), recovery };
        let header = CardHeader { version: 1, previous: None, keys, profile: profile.hash(), time };
        Card::check(Content { first: sign(header, signing), latest: None, profile })
    }

    /// Makes the next version, with another profile.
    ///
    /// # Errors
    /// [`CardError`] when the profile breaks a bound, or `signing` is not this card's key.
    pub fn with_profile(&self, signing: &SigningKey, profile: Profile, time: Timestamp) -> Result<Card, CardError> {
        let last = self.header();
        let header = CardHeader {
            version: last.version.saturating_add(1),
            previous: Some(last.hash()),
            keys: last.keys.clone(),
            profile: profile.hash(),
            time,
        };
        Card::check(Content { first: self.content.first.clone(), latest: Some(sign(header, signing)), profile })
    }

    /// Reads and verifies a card.
    ///
    /// # Errors
    /// [`CardError`], which says what is wrong with it.
    pub fn decode(bytes: &[u8]) -> Result<Card, CardError> {
        Card::check(codec::decode(bytes, CARD_BYTES_MAX)?)
    }

    /// The bytes that [`Card::decode`] reads.
    pub fn encode(&self) -> Vec<u8> {
        codec::encode(&self.content)
    }

    fn check(content: Content) -> Result<Card, CardError> {
        let node = content.first.verify_first()?;
        if let Some(latest) = &content.latest {
            if latest.header.keys != content.first.header.keys {
                return Err(CardError::KeyChange);
            }
            if latest.header.version < 2 || latest.header.previous.is_none() {
                return Err(CardError::Inconsistent("a later version without a predecessor"));
            }
            verify(&latest.header, &latest.signature, &content.first.verifier()?)?;
        }
        content.profile.check()?;
        let card = Card { content, node };
        if card.header().profile != card.content.profile.hash() {
            return Err(CardError::Inconsistent("the profile is not the one that was signed"));
        }
        Ok(card)
    }

    fn header(&self) -> &CardHeader {
        self.content.latest.as_ref().map_or(&self.content.first.header, |latest| &latest.header)
    }

    /// The node that the card describes.
    pub fn node(&self) -> NodeId {
        self.node
    }

    /// The version, 1 for the first.
    pub fn version(&self) -> u32 {
        self.header().version
    }

    /// The node's keys.
    pub fn keys(&self) -> &CardKeys {
        &self.header().keys
    }

    /// What people read.
    pub fn profile(&self) -> &Profile {
        &self.content.profile
    }

    /// The first header, for a grant.
    pub fn first_header(&self) -> &SignedHeader {
        &self.content.first
    }

    /// What two administrators compare: it follows from the first header, so from all keys.
    pub fn fingerprint(&self) -> Fingerprint {
        Fingerprint::of(self.node)
    }
}

fn sign(header: CardHeader, key: &SigningKey) -> SignedHeader {
    let signature = key.sign(Purpose::CARD, &codec::encode(&header));
    SignedHeader { header, signature }
}

/// 40 decimal digits (132 bits) that stand for a node.
#[derive(Clone, PartialEq, Eq)]
pub struct Fingerprint([u8; 40]);

impl Fingerprint {
    /// The fingerprint of a node.
    pub fn of(node: NodeId) -> Fingerprint {
        let mut bytes = [0; 64];
        Context::FINGERPRINT.hasher().update(&node.0).finalize_xof().fill(&mut bytes);
        let mut digits = [0; 40];
        for (group, chunk) in digits.chunks_exact_mut(5).zip(bytes.chunks_exact(8)) {
            let mut number = chunk.iter().fold(0u64, |number, byte| (number << 8) | u64::from(*byte)) % 100_000;
            for digit in group.iter_mut().rev() {
                *digit = (number % 10) as u8;
                number /= 10;
            }
        }
        Fingerprint(digits)
    }

    /// Whether a person typed this fingerprint: spaces and dashes are ignored, Arabic-Indic digits of both kinds count.
    pub fn matches(&self, typed: &str) -> bool {
        let digits: Option<Vec<u8>> =
            typed.chars().filter(|c| !c.is_whitespace() && *c != '-' && !is_mark(*c)).map(digit).collect();
        digits.is_some_and(|digits| digits == self.0)
    }
}

/// Invisible direction marks that copying from right-to-left text brings along.
fn is_mark(c: char) -> bool {
    matches!(c, '\u{200e}' | '\u{200f}' | '\u{061c}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

fn digit(c: char) -> Option<u8> {
    let base = match c {
        '0'..='9' => '0',
        '\u{0660}'..='\u{0669}' => '\u{0660}',
        '\u{06f0}'..='\u{06f9}' => '\u{06f0}',
        _ => return None,
    };
    u8::try_from(u32::from(c) - u32::from(base)).ok()
}

impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, digit) in self.0.iter().enumerate() {
            if index > 0 && index % 5 == 0 {
                f.write_str(" ")?;
            }
            write!(f, "{digit}")?;
        }
        Ok(())
    }
}

impl fmt::Debug for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Fingerprint({self})")
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn profile() -> Profile {
        Profile {
            name: "Rome".into(),
            country: "IT".into(),
            addresses: vec!["[::1]:7443".into()],
            ..Profile::default()
        }
    }

    fn keys() -> (SigningKey, SealingSecret) {
        (SigningKey::from_seed(&[1; 32]), SealingSecret::from_seed(&[2; 32]).unwrap())
    }

    fn card() -> Card {
        let (signing, sealing) = keys();
        Card::first(&signing, PublicKey([3; 32]), &sealing, PublicKey([4; 32]), profile(), Timestamp(5)).unwrap()
    }

    #[test]
    fn a_card_comes_back_and_keeps_its_node_through_versions() {
        let first = card();
        let next = first.with_profile(&keys().0, Profile { name: "Roma".into(), ..profile() }, Timestamp(6)).unwrap();
        let read = Card::decode(&next.encode()).unwrap();
        assert_eq!((read.node(), read.version(), read.profile().name.as_str()), (first.node(), 2, "Roma"));
    }

    #[test]
    fn every_flipped_byte_is_refused() {
        let bytes = card().encode();
        for index in 0..bytes.len() {
            let mut forged = bytes.clone();
            forged[index] ^= 1;
            assert!(Card::decode(&forged).is_err(), "byte {index}");
        }
    }

    #[test]
    fn a_stranger_cannot_sign_a_later_version() {
        let stranger = SigningKey::from_seed(&[9; 32]);
        assert_eq!(card().with_profile(&stranger, profile(), Timestamp(7)), Err(CardError::Signature));
    }

    #[test]
    fn the_fingerprint_is_typed_with_any_digits() {
        let fingerprint = card().fingerprint();
        let text = fingerprint.to_string();
        assert_eq!(text.len(), 47);
        assert!(fingerprint.matches(&text) && fingerprint.matches(&text.replace(' ', "-")));
        let arabic: String =
            text.chars().map(|c| c.to_digit(10).and_then(|d| char::from_u32(0x0660 + d)).unwrap_or(c)).collect();
        assert!(fingerprint.matches(&arabic));
        assert!(!fingerprint.matches(&text[..46]));
    }
}
