//! What became known of records since somebody looked, in the order in which it did on this node.

use portolan_protocol::{
    api::{Novelty, SpaceNews},
    id::{DocumentId, NodeId, PersonId, SpaceId},
    record::Summary,
    time::Timestamp,
};

use super::{
    catalogue::{Item, Shelved},
    error::DocumentError,
    index::Index,
};
use crate::{
    looks::{Look, Mark},
    store::StoreError,
};

/// Who asks for what.
#[derive(Clone, Debug)]
pub struct Asking {
    /// In these spaces.
    pub spaces: Vec<SpaceId>,
    /// Up to where each was looked at; everything is new where it never was.
    pub since: Option<Look>,
    /// What nobody but this person of this node has changed since is counted alone.
    pub own: (NodeId, PersonId),
    /// Records that are listed, at most.
    pub limit: usize,
}

/// What became known.
#[derive(Debug)]
pub struct Fresh {
    /// Whether `since` stands in the order of now; else the authors' clocks tell.
    pub exact: bool,
    /// The end of the order.
    pub until: Mark,
    /// The spaces in which something is new.
    pub spaces: Vec<SpaceNews>,
    /// What became known last, first.
    pub records: Vec<NewRecord>,
}

/// A record that is new.
#[derive(Debug)]
pub struct NewRecord {
    /// The space it is in.
    pub space: SpaceId,
    /// What became of it.
    pub news: Novelty,
    /// As it is now.
    pub summary: Summary,
}

/// From where on records are new.
#[derive(Clone, Copy)]
enum Since {
    Ever,
    Mark(Mark),
    Clock(Timestamp),
}

impl Since {
    /// The last revision that was seen for certain.
    fn revision(self) -> u64 {
        match self {
            Since::Mark(mark) => mark.revision,
            Since::Ever | Since::Clock(_) => 0,
        }
    }

    /// What became of a record, if anything did.
    fn news(self, item: &Item) -> Option<Novelty> {
        let (is_new, was_known) = match self {
            Since::Ever => (true, false),
            Since::Mark(mark) => (item.revision > mark.revision, item.number < mark.records),
            Since::Clock(time) => (item.updated.is_none_or(|updated| updated >= time), item.created < Some(time)),
        };
        is_new.then_some(match (item.shelved, was_known) {
            (Shelved::Deleted, _) => Novelty::Deleted,
            (_, true) => Novelty::Changed,
            (_, false) => Novelty::Created,
        })
    }
}

impl Index {
    /// The order as it was at the start.
    pub(super) fn begun(&mut self) -> Result<Mark, StoreError> {
        let table = self.shelf.table()?;
        Ok(Mark { table, revision: self.offering.begun(), records: self.counters.documents })
    }

    /// What became known since somebody looked.
    pub(super) fn fresh(&mut self, asking: &Asking) -> Result<Fresh, DocumentError> {
        let table = self.shelf.table()?;
        let until = Mark { table, revision: self.offering.revision(), records: self.counters.documents };
        let since = |space: &SpaceId| match &asking.since {
            None => Since::Ever,
            Some(look) => match look.spaces.get(space) {
                None => Since::Ever,
                Some(mark) if mark.table == table => Since::Mark(*mark),
                Some(_) => Since::Clock(look.time_ms),
            },
        };
        let exact = !asking.spaces.iter().any(|space| matches!(since(space), Since::Clock(_)));
        let mut spaces = Vec::new();
        let mut found: Vec<(u64, SpaceId, DocumentId, Novelty)> = Vec::new();
        for space in &asking.spaces {
            let since = since(space);
            let mut counts = SpaceNews { space: *space, created: 0, changed: 0, deleted: 0, own: 0 };
            for (id, item) in self.catalogue.shown(space) {
                let Some(news) = since.news(item) else { continue };
                let is_own = item.others <= since.revision() && self.catalogue.is_by(item, &asking.own);
                match news {
                    _ if is_own => counts.own += 1,
                    Novelty::Created => counts.created += 1,
                    Novelty::Deleted => counts.deleted += 1,
                    Novelty::Changed | Novelty::Unknown => counts.changed += 1,
                }
                if !is_own {
                    found.push((item.revision, *space, id, news));
                }
            }
            if counts.created + counts.changed + counts.deleted + counts.own > 0 {
                spaces.push(counts);
            }
        }
        found.sort_unstable_by(|(one, ..), (other, ..)| other.cmp(one));
        found.truncate(asking.limit);
        let mut records = Vec::with_capacity(found.len());
        for (_, space, id, news) in found {
            let summary = self.shelf.document(&space, &id)?.and_then(|row| row.summary);
            records.extend(summary.map(|summary| NewRecord { space, news, summary }));
        }
        Ok(Fresh { exact, until, spaces, records })
    }
}
