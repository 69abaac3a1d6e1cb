//! Which products do most customers buy, lately above all?

use serde::{Deserialize, Serialize};
use tercet_types::Result;

use super::everybody::{Everybody, buyers};
use crate::registry::{Axis, Configured, Range};
use crate::setting::check_setting;
use crate::{Fitted, Recommender, Training};

const ESTIMATOR: &str = "popular-decayed";

/// What one whole customer counts in sums of integers.
const ONE: f64 = 4_294_967_296.0;

/// Distinct customers, each counting `2^(−age / half_life)` of its last line of a product; the same for everybody.
///
/// Exponential forgetting: Ding & Li, "Time weight collaborative filtering", CIKM 2005,
/// doi:10.1145/1099554.1099689; in popularity: Ji et al., "A re-visit of the popularity baseline in recommender
/// systems", SIGIR 2020, doi:10.1145/3397271.3401233.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct DecayedPopularity {
    /// The age in days at which a customer counts half, `> 0`.
    pub half_life_days: f64,
}

impl Default for DecayedPopularity {
    fn default() -> Self {
        Self { half_life_days: 28.0 }
    }
}

impl Recommender for DecayedPopularity {
    fn name(&self) -> &'static str {
        ESTIMATOR
    }

    fn fit<'a>(&'a self, training: &Training<'a>) -> Result<Box<dyn Fitted + 'a>> {
        let half_life = self.half_life_days;
        check_setting(ESTIMATOR, "half_life_days", half_life, f64::MIN_POSITIVE..=36_500.0)?;
        training.check()?;
        let decayed = |day: i32| {
            let age_days = f64::from(training.as_of) - f64::from(day);
            Some(((-age_days / half_life).exp2() * ONE) as u64)
        };
        let sums = buyers(training, decayed);
        let scores = sums.iter().map(|sum| (*sum > 0).then_some(*sum as f64 / ONE));
        Ok(Box::new(Everybody(scores.collect())))
    }
}

impl Configured for DecayedPopularity {
    const NAME: &'static str = ESTIMATOR;
    const SPACE: &'static [Axis] =
        &[Axis { setting: "half_life_days", range: Range::LogReal(1.0, 3_650.0) }];
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::conformance;

    #[test]
    fn conforms() {
        conformance::check_recommender(&DecayedPopularity::default());
        conformance::check_recommender(&DecayedPopularity { half_life_days: 3.0 });
    }

    #[test]
    fn a_customer_counts_by_its_last_line() {
        let lines = [(0, 80, 0), (0, 90, 0), (1, 90, 0), (1, 80, 1), (2, 100, 1)];
        let two = DecayedPopularity { half_life_days: 10.0 };
        let scores = conformance::list_for_a_stranger(&two, &lines, 100);
        assert_eq!(scores, [(0, 1.0), (1, 0.25)]);
        let wrong = DecayedPopularity { half_life_days: 0.0 };
        assert_eq!(conformance::refusal(&wrong), "T0405");
    }
}
