//! Tables as Markdown without padding: the converter's own pad every cell to the widest of its column, so that one
//! long cell makes a page a thousand times larger.

use htmd::{
    Element,
    element_handler::{HandlerResult, Handlers},
};

/// Ends a cell until its row is written. It stands in no text: control characters are dropped afterwards anyway.
const CELL_END: char = '\u{1}';

/// A cell, on one line.
pub fn cell(handlers: &dyn Handlers, element: Element<'_>) -> Option<HandlerResult> {
    let content = handlers.walk_children(element.node).content;
    let mut line = String::with_capacity(content.len() + 1);
    for word in content.split([' ', '\n', '\t', CELL_END]).filter(|word| !word.is_empty()) {
        if !line.is_empty() {
            line.push(' ');
        }
        line.push_str(&word.replace('|', "&#124;"));
    }
    line.push(CELL_END);
    Some(line.into())
}

/// A row: its cells between bars.
pub fn row(handlers: &dyn Handlers, element: Element<'_>) -> Option<HandlerResult> {
    let content = handlers.walk_children(element.node).content;
    let cells: Vec<&str> = content.split_terminator(CELL_END).map(str::trim).collect();
    if cells.iter().all(|cell| cell.is_empty()) {
        return None;
    }
    Some(format!("\n| {} |{CELL_END}\n", cells.join(" | ")).into())
}

/// A table: its rows, the first one as header; whatever else stood in it goes before.
pub fn table(handlers: &dyn Handlers, element: Element<'_>) -> Option<HandlerResult> {
    let content = handlers.walk_children(element.node).content;
    let (mut before, mut rows) = (String::new(), String::new());
    for line in content.lines().map(str::trim).filter(|line| !line.is_empty()) {
        match line.strip_suffix(CELL_END) {
            Some(row) => {
                let columns = row.matches(" | ").count() + 1;
                let first = rows.is_empty();
                rows.push_str(row);
                rows.push('\n');
                if first {
                    rows.push_str(&"| --- ".repeat(columns));
                    rows.push_str("|\n");
                }
            }
            None => {
                before.push_str(line);
                before.push('\n');
            }
        }
    }
    Some(format!("\n\n{before}\n{rows}\n").into())
}

/// A part of a table that only holds rows.
pub fn body(handlers: &dyn Handlers, element: Element<'_>) -> Option<HandlerResult> {
    Some(handlers.walk_children(element.node))
}
