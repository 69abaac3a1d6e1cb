//! How often did each customer come back, until when, and for how much?

use std::collections::BTreeMap;

use rayon::prelude::*;
use tercet_types::{Error, Result};

use crate::Purchases;

/// The fewest customers that a model is fitted on.
pub(super) const CUSTOMERS_MIN: usize = 10;

/// The most repeat purchases of one customer.
pub(super) const FREQUENCY_MAX: u32 = 100_000;

/// What models of customer value know of a customer.
///
/// Times are in one unit, whichever it is; it is the unit of `alpha` and of horizons.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct CustomerHistory {
    /// Days with a purchase after the first such day.
    pub frequency: u32,
    /// From the first day to the last such day; 0 without a repeat purchase.
    pub recency: f64,
    /// From the first such day to the last day that was observed.
    pub age: f64,
    /// What was spent on a day, on average over the days after the first; 0 without a repeat purchase.
    pub mean_value: f64,
}

/// Histories of all customers up to the day before `as_of`, `None` where nothing was bought.
///
/// A day counts unless more was returned on it than bought; amounts are those of [`Purchases`], minor units. Times are
/// days over `days_per_unit`: 7 for weeks.
pub fn histories(
    purchases: &Purchases,
    as_of: i32,
    days_per_unit: f64,
) -> Vec<Option<CustomerHistory>> {
    let history = |customer: u32| {
        let lines = purchases.before(customer, as_of);
        let days = lines.chunk_by(|a, b| a.day == b.day);
        let mut bought = days
            .map(|day| (day[0].day, day.iter().map(|line| line.spend_minor).sum::<i64>()))
            .filter(|(_, spend_minor)| *spend_minor >= 0);
        let (first, _) = bought.next()?;
        let (mut frequency, mut last, mut spend_minor) = (0, first, 0.0);
        for (day, spend) in bought {
            frequency += 1;
            last = day;
            spend_minor += spend as f64;
        }
        let time = |day: i32| (f64::from(day) - f64::from(first)) / days_per_unit;
        Some(CustomerHistory {
            frequency,
            recency: time(last),
            age: time(as_of - 1),
            mean_value: if frequency > 0 { spend_minor / f64::from(frequency) } else { 0.0 },
        })
    };
    purchases.all_customers().map(history).collect()
}

/// Pearson's correlation of frequency and mean value over repeat buyers, which the Gamma-Gamma model holds to be
/// none; `None` where either does not differ.
pub fn likeness_of_frequency_and_value(customers: &[CustomerHistory]) -> Option<f64> {
    let repeat = || customers.iter().filter(|customer| customer.frequency > 0);
    let count = repeat().count() as f64;
    let mean = |of: fn(&CustomerHistory) -> f64| repeat().map(of).sum::<f64>() / count;
    let frequency = mean(|customer| f64::from(customer.frequency));
    let value = mean(|customer| customer.mean_value);
    let (mut both, mut of_frequency, mut of_value) = (0.0, 0.0, 0.0);
    for customer in repeat() {
        let (x, z) = (f64::from(customer.frequency) - frequency, customer.mean_value - value);
        both += x * z;
        of_frequency += x * x;
        of_value += z * z;
    }
    let scale = f64::sqrt(of_frequency * of_value);
    (scale > 0.0).then(|| both / scale)
}

/// How many customers have each frequency.
pub(super) fn counts(customers: &[CustomerHistory]) -> BTreeMap<u32, f64> {
    let mut counts = BTreeMap::new();
    for customer in customers {
        *counts.entry(customer.frequency).or_insert(0.0) += 1.0;
    }
    counts
}

impl CustomerHistory {
    /// # Errors
    /// `T0421` for what is no number, `T0422` for what is negative, `T0423` for a last purchase after the end or a
    /// recency that does not fit the frequency, `T0424` for more than 100,000 repeat purchases.
    pub(super) fn check(&self, place: usize) -> Result<()> {
        let named = [("recency", self.recency), ("age", self.age), ("mean value", self.mean_value)];
        for (name, value) in named {
            if !value.is_finite() {
                return Err(Error::data(
                    "T0421",
                    format!("customer {place}: {name} is {value}, not a number"),
                )
                .hint("leave the customer out, or mend what its history was made of"));
            }
            if value < 0.0 {
                return Err(Error::data(
                    "T0422",
                    format!("customer {place}: {name} is {value}, below 0"),
                )
                .hint("leave the customer out, or mend what its history was made of"));
            }
        }
        let Self { frequency, recency, age, .. } = *self;
        if recency > age || (frequency == 0) != (recency == 0.0) {
            return Err(Error::data(
                "T0423",
                format!(
                    "customer {place}: frequency {frequency}, recency {recency} and age {age} do not fit each other"
                ),
            )
            .hint("recency is 0 without a repeat purchase alone, and no more than the age"));
        }
        if frequency > FREQUENCY_MAX {
            return Err(Error::data(
                "T0424",
                format!("customer {place}: {frequency} repeat purchases, at most {FREQUENCY_MAX}"),
            )
            .hint("days with a purchase count once: is this one customer?"));
        }
        Ok(())
    }
}

/// # Errors
/// Those of [`CustomerHistory::check`]; `T0425` for fewer than ten customers, `T0426` when nobody came back.
pub(super) fn check(customers: &[CustomerHistory]) -> Result<()> {
    let wrong = |(place, one): (usize, &CustomerHistory)| one.check(place).err();
    if let Some(error) = customers.par_iter().enumerate().find_map_first(wrong) {
        return Err(error);
    }
    if customers.len() < CUSTOMERS_MIN {
        return Err(Error::data(
            "T0425",
            format!("{} customers, at least {CUSTOMERS_MIN} are needed", customers.len()),
        )
        .hint("a distribution over customers is not seen in so few"));
    }
    if customers.iter().all(|customer| customer.frequency == 0) {
        return Err(Error::data("T0426", "no customer bought a second time")
            .hint("give a longer history: when customers come back is what is learnt from"));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Purchase;

    #[test]
    fn days_count_once_returns_and_the_future_not_at_all() {
        let line = |day, order, spend_minor| Purchase { day, order, product: 0, spend_minor };
        let lines = vec![
            (0, line(10, 1, 500)),
            (0, line(24, 2, 300)),
            (0, line(24, 3, 100)),
            (0, line(25, 4, -900)),
            (0, line(31, 5, 200)),
            (0, line(52, 6, 100)),
            (2, line(51, 1, 100)),
        ];
        let purchases = Purchases::new(3, 1, lines).unwrap();
        let expect =
            CustomerHistory { frequency: 2, recency: 3.0, age: 41.0 / 7.0, mean_value: 300.0 };
        let newest = CustomerHistory::default();
        assert_eq!(histories(&purchases, 52, 7.0), [Some(expect), None, Some(newest)]);
    }

    #[test]
    fn what_is_wrong_with_a_history_has_a_code() {
        let good = CustomerHistory { frequency: 2, recency: 3.0, age: 5.0, mean_value: 1.0 };
        let check = |customer: CustomerHistory, code: Option<&str>| {
            let found = super::check(&[good, customer].repeat(CUSTOMERS_MIN));
            assert_eq!(found.err().map(|error| error.code()), code, "{customer:?}");
        };
        check(good, None);
        check(CustomerHistory { frequency: 0, recency: 0.0, ..good }, None);
        check(CustomerHistory { age: f64::NAN, ..good }, Some("T0421"));
        check(CustomerHistory { mean_value: f64::INFINITY, ..good }, Some("T0421"));
        check(CustomerHistory { recency: -1.0, ..good }, Some("T0422"));
        check(CustomerHistory { recency: 6.0, ..good }, Some("T0423"));
        check(CustomerHistory { frequency: 0, ..good }, Some("T0423"));
        check(CustomerHistory { recency: 0.0, ..good }, Some("T0423"));
        check(CustomerHistory { frequency: u32::MAX, ..good }, Some("T0424"));
        let code = |customers: &[CustomerHistory]| super::check(customers).unwrap_err().code();
        assert_eq!(code(&[]), "T0425");
        assert_eq!(code(&[good]), "T0425");
        assert_eq!(code(&[CustomerHistory { frequency: 0, recency: 0.0, ..good }; 20]), "T0426");
    }

    #[test]
    fn likeness_is_that_of_repeat_buyers() {
        let one =
            |frequency, mean_value| CustomerHistory { frequency, mean_value, ..Default::default() };
        let found =
            likeness_of_frequency_and_value(&[one(1, 2.0), one(0, 99.0), one(2, 1.0), one(3, 0.0)]);
        assert!((found.unwrap() + 1.0).abs() < 1e-12);
        assert_eq!(likeness_of_frequency_and_value(&[one(1, 2.0), one(2, 2.0)]), None);
        assert_eq!(likeness_of_frequency_and_value(&[]), None);
    }
}
