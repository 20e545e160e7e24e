//! `portolan search`: records by their words.

use std::{
    collections::BTreeMap,
    io::{self, IsTerminal as _},
};

use clap::Args;
use portolan_protocol::{
    api::{HITS_MAX, Hit, SearchAnswer, SearchQuery, Spaces},
    id::SpaceId,
};

use super::filters::Filters;
use crate::{
    context::Context,
    error::Result,
    output::{self, short},
    resolve, text,
    text::Emphasis,
};

/// Records that are shown where nothing is said.
const LIMIT_DEFAULT: u32 = 20;

#[derive(Args, Debug)]
pub struct Search {
    /// What to look for: all words, in any of their forms; '"a phrase"', 'with -without', 'begin*'
    #[arg(required = true, value_name = "QUERY")]
    query: Vec<String>,
    /// The language of the query (ar, en, es, fr, pt), where its words mean something else in another
    #[arg(long, value_name = "LANGUAGE")]
    lang: Option<String>,
    #[command(flatten)]
    filters: Filters,
    /// Not more than so many
    #[arg(long, value_name = "N", default_value_t = LIMIT_DEFAULT, value_parser = clap::value_parser!(u32).range(1..=10_000))]
    limit: u32,
}

impl Search {
    pub(super) async fn run(self, context: &Context) -> Result<()> {
        let client = context.client()?;
        let space = match &self.filters.space {
            Some(typed) => Some(resolve::space(&client, typed).await?.id),
            None => None,
        };
        let mut query = SearchQuery { space, lang: self.lang.clone(), ..self.filters.search(self.query.join(" ")) };
        let mut answer = SearchAnswer::default();
        loop {
            let shown = u32::try_from(answer.hits.len()).unwrap_or(u32::MAX);
            query.limit = Some(self.limit.saturating_sub(shown).clamp(1, HITS_MAX));
            let part: SearchAnswer = client.query("/search", &query).await?;
            let mut hits = std::mem::take(&mut answer.hits);
            hits.extend(part.hits);
            answer =
                SearchAnswer { hits, entries_to_index: answer.entries_to_index.max(part.entries_to_index), ..part };
            if answer.hits.len() >= self.limit as usize || answer.next.is_none() || answer.next == query.cursor {
                break;
            }
            query.cursor.clone_from(&answer.next);
        }
        let spaces: Spaces = client.get("/spaces").await?;
        let names = spaces.spaces.into_iter().map(|space| (space.id, space.name)).collect();
        let emphasis = if io::stdout().is_terminal() { Emphasis::Bold } else { Emphasis::None };
        context.output.show(&answer, |answer| self.human(answer, &names, emphasis))
    }

    fn human(&self, answer: &SearchAnswer, names: &BTreeMap<SpaceId, String>, emphasis: Emphasis) -> String {
        let mut out = String::new();
        for hit in &answer.hits {
            out.push_str(&one(hit, names, emphasis));
        }
        for concept in &answer.concepts {
            let (label, notation) = (text::shown(&concept.label), text::shown(&concept.notation));
            out.push_str(&tr!("Records tagged `{notation}` were looked for too: the concept is called {label}.\n"));
        }
        out.push_str(&match answer.hits.is_empty() {
            true => self.nothing(),
            false => {
                let shown = answer.hits.len() as u64;
                let of = if answer.total > shown { format!(" of {}", answer.total) } else { String::new() };
                format!("{shown}{of} {}\n", if answer.total == 1 { "record" } else { "records" })
            }
        });
        if answer.entries_to_index > 0 {
            let entries = output::count(answer.entries_to_index, "entry", "entries");
            out.push_str(&tr!("Not everything can be found yet: {entries} to go.\n"));
        }
        out
    }

    /// What to try where nothing was found.
    fn nothing(&self) -> String {
        let mut tries = vec![tr!("fewer words")];
        if self.query.iter().any(|word| word.contains('"')) {
            tries.push(tr!("words instead of a phrase"));
        }
        tries.push(tr!("the beginning of a word (`harb*`)"));
        if self.lang.is_some() {
            tries.push(tr!("no --lang"));
        }
        if self.filters.is_narrow() {
            tries.push(tr!("fewer filters"));
        }
        tr!("Nothing was found. Try {}.\n", tries.join(&tr!(", or ")))
    }
}

fn one(hit: &Hit, names: &BTreeMap<SpaceId, String>, emphasis: Emphasis) -> String {
    let record = &hit.record;
    let title = if record.title.is_empty() { tr!("(no title)") } else { record.title.clone() };
    let name = names.get(&hit.space).cloned().unwrap_or_else(|| short(hit.space));
    let kind = if record.kind.is_empty() { "-" } else { record.kind.as_str() };
    let mut out = format!("{}\n", text::shown(&title));
    out.push_str(&format!("  {}  {}  {}", text::shown(kind), text::shown(&name), short(record.id)));
    if !hit.through.is_empty() {
        let tags: Vec<String> = hit.through.iter().map(|notation| text::shown(notation)).collect();
        out.push_str(&tr!("  tagged {}", tags.join(", ")));
    }
    out.push('\n');
    if let Some(snippet) = hit.snippet.as_ref().filter(|snippet| snippet.text != record.title) {
        out.push_str(&format!("  {}\n", text::marked(&snippet.text, &snippet.marks, emphasis)));
    }
    out.push('\n');
    out
}
