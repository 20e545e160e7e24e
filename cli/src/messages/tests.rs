//! Every language says everything.

#![allow(clippy::unwrap_used, clippy::panic)]

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
};

use fluent_syntax::{
    ast::{CallArguments, Entry, Expression, InlineExpression, Pattern, PatternElement},
    parser::parse,
};

use super::{Catalogue, Sentence, embedded::LANGUAGES};

type Messages = BTreeMap<String, BTreeSet<String>>;

/// The messages of a language, each with the variables that it has.
fn messages(language: &str) -> Messages {
    let files = LANGUAGES.iter().find(|(tag, _)| *tag == language).unwrap().1;
    let mut found = Messages::new();
    for (name, text) in files {
        let resource = parse(*text).unwrap_or_else(|(_, errors)| panic!("{language}/{name}.ftl: {errors:?}"));
        for entry in resource.body {
            let Entry::Message(message) = entry else { continue };
            let mut variables = BTreeSet::new();
            collect(message.value.as_ref().unwrap(), &mut variables);
            assert!(
                found.insert(message.id.name.to_owned(), variables).is_none(),
                "{language}: {} twice",
                message.id.name
            );
        }
    }
    found
}

fn collect(pattern: &Pattern<&str>, variables: &mut BTreeSet<String>) {
    for element in &pattern.elements {
        let PatternElement::Placeable { expression } = element else { continue };
        match expression {
            Expression::Inline(inline) => of_inline(inline, variables),
            Expression::Select { selector, variants } => {
                of_inline(selector, variables);
                variants.iter().for_each(|variant| collect(&variant.value, variables));
            }
        }
    }
}

fn of_inline(inline: &InlineExpression<&str>, variables: &mut BTreeSet<String>) {
    match inline {
        InlineExpression::VariableReference { id } => drop(variables.insert(id.name.to_owned())),
        InlineExpression::FunctionReference { arguments: CallArguments { positional, .. }, .. } => {
            positional.iter().for_each(|argument| of_inline(argument, variables));
        }
        _ => {}
    }
}

#[test]
fn every_language_has_all_sentences_with_the_same_places() {
    let english = messages("en");
    for (language, _) in LANGUAGES {
        assert_eq!(messages(language), english, "{language}");
    }
}

/// The sources of the crate but those of the messages, without their tests.
fn sources(directory: &Path, found: &mut Vec<(PathBuf, String)>) {
    for entry in fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            if !path.ends_with("messages") {
                sources(&path, found);
            }
        } else {
            let text = fs::read_to_string(&path).unwrap();
            found.push((path, text.split("#[cfg(test)]").next().unwrap_or_default().to_owned()));
        }
    }
}

/// The string literals that stand directly behind `opening`.
fn literals<'a>(text: &'a str, opening: &'a str) -> impl Iterator<Item = String> + 'a {
    // `include_str!(` is no `tr!(`.
    let starts = text.match_indices(opening).filter(|(at, _)| !text[..*at].ends_with(['_', 's']));
    starts.filter_map(move |(at, _)| {
        let rest = &text[at + opening.len()..];
        let mut letters = rest.trim_start().strip_prefix('"')?.chars();
        let mut literal = String::new();
        loop {
            match letters.next()? {
                '"' => return Some(literal),
                '\\' => match letters.next()? {
                    'n' => literal.push('\n'),
                    '\n' => {
                        let blanks = letters.as_str().len() - letters.as_str().trim_start().len();
                        letters = letters.as_str()[blanks..].chars();
                    }
                    other => literal.push(other),
                },
                letter => literal.push(letter),
            }
        }
    })
}

#[test]
fn what_the_source_says_in_english_is_a_sentence_of_the_messages() {
    let (catalogue, broken) = Catalogue::of(&["fr".parse().unwrap()], &[]);
    let catalogue = catalogue.unwrap();
    assert!(broken.is_empty(), "{broken:?}");
    let mut all = Vec::new();
    sources(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"), &mut all);
    let mut lacking = Vec::new();
    for (path, text) in &all {
        for opening in ["tr!(", "messages::word("] {
            let unknown = literals(text, opening).filter(|said| !catalogue.knows(&Sentence::of_template(said)));
            lacking.extend(unknown.map(|said| (path.clone(), said)));
        }
    }
    assert!(lacking.is_empty(), "not in cli/messages/en: {lacking:#?}");
    assert!(all.iter().map(|(_, text)| literals(text, "tr!(").count()).sum::<usize>() > 200, "the sources were read");
}

#[test]
fn what_the_errors_say_is_a_sentence_of_the_messages() {
    let (catalogue, _) = Catalogue::of(&["fr".parse().unwrap()], &[]);
    let catalogue = catalogue.unwrap();
    let mut all = Vec::new();
    sources(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"), &mut all);
    let daemon = Path::new(env!("CARGO_MANIFEST_DIR")).join("../daemon/src");
    all.push((daemon.join("failure.rs"), fs::read_to_string(daemon.join("failure.rs")).unwrap()));
    sources(&daemon.join("api"), &mut all);
    let mut lacking = Vec::new();
    for (path, text) in all.iter().filter(|(path, _)| !path.to_string_lossy().contains("/demo/")) {
        for opening in [".safe(", ".next(", ".safe(format!(", ".next(format!("] {
            let unknown = literals(text, opening).filter(|said| !catalogue.knows(&Sentence::of_template(said)));
            lacking.extend(unknown.map(|said| (path.clone(), said)));
        }
    }
    assert!(lacking.is_empty(), "not in cli/messages/en: {lacking:#?}");
}

fn french() -> Catalogue {
    Catalogue::of(&["fr-TN".parse().unwrap()], &[]).0.unwrap()
}

#[test]
fn numbers_count_as_the_language_does() {
    assert_eq!(french().counted(1, "files").as_deref(), Some("1 fichier"));
    assert_eq!(french().counted(0, "files").as_deref(), Some("0 fichier"));
    assert_eq!(french().counted(2, "files").as_deref(), Some("2 fichiers"));
    let arabic = Catalogue::of(&["ar".parse().unwrap()], &[]).0.unwrap();
    let told = [1, 2, 3, 11, 100].map(|number| arabic.counted(number, "files").unwrap());
    assert_eq!(told, ["ملف واحد", "ملفان", "3 ملفات", "11 ملفًا", "100 ملف"]);
}

#[test]
fn an_error_is_found_by_its_words_and_so_is_one_within_it() {
    let told = french().found("not allowed: this node is not a member of the space");
    assert_eq!(told.as_deref(), Some("non permis : ce nœud n'est pas membre de l'espace"));
    assert_eq!(french().found("nobody ever said this"), None);
    let told = french().found("the login `00123` is not listed").unwrap();
    assert!(told.contains("00123"), "digits that somebody compares stay: {told}");
    let told = french().found("cannot read /srv/Draft of report.md: nothing is new").unwrap();
    assert!(told.ends_with("/srv/Draft of report.md : nothing is new"), "what is somebody's stays: {told}");
    let told = french().told("{} is now called {}\n", "store is now called Ministry of Ports in Rome\n").unwrap();
    assert_eq!(told, "store s'appelle maintenant Ministry of Ports in Rome\n");
    assert!(french().found(&"cannot be read: ".repeat(1_000)).is_some(), "in no time");
    let hostile = "there is a record {$a} } { \u{202e} already";
    assert_eq!(french().found(hostile).unwrap(), "il y a déjà une fiche {$a} } { \u{202e}");
}

#[test]
fn a_language_can_be_added_by_files_and_what_it_lacks_is_english() {
    let directory = tempfile::tempdir().unwrap();
    let spanish = directory.path().join("es");
    fs::create_dir(&spanish).unwrap();
    fs::write(spanish.join("own.ftl"), "nothing-differs = Nada difiere.\n= broken\n").unwrap();
    fs::write(spanish.join("large.ftl"), vec![b'#'; (1 << 20) + 1]).unwrap();
    let (catalogue, broken) = Catalogue::of(&["es-ES".parse().unwrap()], &[directory.path().to_owned()]);
    let catalogue = catalogue.unwrap();
    assert_eq!(catalogue.told("Nothing differs.\n", "Nothing differs.\n").as_deref(), Some("Nada difiere.\n"));
    assert_eq!(catalogue.told("Nothing is contested.\n", "Nothing is contested.\n"), None);
    assert_eq!(broken.len(), 2, "{broken:?}");
    assert!(Catalogue::of(&["de".parse().unwrap()], &[]).0.is_none(), "English it is");
}
