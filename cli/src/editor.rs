//! Texts that people write: from a file, from standard input, or in their editor. None is lost when saving fails.

use std::{
    env, fs,
    io::{self, Read as _, Write as _},
    path::{Path, PathBuf},
    process::Command,
};

use crate::{
    error::{ApiError, ErrorKind, Result, file, usage},
    home,
};

/// More than any record holds; a larger file is a mistake.
const TEXT_BYTES_MAX: u64 = 4 << 20;

/// Reads a text file, or standard input for `-`.
///
/// # Errors
/// When it cannot be read, is too long, or is not UTF-8.
pub fn read_text(path: &Path) -> Result<String> {
    let mut bytes = Vec::new();
    let read = if path == Path::new("-") {
        io::stdin().lock().take(TEXT_BYTES_MAX + 1).read_to_end(&mut bytes)
    } else {
        fs::File::open(path).and_then(|file| file.take(TEXT_BYTES_MAX + 1).read_to_end(&mut bytes))
    };
    read.map_err(|error| file("read", path, &error))?;
    if bytes.len() as u64 > TEXT_BYTES_MAX {
        return Err(usage(format!("{} is larger than {} MiB", path.display(), TEXT_BYTES_MAX >> 20)));
    }
    String::from_utf8(bytes).map_err(|_| usage(format!("{} is not UTF-8", path.display())).next("Convert it to UTF-8."))
}

/// Opens `text` in the person's editor and returns what was saved, with the file it is in until [`Written::done`].
///
/// # Errors
/// When there is no editor, it fails, or the file cannot be written or read. The text is kept.
pub fn edit(name: &str, text: &str) -> Result<Written> {
    let editor = editor()?;
    let path = keep(name, text)?;
    // The variable may hold arguments (`code --wait`), which is why a shell splits it; the path is not part of the script.
    let status = Command::new("sh").arg("-c").arg(format!("{editor} \"$1\"")).arg("sh").arg(&path).status();
    let kept = |error: ApiError| {
        if read_text(&path).is_ok_and(|now| now == text) {
            // A file that stays behind does no harm.
            let _ = fs::remove_file(&path);
            return error.safe("Nothing was written, and nothing was changed.");
        }
        error.safe(format!("What was written is kept in {}.", path.display()))
    };
    match status {
        Ok(status) if status.success() => {
            let text = read_text(&path).map_err(kept)?;
            Ok(Written { text, path })
        }
        Ok(status) => Err(kept(ApiError::new(ErrorKind::Io, format!("the editor `{editor}` ended with {status}")))),
        Err(error) => {
            Err(kept(ApiError::new(ErrorKind::Io, format!("the editor `{editor}` cannot be started: {error}"))))
        }
    }
}

fn editor() -> Result<String> {
    let set = |name: &str| env::var(name).ok().filter(|value| !value.trim().is_empty());
    set("VISUAL").or_else(|| set("EDITOR")).ok_or_else(|| {
        usage("no editor is set, and neither a text nor a field was given")
            .next("Set EDITOR, or give --body-file FILE or --set FIELD=VALUE.")
    })
}

/// Puts a text into a new file among the person's drafts, which only that person can read.
///
/// # Errors
/// When it cannot be written.
pub fn keep(name: &str, text: &str) -> Result<PathBuf> {
    let directory = home::drafts();
    fs::create_dir_all(&directory).map_err(|error| file("make", &directory, &error))?;
    let made = tempfile::Builder::new().prefix(&format!("{name}-")).suffix(".md").tempfile_in(&directory);
    let mut made = made.map_err(|error| file("write in", &directory, &error))?;
    made.write_all(text.as_bytes()).map_err(|error| file("write", made.path(), &error))?;
    let kept = made.keep().map_err(|error| file("write", &directory, &error.error));
    kept.map(|(_, path)| path)
}

/// A text that a person wrote, in a file until it is saved elsewhere.
#[derive(Debug)]
pub struct Written {
    /// The text.
    pub text: String,
    path: PathBuf,
}

impl Written {
    /// Removes the file: the text is saved, or there was nothing to save.
    pub fn done(self) {
        // A file that stays behind does no harm.
        let _ = fs::remove_file(self.path);
    }

    /// What came of saving it. Where it failed the file stays, and the error says where it is and the command that saves it
    /// from there.
    ///
    /// # Errors
    /// That of `saved`.
    pub fn settle<T>(self, saved: Result<T>, command: impl FnOnce() -> String) -> Result<T> {
        match saved {
            Ok(saved) => {
                self.done();
                Ok(saved)
            }
            Err(error) => Err(self.kept(error, &command())),
        }
    }

    fn kept(&self, error: ApiError, command: &str) -> ApiError {
        let path = self.path.display();
        let next = if error.next.is_empty() { String::new() } else { format!("{}\n", error.next) };
        error
            .safe(format!("What you wrote is kept in {path}."))
            .next(format!("{next}Then save it with `{command} --from-file {path}`."))
    }
}
