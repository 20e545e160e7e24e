//! Extended Date/Time Format (ISO 8601-2): levels 0 and 1, and of level 2 the seasons, unknown digits anywhere and
//! qualifiers of single parts. The raw text is always what is kept; a wrong "no" costs a warning, nothing else.
//!
//! Written here because the one crate there is (`edtf` 0.2, MPL-2.0) is old; see `docs/decisions/record-schema.md`.

use std::fmt;

/// Parts of a date that say how sure it is: uncertain, approximate, both.
const QUALIFIERS: [char; 3] = ['?', '~', '%'];

/// The years that a bound without an end stands for.
const YEAR_MIN: i32 = -999_999_999;
const YEAR_MAX: i32 = 999_999_999;

/// A day of the proleptic Gregorian calendar, for comparing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Day {
    /// The year; 0 is the year before 1.
    pub year: i32,
    /// 1 to 12.
    pub month: u8,
    /// 1 to 31.
    pub day: u8,
}

impl Day {
    /// Before every day that can be written.
    pub const MIN: Day = Day { year: YEAR_MIN, month: 1, day: 1 };
    /// After every day that can be written.
    pub const MAX: Day = Day { year: YEAR_MAX, month: 12, day: 31 };
}

impl fmt::Display for Day {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = if self.year < 0 { "-" } else { "" };
        write!(f, "{sign}{:04}-{:02}-{:02}", self.year.unsigned_abs(), self.month, self.day)
    }
}

/// Whether `text` is an EDTF date or interval: `2016-02`, `2020-11-03`, `201X`, `2016~/..`, `2021-21`.
pub fn is_edtf(text: &str) -> bool {
    edtf_bounds(text).is_some()
}

/// The first and the last day that an EDTF text may mean, for filters by a range of dates; `None` where it is none.
///
/// An open or unknown end of an interval is [`Day::MIN`] or [`Day::MAX`]. Qualifiers do not widen. A season that does not
/// say its hemisphere is its whole year.
pub fn edtf_bounds(text: &str) -> Option<(Day, Day)> {
    let mut ends = text.split('/');
    match (ends.next(), ends.next(), ends.next()) {
        (Some(date), None, None) => date_bounds(date),
        (Some(from), Some(to), None) => {
            let is_open = |end: &str| end.is_empty() || end == "..";
            match (is_open(from), is_open(to)) {
                (true, true) => None,
                (true, false) => Some((Day::MIN, date_bounds(to)?.1)),
                (false, true) => Some((date_bounds(from)?.0, Day::MAX)),
                (false, false) => {
                    let (from, to) = (date_bounds(from)?, date_bounds(to)?);
                    (from.0 <= to.1).then_some((from.0, to.1))
                }
            }
        }
        _ => None,
    }
}

/// The years of the first and the last day that an EDTF text may mean; none where it is none, or where an end is open.
pub fn years(text: &str) -> Vec<u16> {
    let Some((first, last)) = edtf_bounds(text) else { return Vec::new() };
    let mut years: Vec<u16> = [first, last].iter().filter_map(|day| u16::try_from(day.year).ok()).collect();
    years.dedup();
    years
}

fn date_bounds(text: &str) -> Option<(Day, Day)> {
    if let Some((date, time)) = text.split_once('T') {
        let complete = date.len() == 10 && date.bytes().all(|byte| byte.is_ascii_digit() || byte == b'-');
        return (complete && is_time(time)).then(|| calendar_bounds(date)).flatten();
    }
    if let Some(year) = text.strip_prefix('Y') {
        return long_year(year.trim_end_matches(QUALIFIERS));
    }
    calendar_bounds(text)
}

/// `Y-17000`: a year of more than four digits.
fn long_year(text: &str) -> Option<(Day, Day)> {
    let digits = text.strip_prefix('-').unwrap_or(text);
    let plain = (5..=9).contains(&digits.len()) && digits.bytes().all(|byte| byte.is_ascii_digit());
    let year = text.parse::<i32>().ok().filter(|_| plain && !digits.starts_with('0'))?;
    Some((Day { year, month: 1, day: 1 }, Day { year, month: 12, day: 31 }))
}

fn calendar_bounds(text: &str) -> Option<(Day, Day)> {
    let (negative, text) = text.strip_prefix('-').map_or((false, text), |rest| (true, rest));
    let mut parts = text.split('-').map(unqualified);
    let year = Pattern::read(parts.next()??, 4)?;
    let month = parts.next().map(|part| Pattern::read(part?, 2)).map_or(Some(None), |part| part.map(Some))?;
    let day = parts.next().map(|part| Pattern::read(part?, 2)).map_or(Some(None), |part| part.map(Some))?;
    if parts.next().is_some() || (negative && year.is_zero()) {
        return None;
    }
    match (month, day) {
        (Some(season), None) if season.exact().is_some_and(|number| number >= 21) => {
            season_bounds(year.years(negative), season.exact()?)
        }
        (month, day) => {
            let matching = Matching {
                months: (1..=12).filter(|number| month.is_none_or(|month| month.matches(*number))).collect(),
                days: (1..=31).filter(|number| day.is_none_or(|day| day.matches(*number))).collect(),
            };
            let years = year.years(negative);
            let first = years.iter().find_map(|year| matching.first(*year))?;
            Some((first, years.iter().rev().find_map(|year| matching.last(*year))?))
        }
    }
}

/// `part` without one qualifier before it and one behind it.
fn unqualified(part: &str) -> Option<&str> {
    let part = part.strip_prefix(QUALIFIERS).unwrap_or(part);
    let part = part.strip_suffix(QUALIFIERS).unwrap_or(part);
    (!part.is_empty()).then_some(part)
}

/// Digits, of which some may be unknown.
#[derive(Clone, Copy)]
struct Pattern<'a>(&'a [u8]);

impl<'a> Pattern<'a> {
    fn read(text: &'a str, length: usize) -> Option<Self> {
        let fits = text.len() == length && text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'X');
        fits.then_some(Pattern(text.as_bytes()))
    }

    fn exact(self) -> Option<u16> {
        self.0.iter().try_fold(0, |number, byte| byte.is_ascii_digit().then(|| number * 10 + u16::from(byte - b'0')))
    }

    fn is_zero(self) -> bool {
        self.exact() == Some(0)
    }

    fn matches(self, number: u16) -> bool {
        let digits = self.0.iter().rev();
        let mut rest = number;
        for digit in digits {
            if *digit != b'X' && u16::from(digit - b'0') != rest % 10 {
                return false;
            }
            rest /= 10;
        }
        rest == 0
    }

    /// The years that match, earliest first.
    fn years(self, negative: bool) -> Vec<i32> {
        let matching = (0..=9_999u16).filter(|year| self.matches(*year)).map(i32::from);
        match negative {
            true => matching.rev().map(|year| -year).collect(),
            false => matching.collect(),
        }
    }
}

/// The months and days that a date's patterns allow.
struct Matching {
    months: Vec<u16>,
    days: Vec<u16>,
}

impl Matching {
    fn first(&self, year: i32) -> Option<Day> {
        self.months.iter().find_map(|month| day_of(year, *month, *self.days.first()?))
    }

    fn last(&self, year: i32) -> Option<Day> {
        self.months.iter().rev().find_map(|month| self.days.iter().rev().find_map(|day| day_of(year, *month, *day)))
    }
}

fn day_of(year: i32, month: u16, day: u16) -> Option<Day> {
    let (month, day) = (u8::try_from(month).ok()?, u8::try_from(day).ok()?);
    (day <= month_days(year, month)).then_some(Day { year, month, day })
}

fn month_days(year: i32, month: u8) -> u8 {
    let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    match month {
        4 | 6 | 9 | 11 => 30,
        2 if leap => 29,
        2 => 28,
        _ => 31,
    }
}

/// ISO 8601-2: 21 to 24 seasons anywhere, 25 to 28 north, 29 to 32 south, 33 to 36 quarters, 37 to 39 thirds, 40 and 41
/// halves of a year.
fn season_bounds(years: Vec<i32>, season: u16) -> Option<(Day, Day)> {
    // The first month and the number of months. Winter in the north and summer in the south end in the next year.
    let (first, months) = match season {
        21..=24 => (1, 12),
        25..=28 => (3 + 3 * (season - 25), 3),
        29..=32 => ([9, 12, 3, 6].into_iter().nth(usize::from(season - 29))?, 3),
        33..=36 => (1 + 3 * (season - 33), 3),
        37..=39 => (1 + 4 * (season - 37), 4),
        40..=41 => (1 + 6 * (season - 40), 6),
        _ => return None,
    };
    let last = first + months - 1;
    let (from, to) = (*years.first()?, *years.last()? + i32::from(last > 12));
    let last = u8::try_from(if last > 12 { last - 12 } else { last }).ok()?;
    Some((day_of(from, first, 1)?, Day { year: to, month: last, day: month_days(to, last) }))
}

/// `10:00:00`, with `Z`, `+01` or `+01:00` behind it or nothing.
fn is_time(text: &str) -> bool {
    let at = text.find(['Z', '+', '-']).unwrap_or(text.len());
    let (time, zone) = text.split_at(at);
    let number = |part: &str, below: u8| {
        part.len() == 2
            && part.bytes().all(|byte| byte.is_ascii_digit())
            && part.parse::<u8>().is_ok_and(|number| number < below)
    };
    let parts: Vec<&str> = time.split(':').collect();
    let is_clock =
        matches!(*parts, [hour, minute, second] if number(hour, 24) && number(minute, 60) && number(second, 60));
    let is_zone = match zone.strip_prefix(['+', '-']) {
        Some(offset) => match offset.split_once(':') {
            Some((hours, minutes)) => number(hours, 15) && number(minutes, 60),
            None => number(offset, 15),
        },
        None => zone.is_empty() || zone == "Z",
    };
    is_clock && is_zone
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn bounds(text: &str) -> String {
        edtf_bounds(text).map(|(first, last)| format!("{first} {last}")).unwrap_or_default()
    }

    #[test]
    fn years_are_read_from_both_ends() {
        assert_eq!(years("2016-02"), [2016]);
        assert_eq!(years("2016~/2020-11"), [2016, 2020]);
        assert_eq!(years("../2020"), [2020]);
        assert_eq!(years("201X"), [2010, 2019]);
        for none in ["-0044", "février 2016", "", "+123"] {
            assert_eq!(years(none), [] as [u16; 0], "{none}");
        }
    }

    #[test]
    fn dates_and_what_they_may_mean() {
        for (text, expected) in [
            ("2016", "2016-01-01 2016-12-31"),
            ("2016-02", "2016-02-01 2016-02-29"),
            ("2020-11-03", "2020-11-03 2020-11-03"),
            ("201X", "2010-01-01 2019-12-31"),
            ("20XX-02", "2000-02-01 2099-02-28"),
            ("201X-02-29", "2012-02-29 2016-02-29"),
            ("2004-XX-31", "2004-01-31 2004-12-31"),
            ("2004-1X", "2004-10-01 2004-12-31"),
            ("2016~", "2016-01-01 2016-12-31"),
            ("?2004-06-~11", "2004-06-11 2004-06-11"),
            ("2016/2020", "2016-01-01 2020-12-31"),
            ("2018-03-03/2018-03-05", "2018-03-03 2018-03-05"),
            ("2021-21", "2021-01-01 2021-12-31"),
            ("2021-28", "2021-12-01 2022-02-28"),
            ("2021-30", "2021-12-01 2022-02-28"),
            ("2021-34", "2021-04-01 2021-06-30"),
            ("2021-41", "2021-07-01 2021-12-31"),
            ("-0044-03-15", "-0044-03-15 -0044-03-15"),
            ("-004X", "-0049-01-01 -0040-12-31"),
            ("Y-17000", "-17000-01-01 -17000-12-31"),
            ("2020-11-03T10:00:00Z", "2020-11-03 2020-11-03"),
            ("2020-11-03T10:00:00+01:00", "2020-11-03 2020-11-03"),
        ] {
            assert_eq!(bounds(text), expected, "{text}");
        }
        assert_eq!(edtf_bounds("2016-02/..").map(|(_, last)| last), Some(Day::MAX));
        assert_eq!(edtf_bounds("/2016-02%").map(|(first, last)| (first, last.day)), Some((Day::MIN, 29)));
    }

    #[test]
    fn what_is_no_date_is_noticed() {
        for text in [
            "",
            "/",
            "../..",
            "février 2016",
            "03 November 2020",
            "2020-13",
            "2020-11-32",
            "2020-1",
            "1/2/3",
            "2019-02-29",
            "1900-02-29",
            "2021-04-31",
            "2021-00",
            "2021-01-00",
            "2021-42",
            "2021-20",
            "2021-21-01",
            "2020/2016",
            "-0000",
            "2016??",
            "2016-",
            "+2016",
            "Y2016",
            "2020-11-03T25:00:00",
            "2020-11-XXT10:00:00",
            "2020-11-03T10:00",
            "XXXX-02-30",
            "2020-11-03T10:00:00Zx",
        ] {
            assert!(!is_edtf(text), "{text}");
        }
    }

    proptest! {
        #[test]
        fn bounds_are_in_order_and_no_text_does_harm(text in "-?[0-9X]{4}(-[0-3X][0-9X]){0,2}[?~%]?(/[0-9.X-]{0,10})?|.{0,20}") {
            if let Some((first, last)) = edtf_bounds(&text) {
                prop_assert!(first <= last, "{}", text);
            }
        }

        #[test]
        fn a_day_is_its_own_bounds(year in 1..9_999i32, month in 1..13u8, day in 1..29u8) {
            let day = Day { year, month, day };
            prop_assert_eq!(edtf_bounds(&day.to_string()), Some((day, day)));
        }
    }
}
