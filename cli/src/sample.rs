//! The sample knowledge base: invented records of invented agencies, in five languages, part of the program.
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
    use crate::import::{ImportedFile, Options, read};

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
            for file in fs::read_dir(language.path()).unwrap() {
                let names = [language.file_name(), file.unwrap().file_name()];
                paths.insert(names.map(|name| name.into_string().unwrap()).join("/"));
            }
        }
        assert_eq!(paths.into_iter().collect::<Vec<_>>(), SAMPLE.iter().map(|(path, _)| *path).collect::<Vec<_>>());
    }
}
