//! Long answers on a terminal go through the person's pager.

use std::{
    env,
    io::{self, IsTerminal as _, Write as _},
    process::{Command, Stdio},
};

/// The pager where none is chosen.
const USUAL: &str = "less";
/// What `less` is told where nobody told it anything: short texts are printed, colours shown, the screen is left as it is.
const LESS: &str = "FRX";

/// Shows text through `PORTOLAN_PAGER` or `PAGER` (else `less`) if it is longer than the terminal. False where it was not shown: it
/// is short, nobody sits before it, or there is no pager.
pub fn show(text: &str) -> bool {
    if !is_long(text) {
        return false;
    }
    let chosen = ["PORTOLAN_PAGER", "PAGER"].iter().find_map(|name| env::var(name).ok());
    let chosen = chosen.unwrap_or_else(|| USUAL.into());
    let mut words = chosen.split_whitespace();
    let Some(program) = words.next().filter(|program| *program != "cat") else { return false };
    let mut command = Command::new(program);
    command.args(words).stdin(Stdio::piped());
    if env::var_os("LESS").is_none() {
        command.env("LESS", LESS);
    }
    let Ok(mut pager) = command.spawn() else { return false };
    if let Some(mut input) = pager.stdin.take() {
        // Whoever has seen enough ends the pager.
        let _ = input.write_all(text.as_bytes());
    }
    pager.wait().is_ok()
}

fn is_long(text: &str) -> bool {
    let out = io::stdout();
    let rows = rustix::termios::tcgetwinsize(&out).map_or(0, |size| usize::from(size.ws_row));
    out.is_terminal() && io::stdin().is_terminal() && rows > 0 && text.lines().count() >= rows
}
