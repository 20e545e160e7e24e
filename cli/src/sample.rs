//! The sample knowledge base: invented records of invented agencies, in five languages, part of the program, and a vocabulary
//! to begin with.
//!
//! It is read by the import like any directory of files; nothing here knows what stands in it.

use std::{fs, io, path::Path};

/// What the sample is called as a source.
pub const SAMPLE_SOURCE: &str = "portolan-sample";

macro_rules! sample {
    ($($path:literal),* $(,)?) => {
        /// The files of the sample: path and text, in the order of paths.
        pub const SAMPLE: &[(&str, &str)] = &[$(($path, include_str!(concat!("../sample/", $path)))),*];
    };
}

sample![
    "ar/al-ijtimaat-al-mushtaraka.md",
    "ar/al-tafkir-al-naqdi.md",
    "ar/mabadi-al-taawun.md",
    "ar/qaimat-al-mustalahat.md",
    "ar/tamrin-al-ikhlaa.md",
    "en/marking.md",
    "en/memory-stick.md",
    "en/radio-silence.md",
    "en/table-top-exercise.md",
    "en/welcome.md",
    "en/working-with-interpreters.md",
    "es/el-simulacro-perfecto.md",
    "es/evidencia-digital.md",
    "es/plan-de-intercambio.md",
    "es/prensa-en-crisis.md",
    "fr/analyse-strategique.md",
    "fr/ecrire-une-lecon.md",
    "fr/lacunes-de-capacite.md",
    "fr/premiers-gestes-numeriques.md",
    "fr/traduction-tardive.md",
    "pt/acessibilidade.md",
    "pt/formacao-de-formadores.md",
    "pt/o-mapa-errado.md",
    "pt/seguranca-em-viagem.md",
];

/// The sample vocabulary: name of a file and its text.
pub const VOCABULARY: &[(&str, &str)] = &[
    ("areas.yaml", include_str!("../sample/vocabulary/areas.yaml")),
    ("organisation-kinds.yaml", include_str!("../sample/vocabulary/organisation-kinds.yaml")),
    ("tags.yaml", include_str!("../sample/vocabulary/tags.yaml")),
];

/// Writes the sample under `directory`, which exists and is empty.
///
/// # Errors
/// A file cannot be written.
pub fn write_sample(directory: &Path) -> io::Result<()> {
    for (path, text) in SAMPLE {
        let file = directory.join(path);
        if let Some(parent) = file.parent() {
            fs::create_dir_all(parent)?;
        }
        fs::write(file, text)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use std::collections::BTreeSet;

    use portolan_protocol::id::SpaceId;

    use super::*;
    use crate::import::{ImportedFile, Options, read, read_vocabulary};

    fn imported() -> Vec<ImportedFile> {
        let directory = tempfile::tempdir().unwrap();
        write_sample(directory.path()).unwrap();
        let options = Options { space: SpaceId([3; 32]), source: SAMPLE_SOURCE.into(), ..Options::default() };
        read(directory.path(), &options).unwrap().collect::<Result<_, _>>().unwrap()
    }

    #[test]
    fn every_file_is_a_record_without_a_warning() {
        let files = imported();
        assert_eq!(files.len(), SAMPLE.len());
        for file in &files {
            assert_eq!(file.warnings, [], "{}", file.path);
        }
        let languages: BTreeSet<_> = files.iter().filter_map(|file| file.draft.language.as_deref()).collect();
        assert_eq!(languages.into_iter().collect::<Vec<_>>(), ["ar", "en", "es", "fr", "pt"]);
        let kinds: BTreeSet<_> = files.iter().filter_map(|file| file.draft.kind.as_deref()).collect();
        assert_eq!(kinds.into_iter().collect::<Vec<_>>(), ["experience", "page", "training_material"]);
    }

    #[test]
    fn every_file_of_the_directory_is_in_the_program() {
        let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("sample");
        let mut paths = BTreeSet::new();
        for language in fs::read_dir(directory).unwrap() {
            let language = language.unwrap();
            if language.file_name() == "vocabulary" {
                assert_eq!(fs::read_dir(language.path()).unwrap().count(), VOCABULARY.len());
                continue;
            }
            for file in fs::read_dir(language.path()).unwrap() {
                let names = [language.file_name(), file.unwrap().file_name()];
                paths.insert(names.map(|name| name.into_string().unwrap()).join("/"));
            }
        }
        assert_eq!(paths.into_iter().collect::<Vec<_>>(), SAMPLE.iter().map(|(path, _)| *path).collect::<Vec<_>>());
    }

    #[test]
    fn every_term_of_the_vocabulary_is_complete_in_five_languages() {
        let mut concepts = 0;
        for (name, text) in VOCABULARY {
            let terms = read_vocabulary(text, &SpaceId([3; 32])).unwrap();
            let paths: BTreeSet<&str> = terms.iter().map(|term| term.path.as_str()).collect();
            for term in &terms {
                assert_eq!(term.warnings, [], "{name}: {}", term.path);
                let fields = &term.draft.fields;
                for language in ["ar", "en", "es", "fr", "pt"] {
                    assert!(fields.contains_key(&format!("title/{language}")), "{}: {language}", term.path);
                }
                let (scheme, is_concept) = term.path.split_once('/').map_or(("", false), |(scheme, _)| (scheme, true));
                concepts += usize::from(is_concept);
                for broader in fields.keys().filter_map(|key| key.strip_prefix("broader/")) {
                    assert!(paths.contains(format!("{scheme}/{broader}").as_str()), "{}: {broader}", term.path);
                }
            }
        }
        assert_eq!(concepts, 80);
    }
}
