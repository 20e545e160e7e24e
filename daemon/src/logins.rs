//! The one door to the system's users and groups, wherever they are kept (files, LDAP). Calls may block.

use std::io;

use nix::unistd::{Group, Uid, User};

/// Longest login name that is asked for, in bytes.
pub const LOGIN_BYTES_MAX: usize = 256;

/// The login name of a uid; none where the system knows none.
///
/// # Errors
/// When the system's directory of users cannot be asked.
pub fn login(uid: u32) -> io::Result<Option<String>> {
    Ok(User::from_uid(Uid::from_raw(uid))?.map(|user| user.name))
}

/// What people call a login: its full name where one is written down, else the login itself.
///
/// # Errors
/// As [`login`].
pub fn full_name(login: &str) -> io::Result<String> {
    let user = User::from_name(login)?;
    let gecos = user.map(|user| user.gecos.to_string_lossy().into_owned()).unwrap_or_default();
    let name = gecos.split(',').next().unwrap_or_default().trim();
    Ok(if name.is_empty() || name.contains(char::is_control) { login.to_owned() } else { name.to_owned() })
}

/// Whether the system knows a login name.
///
/// # Errors
/// As [`login`].
pub fn exists(login: &str) -> io::Result<bool> {
    if login.is_empty() || login.len() > LOGIN_BYTES_MAX || login.contains('\0') {
        return Ok(false);
    }
    Ok(User::from_name(login)?.is_some())
}

/// The number of a group; none where the system knows none of that name.
///
/// # Errors
/// When the system's directory of groups cannot be asked.
pub fn group(name: &str) -> io::Result<Option<u32>> {
    Ok(Group::from_name(name)?.map(|group| group.gid.as_raw()))
}

/// The user that this process runs as.
pub fn own_uid() -> u32 {
    rustix::process::geteuid().as_raw()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn the_superuser_is_known_and_nonsense_is_not() {
        assert_eq!(login(0).unwrap().as_deref(), Some("root"));
        assert!(exists("root").unwrap());
        for nobody in ["", "no such\0login", "no-such-login-here", &"x".repeat(10_000)] {
            assert!(!exists(nobody).unwrap(), "{nobody:?}");
        }
        assert_eq!(group("no-such-group-here").unwrap(), None);
        assert!(!full_name("root").unwrap().is_empty());
    }
}
