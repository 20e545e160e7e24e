//! The messages of a language, and those of English by which they are found.

use std::{
    cmp::Reverse,
    collections::HashMap,
    fmt::{self, Debug, Formatter},
    fs::{self, File},
    io::{self, Read as _},
    path::{Path, PathBuf},
};

use fluent_bundle::{FluentArgs, FluentResource, FluentValue, concurrent::FluentBundle};
use fluent_langneg::{NegotiationStrategy, negotiate_languages};
use fluent_syntax::ast::{Entry, Expression, InlineExpression, PatternElement};
use unic_langid::LanguageIdentifier;

use super::{embedded, sentence::Sentence};

/// Bytes of a file of messages.
const FILE_BYTES_MAX: u64 = 1 << 20;
/// Files of messages in one directory, and languages in another.
const ENTRIES_MAX: usize = 64;
/// Sentences within sentences.
const DEPTH_MAX: usize = 4;
/// The variables of a message, in the order of the places of its sentence.
const NAMES: [&str; 8] = ["a", "b", "c", "d", "e", "f", "g", "h"];

/// A file of messages that could not be read, and why.
pub type Broken = (PathBuf, String);

/// See the head of the file.
pub struct Catalogue {
    language: LanguageIdentifier,
    messages: FluentBundle<FluentResource>,
    /// The names of all sentences.
    by_words: HashMap<Sentence, String>,
    /// Those of errors, the one with the most letters first.
    errors: Vec<(Sentence, String)>,
}

impl Debug for Catalogue {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.debug_struct("Catalogue").field("language", &self.language).finish_non_exhaustive()
    }
}

impl Catalogue {
    /// The messages of the best language that there is; none where that is English. Files in `directories` come before those that
    /// are part of the program, and may bring languages that it does not have.
    pub fn of(wanted: &[LanguageIdentifier], directories: &[PathBuf]) -> (Option<Catalogue>, Vec<Broken>) {
        let mut broken = Vec::new();
        if wanted.is_empty() {
            return (None, broken);
        }
        let mut there: Vec<LanguageIdentifier> =
            embedded::LANGUAGES.iter().filter_map(|(tag, _)| tag.parse().ok()).collect();
        there.extend(directories.iter().flat_map(|directory| names(directory)).filter_map(|name| name.parse().ok()));
        let english = LanguageIdentifier::from_bytes(b"en").unwrap_or_default();
        let found = negotiate_languages(wanted, &there, Some(&english), NegotiationStrategy::Lookup);
        let Some(language) = found.first().map(|language| (*language).clone()) else { return (None, broken) };
        let tag = language.to_string();
        let embedded = embedded::LANGUAGES.iter().find(|(name, _)| *name == tag).map(|(_, files)| *files);
        let mut messages = FluentBundle::new_concurrent(vec![language.clone()]);
        // What is printed is isolated by line (`text::shown`); more than that is shown as signs by many terminals.
        messages.set_use_isolating(false);
        let mut add = |path: &Path, text: String, broken: &mut Vec<Broken>| match FluentResource::try_new(text) {
            // The first that says something counts.
            Ok(resource) => drop(messages.add_resource(resource)),
            Err((resource, errors)) => {
                let why = errors.first().map(ToString::to_string).unwrap_or_default();
                broken.push((path.to_owned(), format!("not understood: {why}")));
                drop(messages.add_resource(resource));
            }
        };
        for directory in directories {
            let directory = directory.join(&tag);
            for name in names(&directory).iter().filter(|name| name.ends_with(".ftl")) {
                let path = directory.join(name);
                match read(&path) {
                    Ok(text) => add(&path, text, &mut broken),
                    Err(error) => broken.push((path, error.to_string())),
                }
            }
        }
        for (name, text) in embedded.unwrap_or_default() {
            add(Path::new(name), (*text).to_owned(), &mut broken);
        }
        if tag.starts_with("en") && embedded.is_some() && !directories.iter().any(|path| path.join(&tag).is_dir()) {
            return (None, broken);
        }
        let by_words = sentences(|_| true).into_iter().collect();
        let mut errors = sentences(|file| matches!(file, "errors" | "daemon"));
        errors.sort_by_key(|(sentence, _)| Reverse(sentence.letters()));
        (Some(Catalogue { language, messages, by_words, errors }), broken)
    }

    /// The message of a name, as it is.
    pub fn message(&self, name: &str) -> Option<String> {
        self.format(name, &FluentArgs::new())
    }

    /// Whether a sentence is one of the messages.
    pub fn knows(&self, sentence: &Sentence) -> bool {
        self.by_words.contains_key(sentence)
    }

    /// What a template came to, in this language; none where it has no such sentence.
    pub fn told(&self, template: &str, english: &str) -> Option<String> {
        let sentence = Sentence::of_template(template);
        let name = self.by_words.get(&sentence)?;
        // What stands in the places is somebody's, and stays as it is.
        within(english, |words| self.say(name, sentence.places_in(words)?.into_iter().map(argument)))
    }

    /// So many of something, whose word for many is `many`.
    pub fn counted(&self, number: u64, many: &str) -> Option<String> {
        let name = self.by_words.get(&Sentence::of_template(&format!("{{}} {many}")))?;
        self.say(name, [argument(&number.to_string())].into_iter())
    }

    /// An error that is known by its English words alone, and one that follows it behind a colon.
    pub fn found(&self, english: &str) -> Option<String> {
        within(english, |words| self.find(words, 0))
    }

    fn find(&self, english: &str, depth: usize) -> Option<String> {
        // A sentence of places alone is every sentence.
        let mut likely = self.errors.iter().filter(|(sentence, _)| sentence.letters() > sentence.places());
        likely.find_map(|(sentence, name)| {
            let places = sentence.places_in(english)?;
            let last = places.len().wrapping_sub(1);
            let within = |(number, place): (usize, &str)| {
                let is_error = number == last && sentence.ends_behind_a_colon() && depth < DEPTH_MAX;
                match is_error.then(|| self.find(place, depth + 1)).flatten() {
                    Some(told) => FluentValue::from(told),
                    None => argument(place).into_owned(),
                }
            };
            self.say(name, places.into_iter().enumerate().map(within))
        })
    }

    fn say<'a>(&self, name: &str, places: impl Iterator<Item = FluentValue<'a>>) -> Option<String> {
        let mut arguments = FluentArgs::new();
        for (variable, place) in NAMES.iter().zip(places) {
            arguments.set(*variable, place);
        }
        self.format(name, &arguments)
    }

    fn format(&self, name: &str, arguments: &FluentArgs<'_>) -> Option<String> {
        let pattern = self.messages.get_message(name)?.value()?;
        let mut errors = Vec::new();
        let told = self.messages.format_pattern(pattern, Some(arguments), &mut errors).into_owned();
        errors.is_empty().then_some(told)
    }
}

/// What stands in a place: a number where it is one, for the plural.
fn argument(place: &str) -> FluentValue<'_> {
    let number = place.trim();
    // What begins with a zero is no number but digits that somebody compares.
    let is_number = !number.starts_with('0') || number == "0";
    match is_number && (1..16).contains(&number.len()) && number.bytes().all(|byte| byte.is_ascii_digit()) {
        true => FluentValue::try_number(number),
        false => place.into(),
    }
}

/// Changes the words and leaves the white space around them.
fn within(text: &str, change: impl FnOnce(&str) -> Option<String>) -> Option<String> {
    let words = text.trim();
    let start = text.len() - text.trim_start().len();
    let end = start + words.len();
    change(words)
        .map(|told| format!("{}{told}{}", text.get(..start).unwrap_or_default(), text.get(end..).unwrap_or_default()))
}

/// The English sentences of some files with the names of their messages.
fn sentences(is_wanted: impl Fn(&str) -> bool) -> Vec<(Sentence, String)> {
    let english = embedded::LANGUAGES.iter().find(|(tag, _)| *tag == "en").map(|(_, files)| *files);
    let mut sentences = Vec::new();
    for (_, text) in english.unwrap_or_default().iter().filter(|(file, _)| is_wanted(file)) {
        let resource = match FluentResource::try_new((*text).to_owned()) {
            Ok(resource) | Err((resource, _)) => resource,
        };
        sentences.extend(resource.entries().filter_map(|entry| {
            let Entry::Message(message) = entry else { return None };
            Some((sentence(&message.value.as_ref()?.elements)?, message.id.name.to_owned()))
        }));
    }
    sentences
}

/// The sentence of an English message; none where its places are not `$a`, `$b` and so on in their order.
fn sentence(elements: &[PatternElement<&str>]) -> Option<Sentence> {
    let mut words = vec![String::new()];
    for element in elements {
        match element {
            PatternElement::TextElement { value } => words.last_mut()?.push_str(value),
            PatternElement::Placeable { expression: Expression::Inline(InlineExpression::StringLiteral { value }) } => {
                words.last_mut()?.push_str(value);
            }
            PatternElement::Placeable {
                expression: Expression::Inline(InlineExpression::VariableReference { id }),
            } if NAMES.get(words.len() - 1) == Some(&id.name) => {
                words.push(String::new());
            }
            PatternElement::Placeable { .. } => return None,
        }
    }
    Some(Sentence::of_words(words))
}

/// The names in a directory, sorted; none where it cannot be read.
fn names(directory: &Path) -> Vec<String> {
    let entries = fs::read_dir(directory).into_iter().flatten().take(ENTRIES_MAX);
    let mut names: Vec<String> = entries.filter_map(|entry| entry.ok()?.file_name().into_string().ok()).collect();
    names.sort_unstable();
    names
}

fn read(path: &Path) -> io::Result<String> {
    let mut text = String::new();
    File::open(path)?.take(FILE_BYTES_MAX + 1).read_to_string(&mut text)?;
    match text.len() as u64 > FILE_BYTES_MAX {
        true => Err(io::Error::new(io::ErrorKind::FileTooLarge, format!("larger than {FILE_BYTES_MAX} bytes"))),
        false => Ok(text),
    }
}
