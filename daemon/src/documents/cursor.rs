//! Where a page of a list ends: the place of its last record in the order, so that the next goes on there whatever happens to
//! the record meanwhile.

use std::{fmt, str::FromStr};

use data_encoding::HEXLOWER;
use portolan_protocol::{api::SortBy, id::DocumentId};

/// Bytes of a title and of a type that count for the order.
pub(super) const KEY_BYTES_MAX: usize = 64;

/// See the head of the file. Its text is the id alone in a list by id.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cursor {
    pub(super) sort: SortBy,
    pub(super) reverse: bool,
    pub(super) number: u64,
    pub(super) text: String,
    pub(super) id: DocumentId,
}

impl Cursor {
    /// Whether it is of a list in this order.
    pub fn is_of(&self, sort: Option<SortBy>, reverse: Option<bool>) -> bool {
        (self.sort, self.reverse) == (sort.unwrap_or_default(), reverse.unwrap_or(false))
    }
}

fn sign(sort: SortBy, reverse: bool) -> char {
    let sign = match sort {
        SortBy::Id => 'i',
        SortBy::Updated => 'u',
        SortBy::Title => 't',
        SortBy::Type => 'k',
        SortBy::Created => 'c',
    };
    if reverse { sign.to_ascii_uppercase() } else { sign }
}

impl fmt::Display for Cursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Cursor { sort, reverse, number, text, id } = self;
        if (*sort, *reverse) == (SortBy::Id, false) {
            return id.fmt(f);
        }
        write!(f, "{}.{number:x}.{}.{id}", sign(*sort, *reverse), HEXLOWER.encode(text.as_bytes()))
    }
}

/// Not a cursor.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NoCursor;

impl FromStr for Cursor {
    type Err = NoCursor;

    fn from_str(text: &str) -> Result<Cursor, NoCursor> {
        let by_id = |id| Cursor { sort: SortBy::Id, reverse: false, number: 0, text: String::new(), id };
        if let Ok(id) = text.parse() {
            return Ok(by_id(id));
        }
        let parts: Vec<&str> = text.split('.').collect();
        let [order, number, key, id] = parts.as_slice() else { return Err(NoCursor) };
        let all = [SortBy::Id, SortBy::Updated, SortBy::Title, SortBy::Type, SortBy::Created];
        let mut orders = all.into_iter().flat_map(|sort| [(sort, false), (sort, true)]);
        let order = orders.find(|(sort, reverse)| *order == sign(*sort, *reverse).to_string());
        let (sort, reverse) = order.ok_or(NoCursor)?;
        let text = HEXLOWER.decode(key.as_bytes()).ok().and_then(|bytes| String::from_utf8(bytes).ok());
        Ok(Cursor {
            sort,
            reverse,
            number: u64::from_str_radix(number, 16).map_err(|_| NoCursor)?,
            text: text.filter(|text| text.len() <= KEY_BYTES_MAX).ok_or(NoCursor)?,
            id: id.parse().map_err(|_| NoCursor)?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_and_nothing_else() {
        let id = DocumentId([7; 16]);
        for (sort, reverse, number, text) in [
            (SortBy::Id, false, 0, ""),
            (SortBy::Id, true, 0, ""),
            (SortBy::Title, true, 0, "\u{e9}"),
            (SortBy::Updated, false, 9, ""),
        ] {
            let cursor = Cursor { sort, reverse, number, text: text.to_owned(), id };
            assert_eq!(cursor.to_string().parse(), Ok(cursor));
        }
        assert_eq!(
            Cursor { sort: SortBy::Id, reverse: false, number: 0, text: String::new(), id }.to_string(),
            id.to_string()
        );
        for wrong in
            ["", "...", "x.0..aaaa", "u.zz..", &format!("t.0.zz.{id}"), &format!("t.0.{}.{id}", "61".repeat(65))]
        {
            assert_eq!(wrong.parse::<Cursor>(), Err(NoCursor), "{wrong}");
        }
    }
}
