//! `portolan doc translate`: writes a record in another language, and says what the translation was made from.

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use portolan_protocol::{
    api::{DocumentAt, DocumentView, EditDocument, Saved},
    record::{RecordDraft, Value},
};

use super::saved::saved;
use crate::{
    context::Context,
    editor,
    error::{Result, usage},
    fields::{self, Setting},
    resolve,
};

#[derive(Args, Debug)]
pub struct Translate {
    /// The record: its id, or the start of it
    document: String,
    /// The space it is in, where the start of its id is not enough
    #[arg(long)]
    space: Option<String>,
    /// The language that it is translated into, such as fr or ar
    #[arg(long, value_name = "TAG")]
    language: String,
    /// The title in that language
    #[arg(long)]
    title: Option<String>,
    /// The body in that language, Markdown, from this file; - reads standard input
    #[arg(long, value_name = "FILE")]
    body_file: Option<PathBuf>,
    /// Set another field in that language: summary=TEXT, lesson=TEXT; may be repeated
    #[arg(long = "set", value_name = "FIELD=VALUE", value_parser = fields::parse)]
    settings: Vec<Setting>,
    /// How far it is
    #[arg(long, value_enum, default_value_t = Status::Draft)]
    status: Status,
    /// The heads it was made from, or their starts [default: as the record is now; where no text is given, as was said before]
    #[arg(long, value_name = "HEADS", value_delimiter = ',')]
    made_from: Vec<String>,
    /// Why, in a few words, for the history
    #[arg(long, default_value = "")]
    reason: String,
}

/// How far a translation is.
#[derive(Clone, Copy, Debug, ValueEnum)]
enum Status {
    Machine,
    Draft,
    Reviewed,
}

impl Status {
    fn name(self) -> &'static str {
        match self {
            Status::Machine => "machine",
            Status::Draft => "draft",
            Status::Reviewed => "reviewed",
        }
    }
}

impl Translate {
    pub(super) async fn run(self, context: &Context) -> Result<()> {
        let client = context.client()?;
        let language = fields::language(&self.language)?;
        let (space, document) = resolve::document(&client, self.space.as_deref(), &self.document).await?;
        let path = format!("/spaces/{space}/documents/{document}");
        let view: DocumentView = client.query(&path, &DocumentAt::default()).await?;
        let record = &view.record;
        if record.language.as_deref() == Some(&language) {
            return Err(usage(format!("`{language}` is the original language of the record, and no translation"))
                .safe("Nothing was changed.")
                .next("`portolan doc edit` changes it."));
        }
        let mut draft = RecordDraft::default();
        draft.fields.extend(self.settings.iter().map(|setting| setting.in_language(&language)));
        draft.fields.extend(self.title.as_deref().map(|title| (format!("title/{language}"), title.into())));
        if let Some(file) = &self.body_file {
            draft.fields.insert(format!("body/{language}"), editor::read_text(file)?.into());
        }
        let has_text = !draft.fields.is_empty();
        let key = format!("translations/{language}/from");
        let named = resolve::changes(&client, space, document, &self.made_from).await?;
        let from = match named {
            Some(mut named) => {
                named.sort_unstable();
                named.dedup();
                Some(named.join(","))
            }
            None if has_text || !record.fields.contains_key(&key) => Some(record.heads.join(",")),
            None => None,
        };
        draft.fields.extend(from.map(|from| (key, Value::from(from))));
        draft.fields.insert(format!("translations/{language}/state"), self.status.name().into());
        let request = EditDocument { draft, base: Some(record.heads.clone()), reason: self.reason };
        let result: Saved = client.patch(&path, &request).await?;
        context.output.show(&result, saved)
    }
}
