//! `portolan new`: what became known since a person last looked; for that person, or as a digest for a file, mail or a chat.

use std::{
    collections::BTreeMap,
    ffi::OsString,
    fmt::Write as _,
    fs::{self, File, Permissions},
    io::{self, Write as _},
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use clap::Args;
use portolan_protocol::{
    api::{ErrorKind, Looked, NEWS_DEFAULT, NewDocument, News, NewsQuery, Novelty, PAGE_MAX, Seen, SpaceNews, Spaces},
    id::SpaceId,
};

use crate::{
    client::Client,
    context::Context,
    error::{ApiError, Result, file},
    output::{count, short},
    resolve, text, time,
};

#[derive(Args, Debug)]
#[command(
    after_help = "A digest every morning: let cron or a timer run `portolan new --place mail -- mail -s Portolan team@example.org`. \
    Nothing is sent where nothing is new; what a program fails on is in the next digest too."
)]
pub(super) struct New {
    /// In this space alone; then nothing is noted as seen
    #[arg(long)]
    space: Option<String>,
    /// From a place of this name rather than from where you looked last yourself
    #[arg(long, value_name = "NAME")]
    place: Option<String>,
    /// Do not note that it was seen: the next look shows it again
    #[arg(long)]
    keep: bool,
    /// Note that all of it was seen, also what is counted alone
    #[arg(long, conflicts_with_all = ["keep", "space"])]
    seen: bool,
    /// List so many records at the most, and count the others
    #[arg(long, value_name = "N", default_value_t = NEWS_DEFAULT, value_parser = clap::value_parser!(u32).range(..=i64::from(PAGE_MAX)))]
    limit: u32,
    /// As Markdown
    #[arg(long, conflicts_with = "json")]
    markdown: bool,
    /// Into this file, as Markdown; it stays as it is where nothing is new
    #[arg(long, value_name = "FILE", conflicts_with_all = ["json", "program"])]
    out: Option<PathBuf>,
    /// Give it to this program on its standard input, as Markdown, if something is new
    #[arg(last = true, value_name = "PROGRAM", conflicts_with = "json")]
    program: Vec<OsString>,
}

type Names = BTreeMap<SpaceId, String>;

impl New {
    pub(super) async fn run(self, context: &Context) -> Result<()> {
        let client = context.client()?;
        let space = match &self.space {
            None => None,
            Some(typed) => Some(resolve::space(&client, typed).await?.id),
        };
        let query = NewsQuery { place: self.place.clone(), space, limit: Some(self.limit) };
        let news: News = client.query("/new", &query).await?;
        let spaces: Spaces = client.get("/spaces").await?;
        let names: Names = spaces.spaces.into_iter().map(|space| (space.id, space.name)).collect();
        let is_digest = self.out.is_some() || !self.program.is_empty();
        if is_digest {
            // In the end, what is told and not delivered is told again.
            self.deliver(&markdown(&news, &names), total(&news) > 0)?;
        } else if self.markdown {
            crate::output::print(&markdown(&news, &names))?;
        } else {
            context.output.show(&news, |news| human(news, &names, self.ending(news)))?;
        }
        if self.is_seen(&news, is_digest) {
            let seen = Seen { place: self.place, until: news.until };
            let _: Looked = note(&client, &seen).await?;
        }
        Ok(())
    }

    /// Whether it is to be noted that this was seen.
    fn is_seen(&self, news: &News, is_digest: bool) -> bool {
        !self.keep && self.space.is_none() && (self.seen || is_digest || unlisted(news) == 0)
    }

    /// What is left to say to a person.
    fn ending(&self, news: &News) -> String {
        let unlisted = unlisted(news);
        if unlisted == 0 {
            return String::new();
        }
        let records = count(unlisted, "record is", "records are");
        let next = total(news).min(u64::from(PAGE_MAX));
        let seen =
            if self.is_seen(news, false) { String::new() } else { tr!("; --seen notes them as seen all the same") };
        tr!("{records} not listed: `--limit {next}` lists more{seen}.\n")
    }

    /// Puts a digest where it is to go.
    fn deliver(&self, digest: &str, is_something: bool) -> Result<()> {
        if !is_something {
            return Ok(());
        }
        if let Some(path) = &self.out {
            return write(path, digest).map_err(|error| file("write", path, &error));
        }
        let Some((program, arguments)) = self.program.split_first() else { return Ok(()) };
        let shown = text::shown(&program.to_string_lossy());
        let failed = |why: String| {
            ApiError::new(ErrorKind::Io, format!("`{shown}` did not take the digest: {why}"))
                .safe("It is not noted as seen: the next digest holds it too.")
                .next("Run the program by hand and look what it says.")
        };
        let mut child = Command::new(program)
            .args(arguments)
            .stdin(Stdio::piped())
            .spawn()
            .map_err(|error| failed(error.to_string()))?;
        // A program that reads nothing is judged by how it ends.
        let given = child.stdin.take().map_or(Ok(()), |mut stdin| stdin.write_all(digest.as_bytes()));
        let ended = child.wait().map_err(|error| failed(error.to_string()))?;
        match given {
            _ if !ended.success() => Err(failed(ended.to_string())),
            Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(failed(error.to_string())),
            _ => Ok(()),
        }
    }
}

async fn note(client: &Client, seen: &Seen) -> Result<Looked> {
    client.post("/new", seen).await
}

/// Puts a new file in the place of an old one: a reader finds the one or the other.
fn write(path: &Path, digest: &str) -> io::Result<()> {
    let directory = path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    // As any program makes a file, not as one that nobody else may see.
    let mut draft = tempfile::Builder::new().permissions(Permissions::from_mode(0o666)).tempfile_in(directory)?;
    draft.write_all(digest.as_bytes())?;
    draft.as_file().sync_all()?;
    if let Ok(old) = fs::metadata(path) {
        draft.as_file().set_permissions(old.permissions())?;
    }
    draft.persist(path).map_err(|error| error.error)?;
    File::open(directory)?.sync_all()
}

/// Records that are new, without those that the person changed.
fn total(news: &News) -> u64 {
    news.spaces.iter().map(others).sum()
}

fn others(space: &SpaceNews) -> u64 {
    space.created.saturating_add(space.changed).saturating_add(space.deleted)
}

fn unlisted(news: &News) -> u64 {
    total(news).saturating_sub(news.documents.len() as u64)
}

/// How much is new in a space, in words.
fn summed(space: &SpaceNews) -> String {
    let numbers =
        [(space.created, "new"), (space.changed, "changed"), (space.deleted, "deleted"), (space.own, "of your own")];
    let parts = numbers.iter().filter(|(number, _)| *number > 0).map(|(number, what)| count(*number, what, what));
    parts.collect::<Vec<_>>().join(", ")
}

fn name(names: &Names, space: SpaceId) -> String {
    text::shown(names.get(&space).unwrap_or(&short(space)))
}

fn novelty(news: Novelty) -> String {
    match news {
        Novelty::Created => tr!("new"),
        Novelty::Changed => tr!("changed"),
        Novelty::Deleted => tr!("deleted"),
        Novelty::Unknown => "-".into(),
    }
}

fn title(document: &NewDocument) -> String {
    if document.record.title.is_empty() { tr!("(no title)") } else { text::shown(&document.record.title) }
}

/// Who changed a record last, and when by that one's clock.
fn byline(document: &NewDocument) -> String {
    document.record.updated.as_ref().map_or_else(String::new, |updated| {
        format!("{}, {}", text::shown(&updated.name), time::rfc3339(updated.time_ms))
    })
}

/// From when on, and how sure that is.
fn heading(news: &News) -> String {
    match news.since_ms {
        None => tr!("All that there is: nobody looked from here before."),
        Some(since) if news.exact => tr!("Since {}.", time::rfc3339(since)),
        Some(since) => tr!(
            "Since {}, by the clocks of those who wrote: the records were derived anew meanwhile, and what came late may be missing.",
            time::rfc3339(since)
        ),
    }
}

/// What the answer does not reflect.
fn behind(news: &News) -> String {
    match news.entries_to_index {
        0 => String::new(),
        entries => tr!("Not everything is looked at yet: {} to go.\n", count(entries, "entry", "entries")),
    }
}

fn human(news: &News, names: &Names, ending: String) -> String {
    let mut out = format!("{}\n", heading(news));
    if news.spaces.is_empty() {
        out.push_str(&tr!("Nothing is new.\n"));
    }
    for space in &news.spaces {
        let _ = writeln!(out, "\n{}: {}", name(names, space.space), summed(space));
        for document in news.documents.iter().filter(|document| document.space == space.space) {
            let line = [novelty(document.news), short(document.record.id), title(document), byline(document)];
            let _ = writeln!(out, "  {:<7}  {}  {}  ({})", line[0], line[1], line[2], line[3]);
        }
    }
    if !ending.is_empty() {
        let _ = write!(out, "\n{ending}");
    }
    out + &behind(news)
}

fn markdown(news: &News, names: &Names) -> String {
    let mut out = format!("# {}\n\n{}\n", tr!("What is new"), heading(news));
    if news.spaces.is_empty() {
        out.push_str(&tr!("\nNothing is new.\n"));
    }
    for space in &news.spaces {
        let _ = writeln!(out, "\n## {}\n\n{}\n", escaped(&name(names, space.space)), summed(space));
        for document in news.documents.iter().filter(|document| document.space == space.space) {
            let marking = document
                .record
                .marking
                .as_ref()
                .map_or_else(String::new, |marking| format!(" [{}]", text::shown(marking)));
            let _ = writeln!(
                out,
                "- {}: **{}**{} ({}; `{}`)",
                novelty(document.news),
                escaped(&title(document)),
                escaped(&marking),
                escaped(&byline(document)),
                short(document.record.id)
            );
        }
    }
    if unlisted(news) > 0 {
        let _ = writeln!(out, "\n{}", tr!("{} not listed.", count(unlisted(news), "record is", "records are")));
    }
    if news.entries_to_index > 0 {
        let _ = write!(out, "\n{}", behind(news));
    }
    out
}

/// Text in which Markdown and HTML see nothing but text.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for (at, c) in text.char_indices() {
        // Addresses become links by themselves where they are written out.
        let is_of_an_address = match c {
            '@' => true,
            ':' => text[at..].starts_with("://"),
            '.' => out.to_ascii_lowercase().ends_with("www"),
            _ => false,
        };
        let is_of_markdown =
            matches!(c, '\\' | '`' | '*' | '_' | '{' | '}' | '[' | ']' | '<' | '>' | '#' | '|' | '&' | '!' | '~');
        if is_of_markdown || is_of_an_address {
            out.push('\\');
        }
        out.push(c);
    }
    out
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use portolan_protocol::{
        id::DocumentId,
        record::{RecordView, Summary, Value},
        time::Timestamp,
    };

    use super::*;

    const SPACE: SpaceId = SpaceId([1; 32]);

    fn news(title: &str, created: u64) -> News {
        let values = BTreeMap::from([("title/fr".to_owned(), vec![Value::from(title)])]);
        let view = RecordView::new(DocumentId([0; 16]), vec![], values);
        let record = Summary::new(&view, None, None, 1);
        News {
            since_ms: Some(Timestamp(1_000)),
            exact: true,
            until: "m".into(),
            spaces: vec![SpaceNews { space: SPACE, created, changed: 0, deleted: 0, own: 2 }],
            documents: vec![NewDocument { space: SPACE, news: Novelty::Created, record }],
            entries_to_index: 0,
        }
    }

    fn new() -> New {
        New {
            space: None,
            place: None,
            keep: false,
            seen: false,
            limit: 1,
            markdown: false,
            out: None,
            program: vec![],
        }
    }

    #[test]
    fn what_is_not_listed_is_not_noted_as_seen_unless_it_is_said() {
        let (all, part) = (news("a", 1), news("a", 3));
        assert!(new().is_seen(&all, false) && !new().is_seen(&part, false));
        assert!(new().is_seen(&part, true), "a digest would be repeated for ever");
        assert!(New { seen: true, ..new() }.is_seen(&part, false));
        assert!(!New { keep: true, ..new() }.is_seen(&all, true));
        assert!(!New { space: Some("s".into()), ..new() }.is_seen(&all, false), "others would be lost");
        assert_eq!(
            new().ending(&part),
            "2 records are not listed: `--limit 3` lists more; --seen notes them as seen all the same.\n"
        );
    }

    #[test]
    fn people_and_digests_are_told_the_same_and_nothing_acts_in_either() {
        let names = BTreeMap::from([(SPACE, "Harbours".to_owned())]);
        let hostile = news("**<b>\u{202e}x", 1);
        let told = human(&hostile, &names, String::new());
        assert_eq!(
            told,
            "Since 1970-01-01T00:00:01Z.\n\nHarbours: 1 new, 2 of your own\n  new      aaaaaaaa  **<b>\\u{202e}x  ()\n"
        );
        let digest = markdown(&hostile, &names);
        assert!(digest.contains("- new: **\\*\\*\\<b\\>\\\\u\\{202e\\}x**"), "{digest}");
    }

    #[test]
    fn a_digest_goes_to_a_program_or_a_file_and_only_if_there_is_something() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("news.md");
        let to_file = New { out: Some(path.clone()), ..new() };
        to_file.deliver("x", false).unwrap();
        assert!(!path.exists());
        to_file.deliver("x", true).unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), "x");
        let program = |line: &str| New { program: ["sh", "-c", line].map(OsString::from).into(), ..new() };
        program(&format!("cat > {}", path.display())).deliver("y", true).unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), "y");
        let failed = program("exit 3").deliver("y", true).unwrap_err();
        assert!(failed.message.contains("exit status: 3"), "{}", failed.message);
        assert!(program("true").deliver(&"y".repeat(1 << 20), true).is_ok(), "it need not read");
    }
}
