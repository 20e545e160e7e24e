//! Files of the workspace, and what is wrong with one.

use std::{
    fmt, fs, io,
    path::{Path, PathBuf},
};

use super::code::bare;

/// Something that breaks a house rule.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Violation {
    /// The file, relative to the workspace.
    pub file: String,
    /// What is wrong, and what to do.
    pub message: String,
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.file, self.message)
    }
}

/// A Rust file of a crate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Source {
    /// Its path relative to the workspace, such as `daemon/src/store/mod.rs`.
    pub file: String,
    /// Its module, such as `["store"]`; empty for the roots `lib.rs` and `main.rs`.
    pub module: Vec<String>,
    /// The code without comments, strings and the test module; nothing of what lies under `tests`.
    pub code: String,
    /// The code without comments and strings, tests included.
    pub code_and_tests: String,
}

impl Source {
    /// A source from its path and text.
    pub fn new(file: &str, text: &str) -> Self {
        let code_and_tests = bare(text);
        let mut code = code_and_tests.split("#[cfg(test)]\nmod ").next().unwrap_or_default().to_owned();
        if file.ends_with("/tests.rs") || file.split_once("/src/").is_some_and(|(_, path)| path.contains("/tests/")) {
            code.clear();
        }
        Self { file: file.to_owned(), module: module_of(file), code, code_and_tests }
    }

    /// Whether it is the root of a library or binary.
    pub fn is_root(&self) -> bool {
        self.module.is_empty()
    }

    /// Reports something wrong with this file.
    pub fn violation(&self, message: impl Into<String>) -> Violation {
        Violation { file: self.file.clone(), message: message.into() }
    }
}

fn module_of(file: &str) -> Vec<String> {
    let below = file.split_once("/src/").map_or(file, |(_, below)| below);
    let mut module: Vec<String> = below.trim_end_matches(".rs").split('/').map(str::to_owned).collect();
    let root = matches!(module.as_slice(), [only] if only == "lib" || only == "main");
    if root || module.last().is_some_and(|last| last == "mod") {
        module.pop();
    }
    module
}

/// The directory of the workspace.
pub fn workspace() -> PathBuf {
    let tests = Path::new(env!("CARGO_MANIFEST_DIR"));
    tests.parent().unwrap_or(tests).to_owned()
}

/// The sources under `src` of a crate, sorted.
///
/// # Errors
/// A file cannot be read.
pub fn read_crate(name: &str) -> io::Result<Vec<Source>> {
    let sources = files_with(&[&format!("{name}/src")], &["rs"])?;
    Ok(sources.iter().map(|(file, text)| Source::new(file, text)).collect())
}

/// The texts of files with these endings under these directories, sorted, their paths relative to the workspace.
///
/// Build directories and whatever is hidden are passed over, `.ci` apart.
///
/// # Errors
/// A file cannot be read.
pub fn files_with(directories: &[&str], endings: &[&str]) -> io::Result<Vec<(String, String)>> {
    let root = workspace();
    let mut found = Vec::new();
    for directory in directories {
        collect(&root.join(directory), endings, &mut found)?;
    }
    found.sort();
    found.dedup();
    let read = |path: PathBuf| {
        let text = String::from_utf8_lossy(&fs::read(&path)?).into_owned();
        Ok((path.strip_prefix(&root).unwrap_or(&path).to_string_lossy().into_owned(), text))
    };
    found.into_iter().map(read).collect()
}

fn collect(path: &Path, endings: &[&str], found: &mut Vec<PathBuf>) -> io::Result<()> {
    if path.is_dir() {
        for entry in fs::read_dir(path)? {
            let entry = entry?;
            let name = entry.file_name();
            let name = name.to_string_lossy();
            if name != "target" && (!name.starts_with('.') || name == ".ci") {
                collect(&entry.path(), endings, found)?;
            }
        }
    } else {
        let ending = path.extension().unwrap_or_default().to_string_lossy();
        if endings.contains(&"*") || endings.contains(&&*ending) {
            found.push(path.to_owned());
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn modules_by_path() {
        for (file, module) in [
            ("cli/src/lib.rs", ""),
            ("cli/src/main.rs", ""),
            ("cli/src/import/mod.rs", "import"),
            ("cli/src/import/html.rs", "import::html"),
            ("cli/src/client.rs", "client"),
        ] {
            assert_eq!(Source::new(file, "").module.join("::"), module, "{file}");
        }
    }

    #[test]
    fn tests_are_apart() {
        let source = Source::new("cli/src/a.rs", "use a;\n#[cfg(test)]\nmod tests { use b; }\n");
        assert_eq!(source.code.trim(), "use a;");
        assert!(source.code_and_tests.contains("use b;"));
        assert_eq!(Source::new("cli/src/a/tests.rs", "use b;").code, "");
        assert_eq!(Source::new("cli/src/a/tests/mod.rs", "use b;").code, "");
        assert_eq!(Source::new("tests/src/a/b.rs", "use b;").code, "use b;");
    }
}
