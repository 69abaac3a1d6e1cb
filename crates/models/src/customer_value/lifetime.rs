//! What is a customer worth from here on?

use tercet_types::{Error, Result};

use super::{BgNbd, CustomerHistory, GammaGamma};

/// The most steps of a horizon.
const STEPS_MAX: f64 = 10_000.0;

/// The value of a customer's purchases in a time to come, later ones counting less.
///
/// Purchases expected in each step, times the expected value of one, discounted to now from the end of the step:
/// `Σ (E[Y(k)] − E[Y(k−1)]) · m / (1 + d)^tₖ`, as in Fader, Hardie, Lee, "RFM and CLV: using iso-value curves for
/// customer base analysis", 2005, doi:10.1509/jmkr.2005.42.4.415, and in `lifetimes`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct LifetimeValue {
    /// How far ahead, in the unit of time of the histories.
    pub horizon: f64,
    /// The steps in which purchases are discounted; the last may be shorter.
    pub step: f64,
    /// By how much a value falls when it comes one unit of time later: 0.01 for 1 %.
    pub discount: f64,
}

impl LifetimeValue {
    /// The value of one customer, in the unit of the histories' values.
    ///
    /// # Errors
    /// `T0405` for settings that make no sense; those of [`BgNbd::expected_purchases`] and
    /// [`GammaGamma::expected_value`].
    pub fn of(
        &self,
        customer: &CustomerHistory,
        purchases: &BgNbd,
        values: &GammaGamma,
    ) -> Result<f64> {
        let steps = self.steps()?;
        let (mut before, mut discounted) = (0.0, 0.0);
        for step in 1..=steps {
            let end = (f64::from(step) * self.step).min(self.horizon);
            let until = purchases.expected_purchases(customer, end)?;
            discounted += (until - before) / (1.0 + self.discount).powf(end);
            before = until;
        }
        Ok(discounted * values.expected_value(customer)?)
    }

    fn steps(&self) -> Result<u32> {
        let Self { horizon, step, discount } = *self;
        let steps = (horizon / step).ceil();
        let is_sound = horizon >= 0.0 && step > 0.0 && discount >= 0.0 && discount.is_finite();
        if is_sound && steps <= STEPS_MAX {
            return Ok(steps as u32);
        }
        Err(Error::config(
            "T0405",
            format!("lifetime value: horizon {horizon}, step {step}, discount {discount}"),
        )
        .hint("none is negative, the step is above 0 and no smaller than 1/10,000 of the horizon"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PURCHASES: BgNbd = BgNbd { r: 0.2426, alpha: 4.4135, a: 0.7929, b: 2.4258 };
    const VALUES: GammaGamma = GammaGamma { p: 6.249, q: 3.745, v: 15.448 };
    const CUSTOMER: CustomerHistory =
        CustomerHistory { frequency: 2, recency: 30.43, age: 38.86, mean_value: 22.0 };

    #[test]
    fn without_discount_it_is_purchases_times_value() {
        let value = |horizon, step, discount| {
            LifetimeValue { horizon, step, discount }.of(&CUSTOMER, &PURCHASES, &VALUES).unwrap()
        };
        let expect = PURCHASES.expected_purchases(&CUSTOMER, 39.0).unwrap()
            * VALUES.expected_value(&CUSTOMER).unwrap();
        assert!((value(39.0, 4.0, 0.0) - expect).abs() < 1e-9);
        assert!((value(39.0, 39.0, 0.01) - expect / 1.01_f64.powi(39)).abs() < 1e-9);
        assert!(value(39.0, 39.0, 0.01) < value(39.0, 4.0, 0.01));
        assert_eq!(value(0.0, 4.0, 0.01), 0.0);
    }

    #[test]
    fn settings_without_sense_are_refused() {
        let check = |horizon, step, discount| {
            let found =
                LifetimeValue { horizon, step, discount }.of(&CUSTOMER, &PURCHASES, &VALUES);
            assert_eq!(found.unwrap_err().code(), "T0405");
        };
        check(-1.0, 1.0, 0.0);
        check(f64::NAN, 1.0, 0.0);
        check(52.0, 0.0, 0.0);
        check(52.0, 1.0, -0.5);
        check(52.0, 0.000_1, 0.0);
        check(52.0, 1.0, f64::INFINITY);
    }
}
