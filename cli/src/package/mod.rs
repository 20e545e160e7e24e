//! Learning packages (IMS, SCORM): a zip with a manifest that says what it teaches. It is read within bounds and never unpacked.

mod refusal;

mod archive;
mod manifest;

use std::{fs::File, path::Path};

pub use manifest::Manifest;
pub use refusal::Refusal;

use crate::error::{Result, usage};

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
