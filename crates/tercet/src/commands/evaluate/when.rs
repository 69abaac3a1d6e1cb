//! When was something taken up?

use std::ops::Range;

use tercet_types::Date;

use super::arguments::DataArguments;

/// Seconds of a day.
const DAY_SECONDS: i64 = 86_400;

/// Numbers from here on are seconds since 1970, those below count days.
const SECONDS_FROM: u64 = 100_000_000;

/// Numbers from here on are milliseconds since 1970.
const MILLISECONDS_FROM: u64 = 100_000_000_000;

/// The largest number of a day that is counted: larger ones were meant as something else.
const DAY_MAX: i32 = 100_000;

/// The day from which on no instant lies, 2200-01-01: numbers beyond are microseconds or written-out timestamps.
const INSTANT_UNTIL: i32 = 84_006;

impl DataArguments {
    /// The day of a cell of any table: `2017-09-04`, also with a time behind it, or `20170904`.
    pub(in crate::commands) fn day(cell: &str) -> Option<Date> {
        if cell.len() == 8 && cell.bytes().all(|byte| byte.is_ascii_digit()) {
            let number = |range: Range<usize>| cell.get(range)?.parse().ok();
            let year = cell.get(..4)?.parse().ok()?;
            return Date::from_civil(year, number(4..6)?, number(6..8)?);
        }
        let rest = cell.get(10..)?;
        let is_time = rest.is_empty() || rest.starts_with([' ', 'T']);
        cell.get(..10).filter(|_| is_time)?.parse().ok()
    }
}

/// The day, and the place within it, of a cell: a date, a date with a time, seconds or milliseconds since 1970, or the
/// number of a day. `None` when it is none of these, a day's number beyond 100,000 or an instant beyond 2199.
pub(super) fn moment(cell: &str) -> Option<(i32, i64)> {
    let whole = cell.strip_suffix(".0").unwrap_or(cell);
    if let Some(day) = DataArguments::day(whole) {
        return Some((day.days(), within(whole)?));
    }
    let number: i64 = whole.parse().ok()?;
    let (per_day, max) = match number.unsigned_abs() {
        MILLISECONDS_FROM.. => (DAY_SECONDS * 1_000, INSTANT_UNTIL - 1),
        SECONDS_FROM.. => (DAY_SECONDS, INSTANT_UNTIL - 1),
        _ => (1, DAY_MAX),
    };
    let day = i32::try_from(number.div_euclid(per_day)).ok()?;
    (-max..=max).contains(&day).then(|| (day, number.rem_euclid(per_day)))
}

/// The place within its day of a date with a time.
fn within(cell: &str) -> Option<i64> {
    let rest = cell.get(10..).unwrap_or_default();
    let digits: String = rest.chars().filter(char::is_ascii_digit).collect();
    // Hours, minutes, seconds and what follows, left-aligned, so that texts of one length or another sort alike.
    format!("{digits:0<18.18}").parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_dates_and_instants_are_told_apart() {
        let check =
            |cell: &str, expect: Option<(i32, i64)>| assert_eq!(moment(cell), expect, "{cell}");
        check("12", Some((12, 0)));
        check("17413", Some((17_413, 0)));
        check("2017-09-04", Some((17_413, 0)));
        check("1504483201", Some((17_413, 1)));
        check("1504483201000", Some((17_413, 1_000)));
        check("1504483201.0", Some((17_413, 1)));
        check("20170904", Some((17_413, 0)));
        check("20170904.0", Some((17_413, 0)));
        check("100000", Some((100_000, 0)));
        check("7258118399", Some((84_005, 86_399)));
        // No day, a timestamp in digits, microseconds, and instants beyond 2199.
        check("20171304", None);
        check("100001", None);
        check("7258118400", None);
        check("7258118400000", None);
        check("20240501123000", None);
        check("1504483201000000", None);
        check("-9223372036854775808", None);
        check("2017-09-044", None);
        check("soon", None);
        check("", None);
        let early = moment("2017-09-04T07:10:28").unwrap();
        let late = moment("2017-09-04 07:10:28.5").unwrap();
        assert!(early.0 == 17_413 && early < late, "{early:?} {late:?}");
    }

    #[test]
    fn days_are_read_in_two_ways() {
        let check = |cell: &str, expect: Option<&str>| {
            let found = DataArguments::day(cell).map(|day| day.to_string());
            assert_eq!(found.as_deref(), expect, "{cell}");
        };
        check("2017-09-04", Some("2017-09-04"));
        check("2017-09-04T23:59:59Z", Some("2017-09-04"));
        check("2017-09-04 23:59", Some("2017-09-04"));
        check("19970101", Some("1997-01-01"));
        check("19971301", None);
        check("2017-09-044", None);
        check("04.09.2017", None);
        check("1997", None);
        check("17–09–04", None);
    }
}
