//! The configuration file, `config.toml` in the home directory. It holds local preferences only: nothing in it decides
//! what is valid, and no secret stands in it.

use std::{
    fmt, fs,
    io::{self, Read, Write},
    net::SocketAddr,
    ops::RangeInclusive,
    path::{Path, PathBuf},
};

use serde::Deserialize;
use thiserror::Error;

mod fetch;

pub use fetch::Fetch;

/// Name of the file in the home directory.
pub const FILE: &str = "config.toml";

/// Where a node listens when nothing else is said.
pub const LISTEN_DEFAULT: &str = "[::]:7443";

/// Larger files are not read: no honest configuration comes near.
const FILE_BYTES_MAX: u64 = 64 << 10;
const LISTEN_MAX: usize = 16;
/// Room for a path in a unix socket address on Linux, less the closing zero.
const SOCKET_PATH_BYTES_MAX: usize = 107;
const CACHE_MIB: RangeInclusive<u64> = 8..=1 << 20;

/// What the administrator has set.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// Addresses on which peers may connect; none: this node only calls out.
    pub listen: Vec<SocketAddr>,
    /// Whether the node keeps off every network: it neither listens nor calls, and pouches alone go in and out.
    pub offline: bool,
    /// Path of the local API's socket, relative to the home directory.
    pub socket: PathBuf,
    /// Group that may open the socket; without one, the group of the daemon.
    pub socket_group: Option<String>,
    /// Memory.
    pub data: Data,
    /// Attachments.
    pub attachments: Attachments,
    /// Logs.
    pub log: Log,
}

/// What is done about attachments without being asked.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Attachments {
    /// Which are fetched.
    pub fetch: Fetch,
}

/// Limits on memory.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Data {
    /// Opened documents kept in memory, in MiB.
    pub document_cache_mib: u64,
    /// Cache of the store, in MiB. The store's resident memory is a few times this.
    pub store_cache_mib: u64,
}

impl Data {
    /// Opened documents kept in memory, in bytes.
    pub fn document_cache_bytes(&self) -> u64 {
        self.document_cache_mib << 20
    }

    /// Cache of the store, in bytes.
    pub fn store_cache_bytes(&self) -> u64 {
        self.store_cache_mib << 20
    }
}

/// How the daemon writes its log.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Log {
    /// Least severe lines written.
    pub level: Level,
    /// Form of each line.
    pub format: Format,
}

/// Severity of a line of the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Level {
    /// Something failed and somebody must look.
    Error,
    /// Something is not as it should be.
    Warn,
    /// What an administrator wants to know.
    Info,
    /// What a maintainer wants to know.
    Debug,
    /// Everything.
    Trace,
}

impl Level {
    /// The level as filters spell it.
    pub fn as_str(self) -> &'static str {
        match self {
            Level::Error => "error",
            Level::Warn => "warn",
            Level::Info => "info",
            Level::Debug => "debug",
            Level::Trace => "trace",
        }
    }
}

/// Form of the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Format {
    /// For people.
    Text,
    /// One JSON object per line.
    Json,
}

impl Default for Config {
    fn default() -> Self {
        let listen = LISTEN_DEFAULT.parse().into_iter().collect();
        let (data, attachments, log) = (Data::default(), Attachments::default(), Log::default());
        Self { listen, offline: false, socket: "portolan.sock".into(), socket_group: None, data, attachments, log }
    }
}

impl Default for Data {
    fn default() -> Self {
        Self { document_cache_mib: 128, store_cache_mib: 64 }
    }
}

impl Default for Log {
    fn default() -> Self {
        Self { level: Level::Info, format: Format::Text }
    }
}

/// A configuration that cannot be used. Always the administrator's to mend; nothing has been changed.
#[derive(Debug, Error)]
pub enum ConfigError {
    /// The file cannot be read or written.
    #[error("{}: {source}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The file is larger than any configuration.
    #[error("{}: larger than {FILE_BYTES_MAX} bytes, this is not a configuration file", path.display())]
    TooLarge {
        /// The file.
        path: PathBuf,
    },
    /// The file says something that cannot be understood.
    #[error("{}:{line}:{column}: {message}", path.display())]
    Syntax {
        /// The file.
        path: PathBuf,
        /// Line, from 1.
        line: usize,
        /// Column in characters, from 1.
        column: usize,
        /// What is wrong, unknown and known keys included.
        message: String,
    },
    /// A value is out of bounds.
    #[error("{}: {key}: {message}", path.display())]
    Bounds {
        /// The file.
        path: PathBuf,
        /// The key.
        key: &'static str,
        /// What is allowed.
        message: String,
    },
}

impl Config {
    /// Reads `config.toml` of a home directory.
    ///
    /// # Errors
    /// When the file is missing, unreadable, not understood, or out of bounds.
    pub fn load(home: &Path) -> Result<Self, ConfigError> {
        let path = home.join(FILE);
        let at = |source| ConfigError::File { path: path.clone(), source };
        let mut text = String::new();
        fs::File::open(&path).and_then(|f| f.take(FILE_BYTES_MAX + 1).read_to_string(&mut text)).map_err(at)?;
        if text.len() as u64 > FILE_BYTES_MAX {
            return Err(ConfigError::TooLarge { path });
        }
        let config = Self::parse(&text, &path)?;
        config.check(home, &path)?;
        Ok(config)
    }

    fn parse(text: &str, path: &Path) -> Result<Self, ConfigError> {
        toml::from_str(text).map_err(|error| {
            let start = error.span().map_or(0, |span| span.start);
            let before = text.get(..start).unwrap_or_default();
            let line = before.matches('\n').count() + 1;
            let column = before.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
            ConfigError::Syntax { path: path.into(), line, column, message: error.message().replace('\n', " ") }
        })
    }

    fn check(&self, home: &Path, path: &Path) -> Result<(), ConfigError> {
        let bounds = |key, message: String| Err(ConfigError::Bounds { path: path.into(), key, message });
        if self.listen.len() > LISTEN_MAX {
            return bounds("listen", format!("at most {LISTEN_MAX} addresses"));
        }
        for (key, mib) in [
            ("data.document_cache_mib", self.data.document_cache_mib),
            ("data.store_cache_mib", self.data.store_cache_mib),
        ] {
            if !CACHE_MIB.contains(&mib) {
                return bounds(key, format!("{mib} is not between {} and {}", CACHE_MIB.start(), CACHE_MIB.end()));
            }
        }
        let socket = self.socket_path(home);
        let length = socket.as_os_str().len();
        if self.socket.as_os_str().is_empty() || length > SOCKET_PATH_BYTES_MAX {
            let message = format!(
                "{} has {length} bytes, and the system allows 1 to {SOCKET_PATH_BYTES_MAX} for a socket",
                socket.display()
            );
            return bounds("socket", message);
        }
        if self.socket_group.as_deref().is_some_and(|group| group.is_empty() || group.len() > 256) {
            return bounds("socket_group", "a group name has 1 to 256 bytes".into());
        }
        Ok(())
    }

    /// The socket of the local API.
    pub fn socket_path(&self, home: &Path) -> PathBuf {
        home.join(&self.socket)
    }
}

struct Listen<'a>(&'a [SocketAddr]);

impl fmt::Display for Listen<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let quoted: Vec<_> = self.0.iter().map(|address| format!("\"{address}\"")).collect();
        write!(f, "[{}]", quoted.join(", "))
    }
}

/// The text of a configuration file with every key explained, and only `listen` and `offline` set.
pub fn commented(listen: &[SocketAddr], offline: bool) -> String {
    let Config { socket, data, attachments, log, .. } = Config::default();
    format!(
        "\
# Configuration of this Portolan node. Restart the daemon after a change.
# A key that is not known is refused, so a typing error cannot pass unseen.

# Addresses (UDP) on which partner nodes may connect. Empty: this node only calls out.
listen = {}
# True: it neither listens nor calls, and pouches alone go in and out.
offline = {offline}

# Socket of the local API, relative to this directory, and the group that may open it.
# socket = \"{}\"
# socket_group = \"portolan\"

[data]
# Memory for opened documents, and for the cache of the store, in MiB.
# document_cache_mib = {}
# store_cache_mib = {}

[attachments]
# Which are fetched by themselves, after the records that refer to them: \"all\", \"none\", or \"below SIZE\".
# fetch = \"{}\"

[log]
# error, warn, info, debug or trace
# level = \"{}\"
# text or json
# format = \"text\"
",
        Listen(listen),
        socket.display(),
        data.document_cache_mib,
        data.store_cache_mib,
        attachments.fetch,
        log.level.as_str(),
    )
}

/// Writes the commented file into a home directory, durably; one that is there already is never touched.
///
/// # Errors
/// When the file exists or cannot be written.
pub fn write_default(home: &Path, listen: &[SocketAddr], offline: bool) -> Result<PathBuf, ConfigError> {
    let path = home.join(FILE);
    let write = || {
        let mut file = fs::File::create_new(&path)?;
        file.write_all(commented(listen, offline).as_bytes())?;
        file.sync_all()?;
        fs::File::open(home)?.sync_all()
    };
    match write() {
        Ok(()) => Ok(path),
        Err(source) => Err(ConfigError::File { path, source }),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

    use super::*;

    fn load(text: &str) -> Result<Config, String> {
        let home = tempfile::tempdir().unwrap();
        fs::write(home.path().join(FILE), text).unwrap();
        let prefix = format!("{}/", home.path().display());
        Config::load(home.path()).map_err(|e| e.to_string().replace(&prefix, ""))
    }

    #[test]
    fn an_empty_file_means_the_defaults() {
        assert_eq!(load(""), Ok(Config::default()));
        assert_eq!(Config::default().listen.len(), 1);
    }

    #[test]
    fn the_commented_file_means_the_defaults_commented_in_or_not() {
        let listen = Config::default().listen;
        let text = commented(&listen, false);
        assert_eq!(load(&text), Ok(Config::default()));
        let set: String = text
            .lines()
            .map(|line| line.strip_prefix("# ").filter(|l| l.contains(" = ")).unwrap_or(line))
            .flat_map(|line| [line, "\n"])
            .collect();
        let expected = Config { socket_group: Some("portolan".into()), ..Config::default() };
        assert_eq!(load(&set), Ok(expected));
    }

    #[test]
    fn an_unknown_key_is_named_with_its_position_and_the_known_ones() {
        let error = load("# note\n  lisen = []\n").unwrap_err();
        assert!(error.starts_with("config.toml:2:3: unknown field `lisen`"), "{error}");
        assert!(error.contains("`listen`") && error.contains("`socket_group`"), "{error}");
        let error = load("[data]\nstore_cache = 3\n").unwrap_err();
        assert!(error.starts_with("config.toml:2:1: unknown field `store_cache`"), "{error}");
        assert!(error.contains("`store_cache_mib`"), "{error}");
    }

    #[test]
    fn a_wrong_value_is_shown_where_it_stands() {
        let error = load("listen = [\"[::]:7443\", \"rome\"]\n").unwrap_err();
        assert!(error.starts_with("config.toml:1:24: "), "{error}");
        let error = load("[log]\nlevel = \"loud\"").unwrap_err();
        assert!(error.starts_with("config.toml:2:9: ") && error.contains("`debug`"), "{error}");
        assert!(load("listen = [").unwrap_err().starts_with("config.toml:1:"));
    }

    #[test]
    fn bounds_are_checked() {
        for text in [
            "[data]\nstore_cache_mib = 0",
            "[data]\ndocument_cache_mib = 9999999",
            "socket = \"\"",
            "socket_group = \"\"",
            &format!("socket = \"/{}\"", "s".repeat(107)),
            &format!("listen = [{}]", "\"[::]:1\",".repeat(17)),
        ] {
            assert!(load(text).is_err(), "{text}");
        }
        assert!(load(&format!("socket = \"/{}\"", "s".repeat(106))).is_ok());
        assert!(load(&"#\n".repeat(40_000)).unwrap_err().contains("larger than"));
    }

    #[test]
    fn a_file_that_is_there_is_kept() {
        let home = tempfile::tempdir().unwrap();
        assert!(matches!(Config::load(home.path()), Err(ConfigError::File { .. })));
        write_default(home.path(), &[], true).unwrap();
        let config = Config::load(home.path()).unwrap();
        assert!(config.listen.is_empty() && config.offline);
        assert!(matches!(write_default(home.path(), &[], true), Err(ConfigError::File { .. })));
    }
}
