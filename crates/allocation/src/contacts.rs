//! What do earlier offers to a customer mean for this week?
//!
//! Two hard limits: how many runs may reach a customer within a window, and how long a promotion is not
//! offered again. And a soft one: pressure, which every offer of an earlier week adds to and every week
//! takes from, has a price, so that a customer who had many offers lately gets another one only where it
//! brings enough.

use std::collections::BTreeSet;

use tercet_types::{DAYS_PER_WEEK, Date};

/// What earlier offers mean.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct ContactRules {
    /// The most runs that may reach a customer within `window_weeks`; 0 means no limit.
    pub contacts_max: u32,
    /// The window of `contacts_max`, weeks.
    pub window_weeks: u32,
    /// Weeks in which a customer does not get the same promotion again.
    pub repeat_gap_weeks: u32,
    /// What one offer more has to bring per offer of pressure, minor units; 0 means that pressure is free.
    pub pressure_price_minor: f64,
    /// The share of the pressure that a week leaves, 0 to 1.
    pub pressure_kept: f64,
}

impl ContactRules {
    /// Weeks whose offers still press are no more than these.
    pub const PRESSURE_WEEKS: u32 = 26;

    /// The weeks before a run whose offers the rules look at.
    pub fn weeks_looked_at(&self) -> u32 {
        let pressing = if self.pressure_price_minor > 0.0 { Self::PRESSURE_WEEKS } else { 0 };
        self.window_weeks.max(self.repeat_gap_weeks).max(pressing)
    }

    /// The most offers of a slate of so many slots to a customer with offers on these days.
    pub fn max_offers(&self, slots: usize, as_of: Date, offered: impl Iterator<Item = Date>) -> u8 {
        let days: BTreeSet<Date> =
            offered.filter(|day| is_within(*day, as_of, self.window_weeks)).collect();
        let is_used_up = self.contacts_max > 0 && days.len() as u64 >= u64::from(self.contacts_max);
        if is_used_up { 0 } else { u8::try_from(slots).unwrap_or(u8::MAX) }
    }

    /// True when a promotion that was offered on that day may not be offered again yet.
    pub fn is_repeat(&self, as_of: Date, offered: Date) -> bool {
        is_within(offered, as_of, self.repeat_gap_weeks)
    }

    /// What each further offer has to bring on top, minor units: the price times the pressure
    /// `Σ kept^weeks` over the offers made so many weeks ago, one date an offer.
    ///
    /// That is `f(t) = kept · f(t − 1) + offers(t)`, priced.
    pub fn contact_price_minor(&self, as_of: Date, offered: impl Iterator<Item = Date>) -> f32 {
        if self.pressure_price_minor <= 0.0 {
            return 0.0;
        }
        let pressing = offered.filter(|day| is_within(*day, as_of, Self::PRESSURE_WEEKS));
        let left = |day: Date| {
            let weeks = (as_of.days() - day.days()).div_euclid(DAYS_PER_WEEK);
            self.pressure_kept.clamp(0.0, 1.0).powi(weeks)
        };
        (self.pressure_price_minor * pressing.map(left).sum::<f64>()) as f32
    }
}

/// True for a day before the run, but no more than so many weeks.
fn is_within(day: Date, as_of: Date, weeks: u32) -> bool {
    day < as_of && day >= as_of.plus_days(-(weeks as i32) * DAYS_PER_WEEK)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn windows_and_pressure() {
        let rules = ContactRules {
            contacts_max: 2,
            window_weeks: 4,
            repeat_gap_weeks: 2,
            pressure_price_minor: 10.0,
            pressure_kept: 0.5,
        };
        let today = Date::from_days(20_000);
        let ago = |weeks: i32| today.plus_days(-weeks * DAYS_PER_WEEK);
        let check = |weeks: &[i32], max_offers: u8, price: f32| {
            let days = || weeks.iter().map(|weeks| ago(*weeks));
            assert_eq!(rules.max_offers(3, today, days()), max_offers, "{weeks:?}");
            assert_eq!(rules.contact_price_minor(today, days()), price, "{weeks:?}");
        };
        check(&[], 3, 0.0);
        check(&[1], 3, 5.0);
        // Offers of one run are one contact, but press each.
        check(&[1, 1, 1], 3, 15.0);
        check(&[1, 2], 0, 7.5);
        check(&[1, 4], 0, 5.625);
        check(&[1, 5], 3, 5.3125);
        check(&[27], 3, 0.0);
        assert!(rules.is_repeat(today, ago(2)) && !rules.is_repeat(today, ago(3)));
        assert_eq!(rules.weeks_looked_at(), 26);
        let hard = ContactRules { pressure_price_minor: 0.0, ..rules };
        assert_eq!(
            (hard.weeks_looked_at(), hard.contact_price_minor(today, [ago(1)].into_iter())),
            (4, 0.0)
        );
    }
}
