//! Which products are new, and sell?

use rayon::prelude::*;
use serde::{Deserialize, Serialize};
use tercet_types::Result;

use super::everybody::{Everybody, buyers};
use crate::registry::{Axis, Configured, Range};
use crate::setting::check_setting;
use crate::{Fitted, Recommender, Training};

const ESTIMATOR: &str = "newly-launched";

/// Products first sold in the last `launch_days`, by early demand: `buyers / (days on sale + prior_days)`.
///
/// What was sold on the first day of the history was there before, and is not new. `prior_days` hold back what sold
/// well for a day or two.
/// Early sales foretell later ones: Goldenberg, Libai, Muller 2001, doi:10.1023/A:1011122126881.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct NewlyLaunched {
    /// For so many days a product is new, `>= 1`.
    pub launch_days: u32,
    /// The days without a buyer that every product has had besides, `>= 0`.
    pub prior_days: f64,
}

impl Default for NewlyLaunched {
    fn default() -> Self {
        Self { launch_days: 56, prior_days: 7.0 }
    }
}

impl Recommender for NewlyLaunched {
    fn name(&self) -> &'static str {
        ESTIMATOR
    }

    fn fit<'a>(&'a self, training: &Training<'a>) -> Result<Box<dyn Fitted + 'a>> {
        check_setting(ESTIMATOR, "launch_days", f64::from(self.launch_days), 1.0..=36_500.0)?;
        check_setting(ESTIMATOR, "prior_days", self.prior_days, 0.0..=36_500.0)?;
        training.check()?;
        let firsts = first_days(training);
        let opened = firsts.iter().flatten().copied().min();
        let oldest = i64::from(training.as_of) - i64::from(self.launch_days);
        let demand = |(first, buyers): (&Option<i32>, u64)| {
            let first = (*first).filter(|day| i64::from(*day) >= oldest && Some(*day) > opened)?;
            let on_sale = f64::from(training.as_of) - f64::from(first);
            Some(buyers as f64 / (on_sale + self.prior_days))
        };
        let buyers = buyers(training, |_| Some(1));
        Ok(Box::new(Everybody(firsts.iter().zip(buyers).map(demand).collect())))
    }
}

/// The day on which each product was first sold.
fn first_days(training: &Training<'_>) -> Vec<Option<i32>> {
    let products = training.history.products();
    let earlier = |a: Option<i32>, b: Option<i32>| a.into_iter().chain(b).min();
    let look = |mut firsts: Vec<Option<i32>>, customer: u32| {
        for line in training.lines(customer) {
            let first = &mut firsts[line.product as usize];
            *first = earlier(*first, Some(line.day));
        }
        firsts
    };
    let both = |a: Vec<Option<i32>>, b: Vec<Option<i32>>| {
        a.into_iter().zip(b).map(|(a, b)| earlier(a, b)).collect()
    };
    let customers = training.history.all_customers().with_min_len(1_024);
    customers.fold(|| vec![None; products], look).reduce(|| vec![None; products], both)
}

impl Configured for NewlyLaunched {
    const NAME: &'static str = ESTIMATOR;
    const SPACE: &'static [Axis] = &[
        Axis { setting: "launch_days", range: Range::LogWhole(7, 365) },
        Axis { setting: "prior_days", range: Range::Real(0.0, 60.0) },
    ];
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::conformance;

    #[test]
    fn conforms() {
        conformance::check_recommender(&NewlyLaunched::default());
        conformance::check_recommender(&NewlyLaunched { launch_days: 36_500, prior_days: 7.0 });
    }

    #[test]
    fn what_was_there_before_is_not_new() {
        let lines =
            [(0, 10, 0), (1, 40, 1), (0, 80, 2), (1, 81, 2), (1, 90, 2), (0, 90, 3), (0, 99, 0)];
        let check = |launch_days, expected: &[(u32, f64)]| {
            let estimator = NewlyLaunched { launch_days, prior_days: 10.0 };
            assert_eq!(conformance::list_for_a_stranger(&estimator, &lines, 100), expected);
        };
        check(20, &[(2, 2.0 / 30.0), (3, 1.0 / 20.0)]);
        check(90, &[(2, 2.0 / 30.0), (3, 1.0 / 20.0), (1, 1.0 / 70.0)]);
        check(19, &[(3, 1.0 / 20.0)]);
        assert_eq!(
            conformance::refusal(&NewlyLaunched { launch_days: 0, prior_days: 1.0 }),
            "T0405"
        );
    }
}
