//! Records written out as files: where they go, what they are called, and that nothing there is overwritten unasked.
//!
//! What a file says is the affair of `import`, which reads it again.

mod file_name;

mod folder;
mod lines;

pub use folder::Folder;
pub use lines::LinesFile;
