//! What commands write to standard output: one JSON value, or tables and lines for people.

use std::io::{self, Write as _};

use serde::Serialize;

use crate::{
    error::{ApiError, ErrorKind, Result, internal},
    messages, pager, text,
};

/// Columns that one cell takes at the most.
const CELL_WIDTH_MAX: usize = 60;

/// Where and how to write.
#[derive(Clone, Copy, Debug)]
pub struct Output {
    /// One JSON value instead of text.
    pub json: bool,
    /// Long texts go through a pager where a person sits before the terminal.
    pub paged: bool,
}

impl Output {
    /// Writes `value` as JSON, or what `human` makes of it.
    ///
    /// # Errors
    /// When standard output cannot be written.
    pub fn show<T: Serialize>(self, value: &T, human: impl FnOnce(&T) -> String) -> Result<()> {
        if self.json {
            let text = serde_json::to_string_pretty(value).map_err(|error| internal(error.to_string()))?;
            return print(&(text::escaped_json(&text) + "\n"));
        }
        let text = human(value);
        if self.paged && pager::show(&text) { Ok(()) } else { print(&text) }
    }

    /// Writes a value of a stream: as one line of JSON, or what `human` makes of it.
    ///
    /// # Errors
    /// When standard output cannot be written.
    pub fn stream<T: Serialize>(self, value: &T, human: impl FnOnce(&T) -> String) -> Result<()> {
        if self.json {
            let text = serde_json::to_string(value).map_err(|error| internal(error.to_string()))?;
            return print(&(text::escaped_json(&text) + "\n"));
        }
        print(&human(value))
    }
}

/// Writes text as it is. A reader that has gone away ends the command in silence, as other programs do.
///
/// # Errors
/// When standard output cannot be written.
pub fn print(text: &str) -> Result<()> {
    let mut out = io::stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Ok(()) => Ok(()),
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => std::process::exit(0),
        Err(error) => {
            let kind = if error.kind() == io::ErrorKind::StorageFull { ErrorKind::DiskFull } else { ErrorKind::Io };
            Err(ApiError::new(kind, format!("cannot write to standard output: {error}"))
                .safe("What the command did stays done."))
        }
    }
}

/// Rows under headings, in columns as wide as their widest cell. Cells are made safe to print and cut.
pub fn table(headings: &[&str], rows: &[Vec<String>]) -> String {
    let headings: Vec<String> = headings.iter().map(|heading| messages::word(heading)).collect();
    let rows: Vec<Vec<String>> =
        rows.iter().map(|row| row.iter().map(|cell| text::cut(cell, CELL_WIDTH_MAX)).collect()).collect();
    let column_width = |column: usize| {
        let cells = rows.iter().filter_map(|row| row.get(column)).map(|cell| text::width(cell));
        cells.chain(headings.get(column).map(|heading| text::width(heading))).max().unwrap_or(0)
    };
    let widths: Vec<usize> = (0..headings.len()).map(column_width).collect();
    let headings: Vec<String> = headings.iter().map(|heading| heading.to_uppercase()).collect();
    let mut out = line(&headings, &widths);
    for row in &rows {
        out.push_str(&line(row, &widths));
    }
    out
}

fn line(cells: &[String], widths: &[usize]) -> String {
    let mut out = String::new();
    for (cell, width) in cells.iter().zip(widths) {
        if !out.is_empty() {
            out.push_str("  ");
        }
        out.push_str(cell);
        out.push_str(&" ".repeat(width.saturating_sub(text::width(cell))));
    }
    out.truncate(out.trim_end().len());
    out.push('\n');
    out
}

/// Lines of `label  value`, the values in one column.
pub fn pairs(pairs: &[(&str, String)]) -> String {
    let labels: Vec<String> = pairs.iter().map(|(label, _)| messages::word(label)).collect();
    let width = labels.iter().map(|label| text::width(label)).max().unwrap_or(0);
    let line = |(label, (_, value)): (&String, &(&str, String))| {
        format!("{label}{}  {}\n", " ".repeat(width - text::width(label)), text::shown(value))
    };
    labels.iter().zip(pairs).map(line).collect()
}

/// The start of an id, long enough to be told apart by eye; commands take it while it is unique.
pub fn short(id: impl ToString) -> String {
    id.to_string().chars().take(8).collect()
}

/// `1 entry`, `2 entries`.
pub fn count(number: u64, one: &str, many: &str) -> String {
    let english = format!("{number} {}", if number == 1 { one } else { many });
    messages::counted(number, many, english)
}

/// Bytes in a unit of fitting size.
pub fn bytes(number: u64) -> String {
    const UNITS: [&str; 5] = ["B", "KiB", "MiB", "GiB", "TiB"];
    let mut value = number as f64;
    let mut unit = 0;
    while value >= 1_024.0 && unit + 1 < UNITS.len() {
        value /= 1_024.0;
        unit += 1;
    }
    if unit == 0 { format!("{number} B") } else { format!("{value:.1} {}", UNITS[unit]) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_line_up_whatever_the_script() {
        let rows = vec![vec!["تونس".into(), "writer".into()], vec!["a\u{202e}b".into(), "reader".into()]];
        let out = table(&["name", "role"], &rows);
        let starts: Vec<usize> =
            out.lines().map(|line| text::width(line.split_at(line.rfind("  ").map_or(0, |at| at + 2)).0)).collect();
        assert_eq!(starts, [12, 12, 12]);
        assert!(out.contains("a\\u{202e}b  reader\n"));
        assert!(out.starts_with("NAME        ROLE\n"));
    }

    #[test]
    fn pairs_share_a_column() {
        assert_eq!(pairs(&[("id", "x".into()), ("name", "y".into())]), "id    x\nname  y\n");
    }

    #[test]
    fn sizes_have_units() {
        assert_eq!(bytes(1_023), "1023 B");
        assert_eq!(bytes(1_536), "1.5 KiB");
        assert_eq!(bytes(u64::MAX), "16777216.0 TiB");
    }
}
