//! Moments and durations for people: RFC 3339 in UTC, "3 min ago", `30s`.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use portolan_protocol::time::Timestamp;

const DAY_MS: u64 = 86_400_000;
/// The last moment that four digits of a year can write.
const LAST_MS: u64 = 253_402_300_799_999;

/// The present, by this machine's clock.
pub fn now() -> Timestamp {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Timestamp(u64::try_from(since.as_millis()).unwrap_or(u64::MAX))
}

/// A moment as RFC 3339 in UTC, to the second. Clocks of others may say anything, so moments past the year 9999 say so.
pub fn rfc3339(moment: Timestamp) -> String {
    if moment.0 > LAST_MS {
        return "after 9999".into();
    }
    let (year, month, day) = civil(moment.0 / DAY_MS);
    let seconds = moment.0 % DAY_MS / 1_000;
    format!("{year:04}-{month:02}-{day:02}T{:02}:{:02}:{:02}Z", seconds / 3_600, seconds / 60 % 60, seconds % 60)
}

/// The date of a day counted from 1970-01-01 (Howard Hinnant, "chrono-compatible low-level date algorithms").
fn civil(day: u64) -> (u64, u64, u64) {
    let shifted = day + 719_468;
    let (era, day_of_era) = (shifted / 146_097, shifted % 146_097);
    let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = if month_from_march < 10 { month_from_march + 3 } else { month_from_march - 9 };
    (era * 400 + year_of_era + u64::from(month <= 2), month, day)
}

/// The first moment of a day, a month or a year in UTC (`2026-01-31`, `2026-01`, `2026`), and the first one after it.
///
/// # Errors
/// What was expected.
pub fn parse_period(text: &str) -> Result<(Timestamp, Timestamp), String> {
    let wrong =
        || format!("`{text}` is not a day, a month or a year from 1970 on, such as 2026-01-31, 2026-01 or 2026");
    let digits = |part: &&str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    let parts: Vec<&str> = text.split('-').collect();
    let numbers: Option<Vec<u64>> = parts.iter().map(|part| part.parse().ok().filter(|_| digits(part))).collect();
    let moment = |year, month, day| Timestamp(days(year, month, day) * DAY_MS);
    match numbers.as_deref() {
        Some(&[year @ 1970..=9998]) => Ok((moment(year, 1, 1), moment(year + 1, 1, 1))),
        Some(&[year @ 1970..=9998, month @ 1..=12]) => {
            Ok((moment(year, month, 1), moment(year + month / 12, month % 12 + 1, 1)))
        }
        Some(&[year @ 1970..=9998, month @ 1..=12, day @ 1..=31]) => {
            let number = days(year, month, day);
            let is_day = civil(number) == (year, month, day);
            is_day.then_some((Timestamp(number * DAY_MS), Timestamp((number + 1) * DAY_MS))).ok_or_else(wrong)
        }
        _ => Err(wrong()),
    }
}

/// The number of a day from 1970 on, counted from 1970-01-01: the way back of [`civil`].
fn days(year: u64, month: u64, day: u64) -> u64 {
    let year = year - u64::from(month <= 2);
    let (era, year_of_era) = (year / 400, year % 400);
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    era * 146_097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year - 719_468
}

/// How long ago a moment was.
pub fn ago(moment: Timestamp, now: Timestamp) -> String {
    match now.since_ms(moment) {
        0..2_000 => tr!("just now"),
        ms => tr!("{} ago", long(ms)),
    }
}

/// A length of time in its largest unit.
pub fn long(ms: u64) -> String {
    match ms / 1_000 {
        s @ 0..120 => format!("{s} s"),
        s @ 120..7_200 => tr!("{} min", s / 60),
        s @ 7_200..172_800 => format!("{} h", s / 3_600),
        s => tr!("{} days", s / 86_400),
    }
}

/// Reads a duration such as `500ms`, `30s`, `5m`, `2h` or `1d`; a bare number is seconds.
///
/// # Errors
/// What was expected.
pub fn parse_duration(text: &str) -> Result<Duration, String> {
    let text = text.trim();
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let (number, unit) = text.split_at(digits);
    let ms_per_unit = match unit.trim() {
        "ms" => 1,
        "" | "s" => 1_000,
        "m" | "min" => 60_000,
        "h" => 3_600_000,
        "d" => DAY_MS,
        _ => return Err(expected()),
    };
    let number: u64 = number.parse().map_err(|_| expected())?;
    number.checked_mul(ms_per_unit).filter(|ms| *ms <= 365 * DAY_MS).map(Duration::from_millis).ok_or_else(expected)
}

fn expected() -> String {
    "expected a number with a unit, such as 500ms, 30s, 5m, 2h or 1d, a year at the most".into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_read_as_dates() {
        assert_eq!(rfc3339(Timestamp(0)), "1970-01-01T00:00:00Z");
        assert_eq!(rfc3339(Timestamp(951_782_400_000)), "2000-02-29T00:00:00Z");
        assert_eq!(rfc3339(Timestamp(1_735_689_599_999)), "2024-12-31T23:59:59Z");
        assert_eq!(rfc3339(Timestamp(LAST_MS)), "9999-12-31T23:59:59Z");
        assert_eq!(rfc3339(Timestamp(u64::MAX)), "after 9999");
    }

    #[test]
    fn durations_are_read_with_their_units() {
        let ms = |text: &str| parse_duration(text).map(|d| d.as_millis());
        assert_eq!(ms("30s"), Ok(30_000));
        assert_eq!(ms("30"), Ok(30_000));
        assert_eq!(ms("250ms"), Ok(250));
        assert_eq!(ms("5 min"), Ok(300_000));
        assert_eq!(ms("2h"), Ok(7_200_000));
        for wrong in ["", "s", "-1s", "1.5s", "1 week", "99999999999999999999s", "400d"] {
            assert!(ms(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn the_past_is_told_in_its_largest_unit() {
        let now = Timestamp(1_000_000_000);
        assert_eq!(ago(Timestamp(now.0 + 5), now), "just now");
        assert_eq!(ago(Timestamp(now.0 - 65_000), now), "65 s ago");
        assert_eq!(ago(Timestamp(now.0 - 3_600_000), now), "60 min ago");
        assert_eq!(ago(Timestamp(now.0 - 5 * DAY_MS), now), "5 days ago");
    }

    #[test]
    fn days_months_and_years_are_periods() {
        let shown = |text: &str| parse_period(text).map(|(first, end)| (rfc3339(first), rfc3339(end)));
        let period = |first: &str, end: &str| Ok((format!("{first}T00:00:00Z"), format!("{end}T00:00:00Z")));
        assert_eq!(shown("2024-02-29"), period("2024-02-29", "2024-03-01"));
        assert_eq!(shown("2025-12"), period("2025-12-01", "2026-01-01"));
        assert_eq!(shown("1970"), period("1970-01-01", "1971-01-01"));
        assert_eq!(shown("1970-01-01"), period("1970-01-01", "1970-01-02"));
        for wrong in ["", "2025-02-29", "1969", "2025-13", "2025-1-1-1", "+2025", "soon", "2025-00-01"] {
            assert!(parse_period(wrong).is_err(), "{wrong}");
        }
    }
}
