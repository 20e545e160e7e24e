//! Arguments that every command takes, and readers of single values.

use std::{path::PathBuf, time::Duration};

use clap::{Args, ValueEnum};
use portolan_protocol::{api::Can, control::Role, record::is_country};

use crate::time;

/// Options that stand before or after any command.
#[derive(Args, Clone, Debug, Default)]
pub struct Global {
    /// The node's home directory
    #[arg(long, global = true, env = "PORTOLAN_HOME", value_name = "DIR")]
    pub home: Option<PathBuf>,
    /// The socket of the running daemon, where it is not in the home
    #[arg(long, global = true, env = "PORTOLAN_SOCKET", value_name = "FILE")]
    pub socket: Option<PathBuf>,
    /// Write one JSON value instead of text for people
    #[arg(long, global = true)]
    pub json: bool,
    /// Print long answers at once, whatever PAGER says
    #[arg(long, global = true)]
    pub no_pager: bool,
}

/// A role that can be granted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum RoleArg {
    /// Holds and forwards what it cannot read
    Relay,
    /// Reads
    Reader,
    /// Reads and writes
    Writer,
    /// Also manages members below its own rank
    Admin,
}

impl From<RoleArg> for Role {
    fn from(role: RoleArg) -> Role {
        match role {
            RoleArg::Relay => Role::Relay,
            RoleArg::Reader => Role::Reader,
            RoleArg::Writer => Role::Writer,
            RoleArg::Admin => Role::Admin,
        }
    }
}

/// What a login may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum CanArg {
    /// See records and the status
    Read,
    /// Also change records and import
    Write,
    /// Also manage users, peers and spaces
    Admin,
}

impl From<CanArg> for Can {
    fn from(can: CanArg) -> Can {
        match can {
            CanArg::Read => Can::Read,
            CanArg::Write => Can::Write,
            CanArg::Admin => Can::Admin,
        }
    }
}

/// A role as people read it.
pub fn role_name(role: Option<Role>) -> &'static str {
    match role {
        None => "-",
        Some(Role::Relay) => "relay",
        Some(Role::Reader) => "reader",
        Some(Role::Writer) => "writer",
        Some(Role::Admin) => "admin",
        Some(Role::Root) => "root",
    }
}

/// Reads a duration.
///
/// # Errors
/// What was expected.
pub fn duration(text: &str) -> Result<Duration, String> {
    time::parse_duration(text)
}

/// Reads a size such as `700M`: bytes, or thousands, millions or thousands of millions of them (K, M, G).
///
/// # Errors
/// What was expected.
pub fn bytes(text: &str) -> Result<u64, String> {
    let expected = || "expected a number of bytes such as 700M or 3G".to_owned();
    let digits = text.trim_end_matches(|c: char| !c.is_ascii_digit());
    let unit: u64 = match text[digits.len()..].trim().to_ascii_uppercase().as_str() {
        "" | "B" => 1,
        "K" | "KB" => 1_000,
        "M" | "MB" => 1_000_000,
        "G" | "GB" => 1_000_000_000,
        _ => return Err(expected()),
    };
    digits.parse::<u64>().ok().and_then(|number| number.checked_mul(unit)).ok_or_else(expected)
}

/// Reads `host:port`. Whether the host can be found is not asked: it may be another network's.
///
/// # Errors
/// What was expected.
pub fn host_and_port(text: &str) -> Result<String, String> {
    let expected = || "expected HOST:PORT, such as vpn.example.org:7443 or [2001:db8::1]:7443".to_owned();
    let (host, port) = text.rsplit_once(':').ok_or_else(expected)?;
    let plain = !host.is_empty() && !host.chars().any(|c| c.is_whitespace() || c.is_control() || c == '/');
    let bracketed = host.starts_with('[') && host.ends_with(']');
    match port.parse::<u16>() {
        Ok(port) if port > 0 && plain && (bracketed || !host.contains(':')) => Ok(text.to_owned()),
        _ => Err(expected()),
    }
}

/// Reads a country code, whatever its case.
///
/// # Errors
/// What was expected.
pub fn country(text: &str) -> Result<String, String> {
    let code = text.trim().to_ascii_uppercase();
    if is_country(&code) {
        return Ok(code);
    }
    let hint = match code.as_str() {
        "UK" => "; the United Kingdom is GB",
        "EL" => "; Greece is GR",
        "EU" => "; a body of several countries takes one left to its users, such as XA",
        _ => "",
    };
    Err(format!("expected a country by its two letters as in ISO 3166-1, such as IT{hint}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_need_a_host_and_a_port() {
        for good in ["a.example:7443", "192.0.2.1:1", "[::1]:7443"] {
            assert_eq!(host_and_port(good).as_deref(), Ok(good));
        }
        for bad in ["a.example", ":7443", "a:0", "a:70000", "::1:7443", "a b:1", "http://a:1"] {
            assert!(host_and_port(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn countries_are_two_letters() {
        assert_eq!(country("it").as_deref(), Ok("IT"));
        assert_eq!(country("xk").as_deref(), Ok("XK"));
        assert!(country("ITA").is_err() && country("1T").is_err() && country("YU").is_err());
        assert!(country("uk").is_err_and(|hint| hint.contains("GB")));
    }
}
