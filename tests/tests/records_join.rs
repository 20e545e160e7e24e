//! Records edited apart: joined in any order they show the same bytes on every node, and nothing is hidden.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use portolan_daemon::automerge_door::{Document, EditError};
use portolan_daemon::prevalidate::SafeChange;
use portolan_protocol::id::DocumentId;
use portolan_protocol::limits::RECORD_BYTES_MAX;
use portolan_protocol::record::{
    FIELDS, Field, Kind, RecordDraft, RecordView, Segment, Value, field_of, join_markings,
};
use proptest::prelude::*;
use proptest::sample::select;

const ROME: [u8; 32] = [1; 32];
const TUNIS: [u8; 32] = [2; 32];
const AMMAN: [u8; 32] = [3; 32];

/// A node's copy of one record, and every change it has seen.
#[derive(Clone)]
struct Copy {
    actor: [u8; 32],
    document: Document,
    changes: Vec<SafeChange>,
}

impl Copy {
    fn new(actor: [u8; 32]) -> Self {
        Self { actor, document: Document::new(DocumentId([5; 16])), changes: vec![] }
    }

    /// Saves `draft`; tells whether there was anything to change.
    fn save(&mut self, draft: &RecordDraft) -> bool {
        let Some(edited) = self.document.edit(draft, &self.actor, None).unwrap() else { return false };
        let dependencies = &edited.change.facts().dependencies;
        assert!(self.document.heads().iter().all(|head| dependencies.contains(head)), "every version is joined");
        self.document = edited.after;
        self.changes.push(edited.change);
        true
    }

    fn take(&mut self, changes: &[SafeChange]) {
        let applied = self.document.apply(changes).unwrap();
        assert!(applied.unfit.is_empty() && applied.faults.is_empty(), "{applied:?}");
        self.changes
            .extend(changes.iter().filter(|change| !self.changes.contains(change)).cloned().collect::<Vec<_>>());
    }

    fn view(&self) -> RecordView {
        self.document.view().unwrap()
    }

    fn json(&self) -> String {
        serde_json::to_string(&self.view()).unwrap()
    }

    /// Every value of `key` that is shown.
    fn shown(&self, key: &str) -> Vec<Value> {
        let view = self.view();
        view.conflicts.get(key).cloned().unwrap_or_else(|| view.fields.get(key).cloned().into_iter().collect())
    }
}

/// The two copies exchange what they have; both must show the same bytes.
fn join(left: &mut Copy, right: &mut Copy) {
    let (ours, theirs) = (left.changes.clone(), right.changes.clone());
    left.take(&theirs);
    right.take(&ours);
    assert_eq!(left.json(), right.json());
}

fn imported() -> RecordDraft {
    RecordDraft::new("page", "fr")
        .with("title/fr", "Carte des ports")
        .with("body/fr", "# Ports\n\nUn port.\nDeux ports.\n")
        .with("source/path", "ports.md")
        .with("marking", "GREEN")
}

#[test]
fn importing_again_changes_nothing() {
    let mut rome = Copy::new(ROME);
    assert!(rome.save(&imported()));
    assert!(rome.changes[0].facts().self_contained, "a new record is applied without a second look");
    let before = rome.json();
    assert!(!rome.save(&imported()));
    assert!(!rome.save(&RecordDraft::default().with("tags/none", Value::Null).with("summary/fr", "")));
    assert_eq!(rome.json(), before);
}

#[test]
fn the_same_file_imported_apart_with_the_same_new_language_tag_and_link_hides_nothing() {
    let (mut rome, mut tunis) = (Copy::new(ROME), Copy::new(TUNIS));
    let same = |draft: RecordDraft| {
        draft.with("tags/navigation", true).with("links/a/relation", "see").with("links/a/target", "urn:x")
    };
    for (copy, body) in [(&mut rome, "De Rome."), (&mut tunis, "De Tunis.")] {
        copy.save(&imported());
        copy.save(&same(RecordDraft::default()).with("title/ar", "\u{645}").with("body/ar", body));
    }
    join(&mut rome, &mut tunis);
    let view = rome.view();
    assert_eq!(view.conflicts.keys().collect::<Vec<_>>(), ["body/ar"], "the same twice is no conflict");
    assert_eq!(rome.shown("body/ar"), [Value::from("De Rome."), Value::from("De Tunis.")]);
    assert_eq!(view.fields["body/fr"], Value::from("# Ports\n\nUn port.\nDeux ports.\n"));
    assert_eq!(view.members("tags"), ["navigation"]);
    assert_eq!(view.fields["links/a/target"], Value::from("urn:x"));
    assert!(!rome.save(&imported()), "the same file once more changes nothing");

    // One edit settles the conflict, on both.
    assert!(rome.save(&RecordDraft::default().with("body/ar", "De Rome et de Tunis.")));
    join(&mut rome, &mut tunis);
    assert!(tunis.view().conflicts.is_empty());
    assert_eq!(tunis.shown("body/ar"), [Value::from("De Rome et de Tunis.")]);
}

#[test]
fn an_edit_made_apart_from_the_settling_of_a_conflict_is_not_lost() {
    let (mut rome, mut tunis, mut amman) = (Copy::new(ROME), Copy::new(TUNIS), Copy::new(AMMAN));
    rome.save(&RecordDraft::new("page", "fr").with("body/fr", "Le port de Rome.\n"));
    tunis.save(&RecordDraft::new("page", "fr").with("body/fr", "Le port de Tunis.\n"));
    amman.take(&rome.changes);
    join(&mut rome, &mut tunis);
    rome.save(&RecordDraft::default().with("body/fr", "Les deux ports.\n"));
    amman.save(&RecordDraft::default().with("body/fr", "Le port de Rome.\nEt un mot d'Amman.\n"));
    join(&mut rome, &mut amman);
    let shown = rome.shown("body/fr");
    assert!(shown.iter().any(|value| value.to_string().contains("mot d'Amman")), "{shown:?}");
}

#[test]
fn both_edits_of_one_text_are_in_the_joined_text() {
    let (mut rome, mut tunis) = (Copy::new(ROME), Copy::new(TUNIS));
    rome.save(&imported());
    tunis.take(&rome.changes);
    rome.save(&RecordDraft::default().with("body/fr", "# Ports\n\nUn grand port.\nDeux ports.\n"));
    tunis.save(&RecordDraft::default().with("body/fr", "# Ports\n\nUn port.\nTrois ports.\n"));
    join(&mut rome, &mut tunis);
    assert_eq!(rome.shown("body/fr"), [Value::from("# Ports\n\nUn grand port.\nTrois ports.\n")]);
}

#[test]
fn what_is_written_into_a_text_while_it_is_removed_stays() {
    let (mut rome, mut tunis) = (Copy::new(ROME), Copy::new(TUNIS));
    rome.save(&imported());
    tunis.take(&rome.changes);
    rome.save(&RecordDraft::default().with("body/fr", Value::Null));
    assert!(rome.shown("body/fr").is_empty());
    tunis.save(&RecordDraft::default().with("body/fr", "# Ports\n\nUn port.\nDeux ports.\nUn ajout.\n"));
    join(&mut rome, &mut tunis);
    assert!(rome.shown("body/fr").iter().any(|value| value.to_string().contains("Un ajout.")));
}

#[test]
fn markings_join_and_scalars_conflict() {
    let (mut rome, mut tunis) = (Copy::new(ROME), Copy::new(TUNIS));
    rome.save(&imported());
    tunis.take(&rome.changes);
    rome.save(&RecordDraft::default().with("marking", "AMBER").with("status", "review").with("deleted", true));
    tunis.save(&RecordDraft::default().with("marking", "AMBER+STRICT").with("status", "published"));
    join(&mut rome, &mut tunis);
    let view = rome.view();
    assert_eq!(view.marking.as_deref(), Some("AMBER+STRICT"));
    assert_eq!(rome.shown("status"), [Value::from("published"), Value::from("review")]);
    assert!(view.deleted, "deleted hides, and the rest is still there");
    let summary = rome.document.summary(None).unwrap();
    assert_eq!((summary.conflicts, summary.changes, summary.deleted), (1, 3, true));
    rome.save(&RecordDraft::default().with("deleted", false));
    assert!(!rome.view().deleted);
}

#[test]
fn unknown_keys_are_kept_and_a_too_large_record_is_refused() {
    let mut rome = Copy::new(ROME);
    rome.save(&imported().with("colour", 3).with("later/x", "kept"));
    assert_eq!(rome.shown("colour"), [Value::Int(3)]);
    let half = "x".repeat(RECORD_BYTES_MAX / 2);
    rome.save(&RecordDraft::default().with("body/en", half.clone()));
    let more = RecordDraft::default().with("body/ar", half);
    assert!(matches!(rome.document.edit(&more, &ROME, None), Err(EditError::TooLarge { .. })));
    // A complete rewrite of what is there fits into one change.
    assert!(rome.save(&RecordDraft::default().with("body/en", "y".repeat(RECORD_BYTES_MAX / 2))));
}

/// A key of the row, with ids and languages from a few, so that copies meet.
fn key(field: &Field, pick: usize) -> String {
    let segment = |segment: Segment| match segment {
        Segment::Word(word) => word,
        Segment::Language | Segment::Spoken => ["fr", "ar", "pt-BR"][pick % 3],
        Segment::Id => ["a", "b"][pick % 2],
        Segment::Country => ["IT", "TN"][pick % 2],
    };
    field.segments().map(segment).collect::<Vec<_>>().join("/")
}

fn value(kind: Kind) -> BoxedStrategy<Value> {
    let gone = Just(Value::Null);
    match kind {
        Kind::Member => prop_oneof![3 => Just(Value::Bool(true)), 1 => gone].boxed(),
        Kind::Marking => {
            select(vec!["CLEAR", "GREEN", "AMBER", "AMBER+STRICT", "RED", "VIOLET"]).prop_map(Value::from).boxed()
        }
        Kind::Date => prop_oneof![3 => select(vec!["2016-02", "201X"]).prop_map(Value::from), 1 => gone].boxed(),
        Kind::Decimal => {
            prop_oneof![3 => select(vec!["890.5", "-3", "890,5"]).prop_map(Value::from), 1 => gone].boxed()
        }
        Kind::Country => select(vec!["IT", "TN", "Italy"]).prop_map(Value::from).boxed(),
        Kind::Currency => select(vec!["EUR", "TND"]).prop_map(Value::from).boxed(),
        Kind::Position => "[a-z]{1,3}".prop_map(Value::from).boxed(),
        Kind::Text => prop_oneof![4 => "([a-d\u{645}é ]{0,5}\n?){0,6}".prop_map(Value::from), 1 => gone].boxed(),
        Kind::Scalar => {
            prop_oneof![3 => "[a-c]{0,2}".prop_map(Value::from), 1 => (-2..3i64).prop_map(Value::from), 1 => gone]
                .boxed()
        }
    }
}

fn draft() -> impl Strategy<Value = RecordDraft> {
    let field = (0..FIELDS.len(), 0..6usize).prop_flat_map(|(row, pick)| {
        let name = key(&FIELDS[row], pick);
        // `language` takes language tags alone.
        let value = if name == "language" { Just(Value::from("fr")).boxed() } else { value(FIELDS[row].kind) };
        (Just(name), value)
    });
    prop::collection::vec(field, 1..6)
        .prop_map(|fields| RecordDraft { fields: fields.into_iter().collect(), ..RecordDraft::default() })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn copies_edited_apart_join_in_any_order(
        common in draft(),
        rounds in prop::collection::vec((prop::collection::vec(draft(), 0..3), prop::collection::vec(draft(), 0..3)), 1..4),
        order in any::<prop::sample::Index>(),
    ) {
        let (mut rome, mut tunis) = (Copy::new(ROME), Copy::new(TUNIS));
        rome.save(&common);
        tunis.save(&common);
        for (ours, theirs) in &rounds {
            let base = rome.view();
            for (copy, drafts) in [(&mut rome, ours), (&mut tunis, theirs)] {
                for draft in drafts {
                    copy.save(draft);
                }
            }
            let (left, right) = (rome.view(), tunis.view());
            join(&mut rome, &mut tunis);
            check_nothing_hidden(&rome, &base, &left, &right);
            check_nothing_hidden(&rome, &base, &right, &left);
        }
        // A third copy takes the same changes in another order, a few at a time, and from a snapshot half-way.
        let mut all = rome.changes.clone();
        all.sort_by_key(|change| change.facts().hash);
        let split = order.index(all.len() + 1);
        let start = split % all.len().max(1);
        all.rotate_left(start);
        let mut amman = Document::new(DocumentId([5; 16]));
        let mut waiting = all;
        while !waiting.is_empty() {
            let few = waiting.len().min(2);
            amman.apply(&waiting[..few]).unwrap();
            waiting.rotate_left(few);
            waiting.retain(|change| !amman.holds(&change.facts().hash));
            amman = Document::load(amman.id(), &amman.save().unwrap()).unwrap();
        }
        prop_assert_eq!(serde_json::to_string(&amman.view().unwrap()).unwrap(), rome.json());
    }
}

/// What `side` changed since `base` is shown after the join; of a Text that both changed, its letters are merged.
fn check_nothing_hidden(joined: &Copy, base: &RecordView, side: &RecordView, other: &RecordView) {
    for (key, written) in side.fields.iter().filter(|(key, written)| base.fields.get(*key) != Some(*written)) {
        let shown = joined.shown(key);
        match field_of(key).map(|field| field.kind) {
            Some(Kind::Text) if other.fields.get(key) != base.fields.get(key) => {}
            Some(Kind::Marking) => assert_eq!(shown.len(), 1, "{key}"),
            _ => assert!(shown.contains(written), "{key}: {written:?} not in {shown:?}"),
        }
    }
}

/// The field kinds of the domain, each by a key of the table that is of it: text (T), text for each language (L), scalars (S) of
/// every form, sets (M), ordered lists (O) with their content, and joins (J).
const KINDS: [(&str, Kind); 12] = [
    ("body/fr", Kind::Text),
    ("summary/ar", Kind::Text),
    ("title/fr", Kind::Scalar),
    ("status", Kind::Scalar),
    ("review_due", Kind::Date),
    ("budget/a/amount", Kind::Decimal),
    ("country", Kind::Country),
    ("budget/a/currency", Kind::Currency),
    ("tags/a", Kind::Member),
    ("objectives/a/position", Kind::Position),
    ("objectives/a/text/fr", Kind::Scalar),
    ("marking", Kind::Marking),
];

/// What a person does to a field of each kind: nothing, writes one of a few values, or takes it away. A text gets a word of the
/// person's own, so that its letters can be told from those of the other.
fn deed(kind: Kind, person: &'static str) -> BoxedStrategy<Option<Value>> {
    let written = match kind {
        Kind::Text => (0..3usize).prop_map(move |line| Value::from(text_with(line, person))).boxed(),
        kind => value(kind),
    };
    prop_oneof![2 => Just(None), 5 => written.prop_map(Some)].boxed()
}

/// Three lines, of which one has a word of `person` at its end.
fn text_with(line: usize, person: &str) -> String {
    let own = |number: usize| if number == line { format!(" {person}") } else { String::new() };
    (0..3).map(|number| format!("line {number}{}\n", own(number))).collect()
}

fn deeds(person: &'static str) -> impl Strategy<Value = Vec<(&'static str, Option<Value>)>> {
    KINDS.map(|(key, kind)| deed(kind, person).prop_map(move |deed| (key, deed))).to_vec()
}

fn of(deeds: &[(&str, Option<Value>)]) -> RecordDraft {
    let fields = deeds.iter().filter_map(|(key, deed)| Some(((*key).to_owned(), deed.clone()?))).collect();
    RecordDraft { fields, ..RecordDraft::default() }
}

/// What must be shown of a field after `ours` and `theirs` were written apart into what said `base`.
fn check_kind(joined: &Copy, base: &Copy, key: &str, kind: Kind, sides: [&Option<Value>; 2]) {
    let shown = joined.shown(key);
    let before = base.shown(key);
    let changed = |side: &&Value| !(before.iter().eq([*side]) || (side.is_absent() && before.is_empty()));
    let changes: Vec<&Value> = sides.into_iter().flatten().filter(changed).collect();
    let written: Vec<&Value> = changes.iter().copied().filter(|value| !value.is_absent()).collect();
    match kind {
        _ if changes.is_empty() => assert_eq!(shown, before, "{key}"),
        // The words of both, whether in one text or in two.
        Kind::Text => {
            for word in
                ["Rome", "Tunis"].into_iter().zip(sides).filter(|(_, side)| side.is_some()).map(|(word, _)| word)
            {
                assert!(shown.iter().any(|text| text.to_string().contains(word)), "{key}: no {word} in {shown:?}");
            }
        }
        Kind::Marking => {
            let labels = written.iter().filter_map(|label| label.as_str());
            assert_eq!(
                shown.iter().filter_map(Value::as_str).map(str::to_owned).next(),
                join_markings(labels),
                "{key}"
            );
        }
        // An addition or another value goes before a removal, and of values none is left out.
        _ => {
            let expected: std::collections::BTreeSet<&Value> = written.into_iter().collect();
            assert_eq!(shown.iter().collect::<std::collections::BTreeSet<_>>(), expected, "{key}");
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn two_people_change_fields_of_every_kind_apart_and_nothing_is_lost(
        is_common in any::<bool>(),
        ours in deeds("Rome"),
        theirs in deeds("Tunis"),
    ) {
        let (mut rome, mut tunis) = (Copy::new(ROME), Copy::new(TUNIS));
        if is_common {
            let start = KINDS.map(|(key, kind)| {
                let value = if kind == Kind::Text { text_with(9, "").into() } else { either(kind, true) };
                (key, Some(value))
            });
            rome.save(&of(&start));
            tunis.take(&rome.changes);
        }
        let base = rome.clone();
        rome.save(&of(&ours));
        tunis.save(&of(&theirs));
        join(&mut rome, &mut tunis);
        for ((key, kind), (ours, theirs)) in KINDS.into_iter().zip(ours.iter().zip(&theirs)) {
            prop_assert_eq!(field_of(key).map(|field| field.kind), Some(kind));
            check_kind(&rome, &base, key, kind, [&ours.1, &theirs.1]);
        }
        // What says several things at once is told with those who wrote it, the same on both; a settled field says one thing.
        let contested = rome.document.contested().unwrap();
        prop_assert_eq!(&contested, &tunis.document.contested().unwrap());
        let view = rome.view();
        prop_assert!(view.conflicts.keys().all(|key| contested.contains_key(key)));
        for (key, values) in &contested {
            prop_assert!(values.values().all(|changes| !changes.is_empty()), "{} has a value of nobody", key);
            if let Some(shown) = view.conflicts.get(key) {
                prop_assert_eq!(&values.keys().cloned().collect::<Vec<_>>(), shown);
                rome.save(&RecordDraft::default().with(key, shown[0].clone()));
                prop_assert_eq!(rome.shown(key), &shown[..1]);
            }
        }
    }
}

/// A value of the kind, one of two that differ.
fn either(kind: Kind, first: bool) -> Value {
    let pick = |one: &str, other: &str| Value::from(if first { one } else { other });
    match kind {
        Kind::Member => Value::Bool(true),
        Kind::Marking => pick("GREEN", "AMBER"),
        Kind::Date => pick("2016-02", "201X"),
        Kind::Decimal => pick("890.5", "12"),
        Kind::Country => pick("IT", "TN"),
        Kind::Currency => pick("EUR", "TND"),
        Kind::Position => pick("i", "r"),
        // Written apart they are two texts, and both are shown.
        Kind::Text | Kind::Scalar => pick("Rome.", "Tunis."),
    }
}

#[test]
fn every_field_of_the_schema_is_written_by_two_people_apart_and_both_values_are_shown() {
    for field in FIELDS.iter().filter(|field| field.path != "language") {
        let (mut rome, mut tunis) = (Copy::new(ROME), Copy::new(TUNIS));
        let (same, other) = (key(field, 0), key(field, 1));
        let (ours, theirs) = (either(field.kind, true), either(field.kind, false));
        rome.save(&RecordDraft::default().with(&same, ours.clone()));
        tunis.save(&RecordDraft::default().with(&same, theirs.clone()).with(&other, theirs.clone()));
        join(&mut rome, &mut tunis);
        let shown = rome.shown(&same);
        match field.kind {
            Kind::Marking => assert_eq!(shown, [Value::from("AMBER")], "{same}"),
            _ => assert!(shown.contains(&ours) && shown.contains(&theirs), "{same}: {shown:?}"),
        }
        assert!(rome.shown(&other).contains(&theirs), "{other}");
        // Whoever has seen both settles it with one edit; what stands beside it stays.
        tunis.save(&RecordDraft::default().with(&same, ours.clone()));
        join(&mut rome, &mut tunis);
        let joined = if field.kind == Kind::Marking { Value::from("GREEN") } else { ours };
        assert_eq!(rome.shown(&same), [joined], "{same}");
        assert_eq!(rome.view().conflicts.get(&same), None, "{same}");
        assert!(same == other || rome.shown(&other).contains(&theirs), "{other}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn honest_edits_always_fit_whoever_has_heard_of_what(
        steps in prop::collection::vec((0..4usize, 0..4usize, draft()), 1..24),
    ) {
        let mut copies: Vec<Copy> = (1..5).map(|number| Copy::new([number; 32])).collect();
        for (from, to, draft) in &steps {
            copies[*from].save(draft);
            let heard = copies[*from].changes.clone();
            // Checks that everything fits.
            copies[*to].take(&heard);
        }
        let all: Vec<SafeChange> = copies.iter().flat_map(|copy| copy.changes.clone()).collect();
        copies.iter_mut().for_each(|copy| copy.take(&all));
        let shown: Vec<String> = copies.iter().map(Copy::json).collect();
        prop_assert!(shown.iter().all(|json| *json == shown[0]));
    }
}
