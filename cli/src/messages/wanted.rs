//! Which language a person reads, and where further files of messages may lie.

use std::{ffi::OsString, path::PathBuf};

use unic_langid::LanguageIdentifier;

/// Where the language is looked for, the first that says something first.
const VARIABLES: [&str; 4] = ["PORTOLAN_LANG", "LC_ALL", "LC_MESSAGES", "LANG"];

/// The languages that the environment asks for, the best first; none where it asks for none, as `C` does.
pub(super) fn wanted(variable: impl Fn(&str) -> Option<String>) -> Vec<LanguageIdentifier> {
    let said = VARIABLES.iter().find_map(|name| variable(name).filter(|value| !value.is_empty()));
    let said = said.unwrap_or_default();
    // A list with colons, as LANGUAGE has it; `fr_TN.UTF-8@euro` is written `fr-TN` elsewhere.
    let tag = |part: &str| part.split(['.', '@']).next().unwrap_or_default().replace('_', "-");
    let known = |tag: String| if tag == "POSIX" { None } else { tag.parse().ok() };
    said.split(':').map(tag).filter_map(known).collect()
}

/// Directories with a directory for each language, the first before the others.
pub(super) fn directories(variable: impl Fn(&str) -> Option<OsString>) -> Vec<PathBuf> {
    let named = |name: &str| variable(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    if let Some(directory) = named("PORTOLAN_MESSAGES") {
        return vec![directory];
    }
    let own = named("XDG_DATA_HOME").or_else(|| named("HOME").map(|home| home.join(".local/share")));
    let shared = ["/usr/local/share", "/usr/share"].map(PathBuf::from);
    own.into_iter().chain(shared).map(|directory| directory.join("portolan/messages")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tags(variables: &[(&str, &str)]) -> Vec<String> {
        let found = wanted(|name| {
            let said = variables.iter().find(|(variable, _)| *variable == name);
            said.map(|(_, value)| (*value).to_owned())
        });
        found.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn the_first_variable_that_says_something_counts() {
        assert_eq!(tags(&[("LANG", "fr_TN.UTF-8")]), ["fr-TN"]);
        assert_eq!(tags(&[("LANG", "fr"), ("LC_ALL", ""), ("LC_MESSAGES", "ar@latin")]), ["ar"]);
        assert_eq!(tags(&[("PORTOLAN_LANG", "es:fr"), ("LC_ALL", "C")]), ["es", "fr"]);
        for none in ["C", "C.UTF-8", "POSIX", "", "../../etc", "x"] {
            assert!(tags(&[("LC_ALL", none)]).is_empty(), "{none}");
        }
    }

    #[test]
    fn a_directory_that_is_named_is_the_only_one() {
        let one = |name: &str| (name == "PORTOLAN_MESSAGES").then(|| "/m".into());
        assert_eq!(directories(one), [PathBuf::from("/m")]);
        let home = |name: &str| (name == "HOME").then(|| "/h".into());
        assert_eq!(directories(home)[0], PathBuf::from("/h/.local/share/portolan/messages"));
    }
}
