//! What `portolan` says to people, in their language.
//!
//! The source says everything in English. `cli/messages/en` lists the sentences, each under a name; the same names stand in every
//! other language ([Fluent](https://projectfluent.org)). A sentence is looked up by its English words (`tr!`), or, for an
//! error that came from the daemon or from below, found by them. What a language lacks is said in English.
//! `docs/guide/languages.md` tells how the language is chosen and how one is added.

mod catalogue;
mod embedded;
mod sentence;
#[cfg(test)]
mod tests;
mod wanted;

use std::sync::OnceLock;

pub use catalogue::{Broken, Catalogue};
pub use sentence::Sentence;

static CHOSEN: OnceLock<Catalogue> = OnceLock::new();

/// Chooses the language for the rest of the process, by the environment; what scripts read stays English. Tells which files of
/// messages could not be read. Only the first choice counts.
pub fn choose(for_scripts: bool) -> Vec<Broken> {
    if for_scripts {
        return Vec::new();
    }
    let wanted = wanted::wanted(|name| std::env::var(name).ok());
    let (catalogue, broken) = Catalogue::of(&wanted, &wanted::directories(|name| std::env::var_os(name)));
    if let Some(catalogue) = catalogue {
        let _ = CHOSEN.set(catalogue);
    }
    broken
}

/// The chosen language; none where that is English.
pub fn chosen() -> Option<&'static Catalogue> {
    CHOSEN.get()
}

/// A sentence in the chosen language: `english` is what `template` came to. White space around it stays.
pub fn told(template: &str, english: String) -> String {
    match chosen().and_then(|catalogue| catalogue.told(template, &english)) {
        Some(told) => told,
        None => english,
    }
}

/// A word or a sentence without places, such as a heading.
pub fn word(english: &str) -> String {
    told(english, english.to_owned())
}

/// So many of something, as the chosen language counts: `english` is how English does, and `many` the word for many of them.
pub fn counted(number: u64, many: &str, english: String) -> String {
    match chosen().and_then(|catalogue| catalogue.counted(number, many)) {
        Some(told) => told,
        None => english,
    }
}

/// A sentence in the chosen language that is known by its English words alone.
pub fn found(english: &str) -> String {
    chosen().and_then(|catalogue| catalogue.found(english)).unwrap_or_else(|| english.to_owned())
}

/// `format!`, in the language of whoever reads it. The template is a sentence of `cli/messages/en`.
macro_rules! tr {
    ($template:literal $($arguments:tt)*) => {
        $crate::messages::told($template, format!($template $($arguments)*))
    };
}
