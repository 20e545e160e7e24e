//! `portolan doc new`: a new record.

use clap::Args;
use portolan_protocol::{
    api::{CreateDocument, Saved},
    id::SpaceId,
    record::{RecordDraft, TYPES},
};

use super::source::Source;
use crate::{
    client::Client,
    context::Context,
    draft_file::{self, Fields},
    editor,
    error::{Result, usage},
    fields, resolve,
};

#[derive(Args, Debug)]
pub struct New {
    /// Where it goes: the space's name, its id, or the start of one
    #[arg(long)]
    space: String,
    /// What it is
    #[arg(long = "type", value_name = "TYPE", default_value = TYPES[0])]
    kind: String,
    /// Its original language, such as fr or ar
    #[arg(long, value_name = "TAG")]
    language: String,
    /// Its title
    #[arg(long)]
    title: Option<String>,
    #[command(flatten)]
    source: Source,
}

impl New {
    pub(super) async fn run(self, context: &Context) -> Result<()> {
        self.source.run(context, async |text| self.save(context, text).await).await
    }

    async fn save(&self, context: &Context, text: Option<&str>) -> Result<Saved> {
        let (client, program) = (&context.client()?, &*context.program());
        let language = fields::language(&self.language)?;
        let space = resolve::space(client, &self.space).await?.id;
        match text {
            Some(text) if self.source.from_file.is_some() => {
                self.create(client, space, &language, draft_file::read(text)?).await
            }
            text if self.source.has_fields() || self.title.is_some() => {
                self.create(client, space, &language, self.source.fields(&language, text)).await
            }
            _ => self.write(client, space, &language, program).await,
        }
    }

    async fn create(&self, client: &Client, space: SpaceId, language: &str, mut fields: Fields) -> Result<Saved> {
        if let Some(title) = &self.title {
            fields.insert(format!("title/{language}"), title.as_str().into());
        }
        fields.retain(|_, value| !value.is_absent());
        let (kind, own_language) = draft_file::take_type_and_language(&mut fields);
        let new = RecordDraft::new(kind.as_deref().unwrap_or(&self.kind), own_language.as_deref().unwrap_or(language));
        let draft = RecordDraft { fields, ..new };
        let request = CreateDocument { draft, reason: self.source.reason.clone() };
        client.post(&format!("/spaces/{space}/documents"), &request).await
    }

    /// Lets the person write it in an editor.
    async fn write(&self, client: &Client, space: SpaceId, language: &str, program: &str) -> Result<Saved> {
        let template = self.template(language);
        let written = editor::edit("new", &template)?;
        if written.text == template {
            written.done();
            return Err(usage("nothing was written, so there is nothing to save"));
        }
        let saved = match draft_file::read(&written.text) {
            Ok(fields) => self.create(client, space, language, fields).await,
            Err(error) => Err(error),
        };
        written.settle(saved, || format!("{program} doc new --space {space} --language {language}"))
    }

    fn template(&self, language: &str) -> String {
        let mut fields = Fields::new();
        fields.insert("type".into(), self.kind.as_str().into());
        fields.insert("language".into(), language.into());
        for empty in [format!("title/{language}"), format!("body/{language}"), "originator".into()] {
            fields.insert(empty, "".into());
        }
        fields.insert("marking".into(), "AMBER".into());
        fields.insert("status".into(), "draft".into());
        let notes = ["A new record. Leave a field empty to leave it out; `#` begins a comment.".to_owned()];
        draft_file::write(&fields, &notes)
    }
}
