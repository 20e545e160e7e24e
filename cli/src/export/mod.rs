//! Records written out as files: where they go, what they are called, and that nothing there is overwritten unasked.
//!
//! What a file says is the affair of `import`, which reads it again. The pages of `reader` are for people alone.

mod file_name;

mod folder;
mod lines;

mod reader;

pub use folder::{Folder, NewFile};
pub use lines::LinesFile;
pub use reader::{Interface, Marked, Reader};
