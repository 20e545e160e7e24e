//! All records in short, in memory: lists, their orders and counts are made of it without a look at the table.
//!
//! About 200 bytes a record. Values of facets stand for all records once.

use std::collections::{BTreeMap, HashMap};

use portolan_protocol::{
    api::{DocumentQuery, FACET_VALUES_MAX, FacetCounts, FacetValue, Facets, SortBy},
    folding::{beginning, fold},
    id::{DocumentId, NodeId, PersonId, SpaceId},
    record::{Facet, Filters, Summary},
    time::Timestamp,
};

use super::{
    cursor::{Cursor, KEY_BYTES_MAX},
    rows::DocumentRow,
};

/// The number of a value of a facet.
type Term = u32;

/// A person, as a node vouches for it.
pub(super) type Author = (NodeId, PersonId);

/// Which lists a record stands in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Shelved {
    /// The list.
    Live,
    /// That of deleted records.
    Deleted,
    /// None: nothing of it is applied, or it is no record for people.
    Hidden,
}

/// A record in short.
#[derive(Clone, Debug)]
pub(super) struct Item {
    pub(super) number: u64,
    pub(super) revision: u64,
    /// As in its row.
    pub(super) others: u64,
    pub(super) shelved: Shelved,
    /// Some of its fields say several things at once.
    contested: bool,
    /// Who changed it last: a number for each person of each node.
    author: Option<u32>,
    pub(super) updated: Option<Timestamp>,
    pub(super) created: Option<Timestamp>,
    /// Sorted.
    terms: Box<[Term]>,
    /// The beginning of the folded title, and of the type.
    title: Box<str>,
    kind: Box<str>,
}

/// See the head of the file.
#[derive(Default)]
pub(super) struct Catalogue {
    spaces: BTreeMap<SpaceId, BTreeMap<DocumentId, Item>>,
    numbers: HashMap<(Facet, Box<str>), Term>,
    terms: Vec<(Facet, Box<str>)>,
    authors: HashMap<Author, u32>,
}

/// The filters of a query in numbers.
struct Wanted {
    terms: Vec<Term>,
    since: Option<Timestamp>,
    until: Option<Timestamp>,
    contested: Option<bool>,
}

impl Catalogue {
    /// Takes up a record as it is now.
    pub(super) fn put(&mut self, space: SpaceId, id: DocumentId, row: &DocumentRow, is_settings: bool) {
        let summary = row.summary.as_ref();
        let shelved = match summary {
            None => Shelved::Hidden,
            Some(_) if is_settings => Shelved::Hidden,
            Some(summary) if summary.deleted => Shelved::Deleted,
            Some(_) => Shelved::Live,
        };
        let beginning = |text: &str| beginning(text, KEY_BYTES_MAX).into();
        let updated = summary.and_then(|summary| summary.updated.as_ref());
        let item = Item {
            number: row.number,
            revision: row.revision,
            others: row.others,
            shelved,
            contested: summary.is_some_and(|summary| summary.conflicts > 0),
            author: updated.map(|updated| self.author((updated.node, updated.person))),
            updated: updated.map(|updated| updated.time_ms),
            created: summary.and_then(|summary| summary.created_ms),
            terms: summary.map(|summary| self.terms(summary)).unwrap_or_default(),
            title: summary.map_or_else(Box::default, |summary| beginning(&fold(&summary.title))),
            kind: summary.map_or_else(Box::default, |summary| beginning(&summary.kind)),
        };
        self.spaces.entry(space).or_default().insert(id, item);
    }

    fn author(&mut self, author: Author) -> u32 {
        let next = u32::try_from(self.authors.len()).unwrap_or(u32::MAX);
        *self.authors.entry(author).or_insert(next)
    }

    fn terms(&mut self, summary: &Summary) -> Box<[Term]> {
        let mut terms = Vec::new();
        for facet in Facet::ALL {
            for value in facet.values(summary) {
                let all = &mut self.terms;
                let number = *self.numbers.entry((facet, value.into())).or_insert_with_key(|term| {
                    all.push(term.clone());
                    u32::try_from(all.len() - 1).unwrap_or(u32::MAX)
                });
                terms.push(number);
            }
        }
        terms.sort_unstable();
        terms.dedup();
        terms.into()
    }

    /// The records of a space that are shown or were.
    pub(super) fn shown(&self, space: &SpaceId) -> impl Iterator<Item = (DocumentId, &Item)> + '_ {
        let items = self.spaces.get(space).into_iter().flatten();
        items.filter(|(_, item)| item.shelved != Shelved::Hidden).map(|(id, item)| (*id, item))
    }

    /// Whether `author` changed a record last.
    pub(super) fn is_by(&self, item: &Item, author: &Author) -> bool {
        item.author.is_some() && item.author == self.authors.get(author).copied()
    }

    /// A record.
    pub(super) fn item(&self, space: &SpaceId, id: &DocumentId) -> Option<&Item> {
        self.spaces.get(space)?.get(id)
    }

    /// The records that are newer than `revision`: revision, space, number.
    pub(super) fn newer(&self, revision: u64) -> impl Iterator<Item = (u64, SpaceId, u64)> + '_ {
        let all = self.spaces.iter().flat_map(|(space, items)| items.values().map(|item| (*space, item)));
        all.filter(move |(_, item)| item.revision > revision).map(|(space, item)| (item.revision, space, item.number))
    }

    /// Where records stand in a list, in its order: at most `limit` behind `after`, and whether there are more.
    pub(super) fn list(
        &self,
        space: &SpaceId,
        query: &DocumentQuery,
        after: Option<&Cursor>,
        limit: usize,
    ) -> (Vec<Cursor>, bool) {
        let (Some(items), Some(wanted)) = (self.spaces.get(space), self.wanted(&query.filters())) else {
            return (Vec::new(), false);
        };
        let (sort, reverse) = (query.sort.unwrap_or_default(), query.reverse.unwrap_or(false));
        let shelved = if query.deleted == Some(true) { Shelved::Deleted } else { Shelved::Live };
        let prefix = query.prefix.as_deref().unwrap_or_default().to_lowercase();
        let passes = |item: &Item| match prefix.is_empty() {
            true => item.shelved == shelved && wanted.pass(item),
            false => item.shelved != Shelved::Hidden && wanted.pass(item),
        };
        // Ids that begin alike stand together.
        let first: DocumentId = format!("{prefix:a<26}").parse().unwrap_or_default();
        let among = items.range(first..).take_while(|(id, _)| prefix.is_empty() || id.to_string().starts_with(&prefix));
        let mut found: Vec<Place<'_>> = among
            .filter(|(_, item)| passes(item))
            .map(|(id, item)| Place::of(sort, reverse, *id, item))
            .filter(|place| after.is_none_or(|after| place.is_behind(after)))
            .collect();
        let more = found.len() > limit;
        if more && limit > 0 {
            found.select_nth_unstable(limit - 1);
        }
        found.truncate(limit);
        found.sort_unstable();
        (found.into_iter().map(|place| place.cursor(sort, reverse)).collect(), more)
    }

    /// How many records that pass the filters have each value.
    pub(super) fn facets(&self, space: &SpaceId, query: &DocumentQuery) -> Facets {
        let mut counts: Vec<u64> = vec![0; self.terms.len()];
        let mut total = 0;
        let shelved = if query.deleted == Some(true) { Shelved::Deleted } else { Shelved::Live };
        if let (Some(items), Some(wanted)) = (self.spaces.get(space), self.wanted(&query.filters())) {
            for item in items.values().filter(|item| item.shelved == shelved && wanted.pass(item)) {
                total += 1;
                item.terms.iter().for_each(|term| counts[*term as usize] += 1);
            }
        }
        let mut facets: BTreeMap<Facet, Vec<(u64, &str)>> = BTreeMap::new();
        for ((facet, value), count) in self.terms.iter().zip(counts).filter(|(_, count)| *count > 0) {
            facets.entry(*facet).or_default().push((count, value));
        }
        let facets = Facet::ALL.map(|facet| {
            let mut values = facets.remove(&facet).unwrap_or_default();
            values.sort_unstable_by(|(count, value), (other, beside)| other.cmp(count).then(value.cmp(beside)));
            let more = values.len().saturating_sub(FACET_VALUES_MAX) as u64;
            values.truncate(FACET_VALUES_MAX);
            let value = |(count, value): (u64, &str)| FacetValue { value: value.to_owned(), count };
            FacetCounts { facet, values: values.into_iter().map(value).collect(), more }
        });
        Facets { total, facets: facets.into(), entries_to_index: 0 }
    }

    /// None where no record can pass, since a value that is wanted is one of none.
    fn wanted(&self, filters: &Filters) -> Option<Wanted> {
        let number = |(facet, value): (&Facet, &String)| self.numbers.get(&(*facet, value.as_str().into())).copied();
        let terms = filters.wanted.iter().map(number).collect::<Option<Vec<Term>>>()?;
        Some(Wanted { terms, since: filters.since, until: filters.until, contested: filters.contested })
    }
}

impl Wanted {
    fn pass(&self, item: &Item) -> bool {
        self.terms.iter().all(|term| item.terms.binary_search(term).is_ok())
            && self.since.is_none_or(|since| item.updated.is_some_and(|updated| updated >= since))
            && self.until.is_none_or(|until| item.updated.is_some_and(|updated| updated < until))
            && self.contested.is_none_or(|contested| contested == item.contested)
    }
}

/// Where a record stands in an order: by the number, the text, the id.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Place<'a> {
    number: u64,
    text: &'a str,
    id: DocumentId,
    reverse: bool,
}

impl<'a> Place<'a> {
    fn of(sort: SortBy, reverse: bool, id: DocumentId, item: &'a Item) -> Place<'a> {
        // The newest first.
        let newest = |moment: Option<Timestamp>| u64::MAX - moment.map_or(0, |moment| moment.0);
        let (number, text) = match sort {
            SortBy::Id => (0, ""),
            SortBy::Updated => (newest(item.updated), ""),
            SortBy::Created => (newest(item.created), ""),
            SortBy::Title => (0, &*item.title),
            SortBy::Type => (0, &*item.kind),
        };
        Place { number, text, id, reverse }
    }

    fn is_behind(&self, cursor: &Cursor) -> bool {
        let at = Place { number: cursor.number, text: &cursor.text, id: cursor.id, reverse: self.reverse };
        *self > at
    }

    fn cursor(&self, sort: SortBy, reverse: bool) -> Cursor {
        Cursor { sort, reverse, number: self.number, text: self.text.to_owned(), id: self.id }
    }
}

impl Ord for Place<'_> {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        let order = (self.number, self.text, self.id).cmp(&(other.number, other.text, other.id));
        if self.reverse { order.reverse() } else { order }
    }
}

impl PartialOrd for Place<'_> {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap as Map;

    use portolan_protocol::record::{RecordView, Updated, Value};

    use super::*;

    const SPACE: SpaceId = SpaceId([1; 32]);

    fn catalogue(records: &[(u8, &str, u64, &[&str])]) -> Catalogue {
        let mut catalogue = Catalogue::default();
        for (id, title, time, tags) in records {
            put(&mut catalogue, *id, title, *time, tags);
        }
        catalogue
    }

    fn put(catalogue: &mut Catalogue, id: u8, title: &str, time: u64, tags: &[&str]) {
        let mut values = Map::from([("title/fr".to_owned(), vec![Value::from(title)])]);
        values.extend(tags.iter().map(|tag| (format!("tags/{tag}"), vec![Value::Bool(true)])));
        let view = RecordView::new(DocumentId([id; 16]), vec![], values);
        let (node, person) = (NodeId([0; 32]), PersonId([0; 16]));
        let updated = Updated { time_ms: Timestamp(time), node, person, name: String::new() };
        let summary = Summary::new(&view, Some(updated), Some(Timestamp(u64::from(id))), 1);
        let row = DocumentRow { number: u64::from(id), revision: time, others: 0, summary: Some(summary) };
        catalogue.put(SPACE, view.id, &row, false);
    }

    fn ids(catalogue: &Catalogue, query: &DocumentQuery, after: Option<&Cursor>, limit: usize) -> Vec<u8> {
        catalogue.list(&SPACE, query, after, limit).0.iter().map(|cursor| cursor.id.0[0]).collect()
    }

    fn sorted(sort: SortBy, reverse: bool) -> DocumentQuery {
        DocumentQuery { sort: Some(sort), reverse: Some(reverse), ..DocumentQuery::default() }
    }

    #[test]
    fn a_list_is_in_the_order_that_is_asked_for() {
        let catalogue = catalogue(&[(3, "été", 10, &[]), (1, "Port", 30, &[]), (2, "Eau", 20, &[])]);
        assert_eq!(ids(&catalogue, &DocumentQuery::default(), None, 9), [1, 2, 3]);
        assert_eq!(ids(&catalogue, &sorted(SortBy::Updated, false), None, 9), [1, 2, 3]);
        assert_eq!(ids(&catalogue, &sorted(SortBy::Updated, true), None, 9), [3, 2, 1]);
        assert_eq!(ids(&catalogue, &sorted(SortBy::Title, false), None, 9), [2, 3, 1]);
        assert_eq!(ids(&catalogue, &sorted(SortBy::Created, false), None, 9), [3, 2, 1]);
        assert_eq!(ids(&catalogue, &sorted(SortBy::Type, true), None, 2), [3, 2], "all are of one type: by id");
    }

    #[test]
    fn a_cursor_stays_right_while_records_change() {
        let records: Vec<(u8, &str, u64, &[&str])> = (1..=9).map(|id| (id, "t", u64::from(id), &[][..])).collect();
        let mut catalogue = catalogue(&records);
        let query = sorted(SortBy::Updated, false);
        let (first, more) = catalogue.list(&SPACE, &query, None, 4);
        assert_eq!((ids(&catalogue, &query, None, 4), more), (vec![9, 8, 7, 6], true));
        // One that was listed and the one that the cursor stands at are changed, a new one comes.
        put(&mut catalogue, 8, "t", 100, &[]);
        put(&mut catalogue, 6, "t", 101, &[]);
        put(&mut catalogue, 10, "t", 102, &[]);
        assert_eq!(ids(&catalogue, &query, first.last(), 9), [5, 4, 3, 2, 1]);
    }

    #[test]
    fn filters_must_all_hold_and_what_passes_is_counted() {
        let catalogue = catalogue(&[(1, "a", 10, &["x", "y"]), (2, "b", 20, &["x"]), (3, "c", 30, &["y"])]);
        let tagged = |tag: &str| DocumentQuery { tag: Some(tag.to_owned()), ..DocumentQuery::default() };
        assert_eq!(ids(&catalogue, &tagged("x"), None, 9), [1, 2]);
        assert_eq!(ids(&catalogue, &tagged("z"), None, 9), [] as [u8; 0]);
        let since = DocumentQuery { since_ms: Some(Timestamp(20)), until_ms: Some(Timestamp(30)), ..tagged("x") };
        assert_eq!(ids(&catalogue, &since, None, 9), [2]);
        let facets = catalogue.facets(&SPACE, &tagged("x"));
        let tags = facets.facets.iter().find(|counts| counts.facet == Facet::Tag).map(|counts| counts.values.clone());
        let value = |value: &str, count| FacetValue { value: value.to_owned(), count };
        assert_eq!((facets.total, tags), (2, Some(vec![value("x", 2), value("y", 1)])));
    }
}
