//! What differs between two states of a record, field by field and, in texts, word by word.

use std::{
    collections::BTreeSet,
    time::{Duration, Instant},
};

use portolan_protocol::{
    api::{Difference, FieldDifference, Piece, PieceKind},
    id::{DocumentId, SpaceId},
    record::{Kind, RecordView, Value, field_of, language_of},
};

use super::{
    error::DocumentError, handle::Documents, index::Index, opening::Ledger, planning::hex, reading::chronological,
};
use crate::{
    automerge_door::Document,
    clock,
    text_diff::{hunks, of_whole_words},
};

/// Time to compare the texts of a record before the rest of them is shown as replaced.
const COMPARING: Duration = Duration::from_millis(200);

impl Index {
    /// Both states of a record.
    fn states(
        &mut self,
        space: SpaceId,
        id: DocumentId,
        from: Option<&[String]>,
        to: Option<&[String]>,
    ) -> Result<(RecordView, RecordView), DocumentError> {
        let number = self.document_number(space, id)?;
        let ledger = self.ledger(number)?;
        let view = self.views.get(&space).cloned().ok_or(DocumentError::UnknownSpace)?;
        let after = match to {
            Some(heads) => self.at(&view, &ledger, heads)?.document,
            None => self.show(number)?.document,
        };
        if after.changes() == 0 {
            return Err(DocumentError::NotFound(id));
        }
        let from = from.map_or_else(|| before_last(&ledger, &after), <[String]>::to_vec);
        let before = self.at(&view, &ledger, &from)?.document.view()?;
        Ok((before, after.view()?))
    }
}

/// The heads of a document without the change that is its last in the history.
fn before_last(ledger: &Ledger, document: &Document) -> Vec<String> {
    let order = chronological(ledger).into_iter().filter_map(|place| ledger.facts[place].change.as_ref().ok());
    let mut held: Vec<&[u8; 32]> = order.filter(|change| document.holds(change)).collect();
    let last = held.pop();
    let earlier: BTreeSet<&[u8; 32]> = held.into_iter().filter(|change| Some(*change) != last).collect();
    let below: BTreeSet<[u8; 32]> = earlier.iter().filter_map(|change| document.deps(change)).flatten().collect();
    earlier.into_iter().filter(|change| !below.contains(*change)).map(hex).collect()
}

/// A field that differs.
pub(super) struct Differing {
    pub(super) field: String,
    pub(super) before: Vec<Value>,
    pub(super) after: Vec<Value>,
}

/// The fields in which `after` differs from `before`.
pub(super) fn differing(before: &RecordView, after: &RecordView) -> Vec<Differing> {
    let keys: BTreeSet<&String> = before.fields.keys().chain(after.fields.keys()).collect();
    let differing = keys.into_iter().filter_map(|key| {
        let (old, new) = (values(before, key), values(after, key));
        (old != new).then(|| Differing { field: key.clone(), before: old, after: new })
    });
    differing.collect()
}

/// The same with the words of texts compared.
pub(super) fn told(fields: Vec<Differing>) -> Vec<FieldDifference> {
    let deadline = clock::monotonic().into_std() + COMPARING;
    let told = |Differing { field, before, after }| {
        let is_text = field_of(&field).is_some_and(|field| field.kind == Kind::Text) || language_of(&field).is_some();
        let pieces = match (before.as_slice(), after.as_slice()) {
            ([Value::Text(old)], [Value::Text(new)]) if is_text => pieces(old, new, deadline),
            _ => Vec::new(),
        };
        FieldDifference { field, before, after, pieces }
    };
    fields.into_iter().map(told).collect()
}

/// Does work that takes a while beside the thread of the records.
pub(super) async fn beside<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Result<T, DocumentError> {
    tokio::task::spawn_blocking(work).await.map_err(|_| DocumentError::Stopped)
}

/// Every value of a field that is shown.
fn values(record: &RecordView, key: &str) -> Vec<Value> {
    match record.conflicts.get(key) {
        Some(values) => values.clone(),
        None => record.fields.get(key).cloned().into_iter().collect(),
    }
}

fn pieces(old: &str, new: &str, deadline: Instant) -> Vec<Piece> {
    let mut letters = old.chars();
    let mut place = 0;
    let mut pieces = Vec::new();
    let mut say = |kind, text: String| {
        if !text.is_empty() {
            pieces.push(Piece { kind, text });
        }
    };
    let found = hunks(old, new, Some(deadline));
    for hunk in of_whole_words(old, found) {
        say(PieceKind::Same, letters.by_ref().take(hunk.at - place).collect());
        say(PieceKind::Removed, letters.by_ref().take(hunk.delete).collect());
        say(PieceKind::Added, hunk.insert);
        place = hunk.at + hunk.delete;
    }
    say(PieceKind::Same, letters.collect());
    pieces
}

impl Documents {
    /// What differs between two states of a record: up to the present one where `to` is none, from the one before the last
    /// change of that where `from` is none.
    ///
    /// # Errors
    /// [`DocumentError::UnknownHeads`], and as [`Documents::show`].
    pub async fn difference(
        &self,
        space: SpaceId,
        document: DocumentId,
        from: Option<Vec<String>>,
        to: Option<Vec<String>>,
    ) -> Result<Difference, DocumentError> {
        let job = move |index: &mut Index| index.states(space, document, from.as_deref(), to.as_deref());
        let (before, after) = self.ask_level(space, job).await??;
        let fields = move || (told(differing(&before, &after)), before.heads, after.heads);
        let (fields, from, to) = beside(fields).await?;
        Ok(Difference { space, document, from, to, fields })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_that_changed_stand_between_those_that_stayed() {
        let told = |old: &str, new: &str| -> Vec<(PieceKind, String)> {
            let deadline = Instant::now() + Duration::from_secs(60);
            pieces(old, new, deadline).into_iter().map(|piece| (piece.kind, piece.text)).collect()
        };
        assert_eq!(
            told("le petit port", "le grand port"),
            [
                (PieceKind::Same, "le ".to_owned()),
                (PieceKind::Removed, "petit".to_owned()),
                (PieceKind::Added, "grand".to_owned()),
                (PieceKind::Same, " port".to_owned()),
            ]
        );
        let (old, new) = ("مرفأ قديم\nsuite\n", "مرفأ جديد\nsuite\nfin\n");
        let side = |gone: PieceKind| -> String {
            told(old, new).into_iter().filter(|(kind, _)| *kind != gone).map(|(_, text)| text).collect()
        };
        assert_eq!((side(PieceKind::Added).as_str(), side(PieceKind::Removed).as_str()), (old, new));
    }
}
