//! The help of the commands in the chosen language. English is what the definitions of the commands say.

use clap::{Arg, Command, builder::StyledStr};

use super::catalogue::Catalogue;

/// The same command, helping in another language.
pub fn translated(mut command: Command, catalogue: &Catalogue) -> Command {
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
pub(super) fn escaped(text: &str) -> String {
    text.replace('{', "{{").replace('}', "}}")
}

/// All that the help of a command says in English.
#[cfg(test)]
pub(super) fn all(command: &Command) -> Vec<String> {
    let own = [command.get_about(), command.get_after_help()].into_iter().flatten();
    let arguments = command.get_arguments().filter_map(Arg::get_help);
    let mut said: Vec<String> = own.chain(arguments).map(ToString::to_string).collect();
    said.extend(command.get_subcommands().flat_map(all));
    said.sort_unstable();
    said.dedup();
    said
}
