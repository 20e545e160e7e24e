//! Records are found by their words, in whatever way these are written, and nothing is found that is not to be shown.

use std::{fs, path::Path};

use portolan_daemon::{
    documents::Stage,
    search::{Found, Language, Question},
};
use portolan_protocol::{
    id::{DocumentId, SpaceId},
    input::Command,
    record::{Facet, Filters, RecordDraft, Value},
    time::Timestamp,
};

use crate::world::{Agency, partnership, sync};

/// Nothing found.
const NONE: [u8; 0] = [];

fn question(space: SpaceId, text: &str) -> Question {
    let filters = Filters::default();
    Question { text: text.to_owned(), language: None, spaces: vec![space], filters, offset: 0, limit: 50 }
}

fn ask(one: &Agency, question: &Question) -> Found {
    one.search.find(question).unwrap()
}

/// The ids found, in their order.
async fn found(one: &Agency, space: SpaceId, text: &str) -> Vec<u8> {
    one.documents.flush(Stage::Searchable).await.unwrap();
    ids(&ask(one, &question(space, text)))
}

fn ids(found: &Found) -> Vec<u8> {
    found.records.iter().map(|record| record.id.0[0]).collect()
}

/// The same, sorted.
async fn among(one: &Agency, space: SpaceId, text: &str) -> Vec<u8> {
    let mut ids = found(one, space, text).await;
    ids.sort_unstable();
    ids
}

fn page(language: &str, title: &str, body: &str) -> RecordDraft {
    RecordDraft::new("page", language).with(&format!("title/{language}"), title).with(&format!("body/{language}"), body)
}

fn concept(notation: &str, labels: &[(&str, &str)]) -> RecordDraft {
    let draft = RecordDraft::new("concept", "en").with("notation", notation);
    labels.iter().fold(draft, |draft, (key, label)| draft.with(key, *label))
}

#[tokio::test]
async fn arabic_is_found_however_it_is_typed() {
    let rome = Agency::open(1);
    let space = rome.found();
    rome.create(space, 1, page("ar", "أَمْنُ المَوانِئ", "تدريب الشرطة على مكافحة التهريب في المدرسة")).await;
    rome.create(space, 2, page("ar", "إدارة الحدود", "وصل التقرير سنة ٢٠١٦ إلى المعلومات")).await;
    for text in ["امن", "أمن", "أَمْن", "الموانئ", "المدرسه", "مـــوانئ"] {
        assert_eq!(found(&rome, space, text).await, [1], "{text}");
    }
    for text in ["2016", "٢٠١٦", "۲۰۱۶", "اداره", "معلومات", "\"إدارة الحدود\""] {
        assert_eq!(found(&rome, space, text).await, [2], "{text}");
    }
    assert_eq!(found(&rome, space, "بحر").await, NONE);
}

#[tokio::test]
async fn accents_make_no_difference_and_stems_are_known_in_five_languages() {
    let rome = Agency::open(1);
    let space = rome.found();
    rome.create(space, 1, page("fr", "Œuvre française", "Les formations des douaniers à l’école")).await;
    rome.create(space, 2, page("en", "Harbours", "Officers were training together")).await;
    rome.create(space, 3, page("es", "Fronteras", "Capacitaciones de las policías")).await;
    rome.create(space, 4, page("pt", "Aeroportos", "As investigações criminais")).await;
    rome.create(space, 5, page("ar", "المعلومات", "الشرطة")).await;
    rome.create(space, 6, page("zh", "港口安全", "")).await;
    for (text, id) in [
        ("francaise", 1),
        ("oeuvre", 1),
        ("FORMATION", 1),
        ("école", 1),
        ("l'ecole", 1),
        ("harbour", 2),
        ("officer", 2),
        ("frontera", 3),
        ("capacitación", 3),
        ("policía", 3),
        ("aeroporto", 4),
        ("investigação", 4),
        ("معلومات", 5),
        ("港口", 6),
        ("安全", 6),
    ] {
        assert_eq!(found(&rome, space, text).await, [id], "{text}");
    }
    assert_eq!(found(&rome, space, "口港").await, NONE, "letters of one word stand in their order");
    let mut french = question(space, "formation");
    french.language = Some(Language::French);
    assert_eq!(ids(&ask(&rome, &french)), [1]);
    french.language = Some(Language::Arabic);
    assert_eq!(ids(&ask(&rome, &french)), NONE, "no stems but those of the language that is named");
    assert_eq!(found(&rome, space, "the harbours").await, [2], "words that say nothing are not asked for");
}

#[tokio::test]
async fn phrases_exclusions_and_beginnings() {
    let rome = Agency::open(1);
    let space = rome.found();
    rome.create(space, 1, page("fr", "Le port de Tunis", "mise en œuvre")).await;
    rome.create(space, 2, page("fr", "Tunis, un port", "œuvre mise")).await;
    rome.create(space, 3, page("fr", "Portulan", "cartes")).await;
    assert_eq!(among(&rome, space, "tunis port").await, [1, 2]);
    assert_eq!(found(&rome, space, "\"port de tunis\"").await, [1]);
    assert_eq!(found(&rome, space, "«mise en oeuvre»").await, [1]);
    assert_eq!(found(&rome, space, "port -mise").await, NONE);
    assert_eq!(found(&rome, space, "port -\"mise en œuvre\"").await, [2]);
    assert_eq!(among(&rome, space, "port*").await, [1, 2, 3]);
    assert_eq!(found(&rome, space, "portu*").await, [3]);
    assert_eq!(among(&rome, space, "-portulan").await, [1, 2]);
    assert_eq!(found(&rome, space, "tunis cartes").await, NONE, "every word is to be found");
}

#[tokio::test]
async fn titles_come_first_and_equals_by_id() {
    let rome = Agency::open(1);
    let space = rome.found();
    rome.create(space, 1, page("fr", "Autre", "la douane")).await;
    rome.create(space, 2, page("fr", "Douane", "autre chose")).await;
    for id in [9, 7, 8] {
        rome.create(space, id, page("fr", "Navire", "marin")).await;
    }
    assert_eq!(found(&rome, space, "douane").await, [2, 1]);
    assert_eq!(found(&rome, space, "navire").await, [7, 8, 9]);
    let second = Question { offset: 1, limit: 1, ..question(space, "navire") };
    let second = ask(&rome, &second);
    assert_eq!((ids(&second), second.total), (vec![8], 3));
    let snippet = ask(&rome, &question(space, "douane")).records[1].snippet.clone().unwrap();
    assert_eq!((snippet.field.as_str(), snippet.text.as_str(), snippet.marks), ("body/fr", "la douane", vec![(3, 9)]));
}

#[tokio::test]
async fn filters_narrow_what_is_found() {
    let rome = Agency::open(1);
    let space = rome.found();
    rome.create(space, 1, page("fr", "Port", "").with("tags/mer", true).with("countries/TN/host", true)).await;
    rome.create(space, 2, page("fr", "Port", "").with("tags/terre", true).with("status", "draft")).await;
    rome.documents.flush(Stage::Searchable).await.unwrap();
    let with = |filters: Filters| ids(&ask(&rome, &Question { filters, ..question(space, "port") }));
    let one = |facet, value: &str| Filters::default().with(facet, Some(value.to_owned()));
    assert_eq!(with(one(Facet::Tag, "mer")), [1]);
    assert_eq!(with(one(Facet::Country, "TN")), [1]);
    assert_eq!(with(one(Facet::Status, "draft")), [2]);
    assert_eq!(with(one(Facet::Language, "fr")), [1, 2]);
    assert_eq!(with(one(Facet::Type, "experience")), NONE);
    let updated = rome.documents.show(space, DocumentId([2; 16])).await.unwrap().updated.unwrap().time_ms;
    assert_eq!(with(Filters { since: Some(updated), ..Filters::default() }), [2]);
    assert_eq!(with(Filters { until: Some(updated), ..Filters::default() }), [1]);
    assert_eq!(with(Filters { since: Some(Timestamp(u64::MAX)), ..Filters::default() }), NONE);
}

#[tokio::test]
async fn a_concept_is_found_in_every_language() {
    let rome = Agency::open(1);
    let space = rome.found();
    let labels = [("title/fr", "Stupéfiants"), ("title/ar", "المخدرات"), ("alternative/a/en", "Drug trafficking")];
    rome.create(space, 1, concept("drugs", &labels)).await;
    rome.create(space, 2, page("pt", "Relatório", "nada").with("tags/drugs", true)).await;
    rome.create(space, 3, page("es", "Informe", "nada").with("areas/drugs", true)).await;
    rome.create(space, 4, page("en", "Report", "a word on drug law").with("tags/law", true)).await;
    for text in ["stupefiants", "المخدرات", "المُخدِّرات", "drug trafficking", "\"Drug Trafficking\""]
    {
        assert_eq!(among(&rome, space, text).await, [1, 2, 3], "{text}");
    }
    let through = ask(&rome, &question(space, "stupéfiants")).concepts;
    assert_eq!(
        through.iter().map(|concept| (&*concept.notation, &*concept.label)).collect::<Vec<_>>(),
        [("drugs", "Stupéfiants")]
    );
    assert_eq!(among(&rome, space, "drug").await, [1, 4], "a part of a label is a word like others");
    assert_eq!(among(&rome, space, "stupéfiants relatório").await, [2], "a concept is one of the words");
    // With its record the concept goes.
    rome.documents.delete(space, DocumentId([1; 16]), rome.person(), String::new()).await.unwrap();
    assert_eq!(among(&rome, space, "stupéfiants").await, NONE);
}

#[tokio::test]
async fn what_is_deleted_or_not_read_any_more_is_not_found() {
    let (mut agencies, space) = partnership(2);
    let (tunis, rome) = (agencies.pop().unwrap(), agencies.pop().unwrap());
    let id = rome.create(space, 1, page("fr", "Balise", "")).await;
    assert_eq!(found(&rome, space, "balise").await, [1]);
    rome.documents.delete(space, id, rome.person(), String::new()).await.unwrap();
    assert_eq!(found(&rome, space, "balise").await, NONE);
    let restored = RecordDraft::default().with("deleted", Value::Null);
    rome.documents.edit(space, id, restored, None, rome.person(), String::new()).await.unwrap();
    assert_eq!(found(&rome, space, "balise").await, [1]);
    rome.edit(space, id, "title/fr", "Phare").await;
    assert_eq!(found(&rome, space, "balise").await, NONE);
    assert_eq!(found(&rome, space, "phare").await, [1]);
    let other = rome.found();
    assert_eq!(found(&rome, other, "phare").await, NONE, "in another space");
    assert_eq!(ids(&ask(&rome, &Question { spaces: vec![], ..question(space, "phare") })), NONE);
    // What a member wrote that was removed by then is found nowhere.
    sync(&rome, &tunis);
    rome.order(Command::Revoke { space, member: tunis.id() }).unwrap();
    tunis.create(space, 2, page("fr", "Sillage", "")).await;
    assert_eq!(found(&tunis, space, "sillage").await, [2]);
    sync(&rome, &tunis);
    assert_eq!(found(&rome, space, "sillage").await, NONE);
}

#[tokio::test]
async fn after_a_restart_everything_is_found_and_nothing_is_done_twice() {
    let rome = Agency::open(1);
    let space = rome.found();
    rome.create(space, 1, page("fr", "Balise", "")).await;
    assert_eq!(found(&rome, space, "balise").await, [1]);
    let rome = rome.restart().await;
    assert_eq!(found(&rome, space, "balise").await, [1]);
    assert_eq!(rome.documents.progress(space).await.unwrap().to_search, 0);
}

fn copy(from: &Path, to: &Path) {
    let _ = fs::remove_dir_all(to);
    fs::create_dir_all(to).unwrap();
    for file in fs::read_dir(from).unwrap().map(Result::unwrap) {
        fs::copy(file.path(), to.join(file.file_name())).unwrap();
    }
}

#[tokio::test]
async fn what_a_crash_took_from_the_index_is_indexed_again() {
    let rome = Agency::open(1);
    let space = rome.found();
    rome.create(space, 1, page("fr", "Balise", "")).await;
    rome.create(space, 2, page("fr", "Phare", "")).await;
    assert_eq!(found(&rome, space, "balise").await, [1]);
    let before = tempfile::tempdir().unwrap();
    let rome = rome.restart_after(|home| copy(&home.join("search"), before.path())).await;
    rome.create(space, 3, page("fr", "Bouée", "")).await;
    rome.edit(space, DocumentId([2; 16]), "title/fr", "Feu").await;
    assert_eq!(found(&rome, space, "bouée").await, [3]);
    // As after a kill before the commit: the index is as it was, the records are not.
    let rome = rome.restart_after(|home| copy(before.path(), &home.join("search"))).await;
    assert_eq!(found(&rome, space, "bouée").await, [3]);
    assert_eq!((found(&rome, space, "feu").await, found(&rome, space, "phare").await), (vec![2], vec![]));
    assert_eq!(found(&rome, space, "balise").await, [1]);
}

#[tokio::test]
async fn a_damaged_index_is_built_anew() {
    let rome = Agency::open(1);
    let space = rome.found();
    for id in 1..=20 {
        rome.create(space, id, page("fr", "Balise", &format!("texte {id}"))).await;
    }
    let mut rome = rome;
    let damages: [fn(&Path); 6] = [
        |index| fs::write(index.join("meta.json"), "{").unwrap(),
        |index| fs::remove_file(index.join("meta.json")).unwrap(),
        |index| fs::write(index.join("version"), "0\n").unwrap(),
        |index| fs::remove_dir_all(index).unwrap(),
        |index| {
            for file in files(index) {
                let mut bytes = fs::read(&file).unwrap();
                let middle = bytes.len() / 3;
                bytes[middle] ^= 0x55;
                fs::write(file, bytes).unwrap();
            }
        },
        |index| files(index).for_each(|file| fs::write(file, "").unwrap()),
    ];
    for (number, damage) in damages.into_iter().enumerate() {
        assert_eq!(found(&rome, space, "balise").await.len(), 20, "before damage {number}");
        rome = rome.restart_after(|home| damage(&home.join("search"))).await;
        assert_eq!(found(&rome, space, "balise").await.len(), 20, "after damage {number}");
    }
    rome.documents.rebuild().await.unwrap();
    assert_eq!(found(&rome, space, "balise").await.len(), 20);
}

/// The files of the index that hold words and what is found.
fn files(index: &Path) -> impl Iterator<Item = std::path::PathBuf> {
    let all = fs::read_dir(index).unwrap().map(|file| file.unwrap().path());
    all.filter(|file| {
        file.extension().is_some_and(|end| ["idx", "pos", "term", "store", "fast"].iter().any(|e| end == *e))
    })
}

#[tokio::test]
async fn an_index_of_other_records_is_thrown_away() {
    let (rome, tunis) = (Agency::open(1), Agency::open(2));
    let (space, other) = (rome.found(), tunis.found());
    rome.create(space, 1, page("fr", "Balise", "")).await;
    tunis.create(other, 2, page("fr", "Phare", "")).await;
    assert_eq!(found(&tunis, other, "phare").await, [2]);
    assert_eq!(found(&rome, space, "balise").await, [1]);
    let of_tunis = tempfile::tempdir().unwrap();
    let _tunis = tunis.restart_after(|home| copy(&home.join("search"), of_tunis.path())).await;
    let rome = rome.restart_after(|home| copy(of_tunis.path(), &home.join("search"))).await;
    assert_eq!(found(&rome, space, "balise").await, [1]);
    assert_eq!(found(&rome, other, "phare").await, NONE);
}

#[tokio::test]
async fn no_question_is_an_error() {
    let rome = Agency::open(1);
    let space = rome.found();
    rome.create(space, 1, page("fr", "Balise", "(a OR b) title:c \"d")).await;
    assert_eq!(found(&rome, space, "balise").await, [1]);
    let long = "é".repeat(1 << 20);
    for text in [
        "",
        " ",
        "\"",
        "-",
        "*",
        "\u{0}\u{1}\u{7}\u{202e}\u{200f}",
        "AND OR NOT",
        "title:balise",
        "balise^9999999999",
        "[a TO z]",
        "balise~2",
        "/(a*)*b/",
        "\\",
        "((((((((((((((",
        "a\u{300}\u{301}\u{302}",
        "\u{fdfa}*",
        "-a* -\"b c\"",
        &"\"".repeat(10 << 20),
        &"(".repeat(1 << 20),
        &"a* ".repeat(1 << 20),
        &"-a ".repeat(1 << 20),
        &long,
        &format!("{long}*"),
        &format!("\"{}\"", "a b ".repeat(1 << 18)),
    ] {
        let _ = ask(&rome, &question(space, text));
    }
    assert_eq!(found(&rome, space, "title:c").await, [1], "what looks like an order is words");
}
