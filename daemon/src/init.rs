//! Making a home: keys, the first card, the configuration, the first person, an empty store. No daemon runs yet.

use std::{
    fs::{self, DirBuilder, File},
    io,
    net::SocketAddr,
    os::unix::fs::DirBuilderExt as _,
    path::{Path, PathBuf},
};

use portolan_protocol::{
    api::{CardAnswer, CardText, InitRequest, InitResult},
    card::{Card, CardError, Profile},
    crypto::{
        sealing::SealingSecret,
        signing::{PublicKey, SigningKey},
    },
    id::{Incarnation, OrganisationId},
    record::{display_safe, is_country},
};
use rand_core::Rng as _;
use thiserror::Error;

use crate::{
    clock,
    config::{self, ConfigError},
    home::{CARD_FILE, STORE_DIRECTORY},
    kept::{self, KeptError},
    keystore::{Keystore, KeystoreError, RECOVERY_FILE},
    logins,
    persons::{Persons, PersonsError},
    store::{Options, Store, StoreError},
};

/// Others may pass through to the socket, whose own mode and group decide; they cannot list what is there.
const HOME_MODE: u32 = 0o711;

/// Why no home was made. Whatever was begun is gone again.
#[derive(Debug, Error)]
pub enum InitError {
    /// The card cannot say that.
    #[error(transparent)]
    Profile(#[from] CardError),
    /// Something else in the request makes no sense.
    #[error("{0}")]
    Request(String),
    /// The directory is not empty.
    #[error("{} is not empty", .0.display())]
    Taken(PathBuf),
    /// A node lives there.
    #[error("there is a node in {} already", .0.display())]
    Exists(PathBuf),
    /// The system refused.
    #[error("{}: {source}", path.display())]
    Directory {
        /// The home.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The configuration file.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// The secrets.
    #[error(transparent)]
    Keys(#[from] KeystoreError),
    /// The sealing key.
    #[error("the new keys cannot be used: {0}")]
    Unusable(String),
    /// A small file.
    #[error(transparent)]
    Kept(#[from] KeptError),
    /// The list of persons.
    #[error(transparent)]
    Persons(#[from] PersonsError),
    /// The store.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Makes a home. `recovery.key` is still in it: it goes with [`forget_recovery_key`] once the answer was taken.
///
/// # Errors
/// [`InitError`].
pub fn init(home: &Path, request: &InitRequest) -> Result<InitResult, InitError> {
    let profile = profile(request)?;
    let listen = listen(request)?;
    let made = prepare(home)?;
    let result = fill(home, profile, &listen, request.offline);
    if result.is_err() {
        undo(home, made);
    }
    result
}

/// Removes the recovery key from a home: from now on only whoever was given it has it.
///
/// # Errors
/// When the file cannot be removed.
pub fn forget_recovery_key(home: &Path) -> io::Result<()> {
    fs::remove_file(home.join(RECOVERY_FILE))?;
    File::open(home)?.sync_all()
}

/// What others are told of a card.
pub fn card_answer(card: &Card) -> CardAnswer {
    let profile = card.profile();
    CardAnswer {
        card: CardText(card.encode()),
        node: card.node(),
        fingerprint: card.fingerprint().to_string(),
        version: card.version(),
        name: profile.name.clone(),
        organisation: profile.organisation_name.clone(),
        country: profile.country.clone(),
        addresses: profile.addresses.clone(),
    }
}

fn profile(request: &InitRequest) -> Result<Profile, InitError> {
    let mut organisation = OrganisationId::default();
    clock::rng().fill_bytes(&mut organisation.0);
    let profile = Profile {
        name: request.name.clone(),
        organisation_name: request.organisation.clone(),
        organisation,
        country: request.country.clone(),
        addresses: request.addresses.clone(),
    };
    check_profile(&profile).map_err(InitError::Request)?;
    profile.check()?;
    Ok(profile)
}

/// What a card of ours must say beyond what any card must: a name, a country there is, and addresses that can be called.
///
/// # Errors
/// What is wrong, in words.
pub fn check_profile(profile: &Profile) -> Result<(), String> {
    if profile.name.trim().is_empty() {
        return Err("a node needs a name".into());
    }
    // What others may write on their cards is not ours to judge: the list changes, and their release may be newer.
    if !is_country(&profile.country) {
        return Err(format!(
            "`{}` is no country by its two capital letters (ISO 3166-1 alpha-2), such as IT",
            display_safe(&profile.country)
        ));
    }
    for address in &profile.addresses {
        let parts = address.rsplit_once(':').filter(|(host, port)| {
            let host_is_whole = !host.contains(':') || (host.starts_with('[') && host.ends_with(']'));
            !host.is_empty() && host_is_whole && port.parse::<u16>().is_ok_and(|port| port > 0)
        });
        if parts.is_none() {
            return Err(format!("`{address}` is not HOST:PORT (an IPv6 address stands in brackets)"));
        }
    }
    Ok(())
}

fn listen(request: &InitRequest) -> Result<Vec<SocketAddr>, InitError> {
    let text = request.listen.as_deref().unwrap_or(config::LISTEN_DEFAULT);
    let address = text.parse();
    let wrong = |_| InitError::Request(format!("`{text}` is not ADDRESS:PORT (an IPv6 address stands in brackets)"));
    Ok(vec![address.map_err(wrong)?])
}

/// Whether the directory was there before.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Made {
    Here,
    Before,
}

fn prepare(home: &Path) -> Result<Made, InitError> {
    let at = |source| InitError::Directory { path: home.into(), source };
    if home.join(CARD_FILE).symlink_metadata().is_ok() || Keystore::path(home).symlink_metadata().is_ok() {
        return Err(InitError::Exists(home.into()));
    }
    match fs::read_dir(home) {
        Ok(mut entries) => entries.next().map_or(Ok(Made::Before), |_| Err(InitError::Taken(home.into()))),
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            if let Some(above) = home.parent().filter(|above| !above.as_os_str().is_empty()) {
                fs::create_dir_all(above).map_err(at)?;
            }
            DirBuilder::new().mode(HOME_MODE).create(home).map_err(at)?;
            Ok(Made::Here)
        }
        Err(error) => Err(at(error)),
    }
}

fn fill(home: &Path, profile: Profile, listen: &[SocketAddr], offline: bool) -> Result<InitResult, InitError> {
    let mut rng = clock::rng();
    let config = config::write_default(home, listen, offline)?;
    let (keys, recovery_file) = Keystore::create(home, &mut rng)?;
    let mut incarnation = Incarnation::default();
    rng.fill_bytes(&mut incarnation.0);
    let (store, _) = Store::open(&home.join(STORE_DIRECTORY), &Options::new(incarnation))?;
    let incarnation = store.incarnation();
    drop(store);
    let system = |source| InitError::Directory { path: home.into(), source };
    let uid = logins::own_uid();
    let login = logins::login(uid).map_err(system)?;
    let name = login.as_deref().map_or_else(|| Ok(format!("uid {uid}")), logins::full_name).map_err(system)?;
    let login = login.unwrap_or_else(|| format!("uid {uid}"));
    let user = Persons::create(home, &login, &name, &mut rng)?;
    let sealing = SealingSecret::from_seed(&keys.sealing).map_err(|error| InitError::Unusable(error.to_string()))?;
    let card = Card::first(
        &SigningKey::from_seed(&keys.signing),
        SigningKey::from_seed(&keys.transport).public(),
        &sealing,
        PublicKey(keys.recovery_public),
        profile,
        clock::now(),
    )?;
    let recovery_key = recovery_key(&recovery_file).map_err(system)?;
    // Last: a home with a card is whole.
    kept::replace(&home.join(CARD_FILE), &card.encode())?;
    Ok(InitResult {
        home: home.display().to_string(),
        card: card_answer(&card),
        incarnation,
        login,
        person: user.person,
        config: config.display().to_string(),
        recovery_key,
    })
}

/// The one line of the file that is not a comment.
fn recovery_key(file: &Path) -> io::Result<String> {
    let text = fs::read_to_string(file)?;
    let line = text.lines().find(|line| !line.starts_with('#') && !line.trim().is_empty());
    line.map(str::to_owned).ok_or_else(|| io::Error::other("the recovery key cannot be read back"))
}

/// Removes what was begun in a directory that was empty or missing before.
fn undo(home: &Path, made: Made) {
    // What cannot be removed is found by the next `init`, which says that the directory is not empty.
    let _ = match made {
        Made::Here => fs::remove_dir_all(home),
        Made::Before => fs::read_dir(home).map(|entries| {
            for path in entries.flatten().map(|entry| entry.path()) {
                let _ = if path.is_dir() { fs::remove_dir_all(path) } else { fs::remove_file(path) };
            }
        }),
    };
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::home::Home;

    fn request() -> InitRequest {
        InitRequest {
            name: "Rome Academy".into(),
            organisation: "Academy of Rome".into(),
            country: "IT".into(),
            listen: None,
            offline: false,
            addresses: vec!["rome.example:7443".into(), "[2001:db8::1]:7443".into()],
        }
    }

    #[test]
    fn a_home_is_made_once_and_opens() {
        let above = tempfile::tempdir().unwrap();
        let home = above.path().join("new/home");
        let result = init(&home, &request()).unwrap();
        assert!(result.recovery_key.starts_with("portolan-recovery-1 "));
        assert!(matches!(init(&home, &request()), Err(InitError::Exists(_))));
        forget_recovery_key(&home).unwrap();
        assert!(!home.join(RECOVERY_FILE).exists());
        let open = Home::open(&home).unwrap();
        assert_eq!((open.card().node(), open.persons.list()[0].person), (result.card.node, result.person));
        let next = open.change_profile(|profile| profile.name = "Rome".into()).unwrap().unwrap();
        assert_eq!((next.version(), open.change_profile(|_| {}).unwrap()), (2, None));
        assert_eq!(Home::open(&home).unwrap().card(), next);
    }

    #[test]
    fn what_makes_no_sense_makes_nothing() {
        let above = tempfile::tempdir().unwrap();
        let home = above.path().join("home");
        let refused = [
            InitRequest { name: " ".into(), ..request() },
            InitRequest { country: "Italy".into(), ..request() },
            InitRequest { country: "YU".into(), ..request() },
            InitRequest { listen: Some("7443".into()), ..request() },
            InitRequest { addresses: vec!["rome.example".into()], ..request() },
            InitRequest { addresses: vec!["2001:db8::1:7443".into()], ..request() },
            InitRequest { organisation: "x".repeat(1_000), ..request() },
        ];
        for request in refused {
            init(&home, &request).unwrap_err();
            assert!(!home.exists(), "{request:?}");
        }
    }

    #[test]
    fn a_directory_with_other_things_in_it_is_left_alone() {
        let home = tempfile::tempdir().unwrap();
        fs::write(home.path().join("letter"), "Dear Amina").unwrap();
        assert!(matches!(init(home.path(), &request()), Err(InitError::Taken(_))));
        assert_eq!(fs::read_dir(home.path()).unwrap().count(), 1);
    }

    #[test]
    fn an_empty_directory_is_filled_and_emptied_again_on_failure() {
        let home = tempfile::tempdir().unwrap();
        let made = prepare(home.path()).map_err(|error| error.to_string()).unwrap();
        fs::create_dir(home.path().join("keys")).unwrap();
        fs::write(home.path().join("config.toml"), "").unwrap();
        undo(home.path(), made);
        assert_eq!(fs::read_dir(home.path()).unwrap().count(), 0);
        init(home.path(), &request()).unwrap();
    }
}
