//! Is the newest row recent enough?

use tercet_types::Date;

/// Why the newest row is too old, when it is.
pub(crate) fn freshness(newest: Option<Date>, as_of: Date, fresh_days: i32) -> Option<String> {
    let newest = newest?;
    let age_days = as_of.days() - newest.days();
    (age_days > fresh_days).then(|| {
        format!("the newest row is of {newest}, {age_days} days before {as_of}; {fresh_days} are allowed")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_allowed_day_is_fresh() {
        let day = Date::from_days;
        let check = |newest: i32, stale: bool| {
            assert_eq!(freshness(Some(day(newest)), day(100), 14).is_some(), stale, "{newest}");
        };
        check(99, false);
        check(86, false);
        check(85, true);
        assert_eq!(freshness(None, day(100), 14), None);
    }
}
