//! The door to the CSV library: rows under headings, as JSON objects of texts.
//!
//! A row that cannot be read does not stop the others, save one that is too long: where the next begins cannot be told.

use std::{
    fs::File,
    io::{self, Read},
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use csv::{ByteRecord, Reader, ReaderBuilder};
use serde_json::{Map, Value};

use super::{error::Fault, lines::LINE_BYTES_MAX};

/// The rows of a file.
#[derive(Debug)]
pub struct CsvRows {
    reader: Reader<Bounded>,
    headings: Vec<String>,
    left: Arc<AtomicUsize>,
    has_failed: bool,
}

/// A file of which only so much is given out at a time.
#[derive(Debug)]
struct Bounded {
    file: File,
    left: Arc<AtomicUsize>,
}

impl Read for Bounded {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let left = self.left.load(Ordering::Relaxed);
        if left == 0 {
            return Err(io::Error::other(format!(
                "a row has more than {LINE_BYTES_MAX} bytes, perhaps for a quotation mark that is not closed; what follows is not read"
            )));
        }
        let room = left.min(buffer.len());
        let read = self.file.read(&mut buffer[..room])?;
        self.left.store(left - read, Ordering::Relaxed);
        Ok(read)
    }
}

impl CsvRows {
    /// The rows of a file whose first row holds the headings.
    ///
    /// # Errors
    /// The headings cannot be read.
    pub fn new(file: File, delimiter: u8) -> Result<Self, Fault> {
        let left = Arc::new(AtomicUsize::new(LINE_BYTES_MAX));
        let bounded = Bounded { file, left: Arc::clone(&left) };
        let mut reader = ReaderBuilder::new().delimiter(delimiter).from_reader(bounded);
        let headings = texts(reader.byte_headers().map_err(|error| fault(&error))?)?;
        Ok(Self { reader, headings, left, has_failed: false })
    }

    /// The next row and the line it begins on.
    pub fn next_row(&mut self) -> Option<(u64, Result<Value, Fault>)> {
        if self.has_failed {
            return None;
        }
        self.left.store(LINE_BYTES_MAX, Ordering::Relaxed);
        let mut row = ByteRecord::new();
        let line = self.reader.position().line();
        match self.reader.read_byte_record(&mut row) {
            Ok(false) => None,
            Ok(true) => {
                let line = row.position().map_or(line, csv::Position::line);
                let object = |texts: Vec<String>| {
                    let fields = self.headings.iter().cloned().zip(texts.into_iter().map(Value::String));
                    Value::Object(fields.collect::<Map<_, _>>())
                };
                Some((line, texts(&row).map(object)))
            }
            Err(error) => {
                self.has_failed = error.is_io_error();
                let line = error.position().map_or(line, csv::Position::line);
                Some((line, Err(fault(&error))))
            }
        }
    }
}

fn texts(row: &ByteRecord) -> Result<Vec<String>, Fault> {
    row.iter().map(|field| String::from_utf8(field.to_vec()).map_err(|_| Fault::Encoding)).collect()
}

fn fault(error: &csv::Error) -> Fault {
    match error.kind() {
        csv::ErrorKind::UnequalLengths { expected_len, len, .. } => {
            Fault::Line(format!("{len} columns, and there are {expected_len} headings"))
        }
        _ => Fault::Line(error.to_string()),
    }
}
