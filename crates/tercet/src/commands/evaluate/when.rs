//! When was something taken up?

use std::collections::BTreeSet;

use tercet_types::{Date, Error, Result};

use crate::commands::uplift::table::day;

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

/// What a time may be.
const TIMES: &str = "a time is a date, a timestamp, seconds or milliseconds since 1970 and before 2200, or the number \
                     of a day, at most 100,000";

/// What the numbers of a column count.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Unit {
    Days,
    Seconds,
    Milliseconds,
}

impl Unit {
    /// How the column is read, in words.
    pub(super) const fn words(self) -> &'static str {
        match self {
            Self::Days => "numbers of days",
            Self::Seconds => "seconds since 1970",
            Self::Milliseconds => "milliseconds since 1970",
        }
    }
}

/// The times of a column, as they come.
#[derive(Default)]
pub(super) struct Times {
    units: BTreeSet<Unit>,
    /// The first day and the last one.
    days: Option<[i32; 2]>,
}

impl Times {
    /// The day, and the place within it, of a cell.
    ///
    /// # Errors
    /// `T1092` for what is no time, for digits that are a date as well as an instant, and for another unit than that
    /// of the rows before.
    pub(super) fn read(&mut self, cell: &str, column: &str, row: usize) -> Result<(i32, i64)> {
        let refused = |why: &str| {
            Error::data("T1092", format!("column '{column}': row {row} holds {cell}{why}"))
        };
        let (found, unit) = moment(cell).ok_or_else(|| refused("").hint(TIMES))?;
        if let Some(unit) = unit {
            if is_written_out(cell) {
                return Err(refused(", a date in digits or an instant")
                    .hint("write dates with a time as 2017-09-04 12:30"));
            }
            self.units.insert(unit);
            if self.units.len() > 1 {
                return Err(refused(", and others hold another unit").hint(TIMES));
            }
        }
        let [first, last] = self.days.unwrap_or([found.0; 2]);
        self.days = Some([first.min(found.0), last.max(found.0)]);
        Ok(found)
    }

    /// How numbers were taken, where there were any.
    pub(super) fn said(&self, column: &str) -> Option<String> {
        let (unit, [first, last]) = (self.units.first()?, self.days?);
        let range = match unit {
            Unit::Days => format!("{first} to {last}"),
            _ => format!("{} to {}", Date::from_days(first), Date::from_days(last)),
        };
        Some(format!("column '{column}' is read as {}: {range}", unit.words()))
    }
}

/// Whether digits are `YYYYMMDDHH` or `YYYYMMDDHHMM` as well as a number: as seconds they lie after 2030, as
/// milliseconds in 1976.
fn is_written_out(cell: &str) -> bool {
    let digits = cell.strip_suffix(".0").unwrap_or(cell);
    let (Some(date), Some(time)) = (digits.get(..8), digits.get(8..)) else { return false };
    let hour = time.get(..2).and_then(|hour| hour.parse::<u8>().ok());
    let minute = time.get(2..).map(|minute| minute.parse::<u8>().unwrap_or(0));
    let is_year = ("1900".."2200").contains(&&date[..4]);
    matches!(time.len(), 2 | 4)
        && is_year
        && day(date).is_some()
        && hour.is_some_and(|hour| hour < 24)
        && minute.is_some_and(|minute| minute < 60)
}

/// The day of a time that somebody typed.
pub(super) fn day_of(text: &str) -> Option<i32> {
    moment(text).map(|((day, _), _)| day)
}

/// The day, and the place within it, of a cell, and what it counts in where it is a number: a date, a date with a time,
/// seconds or milliseconds since 1970, or the number of a day. `None` when it is none of these, a day's number beyond
/// 100,000 or an instant beyond 2199.
fn moment(cell: &str) -> Option<((i32, i64), Option<Unit>)> {
    let whole = cell.strip_suffix(".0").unwrap_or(cell);
    if let Some(day) = day(whole) {
        return Some(((day.days(), within(whole)?), None));
    }
    let number: i64 = whole.parse().ok()?;
    let (unit, per_day, max) = match number.unsigned_abs() {
        MILLISECONDS_FROM.. => (Unit::Milliseconds, DAY_SECONDS * 1_000, INSTANT_UNTIL - 1),
        SECONDS_FROM.. => (Unit::Seconds, DAY_SECONDS, INSTANT_UNTIL - 1),
        _ => (Unit::Days, 1, DAY_MAX),
    };
    let day = i32::try_from(number.div_euclid(per_day)).ok()?;
    (-max..=max).contains(&day).then(|| ((day, number.rem_euclid(per_day)), Some(unit)))
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
        let check = |cell: &str, expect: Option<(i32, i64)>| {
            assert_eq!(moment(cell).map(|found| found.0), expect, "{cell}");
        };
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
        let early = moment("2017-09-04T07:10:28").unwrap().0;
        let late = moment("2017-09-04 07:10:28.5").unwrap().0;
        assert!(early.0 == 17_413 && early < late, "{early:?} {late:?}");
    }

    #[test]
    fn numbers_are_of_one_unit_that_is_said() {
        let read = |cells: &[&str]| {
            let mut times = Times::default();
            let mut read = |(row, cell): (usize, &&str)| times.read(cell, "t", row + 1);
            cells.iter().enumerate().try_for_each(|at| read(at).map(|_| ()))?;
            Ok(times.said("t"))
        };
        let said = |cells: &[&str]| read(cells).map_err(|error: Error| error.to_string());
        let check = |cells: &[&str], expect: &str| {
            let found = said(cells);
            let found = match &found {
                Ok(line) => line.as_deref().unwrap_or_default(),
                Err(error) => error,
            };
            assert!(found.contains(expect) && found.is_empty() == expect.is_empty(), "{found}");
        };
        check(&["2017-09-04", "20170905"], "");
        check(&["7", "3"], "numbers of days: 3 to 7");
        check(&["1504483201", "1504483201"], "seconds since 1970: 2017-09-04 to 2017-09-04");
        check(&["1504483201000"], "milliseconds since 1970");
        check(&["2017090412"], "a date in digits or an instant");
        check(&["201709041230"], "a date in digits or an instant");
        // No such hour or minute, month or century.
        check(&["2017090424"], "seconds since 1970: 2033");
        check(&["201709041260"], "milliseconds since 1970: 1976");
        check(&["2017130412"], "seconds since 1970");
        check(&["1504483201", "1504483201000"], "another unit");
        check(&["17413", "1504483201"], "row 2 holds 1504483201, and others");
    }
}
