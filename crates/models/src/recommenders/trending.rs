//! Which products are bought more of late than their past lets one expect?

use serde::{Deserialize, Serialize};
use tercet_types::Result;

use super::everybody::{Everybody, buyers};
use crate::registry::{Axis, Configured, Range};
use crate::setting::check_setting;
use crate::{Fitted, Recommender, Training};

const ESTIMATOR: &str = "trending";

/// Growth of the recent window against expectation, drawn towards none: `(buyers + prior) / (expected + prior)`.
///
/// `buyers` are distinct customers of the last `recent_days`; `expected` are those of the `past_days` before them, in
/// the proportion of all buyers then and now: a busy week of the shop is no trend of its products.
/// Only products that somebody bought of late have a score.
/// The gamma-Poisson shrinkage of DuMouchel 1999, doi:10.1080/00031305.1999.10474456, with a given prior.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Trending {
    /// The days before the as-of day that are recent, `>= 1`.
    pub recent_days: u32,
    /// The days before those that expectation comes from, `>= 1`.
    pub past_days: u32,
    /// How many buyers, as expected, every product has besides, `> 0`.
    pub prior_buyers: f64,
}

impl Default for Trending {
    fn default() -> Self {
        Self { recent_days: 14, past_days: 84, prior_buyers: 20.0 }
    }
}

impl Recommender for Trending {
    fn name(&self) -> &'static str {
        ESTIMATOR
    }

    fn fit<'a>(&'a self, training: &Training<'a>) -> Result<Box<dyn Fitted + 'a>> {
        check_setting(ESTIMATOR, "recent_days", f64::from(self.recent_days), 1.0..=36_500.0)?;
        check_setting(ESTIMATOR, "past_days", f64::from(self.past_days), 1.0..=36_500.0)?;
        check_setting(ESTIMATOR, "prior_buyers", self.prior_buyers, f64::MIN_POSITIVE..=1e9)?;
        training.check()?;
        let turn = i64::from(training.as_of) - i64::from(self.recent_days);
        let start = turn - i64::from(self.past_days);
        let recent = buyers(training, |day| (i64::from(day) >= turn).then_some(1));
        let past = buyers(training, |day| (start..turn).contains(&i64::from(day)).then_some(1));
        let all = |counts: &[u64]| counts.iter().sum::<u64>() as f64;
        let pace = if all(&past) > 0.0 { all(&recent) / all(&past) } else { 0.0 };
        let growth = |(recent, past): (&u64, &u64)| {
            let expected = *past as f64 * pace + self.prior_buyers;
            (*recent > 0).then(|| (*recent as f64 + self.prior_buyers) / expected)
        };
        Ok(Box::new(Everybody(recent.iter().zip(&past).map(growth).collect())))
    }
}

impl Configured for Trending {
    const NAME: &'static str = ESTIMATOR;
    const SPACE: &'static [Axis] = &[
        Axis { setting: "recent_days", range: Range::LogWhole(1, 60) },
        Axis { setting: "past_days", range: Range::LogWhole(7, 365) },
        Axis { setting: "prior_buyers", range: Range::LogReal(1.0, 1_000.0) },
    ];
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::conformance;

    #[test]
    fn conforms() {
        conformance::check_recommender(&Trending::default());
        conformance::check_recommender(&Trending {
            recent_days: 100,
            past_days: 36_500,
            prior_buyers: 0.5,
        });
    }

    #[test]
    fn growth_is_against_the_pace_of_the_shop() {
        // Of late twice as many buy as before: product 0 as before, product 1 three times as much, product 2 is gone.
        let mut lines = vec![(0, 80, 0), (1, 80, 0), (2, 81, 1), (3, 82, 2), (9, 79, 1)];
        lines.extend((0..5).map(|customer| (customer, 95, 0)));
        lines.extend((5..8).map(|customer| (customer, 96, 1)));
        let week = Trending { recent_days: 10, past_days: 11, prior_buyers: 1.0 };
        let scores = conformance::list_for_a_stranger(&week, &lines, 101);
        assert_eq!(scores, [(1, 4.0 / 3.0), (0, 6.0 / 5.0)]);
        let wrong = Trending { recent_days: 0, ..week };
        assert_eq!(conformance::refusal(&wrong), "T0405");
    }
}
