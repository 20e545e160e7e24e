//! The messages that are part of the program.

/// A file of messages: its name, and its text.
pub(super) type File = (&'static str, &'static str);

/// The same files for one language.
macro_rules! files {
    ($language:literal: $($name:literal),* $(,)?) => {
        &[$(($name, include_str!(concat!("../../messages/", $language, "/", $name, ".ftl")))),*]
    };
}

/// The languages, each with its files.
pub(super) const LANGUAGES: &[(&str, &[File])] = &[
    ("en", files!("en": "daemon", "errors", "help", "output")),
    ("fr", files!("fr": "daemon", "errors", "help", "output")),
    ("ar", files!("ar": "daemon", "errors", "help", "output")),
];
