//! The images of imported records on their way to the daemon, each as `portolan attachment add` would send it. What a record has
//! already is not added again, and no file of a record is replaced.

use std::{collections::BTreeMap, fs::File, os::unix::fs::FileExt as _};

use portolan_protocol::{
    api::{AddAttachment, DocumentView, ErrorKind, Outcome},
    id::{DocumentId, SpaceId},
    record::{RecordView, Value},
};
use serde::Serialize;

use super::attachment::{AddedFile, send};
use crate::{
    client::Client,
    error::{ApiError, Result, file},
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
    for of in pending.iter().filter(|of| !of.images.is_empty()) {
        let record = client.get::<DocumentView>(&format!("/spaces/{space}/documents/{}", of.document)).await?.record;
        for image in &of.images {
            match add_one(client, space, of.document, &record, image).await {
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

async fn add_one(
    client: &Client,
    space: SpaceId,
    document: DocumentId,
    record: &RecordView,
    image: &Image,
) -> Result<Outcome> {
    let path = image.path();
    let cannot = |error| file("read", &path, &error);
    let opened = image.open().map_err(cannot)?;
    let size = opened.metadata().map_err(cannot)?.len();
    let held = called(record, &image.name);
    for (id, bytes) in &held {
        if *bytes == Some(size) && is_as(client, space, document, id, &opened).await? {
            return Ok(Outcome::Unchanged);
        }
    }
    if !held.is_empty() {
        // It may be somebody's own, and only people know which of them is meant.
        let why =
            "the record has another file of that name: rename the image, or take that file out of the record first";
        return Err(ApiError::new(ErrorKind::Conflict, why));
    }
    let alternative = Some(image.alternative.clone()).filter(|text| !text.is_empty());
    let query = AddAttachment {
        name: Some(image.name.clone()),
        alternative_text: alternative,
        language: image.language.clone(),
        size: Some(size),
        reason: REASON.to_owned(),
        ..AddAttachment::default()
    };
    let added = send(client, space, document, AddedFile { opened, path: &path, query }, |_| {}).await?;
    Ok(added.saved.outcome)
}

/// The files that a record calls so, in whatever language, and the bytes that each has.
fn called(record: &RecordView, name: &str) -> BTreeMap<String, Option<u64>> {
    let files = record.fields.iter().filter_map(|(key, value)| {
        let (id, property) = key.strip_prefix("attachments/")?.split_once('/')?;
        (property.starts_with("name/") && value.as_str() == Some(name)).then_some(id)
    });
    let size = |id: &str| match record.fields.get(&format!("attachments/{id}/size")) {
        Some(Value::Int(size)) => u64::try_from(*size).ok(),
        _ => None,
    };
    files.map(|id| (id.to_owned(), size(id))).collect()
}

/// Whether a file of a record has the bytes of `opened`, which has as many; one that is not on this node is taken for it.
async fn is_as(client: &Client, space: SpaceId, document: DocumentId, id: &str, opened: &File) -> Result<bool> {
    let mut bytes = match client.bytes(&format!("/spaces/{space}/documents/{document}/attachments/{id}")).await {
        Ok(bytes) => bytes,
        Err(error) if error.kind == ErrorKind::NotFound => return Ok(true),
        Err(error) => return Err(error),
    };
    let mut at = 0;
    while let Some(piece) = bytes.next().await? {
        let mut own = vec![0; piece.len()];
        if opened.read_exact_at(&mut own, at).is_err() || own != piece {
            return Ok(false);
        }
        at += piece.len() as u64;
    }
    Ok(true)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_known_by_their_names_in_every_language() {
        let values = [
            ("attachments/a/name/fr", Value::from("map.png")),
            ("attachments/a/size", Value::Int(7)),
            ("attachments/b/name/ar", Value::from("map.png")),
            ("attachments/c/name/fr", Value::from("other.png")),
        ];
        let values = values.map(|(key, value)| (key.to_owned(), vec![value]));
        let record = RecordView::new(DocumentId([1; 16]), vec![], values.into());
        let found: Vec<_> = called(&record, "map.png").into_iter().collect();
        assert_eq!(found, [("a".to_owned(), Some(7)), ("b".to_owned(), None)]);
    }
}
