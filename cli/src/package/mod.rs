//! Learning packages (IMS, SCORM): a zip with a manifest that says what it teaches. It is read within bounds and never unpacked.

mod archive;
mod manifest;

use std::{fs::File, path::Path};

pub use manifest::Manifest;

use crate::error::{Result, usage};

/// Why a file is not taken for the package that it says it is.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// It would fill whatever unpacks it.
    #[error("it would take {unpacked} bytes unpacked, and has {packed}")]
    Bomb {
        /// Bytes of the file.
        packed: u64,
        /// Bytes of what is in it.
        unpacked: u128,
    },
    /// A name that leads out of the place where it is unpacked.
    #[error("it holds a file named `{0}`, which leads elsewhere")]
    Traversal(String),
    /// More than any package has.
    #[error("it has more than {0} files, or a table of them that is too long")]
    Entries(usize),
    /// A manifest that is none.
    #[error("its manifest cannot be used: {0}")]
    Manifest(String),
}

/// What the manifest of the file says; none where the file is no learning package.
///
/// # Errors
/// A package that would harm whoever unpacks it, or whose manifest cannot be used.
pub fn read(opened: File, path: &Path) -> Result<Option<Manifest>> {
    let refused = |refusal: Refusal| {
        usage(format!("{} is not a learning package that can be used: {refusal}", path.display()))
            .safe("Nothing was added.")
            .next("Ask whoever made it; as a file like any other it is added with --no-manifest.")
    };
    let text = archive::manifest(opened).map_err(refused)?;
    text.map(|text| Manifest::read(&text).map_err(refused)).transpose()
}
