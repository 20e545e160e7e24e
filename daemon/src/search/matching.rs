//! A question as the index understands it, and what it finds.

use std::collections::BTreeSet;

use portolan_protocol::{
    api::{NamedConcept, Snippet},
    id::{DocumentId, SpaceId},
    record::{Facet, Filters},
};
use tantivy::{
    Order, Searcher, TantivyDocument, Term,
    collector::{
        Count, TopDocs,
        sort_key::{SortByBytes, SortBySimilarityScore},
    },
    query::{
        AllQuery, BooleanQuery, BoostQuery, ConstScoreQuery, DisjunctionMaxQuery, Occur, PhrasePrefixQuery,
        PhraseQuery, Query, RangeQuery, TermQuery,
    },
    schema::{Field, IndexRecordOption},
};

use super::{
    analysis::{Analysers, Form, Language, Word, place},
    entry::{facet_term, wanted},
    question::{Part, Shape, Wanted, parts},
    schema::{Fields, ROW, record, whole_label},
    snippet::{Sought, passage},
};

/// How much more a word in a title says than one elsewhere.
const TITLE_BOOST: f32 = 3.0;
/// What it counts to be tagged with a concept that is asked for: about as much as its name in a text.
const CONCEPT_SCORE: f32 = 2.0;
/// How much a word counts in its further forms, beside the form in which it counts most.
const TIE: f32 = 0.1;
/// Words that a beginning may stand for, at most, in each part of the index.
const BEGINNINGS_MAX: u32 = 1_024;
/// Concepts with one label that are looked at.
const CONCEPTS_MAX: usize = 16;

type Clause = Box<dyn Query>;

/// What is asked.
#[derive(Clone, Debug)]
pub struct Question {
    /// As it was typed.
    pub text: String,
    /// The language that it is in; any, where none is named.
    pub language: Option<Language>,
    /// The spaces that are looked through.
    pub spaces: Vec<SpaceId>,
    /// What the records must be like.
    pub filters: Filters,
    /// How many of those found to pass over.
    pub offset: usize,
    /// How many to answer with, at most; at least one.
    pub limit: usize,
}

/// What was found.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Found {
    /// The best first, among equals by id.
    pub records: Vec<FoundRecord>,
    /// How many there are in all.
    pub total: u64,
    /// The concepts that the question names.
    pub concepts: Vec<NamedConcept>,
}

/// One record that was found.
#[derive(Clone, Debug, PartialEq)]
pub struct FoundRecord {
    /// The space it is in.
    pub space: SpaceId,
    /// Which.
    pub id: DocumentId,
    /// A passage of it.
    pub snippet: Option<Snippet>,
}

/// The index at one moment, and one question to it.
pub(super) struct Matching<'a> {
    pub(super) searcher: &'a Searcher,
    pub(super) fields: &'a Fields,
    pub(super) analysers: Analysers,
    pub(super) question: &'a Question,
}

/// A part in the making: what finds it, and whether all that it says is said by every text.
struct Matched {
    clause: Clause,
    says_little: bool,
}

impl Matching<'_> {
    pub(super) fn find(mut self) -> tantivy::Result<Found> {
        let parts = parts(&self.question.text);
        let mut sought = Sought { forms: self.forms(), ..Sought::default() };
        let mut concepts = BTreeSet::new();
        let Some(words) = self.words(&parts, &mut sought, &mut concepts)? else { return Ok(Found::default()) };
        let mut clauses = vec![(Occur::Must, words), (Occur::Must, silent(self.spaces()))];
        for term in wanted(&self.question.filters) {
            let term = Term::from_field_text(self.fields.facet, &term);
            clauses.push((Occur::Must, silent(has(term))));
        }
        clauses.extend(self.range().map(|range| (Occur::Must, silent(range))));
        for part in parts.iter().filter(|part| part.wanted == Wanted::No) {
            clauses.extend(self.unwanted(part).map(|clause| (Occur::MustNot, clause)));
        }
        let order = ((SortBySimilarityScore, Order::Desc), (SortByBytes::for_field(ROW), Order::Asc));
        let top = TopDocs::with_limit(self.question.limit.max(1)).and_offset(self.question.offset).order_by(order);
        let (top, total) = self.searcher.search(&BooleanQuery::new(clauses), &(top, Count))?;
        let mut records = Vec::with_capacity(top.len());
        for ((_, row), address) in top {
            let document: TantivyDocument = self.searcher.doc(address)?;
            let Some((space, id)) = row.as_deref().and_then(record) else { continue };
            let snippet = passage(&self.fields.kept(&document), &sought, &mut self.analysers);
            records.push(FoundRecord { space, id, snippet });
        }
        Ok(Found { records, total: total as u64, concepts: concepts.into_iter().collect() })
    }

    /// The forms that words are compared in.
    fn forms(&self) -> Vec<Form> {
        let languages = match self.question.language {
            Some(language) => vec![language],
            None => Language::ALL.to_vec(),
        };
        std::iter::once(None).chain(languages.into_iter().map(Some)).collect()
    }

    /// What finds all that is wanted; none where nothing is asked.
    fn words(
        &mut self,
        parts: &[Part],
        sought: &mut Sought,
        concepts: &mut BTreeSet<NamedConcept>,
    ) -> tantivy::Result<Option<Clause>> {
        let positive: Vec<&Part> = parts.iter().filter(|part| part.wanted == Wanted::Yes).collect();
        let mut matched = Vec::new();
        for part in &positive {
            let Some(found) = self.wanted(part, sought) else { continue };
            let named = match part.shape {
                Shape::Beginning => None,
                Shape::Word | Shape::Phrase => self.concept(&part.text, concepts)?,
            };
            matched.push(match named {
                Some(tagged) => Matched { clause: either(found.clause, tagged), says_little: found.says_little },
                None => found,
            });
        }
        if matched.is_empty() {
            // What is only to be left out is left out of everything.
            let is_exclusion = parts.iter().any(|part| part.wanted == Wanted::No);
            return Ok(is_exclusion.then(|| silent(Box::new(AllQuery))));
        }
        let is_alone = matched.len() == 1;
        let all_say_little = matched.iter().all(|part| part.says_little);
        let occur = |part: &Matched| if part.says_little && !all_say_little { Occur::Should } else { Occur::Must };
        let clauses: Vec<_> = matched.into_iter().map(|part| (occur(&part), part.clause)).collect();
        let all: Clause = Box::new(BooleanQuery::new(clauses));
        if is_alone || positive.iter().any(|part| part.shape == Shape::Beginning) {
            return Ok(Some(all));
        }
        let whole: Vec<&str> = positive.iter().map(|part| part.text.as_str()).collect();
        Ok(Some(match self.concept(&whole.join(" "), concepts)? {
            Some(tagged) => either(all, tagged),
            None => all,
        }))
    }

    fn wanted(&mut self, part: &Part, sought: &mut Sought) -> Option<Matched> {
        if part.shape == Shape::Beginning {
            let words = self.analysers.words(None, &part.text);
            sought.beginnings.push(words.last()?.text.clone());
            let (title, text) = self.fields.words(None);
            let clause =
                either(Box::new(BoostQuery::new(beginning(title, &words)?, TITLE_BOOST)), beginning(text, &words)?);
            return Some(Matched { clause, says_little: false });
        }
        // A phrase is meant as it is spelled.
        let forms = if part.shape == Shape::Phrase { vec![None] } else { self.forms() };
        let mut ways: Vec<Clause> = Vec::new();
        let mut says_little = false;
        for form in forms {
            let words = self.analysers.words(form, &part.text);
            says_little |= words.is_empty();
            sought.words.extend(words.iter().map(|word| (place(form), word.text.clone())));
            let (title, text) = self.fields.words(form);
            if let (Some(title), Some(text)) = (in_a_row(title, &words), in_a_row(text, &words)) {
                ways.push(Box::new(BoostQuery::new(title, TITLE_BOOST)));
                ways.push(text);
            }
        }
        let clause: Clause = Box::new(DisjunctionMaxQuery::with_tie_breaker(ways, TIE));
        (!self.analysers.words(None, &part.text).is_empty()).then_some(Matched { clause, says_little })
    }

    /// What finds a part that is not wanted: as it is spelled, so that no more is left out than was named.
    fn unwanted(&mut self, part: &Part) -> Option<Clause> {
        let words = self.analysers.words(None, &part.text);
        let (title, text) = self.fields.words(None);
        match part.shape {
            Shape::Beginning => Some(either(beginning(title, &words)?, beginning(text, &words)?)),
            Shape::Word | Shape::Phrase => Some(either(in_a_row(title, &words)?, in_a_row(text, &words)?)),
        }
    }

    /// What finds records tagged with the concepts that have this label, whatever the language; none where there are none.
    fn concept(&mut self, label: &str, concepts: &mut BTreeSet<NamedConcept>) -> tantivy::Result<Option<Clause>> {
        let whole = whole_label(&mut self.analysers, label);
        let query = BooleanQuery::new(vec![
            (Occur::Must, silent(has(Term::from_field_text(self.fields.label, &whole)))),
            (Occur::Must, silent(self.spaces())),
        ]);
        let order = (SortByBytes::for_field(ROW), Order::Asc);
        let top = TopDocs::with_limit(CONCEPTS_MAX).order_by(order);
        let mut tagged: Vec<(Occur, Clause)> = Vec::new();
        for (row, address) in self.searcher.search(&query, &top)? {
            let kept = self.fields.kept(&self.searcher.doc(address)?);
            let (Some((space, document)), Some((notation, label))) = (row.as_deref().and_then(record), kept.concept)
            else {
                continue;
            };
            for facet in [Facet::Tag, Facet::Area] {
                let term = Term::from_field_text(self.fields.facet, &facet_term(facet, &notation));
                tagged.push((Occur::Should, has(term)));
            }
            concepts.insert(NamedConcept { notation, label, space, document });
        }
        if tagged.is_empty() {
            return Ok(None);
        }
        Ok(Some(Box::new(ConstScoreQuery::new(Box::new(BooleanQuery::new(tagged)), CONCEPT_SCORE))))
    }

    fn spaces(&self) -> Clause {
        let term = |space: &SpaceId| has(Term::from_field_bytes(self.fields.space, &space.0));
        Box::new(BooleanQuery::new(self.question.spaces.iter().map(|space| (Occur::Should, term(space))).collect()))
    }

    fn range(&self) -> Option<Clause> {
        use std::ops::Bound::{Excluded, Included, Unbounded};
        let Filters { since, until, .. } = &self.question.filters;
        let term = |moment: u64| Term::from_field_u64(self.fields.updated, moment);
        if since.is_none() && until.is_none() {
            return None;
        }
        let low = since.map_or(Unbounded, |since| Included(term(since.0)));
        let high = until.map_or(Unbounded, |until| Excluded(term(until.0)));
        Some(Box::new(RangeQuery::new(low, high)))
    }
}

fn has(term: Term) -> Clause {
    Box::new(TermQuery::new(term, IndexRecordOption::Basic))
}

/// As `clause`, without a say in the order.
fn silent(clause: Clause) -> Clause {
    Box::new(ConstScoreQuery::new(clause, 0.0))
}

fn either(one: Clause, other: Clause) -> Clause {
    Box::new(DisjunctionMaxQuery::with_tie_breaker(vec![one, other], TIE))
}

/// What finds these words one behind another.
fn in_a_row(field: Field, words: &[Word]) -> Option<Clause> {
    let term = |word: &Word| Term::from_field_text(field, &word.text);
    match words {
        [] => None,
        [word] => Some(Box::new(TermQuery::new(term(word), IndexRecordOption::WithFreqs))),
        words => {
            let terms = words.iter().map(|word| (word.position, term(word))).collect();
            Some(Box::new(PhraseQuery::new_with_offset(terms)))
        }
    }
}

/// What finds these words one behind another, of the last one the beginning.
fn beginning(field: Field, words: &[Word]) -> Option<Clause> {
    if words.is_empty() {
        return None;
    }
    let terms = words.iter().map(|word| (word.position, Term::from_field_text(field, &word.text))).collect();
    let mut query = PhrasePrefixQuery::new_with_offset(terms);
    query.set_max_expansions(BEGINNINGS_MAX);
    Some(Box::new(query))
}
