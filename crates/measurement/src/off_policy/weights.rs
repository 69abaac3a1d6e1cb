//! What do the weights look like, and can they be right?

use std::collections::BTreeMap;

use serde::Serialize;

/// Weights whose mean lies so many standard errors from 1 are wrong, or too few.
pub const GUARD_ERRORS: f64 = 4.0;

/// How far from 1 the mean of weights that are all alike may lie.
const GUARD_SLACK: f64 = 1e-9;

/// What the weights of a log look like.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct WeightFacts {
    /// Rounds.
    pub rounds: u64,
    /// Units that do not affect each other, such as customers.
    pub units: u64,
    /// The mean, which is 1 in expectation where the log could have done all that the policy would do.
    pub mean: f64,
    /// Its standard error.
    pub mean_error: f64,
    /// True when the mean lies within [`GUARD_ERRORS`] standard errors of 1.
    pub are_fair: bool,
    /// `(Σ w)² / Σ w²`: as many rounds of the policy's own would say as much (Kish 1965).
    pub effective_rounds: f64,
    /// The largest.
    pub max: f64,
    /// The share of rounds that weigh nothing: the policy would not have done what was done.
    pub zero_share: f64,
    /// The median, within half a per cent, as the other quantiles.
    pub median: f64,
    /// Nine rounds of ten weigh at most this.
    pub q90: f64,
    /// 99 rounds of a hundred weigh at most this.
    pub q99: f64,
    /// 999 rounds of a thousand weigh at most this.
    pub q999: f64,
}

/// Sums of weights, and a sketch of their quantiles: counts in buckets that grow by a constant factor
/// (DDSketch, Masson, Rim and Lee 2019, doi:10.14778/3352063.3352135).
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct WeightSums {
    rounds: u64,
    squares: f64,
    max: Option<f64>,
    buckets: BTreeMap<i32, u64>,
}

/// Buckets grow by a hundredth: a value is known within half a per cent.
const GROWTH: f64 = 1.01;

/// Above the number of any bucket of a finite number.
const SHIFT: i32 = 1 << 20;

impl WeightSums {
    pub(super) fn add(&mut self, weight: f64) {
        self.rounds += 1;
        self.squares += weight * weight;
        self.max = Some(self.max.map_or(weight, |max| max.max(weight)));
        *self.buckets.entry(bucket(weight)).or_insert(0) += 1;
    }

    pub(super) fn merge(&mut self, other: &Self) {
        self.rounds += other.rounds;
        self.squares += other.squares;
        self.max = match (self.max, other.max) {
            (Some(own), Some(theirs)) => Some(own.max(theirs)),
            (own, theirs) => own.or(theirs),
        };
        for (bucket, count) in &other.buckets {
            *self.buckets.entry(*bucket).or_insert(0) += count;
        }
    }

    /// True when no round weighs anything.
    pub(super) fn are_zero(&self) -> bool {
        self.squares == 0.0
    }

    /// The largest; 0 without rounds.
    pub(super) fn max(&self) -> f64 {
        self.max.unwrap_or(0.0)
    }

    /// The mean of the squares.
    pub(super) fn mean_square(&self) -> f64 {
        self.squares / self.rounds as f64
    }

    /// The facts, given the sum of the weights and the standard error of their mean, which knows of units.
    pub(super) fn facts(&self, units: u64, sum: f64, mean_error: f64) -> WeightFacts {
        let mean = sum / self.rounds as f64;
        let off = (mean - 1.0).abs();
        let zeros = self.buckets.get(&0).copied().unwrap_or(0);
        WeightFacts {
            rounds: self.rounds,
            units,
            mean,
            mean_error,
            are_fair: off <= GUARD_SLACK || off < GUARD_ERRORS * mean_error,
            effective_rounds: if self.are_zero() { 0.0 } else { sum * sum / self.squares },
            max: self.max(),
            zero_share: zeros as f64 / self.rounds as f64,
            median: self.quantile(0.5),
            q90: self.quantile(0.9),
            q99: self.quantile(0.99),
            q999: self.quantile(0.999),
        }
    }

    /// The least value that this share of rounds does not exceed.
    fn quantile(&self, share: f64) -> f64 {
        let wanted = (share * self.rounds as f64).ceil().max(1.0) as u64;
        let mut below = 0;
        for (bucket, count) in &self.buckets {
            below += count;
            if below >= wanted {
                return middle(*bucket).min(self.max());
            }
        }
        self.max()
    }
}

/// The bucket of a number; that of zero is 0, and the order of buckets is that of numbers.
fn bucket(value: f64) -> i32 {
    if value == 0.0 {
        return 0;
    }
    let place = (value.abs().ln() / GROWTH.ln()).ceil() as i32 + SHIFT;
    if value > 0.0 { place } else { -place }
}

/// A number of the bucket.
fn middle(bucket: i32) -> f64 {
    if bucket == 0 {
        return 0.0;
    }
    let upper = GROWTH.powi(bucket.abs() - SHIFT);
    let middle = 2.0 * upper / (GROWTH + 1.0);
    if bucket > 0 { middle } else { -middle }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_are_known_within_half_a_per_cent() {
        let weights: Vec<f64> = (0..2_000).map(|n| 1.003_f64.powi(n - 1_500) - 0.5).collect();
        let mut sums = WeightSums::default();
        let mut other = WeightSums::default();
        for (n, weight) in weights.iter().enumerate() {
            if n % 3 == 0 { sums.add(*weight) } else { other.add(*weight) }
        }
        sums.merge(&other);
        // Ascending as they are.
        for share in [0.001, 0.1, 0.5, 0.9, 0.99, 0.999, 1.0] {
            let exact = weights[(share * 2_000.0_f64).ceil() as usize - 1];
            let found = sums.quantile(share);
            assert!(
                (found - exact).abs() <= 0.005 * exact.abs() + 1e-12,
                "{share}: {found} {exact}"
            );
        }
    }

    #[test]
    fn zeros_and_the_guard() {
        let mut sums = WeightSums::default();
        [0.0, 0.0, 0.0, 4.0].into_iter().for_each(|weight| sums.add(weight));
        let facts = sums.facts(4, 4.0, 1.0);
        assert_eq!((facts.zero_share, facts.median, facts.max), (0.75, 0.0, 4.0));
        assert_eq!((facts.mean, facts.effective_rounds, facts.are_fair), (1.0, 1.0, true));
        assert!(!sums.facts(4, 8.0, 0.25).are_fair);
        assert!(sums.facts(4, 8.0, 0.26).are_fair);
    }
}
