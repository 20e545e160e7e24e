//! Where the text of a record comes from: options, a file, or the person's editor.

use std::path::{Path, PathBuf};

use clap::Args;
use portolan_protocol::api::Saved;

use super::saved::saved;
use crate::{
    context::Context,
    draft_file::Fields,
    editor,
    error::{ApiError, Result},
    fields::{self, Setting},
};

/// What `doc new` and `doc edit` take.
#[derive(Args, Debug)]
pub struct Source {
    /// The body, Markdown, from this file; - reads standard input
    #[arg(long, value_name = "FILE")]
    pub(super) body_file: Option<PathBuf>,
    /// Set a field: FIELD=TEXT, FIELD= removes it, FIELD:=JSON; may be repeated
    #[arg(long = "set", value_name = "FIELD=VALUE", value_parser = fields::parse)]
    pub(super) settings: Vec<Setting>,
    /// All fields from a file as the editor shows it; what the file leaves out is removed
    #[arg(long, value_name = "FILE", conflicts_with_all = ["body_file", "settings"])]
    pub(super) from_file: Option<PathBuf>,
    /// Why, in a few words, for the history
    #[arg(long, default_value = "")]
    pub(super) reason: String,
}

impl Source {
    /// Whether fields were given on the command line.
    pub(super) fn has_fields(&self) -> bool {
        self.body_file.is_some() || !self.settings.is_empty()
    }

    /// Reads the text that is named, has it saved, and shows what that came to.
    pub(super) async fn run(
        &self,
        context: &Context,
        save: impl AsyncFnOnce(Option<&str>) -> Result<Saved>,
    ) -> Result<()> {
        let text = self.text()?;
        let outcome = save(text.as_deref()).await;
        let result = outcome.map_err(|error| self.kept(error, text.as_deref()))?;
        context.output.show(&result, saved)
    }

    /// The text of the file that is named, if one is. Standard input is read once, so this is called once.
    fn text(&self) -> Result<Option<String>> {
        self.path().map(editor::read_text).transpose()
    }

    fn path(&self) -> Option<&Path> {
        self.body_file.as_deref().or(self.from_file.as_deref())
    }

    /// The fields that the command line gives, texts without a language of their own in `language`.
    pub(super) fn fields(&self, language: &str, text: Option<&str>) -> Fields {
        let mut fields: Fields = self.settings.iter().map(|setting| setting.in_language(language)).collect();
        if let Some(text) = text {
            fields.insert(format!("body/{language}"), text.into());
        }
        fields
    }

    /// The same error; a text that came by standard input is put into a file first, since nobody else may have it.
    fn kept(&self, error: ApiError, text: Option<&str>) -> ApiError {
        let piped = text.filter(|_| self.path() == Some(Path::new("-")));
        match piped.map(|text| editor::keep("stdin", text)) {
            Some(Ok(path)) => error.safe(format!("What came by standard input is kept in {}.", path.display())),
            Some(Err(_)) | None => error,
        }
    }
}
