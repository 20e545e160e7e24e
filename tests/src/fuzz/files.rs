//! Files that people bring in: Markdown with front matter, HTML, and records as text in an editor.

use std::fs;

use portolan_cli::{
    draft_file,
    import::{self, Options},
};
use portolan_protocol::record::check;

/// See the head of the file. The first byte chooses which.
///
/// # Panics
/// Where there is no temporary directory, too.
#[allow(clippy::expect_used, reason = "the machine has a temporary directory")]
pub fn files(data: &[u8]) {
    let Some((choice, data)) = data.split_first() else { return };
    if choice % 3 == 0 {
        let text = String::from_utf8_lossy(data);
        if let Ok(fields) = draft_file::read(&text) {
            let again = draft_file::read(&draft_file::write(&fields, &[]));
            assert_eq!(again.ok().as_ref(), Some(&fields), "written and read again");
        }
        return;
    }
    let directory = tempfile::tempdir().expect("a temporary directory");
    let name = if choice % 3 == 1 { "one.md" } else { "one.html" };
    fs::write(directory.path().join(name), data).expect("a temporary file");
    let options = Options { source: "fuzz".into(), language: Some("en".into()), ..Options::default() };
    let Ok(read) = import::read(directory.path(), &options) else { return };
    for file in read.flatten() {
        assert!(check(&file.draft).is_ok(), "a draft that comes out of a file can be saved");
    }
}
