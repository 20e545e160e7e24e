//! The help of the commands in the chosen language. English is what the definitions of the commands say.

use clap::{Arg, Command, builder::StyledStr};

use crate::messages::Catalogue;

/// The same command, helping in another language.
pub(super) fn translated(mut command: Command, catalogue: &Catalogue) -> Command {
    let told = |english: Option<&StyledStr>| {
        let english = english?.to_string();
        catalogue.told(&escaped(&english), &english)
    };
    if let Some(about) = told(command.get_about()) {
        command = command.about(about);
    }
    if let Some(after) = told(command.get_after_help()) {
        command = command.after_help(after);
    }
    let argument = |arg: Arg| match told(arg.get_help()) {
        Some(help) => arg.help(help),
        None => arg,
    };
    command.mut_args(argument).mut_subcommands(|below| translated(below, catalogue))
}

/// A text as the template of itself.
fn escaped(text: &str) -> String {
    text.replace('{', "{{").replace('}', "}}")
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use std::fs;

    use clap::CommandFactory as _;

    use super::*;
    use crate::{commands::Cli, messages::Sentence};

    /// All that the help of a command says in English.
    fn all(command: &Command) -> Vec<String> {
        let own = [command.get_about(), command.get_after_help()].into_iter().flatten();
        let arguments = command.get_arguments().filter_map(Arg::get_help);
        let mut said: Vec<String> = own.chain(arguments).map(ToString::to_string).collect();
        said.extend(command.get_subcommands().flat_map(all));
        said.sort_unstable();
        said.dedup();
        said
    }

    #[test]
    fn the_help_of_every_command_is_among_the_messages_and_nothing_else_is() {
        let catalogue = Catalogue::of(&["fr".parse().unwrap()], &[]).0.unwrap();
        let said = all(&Cli::command());
        let lacking: Vec<_> =
            said.iter().filter(|said| !catalogue.knows(&Sentence::of_template(&escaped(said)))).collect();
        assert!(lacking.is_empty(), "not in cli/messages/en: {lacking:#?}");
        let file = fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/messages/en/help.ftl")).unwrap();
        assert_eq!(file.lines().filter(|line| line.contains(" = ")).count(), said.len());
        let command = translated(Cli::command(), &catalogue);
        assert!(command.find_subcommand("peer").unwrap().get_about().unwrap().to_string().contains("nœud"));
    }
}
