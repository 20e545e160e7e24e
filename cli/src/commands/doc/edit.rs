//! `portolan doc edit`: changes to a record. Only what differs is sent, on the heads that the person saw.

use clap::Args;
use portolan_protocol::{
    api::{DocumentAt, DocumentView, EditDocument, Saved},
    id::{DocumentId, SpaceId},
    record::RecordDraft,
};

use super::source::Source;
use crate::{
    client::Client,
    context::Context,
    draft_file, editor,
    error::{Result, usage},
    fields, resolve,
};

#[derive(Args, Debug)]
pub struct Edit {
    /// The record: its id, or the start of it
    document: String,
    /// The space it is in, where the start of its id is not enough
    #[arg(long)]
    space: Option<String>,
    /// The language of the texts given [default: the record's own]
    #[arg(long, value_name = "TAG")]
    language: Option<String>,
    /// The heads of the record as it was read for this edit, where that was earlier; may be repeated
    #[arg(long, value_name = "HASH")]
    base: Vec<String>,
    #[command(flatten)]
    source: Source,
}

impl Edit {
    pub(super) async fn run(self, context: &Context) -> Result<()> {
        self.source.run(context, async |text| self.save(context, text).await).await
    }

    async fn save(&self, context: &Context, text: Option<&str>) -> Result<Saved> {
        let (client, program) = (&context.client()?, &*context.program());
        let (space, document) = resolve::document(client, self.space.as_deref(), &self.document).await?;
        let at = DocumentAt {
            at: resolve::changes(client, space, document, &self.base).await?.map(|heads| heads.join(",")),
        };
        let view: DocumentView = client.query(&format!("/spaces/{space}/documents/{document}"), &at).await?;
        let change = Change { client, space, document, view: &view, reason: &self.source.reason, program };
        match text {
            Some(text) if self.source.from_file.is_some() => {
                change.save(draft_file::difference(&view.record.fields, &draft_file::read(text)?)).await
            }
            text if self.source.has_fields() => change.save(self.draft(&view, text)?).await,
            _ => change.write().await,
        }
    }

    fn draft(&self, view: &DocumentView, text: Option<&str>) -> Result<RecordDraft> {
        let language = match (&self.language, &view.record.language) {
            (Some(given), _) => fields::language(given)?,
            (None, Some(own)) => own.clone(),
            (None, None) => return Err(usage("the record does not say its language").next("Give --language.")),
        };
        let mut fields = self.source.fields(&language, text);
        let (kind, language) = draft_file::take_type_and_language(&mut fields);
        Ok(RecordDraft { kind, language, fields, ..RecordDraft::default() })
    }
}

/// An edit of one record as it was seen.
struct Change<'a> {
    client: &'a Client,
    space: SpaceId,
    document: DocumentId,
    view: &'a DocumentView,
    reason: &'a str,
    /// The beginning of a command, for people to type.
    program: &'a str,
}

impl Change<'_> {
    async fn save(&self, draft: RecordDraft) -> Result<Saved> {
        let base = Some(self.view.record.heads.clone());
        let request = EditDocument { draft, base, reason: self.reason.to_owned() };
        self.client.patch(&format!("/spaces/{}/documents/{}", self.space, self.document), &request).await
    }

    /// Lets the person change it in an editor.
    async fn write(&self) -> Result<Saved> {
        let (before, notes) = draft_file::of_record(&self.view.record);
        let written = editor::edit(&self.document.to_string(), &draft_file::write(&before, &notes))?;
        let saved = match draft_file::read(&written.text) {
            Ok(after) => self.save(draft_file::difference(&before, &after)).await,
            Err(error) => Err(error),
        };
        written.settle(saved, || {
            let bases: String = self.view.record.heads.iter().map(|head| format!(" --base {head}")).collect();
            format!("{} doc edit {} --space {}{bases}", self.program, self.document, self.space)
        })
    }
}
