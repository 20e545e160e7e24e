//! What every command has at hand: the options of all commands, and ways to answer and to ask.

use std::io;

use crate::{
    args::Global,
    client::Client,
    error::{Result, not_found},
    home,
    output::Output,
};

/// The surroundings of one command.
#[derive(Clone, Debug)]
pub struct Context {
    /// Options of every command.
    pub global: Global,
    /// Where and how to answer.
    pub output: Output,
}

impl Context {
    /// The surroundings that the options ask for.
    pub fn new(global: Global) -> Self {
        Self { output: Output { json: global.json, paged: !global.no_pager }, global }
    }

    /// The beginning of a command that means the same node, for people to type.
    pub fn program(&self) -> String {
        let mut words = "portolan".to_owned();
        for (option, path) in [("--home", &self.global.home), ("--socket", &self.global.socket)] {
            if let Some(path) = path {
                words.push_str(&format!(" {option} '{}'", path.display()));
            }
        }
        words
    }

    /// A client of the daemon that the options mean. Nothing is opened yet.
    ///
    /// # Errors
    /// When nothing says where the node lives, or no node lives there.
    pub fn client(&self) -> Result<Client> {
        let home = home::home(&self.global)?;
        let gone = |error: io::Error| error.kind() == io::ErrorKind::NotFound;
        if self.global.socket.is_none() && home.symlink_metadata().is_err_and(gone) {
            return Err(not_found(format!("there is no node in {}", home.display()))
                .next("Make one with `portolan init`, or name another with --home."));
        }
        Ok(Client::new(home::socket(&self.global)?, format!("portoland run --home {}", home.display())))
    }
}
