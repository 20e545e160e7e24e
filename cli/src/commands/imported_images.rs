//! The images of imported records on their way to the daemon, each as `portolan attachment add` would send it. What a record has
//! already is not added again; an image that has changed takes the place of the one of that name.

use std::collections::BTreeSet;

use portolan_protocol::{
    api::{AddAttachment, DocumentView, EditDocument, ErrorKind, Outcome, Saved},
    id::{DocumentId, SpaceId},
    record::{RecordDraft, RecordView, Value},
};
use serde::Serialize;

use super::attachment::{AddedFile, send};
use crate::{
    client::Client,
    error::{Result, file},
    import::Image,
    progress::Progress,
};

/// What the history says of such changes.
const REASON: &str = "an image that the imported text refers to";

/// The images of one record.
#[derive(Debug)]
pub(super) struct Pending {
    pub(super) document: DocumentId,
    /// The file that refers to them, for messages.
    pub(super) source: String,
    pub(super) images: Vec<Image>,
}

/// What became of all of them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub(super) struct ImageTotals {
    /// Images below what is imported that records refer to, each once for a record.
    pub(super) found: u64,
    pub(super) added: u64,
    /// Those that the records had.
    pub(super) unchanged: u64,
    /// Those that could not be added.
    pub(super) refused: u64,
}

/// An image that could not be added: the file that refers to it, and why.
pub(super) type Failed = (String, String);

/// Adds them to their records.
pub(super) async fn add(
    client: &Client,
    space: SpaceId,
    pending: &[Pending],
    totals: &mut ImageTotals,
) -> Result<Vec<Failed>> {
    let mut failed = Vec::new();
    let progress = Progress::start("adding images", Some(totals.found));
    for of in pending {
        for image in &of.images {
            match add_one(client, space, of.document, image).await {
                Ok(Outcome::Unchanged) => totals.unchanged += 1,
                Ok(_) => totals.added += 1,
                // No other image would fare better.
                Err(error) if matches!(error.kind, ErrorKind::Unavailable | ErrorKind::DiskFull) => {
                    return Err(error
                        .safe("The records are imported, and so are the images before.")
                        .next("Run the same import again when that is mended; what is there is not added twice."));
                }
                Err(error) => {
                    totals.refused += 1;
                    failed.push((of.source.clone(), format!("the image {}: {}", image.name, error.message)));
                }
            }
            progress.update("adding images", totals.added + totals.unchanged + totals.refused, Some(totals.found));
        }
    }
    Ok(failed)
}

async fn add_one(client: &Client, space: SpaceId, document: DocumentId, image: &Image) -> Result<Outcome> {
    let path = image.path();
    let cannot = |error| file("read", &path, &error);
    let opened = image.open().map_err(cannot)?;
    let size = opened.metadata().map_err(cannot)?.len();
    let alternative = Some(image.alternative.clone()).filter(|text| !text.is_empty());
    let query = AddAttachment {
        name: Some(image.name.clone()),
        alternative_text: alternative,
        size: Some(size),
        reason: REASON.to_owned(),
        ..AddAttachment::default()
    };
    let added = send(client, space, document, AddedFile { opened, path: &path, query }, |_| {}).await?;
    if added.saved.outcome == Outcome::Updated {
        replace(client, space, document, &image.name, &added.attachment.to_string()).await?;
    }
    Ok(added.saved.outcome)
}

/// Takes other files of that name out of the record. Its history keeps them.
async fn replace(client: &Client, space: SpaceId, document: DocumentId, name: &str, new: &str) -> Result<()> {
    let path = format!("/spaces/{space}/documents/{document}");
    let view: DocumentView = client.get(&path).await?;
    let draft = without(&view.record, name, new);
    if draft.fields.is_empty() {
        return Ok(());
    }
    let request = EditDocument { draft, base: Some(view.record.heads), reason: REASON.to_owned() };
    client.patch::<Saved>(&path, &request).await.map(drop)
}

/// The draft that takes all files called `name` but `new` out of a record.
fn without(record: &RecordView, name: &str, new: &str) -> RecordDraft {
    let parts = |key: &str| {
        let (id, property) = key.strip_prefix("attachments/")?.split_once('/')?;
        Some((id.to_owned(), property.to_owned()))
    };
    let called = record.fields.iter().filter_map(|(key, value)| {
        let (id, property) = parts(key)?;
        (property.starts_with("name/") && value.as_str() == Some(name) && id != new).then_some(id)
    });
    let old: BTreeSet<String> = called.collect();
    let keys = record.fields.keys().filter(|key| parts(key).is_some_and(|(id, _)| old.contains(&id)));
    RecordDraft { fields: keys.map(|key| (key.clone(), Value::Null)).collect(), ..RecordDraft::default() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_image_that_has_changed_takes_the_place_of_the_one_before() {
        let values = [
            ("attachments/a/name/fr", "map.png"),
            ("attachments/a/key", "k"),
            ("attachments/b/name/fr", "map.png"),
            ("attachments/c/name/fr", "other.png"),
        ];
        let values = values.map(|(key, value)| (key.to_owned(), vec![Value::from(value)]));
        let record = RecordView::new(DocumentId([1; 16]), vec![], values.into());
        let keys: Vec<String> = without(&record, "map.png", "b").fields.into_keys().collect();
        assert_eq!(keys, ["attachments/a/key", "attachments/a/name/fr"]);
    }
}
