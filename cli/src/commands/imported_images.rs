//! The images of imported records on their way to the daemon, each as `portolan attachment add` would send it. What a record has
//! already is not added again, and no file of a record is replaced: whose it is, an import cannot know.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs::File,
    io::{self, Read as _},
    path::Path,
};

use portolan_protocol::{
    api::{AddAttachment, DocumentView, Outcome},
    id::{AttachmentId, DocumentId, SpaceId},
    record::{RecordView, Value},
};
use serde::Serialize;

use super::attachment::{AddedFile, send};
use crate::{
    client::Client,
    error::{ApiError, ErrorKind, Result, file},
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

/// Adds an image, unless the record has a file of that name: the same one is there already, and another one stays.
async fn add_one(client: &Client, space: SpaceId, document: DocumentId, image: &Image) -> Result<Outcome> {
    let path = image.path();
    let cannot = |error| file("read", &path, &error);
    let opened = image.open().map_err(cannot)?;
    let size = opened.metadata().map_err(cannot)?.len();
    let view: DocumentView = client.get(&format!("/spaces/{space}/documents/{document}")).await?;
    let held = held(&view.record);
    let mut is_described = false;
    for (id, of) in held.iter().filter(|(_, of)| of.size == Some(size)) {
        let opened = image.open().map_err(cannot)?;
        let address = format!("/spaces/{space}/documents/{document}/attachments/{id}");
        match (is_same(client, &address, opened, &path).await?, of.names.contains(image.name.as_str())) {
            (Some(true) | None, true) => return Ok(Outcome::Unchanged),
            (Some(true), false) => is_described |= of.is_described,
            _ => {}
        }
    }
    if held.values().any(|of| of.names.contains(image.name.as_str())) {
        let name = &image.name;
        return Err(ApiError::new(
            ErrorKind::Conflict,
            format!(
                "the record has another file called {name}; rename the image, or remove that file from the record first"
            ),
        ));
    }
    let alternative = Some(image.alternative.clone()).filter(|text| !text.is_empty() && !is_described);
    let query = AddAttachment {
        name: Some(image.name.clone()),
        language: Some(image.language.clone()),
        alternative_text: alternative,
        size: Some(size),
        reason: REASON.to_owned(),
        ..AddAttachment::default()
    };
    let added = send(client, space, document, AddedFile { opened, path: &path, query }, |_| {}).await?;
    Ok(added.saved.outcome)
}

/// What a record says of one of its files.
#[derive(Debug, Default, PartialEq, Eq)]
struct Held<'a> {
    /// Its names, in any language; those that are contested too.
    names: BTreeSet<&'a str>,
    size: Option<u64>,
    /// Whether somebody has said what it shows.
    is_described: bool,
}

/// The files of a record, by their ids.
fn held(record: &RecordView) -> BTreeMap<AttachmentId, Held<'_>> {
    let mut held: BTreeMap<AttachmentId, Held<'_>> = BTreeMap::new();
    for (key, value) in &record.fields {
        let Some((id, property)) = key.strip_prefix("attachments/").and_then(|rest| rest.split_once('/')) else {
            continue;
        };
        let Ok(id) = id.parse() else { continue };
        let of = held.entry(id).or_default();
        match (property, value) {
            ("size", Value::Int(size)) => of.size = u64::try_from(*size).ok(),
            (name, _) if name.starts_with("name/") => {
                let others = record.conflicts.get(key).into_iter().flatten();
                of.names.extend(std::iter::once(value).chain(others).filter_map(Value::as_str));
            }
            (text, value) if text.starts_with("alternative_text/") => of.is_described |= !value.is_absent(),
            _ => {}
        }
    }
    held
}

/// Whether the file at `address` has the bytes of `opened`; none where it is not on this node.
async fn is_same(client: &Client, address: &str, mut opened: File, path: &Path) -> Result<Option<bool>> {
    let mut bytes = match client.bytes(address).await {
        Ok(bytes) => bytes,
        Err(error) if error.kind == ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error),
    };
    while let Some(piece) = bytes.next().await? {
        let mut own = vec![0; piece.len()];
        match opened.read_exact(&mut own) {
            Ok(()) if own == piece => {}
            Ok(()) => return Ok(Some(false)),
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Ok(Some(false)),
            Err(error) => return Err(file("read", path, &error)),
        }
    }
    Ok(Some(true))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_files_of_a_record_are_known_by_all_their_names() {
        let id = AttachmentId([1; 32]);
        let values = [
            (format!("attachments/{id}/name/fr"), vec![Value::from("carte.png"), Value::from("plan.png")]),
            (format!("attachments/{id}/name/ar"), vec![Value::from("map.png")]),
            (format!("attachments/{id}/size"), vec![Value::Int(3)]),
            (format!("attachments/{id}/alternative_text/ar"), vec![Value::from("x")]),
            ("attachments/none/name/fr".to_owned(), vec![Value::from("other.png")]),
        ];
        let record = RecordView::new(DocumentId([1; 16]), vec![], values.into());
        let of = Held { names: ["carte.png", "map.png", "plan.png"].into(), size: Some(3), is_described: true };
        assert_eq!(held(&record), [(id, of)].into());
    }
}
