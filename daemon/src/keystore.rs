//! The node's secrets on disk: seeds and nothing built from them. Using them is for the crypto and transport code.
//!
//! `keys/node.keys` (directory 0700, file 0600): magic, version, the seeds, the recovery key's public half, and a BLAKE3
//! checksum. The recovery secret is written once, to `recovery.key`, for the administrator to move offline; the node
//! never reads it again.

use std::{
    fmt,
    fs::{self, DirBuilder, File, OpenOptions},
    io::{self, Read, Write},
    os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt, PermissionsExt},
    path::{Path, PathBuf},
};

use data_encoding::BASE32_NOPAD;
use portolan_protocol::crypto::signing::SigningKey;
use rand_core::CryptoRng;
use thiserror::Error;
use zeroize::Zeroizing;

/// Directory of the secrets in the home directory.
pub const DIRECTORY: &str = "keys";
/// File of the recovery secret in the home directory, until the administrator moves it away.
pub const RECOVERY_FILE: &str = "recovery.key";

const FILE: &str = "node.keys";
const MAGIC: &[u8; 8] = b"PTLNKEYS";
const VERSION: u8 = 1;
const SEED: usize = 32;
/// Magic, version, four fields of 32 bytes, checksum.
const LENGTH: usize = MAGIC.len() + 1 + 4 * SEED + SEED;

/// One secret, wiped from memory when dropped.
pub type Seed = Zeroizing<[u8; SEED]>;

/// The secrets of a node.
pub struct Keystore {
    /// Ed25519 seed that signs entries, cards and receipts.
    pub signing: Seed,
    /// Ed25519 seed of the key that peers see in the handshake.
    pub transport: Seed,
    /// X-Wing seed to which epochs are sealed.
    pub sealing: Seed,
    /// Public half of the recovery key, which can replace a lost or stolen signing key.
    pub recovery_public: [u8; SEED],
}

impl fmt::Debug for Keystore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Keystore(secret)")
    }
}

/// Why the secrets cannot be used. Nothing is changed on disk by a failure.
#[derive(Debug, Error)]
pub enum KeystoreError {
    /// The system refused.
    #[error("{}: {source}", path.display())]
    File {
        /// The file or directory.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// There are keys already; a second set would be another node.
    #[error("{}: already there; it is never overwritten. If it is no longer needed here, move it away first", path.display())]
    Exists {
        /// The file.
        path: PathBuf,
    },
    /// Others than the owner may get at the secrets.
    #[error("{}: permissions {mode:04o} let others in; run: chmod {} {}", path.display(), if *directory { "700" } else { "600" }, path.display())]
    Open {
        /// The file or directory.
        path: PathBuf,
        /// Its permissions.
        mode: u32,
        /// Whether it is the directory.
        directory: bool,
    },
    /// The secrets belong to another user of the system.
    #[error("{}: belongs to user {owner}, and this process runs as user {user}", path.display())]
    Owner {
        /// The file or directory.
        path: PathBuf,
        /// Its owner.
        owner: u32,
        /// Who we are.
        user: u32,
    },
    /// The file is not what was written.
    #[error("{}: {reason}. Restore it from a backup; without one this node is lost: have it revoked and make a new one", path.display())]
    Corrupt {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        reason: &'static str,
    },
    /// A newer version wrote the file.
    #[error("{}: format version {version}, and this program knows {VERSION}; upgrade it", path.display())]
    Version {
        /// The file.
        path: PathBuf,
        /// The version found.
        version: u8,
    },
}

impl Keystore {
    /// Draws new secrets and writes them durably. Returns them with the path of the recovery file, which the
    /// administrator must move offline.
    ///
    /// # Errors
    /// When secrets, or a recovery file, are there already, or the disk refuses.
    pub fn create(home: &Path, rng: &mut impl CryptoRng) -> Result<(Self, PathBuf), KeystoreError> {
        let (directory, file, recovery_file) = (home.join(DIRECTORY), Self::path(home), home.join(RECOVERY_FILE));
        for path in [&file, &recovery_file] {
            if path.symlink_metadata().is_ok() {
                return Err(KeystoreError::Exists { path: path.clone() });
            }
        }
        let mut draw = || {
            let mut seed = Zeroizing::new([0; SEED]);
            rng.fill_bytes(seed.as_mut_slice());
            seed
        };
        let recovery = draw();
        let keys = Self {
            signing: draw(),
            transport: draw(),
            sealing: draw(),
            recovery_public: SigningKey::from_seed(&recovery).public().0,
        };
        match DirBuilder::new().mode(0o700).create(&directory) {
            Err(source) if source.kind() != io::ErrorKind::AlreadyExists => {
                return Err(KeystoreError::File { path: directory, source });
            }
            _ => guard(&directory, true)?,
        }
        // The recovery secret first: keys without one would be a node that cannot be recovered.
        write_new(&recovery_file, &recovery_text(&recovery))?;
        write_new(&file, &keys.encode())?;
        sync(home)?;
        Ok((keys, recovery_file))
    }

    /// Reads the secrets of a home directory.
    ///
    /// # Errors
    /// When they are missing, open to others, corrupt or of a newer version.
    pub fn open(home: &Path) -> Result<Self, KeystoreError> {
        let path = Self::path(home);
        guard(&home.join(DIRECTORY), true)?;
        guard(&path, false)?;
        let mut bytes = Zeroizing::new(Vec::with_capacity(LENGTH + 1));
        // `guard` has refused links; a link put there since then is refused by the flag.
        let flags = rustix::fs::OFlags::NOFOLLOW.bits().cast_signed();
        let file = OpenOptions::new().read(true).custom_flags(flags).open(&path);
        file.and_then(|f| f.take(LENGTH as u64 + 1).read_to_end(&mut bytes))
            .map_err(|source| KeystoreError::File { path: path.clone(), source })?;
        Self::decode(&bytes, &path)
    }

    /// Where the secrets of a home directory are.
    pub fn path(home: &Path) -> PathBuf {
        home.join(DIRECTORY).join(FILE)
    }

    fn encode(&self) -> Zeroizing<Vec<u8>> {
        let mut bytes = Zeroizing::new(Vec::with_capacity(LENGTH));
        bytes.extend_from_slice(MAGIC);
        bytes.push(VERSION);
        for field in [&*self.signing, &*self.transport, &*self.sealing, &self.recovery_public] {
            bytes.extend_from_slice(field);
        }
        let sum = blake3::hash(&bytes);
        bytes.extend_from_slice(sum.as_bytes());
        bytes
    }

    fn decode(bytes: &[u8], path: &Path) -> Result<Self, KeystoreError> {
        let corrupt = |reason| KeystoreError::Corrupt { path: path.into(), reason };
        let Some((&version, rest)) = bytes.strip_prefix(MAGIC).and_then(|rest| rest.split_first()) else {
            return Err(corrupt("this is not a file of keys"));
        };
        // Before the length: another version may have another one.
        if version != VERSION {
            return Err(KeystoreError::Version { path: path.into(), version });
        }
        let (fields, []) = rest.as_chunks::<SEED>() else {
            return Err(corrupt("the file of keys has a wrong length"));
        };
        let [signing, transport, sealing, recovery_public, sum] = fields else {
            return Err(corrupt("the file of keys has a wrong length"));
        };
        if bytes.get(..LENGTH - SEED).is_none_or(|body| blake3::hash(body) != *sum) {
            return Err(corrupt("the checksum of the file of keys does not match"));
        }
        Ok(Self {
            signing: Zeroizing::new(*signing),
            transport: Zeroizing::new(*transport),
            sealing: Zeroizing::new(*sealing),
            recovery_public: *recovery_public,
        })
    }
}

fn recovery_text(seed: &Seed) -> Zeroizing<Vec<u8>> {
    let text = Zeroizing::new(BASE32_NOPAD.encode(seed.as_slice()).to_ascii_lowercase());
    let sum = blake3::hash(seed.as_slice());
    let check = BASE32_NOPAD.encode(sum.as_bytes().split_at(5).0).to_ascii_lowercase();
    Zeroizing::new(
        format!(
            "\
# Portolan recovery key.
# Move this file to a medium that is kept offline, then delete it here.
# It alone can replace this node's keys when they are lost or stolen. Whoever holds it can become this node.
portolan-recovery-1 {} {check}
",
            text.as_str()
        )
        .into_bytes(),
    )
}

/// Refuses what is not a plain file or directory of ours, closed to others.
fn guard(path: &Path, directory: bool) -> Result<(), KeystoreError> {
    let at = |source| KeystoreError::File { path: path.into(), source };
    let meta = path.symlink_metadata().map_err(at)?;
    if if directory { !meta.is_dir() } else { !meta.is_file() } {
        return Err(KeystoreError::Corrupt { path: path.into(), reason: "this is not a plain file or directory" });
    }
    let user = rustix::process::geteuid().as_raw();
    if meta.uid() != user {
        return Err(KeystoreError::Owner { path: path.into(), owner: meta.uid(), user });
    }
    let mode = meta.permissions().mode() & 0o7777;
    if mode & 0o077 != 0 {
        return Err(KeystoreError::Open { path: path.into(), mode, directory });
    }
    Ok(())
}

/// Writes a secret under a name that must be free, whole or not at all.
fn write_new(path: &Path, bytes: &[u8]) -> Result<(), KeystoreError> {
    let draft = path.with_extension("draft");
    let write = || {
        // Left by a creation that was cut short: secrets of a node that never was.
        match fs::remove_file(&draft) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&draft)?;
        file.write_all(bytes)?;
        file.sync_all()?;
        // A link, unlike a rename, fails when the name is taken.
        fs::hard_link(&draft, path)?;
        fs::remove_file(&draft)
    };
    match write() {
        Ok(()) => path.parent().map_or(Ok(()), sync),
        Err(source) if source.kind() == io::ErrorKind::AlreadyExists => {
            Err(KeystoreError::Exists { path: path.into() })
        }
        Err(source) => Err(KeystoreError::File { path: path.into(), source }),
    }
}

fn sync(directory: &Path) -> Result<(), KeystoreError> {
    let at = |source| KeystoreError::File { path: directory.into(), source };
    File::open(directory).and_then(|d| d.sync_all()).map_err(at)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

    use super::*;
    use crate::clock;

    fn home() -> (tempfile::TempDir, Keystore) {
        let home = tempfile::tempdir().unwrap();
        let (keys, _) = Keystore::create(home.path(), &mut clock::rng()).unwrap();
        (home, keys)
    }

    fn error(home: &Path) -> String {
        Keystore::open(home).map(|_| ()).unwrap_err().to_string()
    }

    #[test]
    fn secrets_come_back_and_all_differ() {
        let (home, made) = home();
        let read = Keystore::open(home.path()).unwrap();
        assert_eq!(made.encode(), read.encode());
        let mut all = vec![*read.signing, *read.transport, *read.sealing, read.recovery_public];
        all.sort_unstable();
        all.dedup();
        assert_eq!(all.len(), 4);
    }

    #[test]
    fn only_the_owner_gets_in_and_no_draft_remains() {
        let (home, _) = home();
        let mode = |name: &str| home.path().join(name).metadata().unwrap().permissions().mode() & 0o777;
        assert_eq!((mode("keys"), mode("keys/node.keys"), mode("recovery.key")), (0o700, 0o600, 0o600));
        assert_eq!(fs::read_dir(home.path().join("keys")).unwrap().count(), 1);
        assert_eq!(fs::read_dir(home.path()).unwrap().count(), 2);
    }

    #[test]
    fn the_recovery_file_holds_the_secret_of_the_public_half() {
        let (home, keys) = home();
        let text = fs::read_to_string(home.path().join(RECOVERY_FILE)).unwrap();
        let line = text.lines().find_map(|l| l.strip_prefix("portolan-recovery-1 ")).unwrap();
        let (secret, check) = line.split_once(' ').unwrap();
        let seed: [u8; 32] = BASE32_NOPAD.decode(secret.to_uppercase().as_bytes()).unwrap().try_into().unwrap();
        assert_eq!(SigningKey::from_seed(&seed).public().0, keys.recovery_public);
        assert_eq!(check.len(), 8);
        assert!(!fs::read(Keystore::path(home.path())).unwrap().windows(32).any(|w| w == seed));
    }

    #[test]
    fn nothing_is_overwritten() {
        let (home, keys) = home();
        let again = Keystore::create(home.path(), &mut clock::rng());
        assert!(matches!(again, Err(KeystoreError::Exists { .. })));
        assert_eq!(Keystore::open(home.path()).unwrap().encode(), keys.encode());
        fs::remove_dir_all(home.path().join(DIRECTORY)).unwrap();
        let again = Keystore::create(home.path(), &mut clock::rng()).map(|_| ()).unwrap_err().to_string();
        assert!(again.contains("recovery.key"), "{again}");
    }

    #[test]
    fn a_creation_cut_short_does_not_block_the_next() {
        let home = tempfile::tempdir().unwrap();
        DirBuilder::new().mode(0o700).create(home.path().join(DIRECTORY)).unwrap();
        fs::write(home.path().join("keys/node.draft"), b"half").unwrap();
        Keystore::create(home.path(), &mut clock::rng()).unwrap();
        Keystore::open(home.path()).unwrap();
    }

    #[test]
    fn wide_permissions_are_refused() {
        let (home, _) = home();
        let chmod = |name: &str, mode| fs::set_permissions(home.path().join(name), PermissionsExt::from_mode(mode));
        chmod("keys/node.keys", 0o640).unwrap();
        let message = error(home.path());
        assert!(message.contains("permissions 0640") && message.contains("chmod 600"), "{message}");
        chmod("keys/node.keys", 0o600).unwrap();
        chmod("keys", 0o755).unwrap();
        assert!(error(home.path()).contains("chmod 700"));
    }

    #[test]
    fn a_link_is_not_followed() {
        let (home, _) = home();
        let path = Keystore::path(home.path());
        fs::rename(&path, home.path().join("elsewhere")).unwrap();
        std::os::unix::fs::symlink(home.path().join("elsewhere"), &path).unwrap();
        assert!(error(home.path()).contains("not a plain file"));
    }

    #[test]
    fn every_flipped_bit_and_every_length_is_refused() {
        let (home, keys) = home();
        let (path, good) = (Keystore::path(home.path()), keys.encode());
        for bit in 0..good.len() * 8 {
            let mut bad = good.clone();
            bad[bit / 8] ^= 1 << (bit % 8);
            assert!(Keystore::decode(&bad, &path).is_err(), "bit {bit}");
        }
        for length in 0..good.len() {
            assert!(Keystore::decode(&good[..length], &path).is_err(), "length {length}");
        }
        fs::write(&path, [&good[..], b"x"].concat()).unwrap();
        assert!(error(home.path()).contains("wrong length"));
        let mut newer = good.clone();
        newer[8] = 2;
        fs::write(&path, &newer).unwrap();
        assert!(error(home.path()).contains("format version 2"));
        fs::remove_file(&path).unwrap();
        assert!(matches!(Keystore::open(home.path()), Err(KeystoreError::File { .. })));
    }
}
