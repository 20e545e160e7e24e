//! Passing over typed rows says the same as looking at each.
#![allow(clippy::unwrap_used)]
use std::collections::{BTreeMap, BTreeSet};

use rand_chacha::{
    ChaCha12Rng,
    rand_core::{Rng, SeedableRng},
};

use super::*;

/// What a change says, with and without passing over typed rows: the verdict, what it names, and what each operation is.
type Verdict<'a> = (Result<bool, ChangeRefusal>, Seen<'a>);

#[derive(Debug, Default, PartialEq, Eq)]
struct Seen<'a> {
    named: BTreeSet<Named<'a>>,
    made: BTreeMap<u64, Made<'a>>,
}

impl<'a> Sink<'a> for Seen<'a> {
    fn makes(&mut self, counters: Range<u64>, made: Made<'a>) {
        self.made.extend(counters.map(|counter| (counter, made)));
    }

    fn names(&mut self, named: Named<'a>) {
        self.named.insert(named);
    }
}

fn swift<'a>(columns: &Columns<'a>, operations: u64) -> Verdict<'a> {
    let mut seen = Seen::default();
    let verdict = check(columns, operations, START, 2, &mut seen);
    (verdict, seen)
}

fn row_by_row<'a>(columns: &Columns<'a>, operations: u64) -> Verdict<'a> {
    let mut seen = Seen::default();
    let mut rows = Rows::new(columns, START, 2, &mut seen);
    let mut verdict = Ok(());
    for row in 0..operations {
        verdict = rows.check_next().map_err(|fault| match fault {
            Fault::What(what) => ChangeRefusal::Operation { row, what },
            Fault::Refusal(refusal) => refusal,
        });
        if verdict.is_err() {
            break;
        }
    }
    let verdict = verdict.and_then(|()| rows.check_end()).map(|()| rows.self_contained);
    (verdict, seen)
}

const START: u64 = 20;

/// Letters typed into Texts, with jumps and deletions between, as rows: object, element, insert, action, value.
fn typed(rng: &mut ChaCha12Rng) -> Vec<Row> {
    let mut below = |limit: u64| rng.next_u64() % limit;
    let mut rows: Vec<Row> = Vec::new();
    let mut text = (7, 1);
    let mut last = None;
    for counter in START..START + 1 + below(60) {
        let kinds = if below(4) > 0 { 2 } else { 5 };
        let letter = ["a", "b", "\u{e9}", "\u{645}", ""][below(kinds) as usize];
        match below(24) {
            0 => {
                rows.push(Row { key: Some("title"), action: MAKE_TEXT, ..Row::default() });
                (text, last) = ((counter, 0), None);
                continue;
            }
            1 => last = Some((below(counter) + 1, below(2))),
            2 => {
                let element = Some((below(counter) + 1, below(2)));
                rows.push(Row { object: Some(text), element, action: DELETE, before: element, ..Row::default() });
                continue;
            }
            _ => {}
        }
        let value = Some(letter);
        rows.push(Row { object: Some(text), element: last, insert: true, action: SET, value, ..Row::default() });
        last = Some((counter, 0));
    }
    rows
}

#[derive(Clone, Copy, Default)]
struct Row {
    object: Option<OpId>,
    element: Option<OpId>,
    key: Option<&'static str>,
    insert: bool,
    action: u64,
    value: Option<&'static str>,
    before: Option<OpId>,
}

fn leb(out: &mut Vec<u8>, mut value: u64) {
    while value > 0x7f {
        out.push(value as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

fn signed(out: &mut Vec<u8>, mut value: i64) {
    while !(-64..64).contains(&value) {
        out.push(value as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8 & 0x7f);
}

/// Runs in the form that Automerge writes.
fn runs(values: &[Option<Vec<u8>>]) -> Vec<u8> {
    let mut out = Vec::new();
    let mut at = 0;
    let run = |from: usize| values[from..].iter().take_while(|value| **value == values[from]).count();
    while at < values.len() {
        let count = run(at);
        match &values[at] {
            None => {
                out.push(0);
                leb(&mut out, count as u64);
                at += count;
            }
            Some(value) if count > 1 => {
                signed(&mut out, count as i64);
                out.extend(value);
                at += count;
            }
            Some(_) => {
                let end = (at..values.len()).find(|next| values[*next].is_none() || run(*next) > 1);
                let end = end.unwrap_or(values.len());
                signed(&mut out, -((end - at) as i64));
                values[at..end].iter().flatten().for_each(|value| out.extend(value));
                at = end;
            }
        }
    }
    if values.iter().all(Option::is_none) { Vec::new() } else { out }
}

fn encoded(rows: &[Row]) -> Vec<Vec<u8>> {
    let number = |value: u64| {
        let mut out = Vec::new();
        leb(&mut out, value);
        out
    };
    let column =
        |of: &dyn Fn(&Row) -> Option<u64>| runs(&rows.iter().map(|row| of(row).map(number)).collect::<Vec<_>>());
    let deltas = |values: Vec<Option<u64>>| {
        let mut before = 0;
        let delta = |value: u64| {
            let mut out = Vec::new();
            signed(&mut out, value as i64 - before);
            before = value as i64;
            out
        };
        let mut delta = delta;
        runs(&values.into_iter().map(|value| value.map(&mut delta)).collect::<Vec<_>>())
    };
    let element = |row: &Row| row.object.map(|_| row.element.map_or(0, |(counter, _)| counter));
    let mut insert = vec![];
    let mut now = false;
    let mut at = 0;
    while at < rows.len() {
        let count = rows[at..].iter().take_while(|row| row.insert == now).count();
        leb(&mut insert, count as u64);
        (at, now) = (at + count, !now);
    }
    let text = |text: &'static str| [&[text.len() as u8], text.as_bytes()].concat();
    vec![
        column(&|row| row.object.map(|(_, actor)| actor)),
        column(&|row| row.object.map(|(counter, _)| counter)),
        column(&|row| row.element.map(|(_, actor)| actor)),
        deltas(rows.iter().map(element).collect()),
        runs(&rows.iter().map(|row| row.key.map(text)).collect::<Vec<_>>()),
        insert,
        column(&|row| Some(row.action)),
        column(&|row| Some(row.value.map_or(0, |value| (value.len() as u64) << 4 | 6))),
        rows.iter().filter_map(|row| row.value).collect::<String>().into_bytes(),
        column(&|row| Some(u64::from(row.before.is_some()))),
        runs(&rows.iter().filter_map(|row| row.before).map(|(_, actor)| Some(number(actor))).collect::<Vec<_>>()),
        deltas(rows.iter().filter_map(|row| row.before).map(|(counter, _)| Some(counter)).collect()),
    ]
}

#[test]
fn passing_over_typed_rows_changes_no_verdict() {
    let mut rng = ChaCha12Rng::from_seed([5; 32]);
    let (mut passed, mut refused, mut skipped) = (0, 0, 0);
    for round in 0..20_000 {
        let rows = typed(&mut rng);
        let mut bytes = encoded(&rows);
        if round % 2 == 1 {
            let column = (rng.next_u32() % 12) as usize;
            let length = bytes[column].len().max(1);
            if let Some(byte) = bytes[column].get_mut(rng.next_u32() as usize % length) {
                *byte = byte.wrapping_add(1 + rng.next_u32() as u8 % 8);
            }
        }
        let columns = Columns::of(std::array::from_fn(|column| bytes[column].as_slice()));
        let operations = rows.len() as u64;
        if round % 2 == 1 && columns.operations() != Ok(operations) {
            continue;
        }
        let (swift, slow) = (swift(&columns, operations), row_by_row(&columns, operations));
        assert_eq!(swift, slow, "round {round}");
        if swift.0.is_ok() {
            passed += 1
        } else {
            refused += 1
        }
        let mut nobody = ();
        let mut rows = Rows::new(&columns, START, 2, &mut nobody);
        while rows.counter < START + operations && rows.check_next().is_ok() {
            skipped += rows.skip_typed(START + operations - rows.counter);
        }
    }
    assert!(passed > 1_000 && refused > 1_000 && skipped > 10_000, "{passed} {refused} {skipped}");
}
