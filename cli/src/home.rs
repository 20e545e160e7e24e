//! Where a node lives: its home directory, the daemon's socket, the daemon's program.

use std::{
    env, fs,
    io::Read as _,
    path::{Path, PathBuf},
};

use portolan_protocol::api::SOCKET_NAME;

use crate::{
    args::Global,
    error::{Result, not_found, usage},
};

/// The home of the node that runs as a service.
const SERVICE_HOME: &str = "/var/lib/portolan";
/// Where the service may put its socket, outside the home that only the daemon enters.
const SERVICE_SOCKET: &str = "/run/portolan/portolan.sock";
const CONFIG_BYTES_MAX: u64 = 64 << 10;

/// The home: as given, else the service's, else the person's own.
///
/// # Errors
/// When there is nothing to derive it from.
pub fn home(global: &Global) -> Result<PathBuf> {
    if let Some(home) = &global.home {
        return Ok(home.clone());
    }
    let own = data_directory().map(|data| data.join("portolan"));
    if own.as_ref().is_some_and(|own| own.is_dir()) {
        return own.ok_or_else(no_home);
    }
    let service = PathBuf::from(SERVICE_HOME);
    if service.is_dir() { Ok(service) } else { own.ok_or_else(no_home) }
}

fn no_home() -> crate::error::ApiError {
    usage("neither --home nor HOME says where the node lives").next("Name the directory with --home DIR.")
}

fn data_directory() -> Option<PathBuf> {
    directory("XDG_DATA_HOME", ".local/share")
}

/// Where a person's unsaved texts are kept, outside the node's home, which may belong to another login.
pub fn drafts() -> PathBuf {
    directory("XDG_STATE_HOME", ".local/state").unwrap_or_else(env::temp_dir).join("portolan/drafts")
}

fn directory(variable: &str, below_home: &str) -> Option<PathBuf> {
    let absolute = |name: &str| env::var_os(name).map(PathBuf::from).filter(|path| path.is_absolute());
    absolute(variable).or_else(|| absolute("HOME").map(|home| home.join(below_home)))
}

/// The socket: as given, else as the home's configuration says where it can be read, else at its usual place.
///
/// # Errors
/// As [`home`].
pub fn socket(global: &Global) -> Result<PathBuf> {
    if let Some(socket) = &global.socket {
        return Ok(socket.clone());
    }
    let home = home(global)?;
    if let Some(socket) = configured_socket(&home) {
        return Ok(home.join(socket));
    }
    let service = Path::new(SERVICE_SOCKET);
    if home == Path::new(SERVICE_HOME) && service.exists() {
        return Ok(service.to_owned());
    }
    Ok(home.join(SOCKET_NAME))
}

fn configured_socket(home: &Path) -> Option<PathBuf> {
    let mut text = String::new();
    fs::File::open(home.join("config.toml")).ok()?.take(CONFIG_BYTES_MAX).read_to_string(&mut text).ok()?;
    let table: toml::Table = text.parse().ok()?;
    table.get("socket")?.as_str().map(PathBuf::from)
}

/// The daemon's program: beside this one, else on the path.
///
/// # Errors
/// When there is none.
pub fn daemon_program() -> Result<PathBuf> {
    let beside = env::current_exe().ok().and_then(|exe| exe.parent().map(|parent| parent.join("portoland")));
    let on_path = env::var_os("PATH")
        .into_iter()
        .flat_map(|path| env::split_paths(&path).map(|directory| directory.join("portoland")).collect::<Vec<_>>());
    beside.into_iter().chain(on_path).find(|program| program.is_file()).ok_or_else(|| {
        not_found("the program `portoland` is neither beside `portolan` nor on the PATH")
            .safe("Nothing was changed.")
            .next("Build it (`cargo build --release`) or install it, and run this again.")
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn the_socket_is_where_the_configuration_says() {
        let directory = tempfile::tempdir().unwrap();
        let global = Global { home: Some(directory.path().to_owned()), ..Global::default() };
        assert_eq!(socket(&global).unwrap(), directory.path().join("portolan.sock"));
        fs::write(directory.path().join("config.toml"), "socket = \"/run/x.sock\"\n").unwrap();
        assert_eq!(socket(&global).unwrap(), Path::new("/run/x.sock"));
        let given = Global { socket: Some("y".into()), ..global };
        assert_eq!(socket(&given).unwrap(), Path::new("y"));
    }
}
