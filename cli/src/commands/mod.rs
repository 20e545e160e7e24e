//! The commands, one file each: what is typed, what is asked of the daemon, what is shown.

mod attachment;
mod check;
mod completions;
mod demo;
mod doc;
mod doctor;
mod events;
mod export;
mod filters;
mod help;
mod import;
mod imported_images;
mod init;
mod man;
mod new;
mod node;
mod peer;
mod pouch;
mod schema;
mod search;
#[cfg(feature = "schema")]
mod shapes;
mod space;
mod status;
mod sync;
mod user;
mod vocabulary;
mod watch;

#[cfg(feature = "schema")]
pub use shapes::{Shape, shapes};

use clap::{CommandFactory as _, Parser, Subcommand};

use crate::{
    args::Global,
    context::Context,
    error::{ApiError, ErrorKind, Result},
    messages,
};

/// A shared knowledge base of partner agencies: every partner keeps all of it, works offline, and exchanges signed changes.
#[derive(Parser, Debug)]
#[command(name = "portolan", version, propagate_version = true, max_term_width = 100)]
#[command(after_help = "Exit codes: 0 done, 2 usage, 3 not found, 4 forbidden, 5 conflict, 6 daemon not running, \
    7 incomplete, 8 damaged data, 9 disk full, 10 file error, 11 damaged pouch, 12 refused pouch, 70 internal fault.")]
pub struct Cli {
    /// Options of every command.
    #[command(flatten)]
    pub global: Global,
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand, Debug)]
enum Command {
    /// Make a node: its keys, its card, its empty store
    Init(init::Init),
    /// What this node is, what it holds, and what each peer has confirmed
    Status(status::Status),
    /// Who may use this node
    #[command(subcommand)]
    User(user::User),
    /// This node's own card
    #[command(subcommand)]
    Node(node::Node),
    /// Other nodes
    #[command(subcommand)]
    Peer(peer::Peer),
    /// Spaces and their members
    #[command(subcommand)]
    Space(space::Space),
    /// Records
    #[command(subcommand)]
    Doc(doc::Doc),
    /// Find records by their words
    Search(search::Search),
    /// What became known since you last looked
    New(new::New),
    /// Files of records
    #[command(subcommand)]
    Attachment(attachment::Attachment),
    /// Bring in Markdown and HTML files
    Import(import::Import),
    /// Write records out: Markdown files, JSON lines, or pages for a browser
    Export(export::Export),
    /// The types of record, and the fields of one
    Schema(schema::Schema),
    /// Priority areas, tags and other terms
    #[command(subcommand)]
    Vocabulary(vocabulary::Vocabulary),
    /// What a courier carries on a USB stick
    #[command(subcommand)]
    Pouch(pouch::Pouch),
    /// Exchange with peers now, and wait for their receipts
    Sync(sync::Sync),
    /// Verify what is stored; with --rebuild, derive documents anew
    Check(check::Check),
    /// Look for what is wrong or will be, and say what to do
    Doctor(doctor::Doctor),
    /// Show what happens, as it happens
    Events(events::Events),
    /// Four nodes on this machine show what Portolan does
    Demo(demo::Demo),
    /// Completions for a shell, on standard output
    Completions(completions::Completions),
    /// Write the pages of the manual
    Man(man::Man),
}

/// Runs the command.
///
/// # Errors
/// What the command came to.
pub fn run(cli: Cli) -> Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(|error| {
        ApiError::new(ErrorKind::Internal, format!("the machine gives no resources to begin with: {error}"))
    })?;
    let context = Context::new(cli.global);
    let outcome = runtime.block_on(perform(&context, cli.command));
    // A thread that still reads standard input must not hold up the exit.
    runtime.shutdown_background();
    outcome
}

/// The definition of all commands, with help in the chosen language.
pub fn definition() -> clap::Command {
    match messages::chosen() {
        Some(catalogue) => help::translated(Cli::command(), catalogue),
        None => Cli::command(),
    }
}

async fn perform(context: &Context, command: Command) -> Result<()> {
    match command {
        Command::Init(command) => command.run(context).await,
        Command::Status(command) => command.run(context).await,
        Command::User(command) => command.run(context).await,
        Command::Node(command) => command.run(context).await,
        Command::Peer(command) => command.run(context).await,
        Command::Space(command) => command.run(context).await,
        Command::Doc(command) => command.run(context).await,
        Command::Search(command) => command.run(context).await,
        Command::New(command) => command.run(context).await,
        Command::Attachment(command) => command.run(context).await,
        Command::Import(command) => command.run(context).await,
        Command::Export(command) => command.run(context).await,
        Command::Schema(command) => command.run(context),
        Command::Vocabulary(command) => command.run(context).await,
        Command::Pouch(command) => command.run(context).await,
        Command::Sync(command) => command.run(context).await,
        Command::Check(command) => command.run(context).await,
        Command::Doctor(command) => command.run(context).await,
        Command::Events(command) => command.run(context).await,
        Command::Demo(command) => command.run(context).await,
        Command::Completions(command) => command.run(&mut definition()),
        Command::Man(command) => command.run(context, definition()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_arguments_are_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn every_command_of_the_manual_is_understood() {
        for line in [
            "init --name A --organisation B --country it --listen [::]:7443 --address a.example:7443",
            "status --json",
            "user add amina --name Amina --can write --space s",
            "user list",
            "user remove amina",
            "node card --out x",
            "node set --address a:1 --address b:2",
            "peer add x.card --fingerprint 00000",
            "peer list",
            "peer show x",
            "peer remove x",
            "space create S",
            "space list",
            "space show S",
            "space name S T",
            "space members S",
            "space grant S P --role writer --no-history",
            "space revoke S P",
            "space rotate S",
            "doc new --space S --language fr --title T --body-file - --set status=draft",
            "doc list --space S --tag a --deleted",
            "doc list --programme p --marking GREEN --originator o --year 2016 --since 2026-01 --until 2026-01-31 --sort title --reverse",
            "doc facets --space S --type page",
            "search port tunis* --lang fr --space S --type page --tag a --limit 5 --json",
            "doc show D",
            "doc edit D --set title=x --reason why",
            "doc history D",
            "doc diff D --from ab,cd --to ef",
            "doc conflicts D",
            "doc conflicts --space S --limit 5 --json",
            "doc settle D status --heads ab12 --take 2 --reason agreed",
            "doc settle D status --value review",
            "doc restore D --to ab --reason why --dry-run",
            "doc who-has D",
            "doc provenance D --json",
            "doc translate D --language ar --title T --body-file - --set summary=S --status machine --made-from ab",
            "doc translations D",
            "doc translations --space S --limit 5",
            "doc delete D --reason why",
            "attachment add D f.zip --name N --language fr --licence L --alt A --type application/zip",
            "attachment get D N --out - --force",
            "attachment list D",
            "attachment list --unreferenced",
            "attachment verify",
            "attachment prune --yes",
            "import dir --space S --dry-run --language fr",
            "import f.csv --space S --mapping m.toml --source N",
            "doc show D --markdown",
            "export --space S --to markdown --out dir --type page --up-to AMBER --dry-run",
            "export --space S --to jsonl --out f.jsonl --force --json",
            "schema",
            "schema programme --json",
            "vocabulary load --space S",
            "vocabulary load terms.yaml --space S --default originator=A --dry-run",
            "vocabulary list --space S --scheme areas --language fr",
            "sync",
            "sync P --wait 30s",
            "check --rebuild",
            "doctor",
            "events",
            "events --follow",
            "new",
            "new --space S --keep --limit 5 --markdown",
            "new --place chat --out x.md",
            "new --place mail -- mail -s news a@b.example",
            "status --watch",
            "demo --keep dir",
            "completions bash",
            "man --out x",
            "--home /h --socket s status",
        ] {
            let parsed = Cli::try_parse_from(std::iter::once("portolan").chain(line.split(' ')));
            assert!(parsed.is_ok(), "{line}: {:?}", parsed.err());
        }
    }

    #[test]
    fn mistakes_are_refused_before_anything_is_asked() {
        for line in [
            "",
            "user add amina --name A --can everything",
            "space grant S P --role root",
            "init --name A --organisation B --country Italy",
            "init --name A --organisation B --country UK",
            "init --name A --organisation B --country IT --address nowhere",
            "schema pages",
            "vocabulary load",
            "sync --wait soon",
            "search",
            "doc list --since yesterday",
            "attachment list",
            "export --space S --to jsonl",
            "export --space S --to jsonl --out f --up-to SECRET",
            "attachment get D",
            "doc new --space S --set nothing",
            "doc settle D status",
            "doc settle D status --take 0",
            "doc settle D status --take 1 --value x",
            "doc restore D",
            "doc translate D",
            "doc translate D --language ar --status perfect",
        ] {
            let parsed =
                Cli::try_parse_from(std::iter::once("portolan").chain(line.split(' ').filter(|a| !a.is_empty())));
            assert!(parsed.is_err(), "{line}");
        }
    }
}
