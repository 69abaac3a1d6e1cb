//! Which day is it, without a clock?

use std::fmt;
use std::str::FromStr;

use crate::{Error, Result};

/// Days in a week: the grain of a run.
pub const DAYS_PER_WEEK: i32 = 7;

/// A calendar day, proleptic Gregorian, stored as days since 1970-01-01 (Arrow's `Date32`).
///
/// ```
/// use tercet_types::Date;
/// let day: Date = "2017-09-04".parse().unwrap();
/// assert_eq!(day.days(), 17_413);
/// assert!(day.is_monday());
/// assert_eq!(day.plus_days(7).to_string(), "2017-09-11");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Date(i32);

impl Date {
    /// The day that lies `days` days after 1970-01-01.
    pub const fn from_days(days: i32) -> Self {
        Self(days)
    }

    /// Days since 1970-01-01.
    pub const fn days(self) -> i32 {
        self.0
    }

    /// The day `days` later; earlier when negative.
    pub const fn plus_days(self, days: i32) -> Self {
        Self(self.0 + days)
    }

    /// The Monday of this day's week: the day itself when it is a Monday.
    pub const fn monday(self) -> Self {
        // 1970-01-01 was a Thursday, so day −3 was a Monday.
        Self(self.0 - (self.0 + 3).rem_euclid(DAYS_PER_WEEK))
    }

    /// True on Mondays.
    pub const fn is_monday(self) -> bool {
        self.monday().0 == self.0
    }

    /// Year, month (1–12) and day (1–31).
    ///
    /// Source: H. Hinnant, "chrono-Compatible Low-Level Date Algorithms", `civil_from_days`.
    pub const fn civil(self) -> (i32, u32, u32) {
        let z = self.0 + 719_468;
        let era = z.div_euclid(146_097);
        let day_of_era = z.rem_euclid(146_097);
        let year_of_era =
            (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
        let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
        let shifted_month = (5 * day_of_year + 2) / 153;
        let day = day_of_year - (153 * shifted_month + 2) / 5 + 1;
        let month = if shifted_month < 10 { shifted_month + 3 } else { shifted_month - 9 };
        let year = year_of_era + era * 400 + if month <= 2 { 1 } else { 0 };
        (year, month as u32, day as u32)
    }

    /// The day of a year, month (1–12) and day (1–31); `None` when there is no such day.
    pub const fn from_civil(year: i32, month: u32, day: u32) -> Option<Self> {
        if month < 1 || month > 12 || day < 1 || day > 31 || year < -9999 || year > 9999 {
            return None;
        }
        let y = if month <= 2 { year - 1 } else { year };
        let era = y.div_euclid(400);
        let year_of_era = y.rem_euclid(400);
        let shifted_month = (month as i32 + 9) % 12;
        let day_of_year = (153 * shifted_month + 2) / 5 + day as i32 - 1;
        let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
        let date = Self(era * 146_097 + day_of_era - 719_468);
        // A day past the month's end lands in the next month: there was no such day.
        let (_, m, d) = date.civil();
        if m == month && d == day { Some(date) } else { None }
    }
}

impl fmt::Display for Date {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (year, month, day) = self.civil();
        write!(f, "{year:04}-{month:02}-{day:02}")
    }
}

impl FromStr for Date {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let mut parts = text.splitn(3, '-');
        let parsed = (|| {
            let year = parts.next()?.parse().ok()?;
            let month = parts.next()?.parse().ok()?;
            let day = parts.next()?.parse().ok()?;
            Self::from_civil(year, month, day)
        })();
        parsed.ok_or_else(|| {
            Error::config("T0101", format!("'{text}' is not a date"))
                .hint("write dates as YYYY-MM-DD, for example 2017-09-04")
        })
    }
}

impl serde::Serialize for Date {
    fn serialize<S: serde::Serializer>(
        &self,
        serializer: S,
    ) -> std::result::Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> serde::Deserialize<'de> for Date {
    fn deserialize<D: serde::Deserializer<'de>>(
        deserializer: D,
    ) -> std::result::Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_day_of_four_centuries_round_trips() {
        let mut previous = Date::from_civil(1799, 12, 31).unwrap();
        for days in previous.days() + 1..Date::from_civil(2200, 1, 1).unwrap().days() {
            let date = Date::from_days(days);
            let (y, m, d) = date.civil();
            assert_eq!(Date::from_civil(y, m, d), Some(date));
            assert_eq!(date.to_string().parse::<Date>().unwrap(), date);
            assert!(date.civil() > previous.civil());
            previous = date;
        }
    }

    #[test]
    fn impossible_days_are_refused() {
        for text in ["2017-02-29", "2017-13-01", "2017-00-10", "2017-06-31", "today", "2017-9", ""]
        {
            assert!(text.parse::<Date>().is_err(), "{text}");
        }
        assert!("2016-02-29".parse::<Date>().is_ok());
    }

    #[test]
    fn mondays() {
        let check = |day: &str, monday: &str| {
            assert_eq!(day.parse::<Date>().unwrap().monday().to_string(), monday);
        };
        check("2017-09-04", "2017-09-04");
        check("2017-09-10", "2017-09-04");
        check("1969-12-31", "1969-12-29");
        check("1970-01-01", "1969-12-29");
    }
}
