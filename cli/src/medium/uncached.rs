//! Reads a file as it is on the medium, not as the system remembers it.

use std::{
    fs::{File, OpenOptions},
    io::{self, Read as _},
    os::unix::fs::OpenOptionsExt as _,
    path::Path,
};

use rustix::fs::{Advice, OFlags, fadvise};

/// Bytes that are read at a time, and to which reads past the cache are aligned.
const PIECE_BYTES: usize = 1 << 20;
const ALIGNMENT_BYTES: usize = 4_096;

/// Hands the bytes of a file to `each`, read past the page cache where the file system lets us, and after dropping what is
/// cached of it elsewhere.
pub(super) fn read(path: &Path, mut each: impl FnMut(&[u8]) -> io::Result<()>) -> io::Result<()> {
    let direct = i32::try_from(OFlags::DIRECT.bits()).unwrap_or_default();
    let unsupported = |error: &io::Error| error.raw_os_error() == Some(rustix::io::Errno::INVAL.raw_os_error());
    let mut buffer = vec![0; PIECE_BYTES + ALIGNMENT_BYTES];
    let start = buffer.as_ptr().align_offset(ALIGNMENT_BYTES).min(ALIGNMENT_BYTES);
    let piece = &mut buffer[start..start + PIECE_BYTES];
    match OpenOptions::new().read(true).custom_flags(direct).open(path) {
        Ok(mut file) => match file.read(piece) {
            Ok(length) => return go_on(&mut file, piece, length, &mut each),
            Err(error) if unsupported(&error) => {}
            Err(error) => return Err(error),
        },
        Err(error) if unsupported(&error) => {}
        Err(error) => return Err(error),
    }
    let mut file = File::open(path)?;
    fadvise(&file, 0, None, Advice::DontNeed)?;
    let length = file.read(piece)?;
    go_on(&mut file, piece, length, &mut each)
}

fn go_on(
    file: &mut File,
    piece: &mut [u8],
    mut length: usize,
    each: &mut impl FnMut(&[u8]) -> io::Result<()>,
) -> io::Result<()> {
    while length > 0 {
        each(&piece[..length])?;
        length = file.read(piece)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn files_of_all_lengths_come_whole() {
        let directory = tempfile::tempdir().unwrap();
        for length in [0, 1, ALIGNMENT_BYTES, PIECE_BYTES - 1, PIECE_BYTES, 2 * PIECE_BYTES + 77] {
            let bytes: Vec<u8> = (0..length).map(|at| at as u8).collect();
            let path = directory.path().join(length.to_string());
            std::fs::write(&path, &bytes).unwrap();
            let mut read_bytes = Vec::new();
            read(&path, |piece| {
                read_bytes.extend_from_slice(piece);
                Ok(())
            })
            .unwrap();
            assert!(read_bytes == bytes, "{length}");
        }
    }
}
