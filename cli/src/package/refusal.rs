//! What a file is refused for.

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
