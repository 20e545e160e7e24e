//! The help of the commands in the chosen language. English is what the definitions of the commands say.

use clap::{Arg, Command};

use super::catalogue::Catalogue;

/// The same command, helping in another language: messages are called `help-doc-list` and `help-doc-list--limit`.
pub fn translated(command: Command, catalogue: &Catalogue) -> Command {
    walk(command, catalogue, "help")
}

fn walk(mut command: Command, catalogue: &Catalogue, name: &str) -> Command {
    if let Some(about) = catalogue.message(name) {
        command = command.about(about);
    }
    if let Some(after) = catalogue.message(&format!("{name}--after")) {
        command = command.after_help(after);
    }
    let argument = |arg: Arg| match catalogue.message(&format!("{name}--{}", arg.get_id().as_str().replace('_', "-"))) {
        Some(help) => arg.help(help),
        None => arg,
    };
    command = command.mut_args(argument);
    command.mut_subcommands(|below| {
        let name = format!("{name}-{}", below.get_name());
        walk(below, catalogue, &name)
    })
}

/// The names of all messages that the help of a command has, with what they say in English.
#[cfg(test)]
pub(super) fn all(command: &Command) -> Vec<(String, String)> {
    fn walk(command: &Command, name: &str, all: &mut Vec<(String, String)>) {
        all.extend(command.get_about().map(|about| (name.to_owned(), about.to_string())));
        all.extend(command.get_after_help().map(|after| (format!("{name}--after"), after.to_string())));
        for arg in command.get_arguments() {
            let id = arg.get_id().as_str().replace('_', "-");
            all.extend(arg.get_help().map(|help| (format!("{name}--{id}"), help.to_string())));
        }
        command.get_subcommands().for_each(|below| walk(below, &format!("{name}-{}", below.get_name()), all));
    }
    let mut found = Vec::new();
    walk(command, "help", &mut found);
    found
}
