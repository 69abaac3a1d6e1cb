//! When was something taken up?

use tercet_types::Date;

/// Seconds of a day.
const DAY_SECONDS: i64 = 86_400;

/// Numbers from here on are seconds since 1970, those below count days.
const SECONDS_FROM: i64 = 100_000_000;

/// Numbers from here on are milliseconds since 1970.
const MILLISECONDS_FROM: i64 = 100_000_000_000;

/// The day, and the place within it, of a cell: a date, a date with a time, seconds or milliseconds since 1970, or the
/// number of a day. `None` when it is none of these.
pub(super) fn moment(cell: &str) -> Option<(i32, i64)> {
    let whole = cell.strip_suffix(".0").unwrap_or(cell);
    if let Ok(number) = whole.parse::<i64>() {
        let (unit, per_day) = match number.abs() {
            MILLISECONDS_FROM.. => (1, DAY_SECONDS * 1_000),
            SECONDS_FROM.. => (1, DAY_SECONDS),
            _ => (0, 1),
        };
        let day = i32::try_from(number.div_euclid(per_day)).ok()?;
        return Some((day, unit * number.rem_euclid(per_day)));
    }
    let day: Date = cell.get(..10)?.parse().ok()?;
    let rest = cell.get(10..).unwrap_or_default();
    let digits: String = rest.chars().filter(char::is_ascii_digit).collect();
    // Hours, minutes, seconds and what follows, left-aligned, so that texts of one length or another sort alike.
    let within = format!("{digits:0<18.18}").parse().ok()?;
    Some((day.days(), within))
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
        check("soon", None);
        check("", None);
        let early = moment("2017-09-04T07:10:28").unwrap();
        let late = moment("2017-09-04 07:10:28.5").unwrap();
        assert!(early.0 == 17_413 && early < late, "{early:?} {late:?}");
    }
}
