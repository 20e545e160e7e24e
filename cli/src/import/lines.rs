//! Lines of a file, none held that is too long. Empty ones are passed over.

use std::{
    fs::File,
    io::{BufRead as _, BufReader, Read as _},
};

use super::error::Fault;

/// Longest line, in bytes: the largest record there may be, every letter of it spelled out.
pub const LINE_BYTES_MAX: usize = 2 << 20;

/// The lines, each with its line break.
#[derive(Debug)]
pub struct Lines {
    reader: BufReader<File>,
    number: u64,
    has_failed: bool,
}

impl Lines {
    /// The lines of a file.
    pub fn new(file: File) -> Self {
        Self { reader: BufReader::new(file), number: 0, has_failed: false }
    }

    /// The number of the line that came last, from 1.
    pub fn number(&self) -> u64 {
        self.number
    }

    fn read(&mut self) -> Result<Option<Vec<u8>>, Fault> {
        let mut line = Vec::new();
        let read = self.reader.by_ref().take(LINE_BYTES_MAX as u64 + 1).read_until(b'\n', &mut line)?;
        if read == 0 {
            return Ok(None);
        }
        self.number += 1;
        if line.len() > LINE_BYTES_MAX && line.last() != Some(&b'\n') {
            self.reader.skip_until(b'\n')?;
            return Err(Fault::TooLarge(LINE_BYTES_MAX as u64));
        }
        Ok(Some(line))
    }
}

impl Iterator for Lines {
    type Item = Result<Vec<u8>, Fault>;

    fn next(&mut self) -> Option<Self::Item> {
        while !self.has_failed {
            match self.read() {
                Ok(Some(line)) if line.trim_ascii().is_empty() => {}
                Ok(line) => return line.map(Ok),
                Err(fault) => {
                    // Where reading failed once it may fail for ever.
                    self.has_failed = matches!(fault, Fault::Io(_));
                    return Some(Err(fault));
                }
            }
        }
        None
    }
}
