//! A light look at Extended Date/Time Format texts (ISO 8601-2, levels 0 and 1). The raw text is always what is kept.

/// Whether `text` looks like an EDTF date or interval: `2016-02`, `2020-11-03`, `201X`, `2016~/..`, `2021-21`.
///
/// It does not know how long a month is; a wrong "no" costs a warning, nothing else.
pub fn looks_like_edtf(text: &str) -> bool {
    let mut ends = text.split('/');
    match (ends.next(), ends.next(), ends.next()) {
        (Some(date), None, None) => is_date(date),
        (Some(from), Some(to), None) => is_end(from) && is_end(to) && (is_date(from) || is_date(to)),
        _ => false,
    }
}

/// The years that the ends of a date or an interval name; none where `text` does not look like one.
pub fn years(text: &str) -> Vec<u16> {
    if !looks_like_edtf(text) {
        return Vec::new();
    }
    text.split('/').filter_map(|date| date.get(..4)?.parse().ok()).collect()
}

fn is_end(text: &str) -> bool {
    text.is_empty() || text == ".." || is_date(text)
}

fn is_date(text: &str) -> bool {
    let (date, time) = text.split_once('T').map_or((text, None), |(date, time)| (date, Some(time)));
    if let Some(time) = time {
        return is_calendar_date(date) && date.len() == 10 && is_time(time);
    }
    is_calendar_date(date.trim_end_matches(['?', '~', '%']))
}

fn is_calendar_date(date: &str) -> bool {
    let mut parts = date.strip_prefix('-').unwrap_or(date).split('-');
    let year = parts.next().is_some_and(|year| year.len() == 4 && digits_or_unknown(year));
    let month = parts.next().is_none_or(|month| within(month, &[(1, 12), (21, 41)]));
    let day = parts.next().is_none_or(|day| within(day, &[(1, 31)]));
    year && month && day && parts.next().is_none()
}

fn within(part: &str, ranges: &[(u8, u8)]) -> bool {
    part.len() == 2
        && digits_or_unknown(part)
        && part.parse::<u8>().map_or(true, |number| ranges.iter().any(|&(low, high)| (low..=high).contains(&number)))
}

fn digits_or_unknown(part: &str) -> bool {
    part.bytes().all(|byte| byte.is_ascii_digit() || byte == b'X')
}

fn is_time(time: &str) -> bool {
    time.len() >= 8 && time.bytes().all(|byte| byte.is_ascii_digit() || matches!(byte, b':' | b'Z' | b'+' | b'-'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_source_texts_say_can_be_written() {
        for text in ["2016-02", "2020-11", "2020-11-03", "201X", "2016~", "2016/2020", "2016-02/..", "2021-21"] {
            assert!(looks_like_edtf(text), "{text}");
        }
        assert!(looks_like_edtf("2020-11-03T10:00:00Z"));
    }

    #[test]
    fn years_are_read_from_both_ends() {
        assert_eq!(years("2016-02"), [2016]);
        assert_eq!(years("2016~/2020-11"), [2016, 2020]);
        assert_eq!(years("../2020"), [2020]);
        for none in ["201X", "-0044", "février 2016", "", "+123"] {
            assert_eq!(years(none), [] as [u16; 0], "{none}");
        }
    }

    #[test]
    fn prose_is_noticed() {
        for text in ["", "/", "février 2016", "03 November 2020", "2020-13", "2020-11-32", "2020-1", "1/2/3"] {
            assert!(!looks_like_edtf(text), "{text}");
        }
    }
}
