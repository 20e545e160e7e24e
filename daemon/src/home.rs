//! A node's home directory: who the node is, and the small files beside the store. It reads and replaces; it decides nothing.
//!
//! ```text
//! config.toml      what the administrator has set (`config`)
//! keys/            the node's secrets (`keystore`)
//! recovery.key     only until the recovery key was handed over
//! card             the node's card in its latest version, as `Card::encode` writes it
//! persons.json     logins and their rights (`persons`)
//! looks.json       up to where each login has looked (`looks`)
//! spaces.json      what this node calls its spaces
//! cards.json       cards that nobody has verified yet
//! store/           entries, and what is derived from them (`store`)
//! search/          the index of words, made of the records (`search`)
//! attachments/     files that records refer to (`attachments`)
//! pouches/         what is kept of pouches that were sent (`pouches`)
//! staging/         volumes of pouches while they are verified and taken (`pouches`)
//! portolan.sock    the local API, unless config.toml puts it elsewhere
//! ```

use std::{
    collections::BTreeMap,
    io,
    path::{Path, PathBuf},
    sync::{Mutex, PoisonError},
};

use portolan_protocol::{
    api::CardText,
    card::{Card, CardError, Profile},
    crypto::{sealing::SealingSecret, signing::SigningKey},
    id::{NodeId, SpaceId},
    node,
};
use thiserror::Error;

use crate::{
    clock,
    kept::{self, Kept, KeptError},
    keystore::{Keystore, KeystoreError},
    looks::Looks,
    persons::{Persons, PersonsError},
    transport,
};

/// File of the node's card.
pub const CARD_FILE: &str = "card";
/// Directory of the search index.
pub const SEARCH_DIRECTORY: &str = "search";
/// Directory of the store.
pub const STORE_DIRECTORY: &str = "store";

/// Why a home cannot be used. Nothing was changed.
#[derive(Debug, Error)]
pub enum HomeError {
    /// No node lives there.
    #[error("there is no node in {}", .0.display())]
    None(PathBuf),
    /// The secrets.
    #[error(transparent)]
    Keys(#[from] KeystoreError),
    /// The secrets are well formed and of no use.
    #[error("the node's keys cannot be used: {0}")]
    Unusable(String),
    /// A small file.
    #[error(transparent)]
    Kept(#[from] KeptError),
    /// The list of persons.
    #[error(transparent)]
    Persons(#[from] PersonsError),
    /// The card.
    #[error("{}: {source}", path.display())]
    Card {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        source: CardError,
    },
    /// A new profile that breaks a bound.
    #[error(transparent)]
    Profile(CardError),
}

/// What this node calls its spaces.
pub type SpaceNames = BTreeMap<SpaceId, String>;
/// Cards that were brought and not verified.
pub type Strangers = BTreeMap<NodeId, CardText>;

/// An open home.
pub struct Home {
    path: PathBuf,
    signing: SigningKey,
    sealing: SealingSecret,
    transport: transport::Identity,
    card: Mutex<Card>,
    /// Who may use the local API.
    pub persons: Persons,
    /// Up to where each login has looked.
    pub looks: Looks,
    /// What this node calls its spaces.
    pub space_names: Kept<SpaceNames>,
    /// Cards that were brought and not verified.
    pub strangers: Kept<Strangers>,
}

impl Home {
    /// Reads everything but the configuration and the store.
    ///
    /// # Errors
    /// [`HomeError`].
    pub fn open(path: &Path) -> Result<Home, HomeError> {
        let file = path.join(CARD_FILE);
        let gone = matches!(&file.symlink_metadata(), Err(error) if error.kind() == io::ErrorKind::NotFound);
        if gone && Keystore::path(path).symlink_metadata().is_err() {
            return Err(HomeError::None(path.into()));
        }
        let keys = Keystore::open(path)?;
        let bytes = kept::read(&file)?.ok_or_else(|| HomeError::None(path.into()))?;
        let card = Card::decode(&bytes).map_err(|source| HomeError::Card { path: file, source })?;
        Ok(Home {
            path: path.into(),
            signing: SigningKey::from_seed(&keys.signing),
            sealing: SealingSecret::from_seed(&keys.sealing).map_err(|error| HomeError::Unusable(error.to_string()))?,
            transport: transport::Identity::from_seed(&keys.transport)
                .map_err(|error| HomeError::Unusable(error.to_string()))?,
            card: Mutex::new(card),
            persons: Persons::open(path)?,
            looks: Looks::open(path),
            space_names: Kept::open(path.join("spaces.json"))?,
            strangers: Kept::open(path.join("cards.json"))?,
        })
    }

    /// The directory.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Where the store is.
    pub fn store(&self) -> PathBuf {
        self.path.join(STORE_DIRECTORY)
    }

    /// Where the search index is.
    pub fn search(&self) -> PathBuf {
        self.path.join(SEARCH_DIRECTORY)
    }

    /// Who the node is, for the core.
    pub fn identity(&self) -> node::Identity {
        node::Identity { card: self.card(), signing: self.signing.clone(), sealing: self.sealing.clone() }
    }

    /// The secrets that sign for the node and open what is sealed to it.
    pub fn keys(&self) -> (SigningKey, SealingSecret) {
        (self.signing.clone(), self.sealing.clone())
    }

    /// Who the node is, for connections.
    pub fn transport(&self) -> transport::Identity {
        self.transport.clone()
    }

    /// The node's card in its latest version.
    pub fn card(&self) -> Card {
        self.card.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Makes the next version of the card, durably; nothing when the profile stays as it is. Blocks.
    ///
    /// # Errors
    /// [`HomeError::Profile`], [`HomeError::Kept`]; the card stays as it was then.
    pub fn change_profile(&self, change: impl FnOnce(&mut Profile)) -> Result<Option<Card>, HomeError> {
        let mut card = self.card.lock().unwrap_or_else(PoisonError::into_inner);
        let mut profile = card.profile().clone();
        change(&mut profile);
        if profile == *card.profile() {
            return Ok(None);
        }
        let next = card.with_profile(&self.signing, profile, clock::now()).map_err(HomeError::Profile)?;
        kept::replace(&self.path.join(CARD_FILE), &next.encode())?;
        *card = next.clone();
        Ok(Some(next))
    }
}
