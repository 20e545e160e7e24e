//! What records are found and counted by: a few properties of the short form, each with its values.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{Summary, canonical_language};
use crate::time::Timestamp;

/// A property that lists are narrowed by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Facet {
    /// The type of record.
    Type,
    /// Tags.
    Tag,
    /// Priority areas.
    Area,
    /// Countries, in any relation.
    Country,
    /// Programmes.
    Programme,
    /// Languages that something is written in.
    Language,
    /// The status.
    Status,
    /// The joined marking.
    Marking,
    /// The organisation that it comes from.
    Originator,
    /// The years that it is about, see [`Summary::years`].
    Year,
}

impl Facet {
    /// Every facet, in the order in which they are shown.
    pub const ALL: [Facet; 10] = [
        Facet::Type,
        Facet::Tag,
        Facet::Area,
        Facet::Country,
        Facet::Programme,
        Facet::Language,
        Facet::Status,
        Facet::Marking,
        Facet::Originator,
        Facet::Year,
    ];

    /// Its name, as JSON and people write it.
    pub fn name(self) -> &'static str {
        match self {
            Facet::Type => "type",
            Facet::Tag => "tag",
            Facet::Area => "area",
            Facet::Country => "country",
            Facet::Programme => "programme",
            Facet::Language => "language",
            Facet::Status => "status",
            Facet::Marking => "marking",
            Facet::Originator => "originator",
            Facet::Year => "year",
        }
    }

    /// The values that a record has in it.
    pub fn values(self, summary: &Summary) -> Vec<String> {
        let one = |value: &Option<String>| value.iter().cloned().collect();
        match self {
            Facet::Type => Some(summary.kind.clone()).filter(|kind| !kind.is_empty()).into_iter().collect(),
            Facet::Tag => summary.tags.clone(),
            Facet::Area => summary.areas.clone(),
            Facet::Country => summary.countries.clone(),
            Facet::Programme => summary.programmes.clone(),
            Facet::Language => summary.languages.clone(),
            Facet::Status => one(&summary.status),
            Facet::Marking => one(&summary.marking),
            Facet::Originator => one(&summary.originator),
            Facet::Year => summary.years.iter().map(u16::to_string).collect(),
        }
    }
}

/// What records must be like. All of it must hold.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Filters {
    /// The value that a record must have, among others, in each facet named.
    pub wanted: BTreeMap<Facet, String>,
    /// Last changed at this moment or later.
    pub since: Option<Timestamp>,
    /// Last changed before this moment.
    pub until: Option<Timestamp>,
    /// Whether it has fields that say several things at once.
    pub contested: Option<bool>,
}

impl Filters {
    /// Wants `value` in a facet, where one is given; a language in whatever case its tag is written.
    #[must_use]
    pub fn with(mut self, facet: Facet, value: Option<String>) -> Self {
        let spelled = |value: String| match facet {
            Facet::Language => canonical_language(&value).unwrap_or(value),
            _ => value,
        };
        self.wanted.extend(value.map(|value| (facet, spelled(value))));
        self
    }

    /// Whether a record passes.
    pub fn pass(&self, summary: &Summary) -> bool {
        let updated = summary.updated.as_ref().map(|updated| updated.time_ms);
        self.wanted.iter().all(|(facet, value)| facet.values(summary).contains(value))
            && self.since.is_none_or(|since| updated.is_some_and(|updated| updated >= since))
            && self.until.is_none_or(|until| updated.is_some_and(|updated| updated < until))
            && self.contested.is_none_or(|contested| contested == (summary.conflicts > 0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_facet_has_the_name_that_json_gives_it() {
        for facet in Facet::ALL {
            assert_eq!(serde_json::to_string(&facet).unwrap_or_default(), format!("\"{}\"", facet.name()));
        }
    }

    #[test]
    fn a_language_is_wanted_in_whatever_case() {
        for (typed, kept) in [("az-cyrl", "az-Cyrl"), ("PT-br", "pt-BR"), ("no tag", "no tag")] {
            let filters = Filters::default().with(Facet::Language, Some(typed.to_owned()));
            assert_eq!(filters.wanted[&Facet::Language], kept);
        }
    }
}
