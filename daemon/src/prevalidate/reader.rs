//! Reading numbers and run-length encoded columns from bytes that may be anything. Nothing here allocates.

use super::refusal::ChangeRefusal;

/// A cursor over bytes.
#[derive(Clone, Copy, Debug)]
pub(super) struct Reader<'a> {
    bytes: &'a [u8],
}

impl<'a> Reader<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        Self { bytes }
    }

    pub(super) fn rest(&self) -> &'a [u8] {
        self.bytes
    }

    pub(super) fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }

    pub(super) fn byte(&mut self, what: &'static str) -> Result<u8, ChangeRefusal> {
        let (&first, rest) = self.bytes.split_first().ok_or(ChangeRefusal::Malformed(what))?;
        self.bytes = rest;
        Ok(first)
    }

    pub(super) fn take(&mut self, length: usize, what: &'static str) -> Result<&'a [u8], ChangeRefusal> {
        let (taken, rest) = self.bytes.split_at_checked(length).ok_or(ChangeRefusal::Malformed(what))?;
        self.bytes = rest;
        Ok(taken)
    }

    /// Passes over `length` bytes, all of them where there are fewer.
    pub(super) fn skip(&mut self, length: usize) {
        self.bytes = self.bytes.get(length..).unwrap_or_default();
    }

    pub(super) fn array<const N: usize>(&mut self, what: &'static str) -> Result<[u8; N], ChangeRefusal> {
        self.take(N, what)?.try_into().map_err(|_| ChangeRefusal::Malformed(what))
    }

    /// An unsigned LEB128 number in its shortest form.
    pub(super) fn unsigned(&mut self, what: &'static str) -> Result<u64, ChangeRefusal> {
        let mut value = 0u64;
        for shift in (0..64).step_by(7) {
            let byte = self.byte(what)?;
            if shift == 63 && byte > 1 || shift > 0 && byte == 0 {
                break;
            }
            value |= u64::from(byte & 0x7f) << shift;
            if byte & 0x80 == 0 {
                return Ok(value);
            }
        }
        Err(ChangeRefusal::Malformed(what))
    }

    /// A signed LEB128 number in its shortest form.
    pub(super) fn signed(&mut self, what: &'static str) -> Result<i64, ChangeRefusal> {
        let mut value = 0i64;
        let mut previous = 0u8;
        for shift in (0..64).step_by(7) {
            let byte = self.byte(what)?;
            if shift == 63 && !matches!(byte, 0 | 0x7f) {
                break;
            }
            value |= i64::from(byte & 0x7f) << shift;
            if byte & 0x80 == 0 {
                let negative = byte & 0x40 != 0;
                let padding = if previous & 0x40 == 0 { 0 } else { 0x7f };
                if shift > 0 && byte == padding {
                    break;
                }
                if negative && shift < 57 {
                    value |= -1 << (shift + 7);
                }
                return Ok(value);
            }
            previous = byte;
        }
        Err(ChangeRefusal::Malformed(what))
    }
}

/// What a run-length encoded column holds.
pub(super) trait Item<'a>: Copy + PartialEq {
    fn read(input: &mut Reader<'a>, what: &'static str) -> Result<Self, ChangeRefusal>;
}

impl Item<'_> for u64 {
    fn read(input: &mut Reader<'_>, what: &'static str) -> Result<Self, ChangeRefusal> {
        input.unsigned(what)
    }
}

impl Item<'_> for i64 {
    fn read(input: &mut Reader<'_>, what: &'static str) -> Result<Self, ChangeRefusal> {
        input.signed(what)
    }
}

impl<'a> Item<'a> for &'a str {
    fn read(input: &mut Reader<'a>, what: &'static str) -> Result<Self, ChangeRefusal> {
        let length = usize::try_from(input.unsigned(what)?).map_err(|_| ChangeRefusal::Malformed(what))?;
        str::from_utf8(input.take(length, what)?).map_err(|_| ChangeRefusal::Malformed(what))
    }
}

/// A run-length encoded column: runs of one value, literal runs, runs of nulls.
#[derive(Clone, Debug)]
pub(super) struct Runs<'a, T> {
    name: &'static str,
    input: Reader<'a>,
    left: u64,
    run: Run<T>,
}

#[derive(Clone, Copy, Debug)]
enum Run<T> {
    Same(T),
    Literal,
    Null,
}

impl<'a, T: Item<'a>> Runs<'a, T> {
    pub(super) fn new(name: &'static str, bytes: &'a [u8]) -> Self {
        Self { name, input: Reader::new(bytes), left: 0, run: Run::Null }
    }

    fn header(&mut self) -> Result<(), ChangeRefusal> {
        let count = self.input.signed(self.name)?;
        (self.left, self.run) = match count {
            0 => (self.input.unsigned(self.name)?, Run::Null),
            1.. => (count.unsigned_abs(), Run::Same(T::read(&mut self.input, self.name)?)),
            ..0 => (count.unsigned_abs(), Run::Literal),
        };
        if self.left == 0 { Err(ChangeRefusal::Malformed(self.name)) } else { Ok(()) }
    }

    /// The rows that the run headers declare, found without going through the rows of a run.
    ///
    /// The runs must be those that Automerge would write: it forgets the bytes and writes them again when it saves, and
    /// another form would give the change another hash.
    pub(super) fn rows(mut self) -> Result<u64, ChangeRefusal> {
        let malformed = ChangeRefusal::Malformed(self.name);
        let mut rows = 0u64;
        let mut before = None;
        let mut last: Option<T> = None;
        let mut only_nulls = true;
        while !self.input.is_empty() {
            self.header()?;
            rows = rows.checked_add(self.left).ok_or_else(|| malformed.clone())?;
            let canonical = match (before, self.run) {
                (Some(Run::Null), Run::Null) | (Some(Run::Literal), Run::Literal) => false,
                (_, Run::Same(value)) => self.left > 1 && last != Some(value),
                (_, Run::Literal) => self.literals_differ(&mut last)?,
                (_, Run::Null) => true,
            };
            if !canonical {
                return Err(malformed);
            }
            only_nulls &= matches!(self.run, Run::Null);
            before = Some(self.run);
            match self.run {
                Run::Same(value) => last = Some(value),
                Run::Null => last = None,
                Run::Literal => {}
            }
        }
        // A column of nulls alone is left out.
        if rows > 0 && only_nulls {
            return Err(malformed);
        }
        Ok(rows)
    }

    /// Reads a literal run, telling whether no two neighbours are equal. Each literal takes a byte at least, so this
    /// ends with the input whatever length is declared.
    fn literals_differ(&mut self, last: &mut Option<T>) -> Result<bool, ChangeRefusal> {
        for _ in 0..self.left {
            let value = Some(T::read(&mut self.input, self.name)?);
            if value == *last {
                return Ok(false);
            }
            *last = value;
        }
        Ok(true)
    }

    /// The value of the run that the next row stands in, if it is a run of one value.
    pub(super) fn repeated(&self) -> Option<T> {
        match self.run {
            Run::Same(value) if self.left > 0 => Some(value),
            _ => None,
        }
    }

    /// Whether the next row stands in a run of `value`.
    pub(super) fn repeats(&self, value: T) -> bool {
        self.repeated() == Some(value)
    }

    /// Rows left in the run.
    pub(super) fn left(&self) -> u64 {
        self.left
    }

    /// How many rows from the next one on are known to be null without reading on.
    pub(super) fn nulls(&self) -> u64 {
        match self.run {
            Run::Null if self.left > 0 => self.left,
            _ if self.left == 0 && self.input.is_empty() => u64::MAX,
            _ => 0,
        }
    }

    /// Passes over rows of a run of one value or of nulls, at most those that are left in it.
    pub(super) fn skip(&mut self, rows: u64) {
        self.left = self.left.saturating_sub(rows);
    }

    /// The next row; past the end of the column every row is null.
    pub(super) fn next(&mut self) -> Result<Option<T>, ChangeRefusal> {
        if self.left == 0 {
            if self.input.is_empty() {
                return Ok(None);
            }
            self.header()?;
        }
        self.left -= 1;
        match self.run {
            Run::Same(value) => Ok(Some(value)),
            Run::Literal => T::read(&mut self.input, self.name).map(Some),
            Run::Null => Ok(None),
        }
    }
}

/// A run-length encoded column of differences.
#[derive(Clone, Debug)]
pub(super) struct Deltas<'a> {
    runs: Runs<'a, i64>,
    value: i64,
}

impl<'a> Deltas<'a> {
    pub(super) fn new(name: &'static str, bytes: &'a [u8]) -> Self {
        Self { runs: Runs::new(name, bytes), value: 0 }
    }

    pub(super) fn rows(self) -> Result<u64, ChangeRefusal> {
        self.runs.rows()
    }

    /// Whether the next row is `counter`, and those after it in the run go up by one each.
    pub(super) fn counts_up_from(&self, counter: u64) -> bool {
        self.runs.repeats(1) && u64::try_from(self.value).is_ok_and(|value| value.checked_add(1) == Some(counter))
    }

    /// Rows left in the run.
    pub(super) fn left(&self) -> u64 {
        self.runs.left()
    }

    /// Passes over rows that count up; see [`Deltas::counts_up_from`].
    pub(super) fn skip(&mut self, rows: u64) {
        self.runs.skip(rows);
        self.value = self.value.saturating_add(i64::try_from(rows).unwrap_or(i64::MAX));
    }

    /// The next row as a counter, which is never negative.
    pub(super) fn next(&mut self) -> Result<Option<u64>, ChangeRefusal> {
        let malformed = ChangeRefusal::Malformed(self.runs.name);
        let Some(delta) = self.runs.next()? else { return Ok(None) };
        self.value = self.value.checked_add(delta).ok_or(malformed.clone())?;
        u64::try_from(self.value).map(Some).map_err(|_| malformed)
    }
}

/// A column of booleans: lengths of runs that alternate, beginning with `false`.
#[derive(Clone, Debug)]
pub(super) struct Booleans<'a> {
    input: Reader<'a>,
    left: u64,
    value: bool,
}

impl<'a> Booleans<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        Self { input: Reader::new(bytes), left: 0, value: true }
    }

    pub(super) fn rows(mut self) -> Result<u64, ChangeRefusal> {
        let mut rows = 0u64;
        let mut first = true;
        while !self.input.is_empty() {
            let run = self.input.unsigned("insert")?;
            // Only the first run, of `false`, may be empty.
            if run == 0 && !first {
                return Err(ChangeRefusal::Malformed("insert"));
            }
            first = false;
            rows = rows.checked_add(run).ok_or(ChangeRefusal::Malformed("insert"))?;
        }
        Ok(rows)
    }

    /// Whether the next row stands in a run of `value`.
    pub(super) fn repeats(&self, value: bool) -> bool {
        self.left > 0 && self.value == value
    }

    /// Rows left in the run.
    pub(super) fn left(&self) -> u64 {
        self.left
    }

    /// Passes over rows of the run, at most those that are left in it.
    pub(super) fn skip(&mut self, rows: u64) {
        self.left = self.left.saturating_sub(rows);
    }

    pub(super) fn next(&mut self) -> Result<bool, ChangeRefusal> {
        while self.left == 0 {
            self.left = self.input.unsigned("insert")?;
            self.value = !self.value;
        }
        self.left -= 1;
        Ok(self.value)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn numbers_have_one_form() {
        let unsigned = |bytes: &[u8]| Reader::new(bytes).unsigned("x").ok();
        assert_eq!(unsigned(&[0]), Some(0));
        assert_eq!(unsigned(&[0x80, 0x01]), Some(128));
        assert_eq!(unsigned(&[0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01]), Some(u64::MAX));
        for bad in
            [&[0x80, 0x00][..], &[0x80], &[], &[0xff; 11], &[0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 2]]
        {
            assert_eq!(unsigned(bad), None, "{bad:?}");
        }
        let signed = |bytes: &[u8]| Reader::new(bytes).signed("x").ok();
        assert_eq!(signed(&[0x7f]), Some(-1));
        assert_eq!(signed(&[0x3f]), Some(63));
        assert_eq!(signed(&[0xc0, 0x00]), Some(64));
        assert_eq!(signed(&[0xc0, 0x7f]), None);
        assert_eq!(signed(&[0xbf, 0x7f]), Some(-65));
        assert_eq!(signed(&[0xff, 0x7f]), None);
        assert_eq!(signed(&[0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x7f]), Some(i64::MIN));
        assert_eq!(signed(&[0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x00]), Some(i64::MAX));
    }

    #[test]
    fn rows_are_summed_from_the_headers() {
        // A run of 2^40 ones: the sum is told at once, without going through them.
        let mut column = vec![0x80, 0x80, 0x80, 0x80, 0x80, 0x20, 0x01];
        assert_eq!(Runs::<u64>::new("x", &column).rows(), Ok(1 << 40));
        column.extend([0x00, 0x03, 0x7e, 0x05, 0x06]);
        assert_eq!(Runs::<u64>::new("x", &column).rows(), Ok((1 << 40) + 5));
        for (bytes, what) in [
            (&[0x00, 0x00][..], "an empty run"),
            (&[0x7e, 0x05], "a literal that is missing"),
            (&[0x00, 0x03], "nulls alone"),
            (&[0x01, 0x05], "a run of one"),
            (&[0x02, 0x05, 0x02, 0x05], "a run in two"),
            (&[0x02, 0x05, 0x7f, 0x05], "a literal like the run before it"),
            (&[0x7f, 0x05, 0x02, 0x05], "a run like the literal before it"),
            (&[0x7e, 0x05, 0x05], "equal literals"),
            (&[0x7f, 0x05, 0x7f, 0x06], "literals in two runs"),
            (&[0x7f, 0x05, 0x00, 0x01, 0x00, 0x01], "nulls in two runs"),
        ] {
            assert!(Runs::<u64>::new("x", bytes).rows().is_err(), "{what}");
        }
    }

    #[test]
    fn rows_come_in_order() {
        let mut runs = Runs::<u64>::new("x", &[0x02, 0x09, 0x00, 0x01, 0x7f, 0x04]);
        let rows: Vec<_> = (0..5).map(|_| runs.next().unwrap()).collect();
        assert_eq!(rows, [Some(9), Some(9), None, Some(4), None]);
        let mut booleans = Booleans::new(&[0x01, 0x02]);
        assert_eq!((0..3).map(|_| booleans.next().unwrap()).collect::<Vec<_>>(), [false, true, true]);
    }
}
