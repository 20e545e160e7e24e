//! What differs between two states of a record, field by field and, in texts, word by word.

use std::{collections::BTreeSet, time::Duration};

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

/// Time to compare texts before the rest of them is shown as replaced.
const COMPARING: Duration = Duration::from_millis(200);

impl Index {
    fn difference(
        &mut self,
        space: SpaceId,
        id: DocumentId,
        from: Option<&[String]>,
        to: Option<&[String]>,
    ) -> Result<Difference, DocumentError> {
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
        let after = after.view()?;
        let fields = fields(&before, &after);
        Ok(Difference { space, document: id, from: before.heads, to: after.heads, fields })
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

/// The fields in which `after` differs from `before`.
pub(super) fn fields(before: &RecordView, after: &RecordView) -> Vec<FieldDifference> {
    let keys: BTreeSet<&String> = before.fields.keys().chain(after.fields.keys()).collect();
    let differing = keys.into_iter().filter_map(|key| {
        let (old, new) = (values(before, key), values(after, key));
        (old != new).then(|| field(key, old, new))
    });
    differing.collect()
}

/// How a field with the values `before` becomes one with the values `after`.
pub(super) fn field(key: &str, before: Vec<Value>, after: Vec<Value>) -> FieldDifference {
    let is_text = field_of(key).is_some_and(|field| field.kind == Kind::Text) || language_of(key).is_some();
    let pieces = match (before.as_slice(), after.as_slice()) {
        ([Value::Text(old)], [Value::Text(new)]) if is_text => pieces(old, new),
        _ => Vec::new(),
    };
    FieldDifference { field: key.to_owned(), before, after, pieces }
}

/// Every value of a field that is shown.
fn values(record: &RecordView, key: &str) -> Vec<Value> {
    match record.conflicts.get(key) {
        Some(values) => values.clone(),
        None => record.fields.get(key).cloned().into_iter().collect(),
    }
}

fn pieces(old: &str, new: &str) -> Vec<Piece> {
    let mut letters = old.chars();
    let mut place = 0;
    let mut pieces = Vec::new();
    let mut say = |kind, text: String| {
        if !text.is_empty() {
            pieces.push(Piece { kind, text });
        }
    };
    let found = hunks(old, new, Some(clock::monotonic().into_std() + COMPARING));
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
        let job = move |index: &mut Index| index.difference(space, document, from.as_deref(), to.as_deref());
        self.ask_level(space, job).await?
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_that_changed_stand_between_those_that_stayed() {
        let told = |old: &str, new: &str| -> Vec<(PieceKind, String)> {
            pieces(old, new).into_iter().map(|piece| (piece.kind, piece.text)).collect()
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
