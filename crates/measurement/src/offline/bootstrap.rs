//! How sure are we, when a customer's weeks hang together?
//!
//! Paired bootstrap, clustered by customer: a draw takes as many customers as there are, with
//! replacement, each with all their weeks (Field & Welsh 2007, doi:10.1111/j.1467-9868.2007.00593.x);
//! every engine, metric and scope sees the same draws, so differences are paired. Intervals are
//! percentiles (Efron & Tibshirani 1993, §13.3).

use rayon::prelude::*;
use serde::{Deserialize, Serialize};
use tercet_types::{Error, Result};

/// Draws that are made side by side by [`Bootstrap::totals`].
const LANES: usize = 16;

/// Customers whose values and weights stay in a core's cache together.
const BLOCK: usize = 512;

/// The most draws that may be asked for.
pub const MAX_DRAWS: u32 = 100_000;

/// How to draw.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bootstrap {
    /// The number of draws.
    pub draws: u32,
    /// The seed; the same seed gives the same draws on any number of threads.
    pub seed: u64,
}

impl Default for Bootstrap {
    fn default() -> Self {
        Self { draws: 1_000, seed: 0 }
    }
}

impl Bootstrap {
    /// Checks the number of draws.
    ///
    /// # Errors
    /// `T0703` (config) when it is 0 or above [`MAX_DRAWS`].
    pub(crate) fn check(&self) -> Result<()> {
        if (1..=MAX_DRAWS).contains(&self.draws) {
            return Ok(());
        }
        let draws = self.draws;
        Err(Error::config(
            "T0703",
            format!("bootstrap: {draws} draws are not between 1 and {MAX_DRAWS}"),
        )
        .hint("1000 draws are enough for a 95 % interval"))
    }

    /// One `statistic(weights)` per draw; `weights[c]` is how often customer `c` was drawn.
    ///
    /// Draws run in parallel and are returned in order.
    pub fn replicate<T: Send>(
        &self,
        customers: usize,
        statistic: impl Fn(&[u32]) -> T + Sync,
    ) -> Vec<T> {
        (0..self.draws)
            .into_par_iter()
            .map(|draw| statistic(&weights(self.seed, draw, customers)))
            .collect()
    }

    /// The sum of each column over the customers of each draw: `totals[column][draw]`.
    ///
    /// Every column has one value per customer. The draws are those of [`Bootstrap::replicate`], weighed for many
    /// columns at a time: thousands of columns take seconds.
    pub(crate) fn totals(&self, customers: usize, columns: &[&[f64]]) -> Vec<Vec<f64>> {
        let draws: Vec<u32> = (0..self.draws).collect();
        let parts: Vec<Vec<[f64; LANES]>> =
            draws.par_chunks(LANES).map(|draws| self.lanes(draws, customers, columns)).collect();
        let lanes = |at: usize| parts.iter().flat_map(move |part| part[at]);
        (0..columns.len()).map(|at| lanes(at).take(draws.len()).collect()).collect()
    }

    /// The sums of all columns over the customers of a few draws.
    fn lanes(&self, draws: &[u32], customers: usize, columns: &[&[f64]]) -> Vec<[f64; LANES]> {
        let mut drawn = vec![[0_u16; LANES]; customers];
        for (lane, draw) in draws.iter().enumerate() {
            for (row, weight) in drawn.iter_mut().zip(weights(self.seed, *draw, customers)) {
                // A customer drawn so often would need as many customers.
                row[lane] = u16::try_from(weight).unwrap_or(u16::MAX);
            }
        }
        let mut sums = vec![[0.0; LANES]; columns.len()];
        let mut block = vec![[0.0; LANES]; BLOCK];
        for (at, rows) in drawn.chunks(BLOCK).enumerate() {
            for (wide, narrow) in block.iter_mut().zip(rows) {
                *wide = narrow.map(f64::from);
            }
            let range = at * BLOCK..at * BLOCK + rows.len();
            for (sums, column) in sums.iter_mut().zip(columns) {
                for (value, weights) in column[range.clone()].iter().zip(&block) {
                    sums.iter_mut().zip(weights).for_each(|(sum, weight)| *sum += value * weight);
                }
            }
        }
        sums
    }
}

/// A value with its 95 % interval.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Interval {
    /// The value on the data as they are.
    pub value: f64,
    /// The 2.5th percentile of the draws.
    pub low: f64,
    /// The 97.5th percentile of the draws.
    pub high: f64,
}

impl Interval {
    /// The percentile interval of a value from its draws; `draws` is sorted in place.
    ///
    /// Percentiles interpolate linearly between order statistics (type 7 of Hyndman & Fan 1996,
    /// doi:10.2307/2684934).
    pub(crate) fn percentile(value: f64, draws: &mut [f64]) -> Self {
        draws.sort_unstable_by(f64::total_cmp);
        Self { value, low: quantile(draws, 0.025), high: quantile(draws, 0.975) }
    }

    /// Widened where needed to hold its own value.
    pub(crate) fn holding_value(self) -> Self {
        Self { value: self.value, low: self.low.min(self.value), high: self.high.max(self.value) }
    }
}

fn quantile(sorted: &[f64], level: f64) -> f64 {
    let Some(last) = sorted.len().checked_sub(1) else { return 0.0 };
    let place = level * last as f64;
    let below = place.floor() as usize;
    let above = (below + 1).min(last);
    sorted[below] + (sorted[above] - sorted[below]) * (place - below as f64)
}

/// How often each customer comes in one draw; the weights add up to `customers`.
fn weights(seed: u64, draw: u32, customers: usize) -> Vec<u32> {
    let mut weights = vec![0; customers];
    let mut state = mix(seed ^ mix(u64::from(draw)));
    for _ in 0..customers {
        state = state.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let at = (u128::from(mix(state)) * customers as u128) >> 64;
        weights[at as usize] += 1;
    }
    weights
}

/// The output function of SplitMix64 (Steele, Lea & Flood 2014, doi:10.1145/2660193.2660195).
pub(crate) fn mix(state: u64) -> u64 {
    let mut z = state.wrapping_add(0x9E37_79B9_7F4A_7C15);
    z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^ (z >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_interpolate_as_numpy_does() {
        let check = |level, expect: f64| {
            let got = quantile(&[1.0, 2.0, 4.0, 8.0], level);
            assert!((got - expect).abs() < 1e-12, "{level}: {got}");
        };
        check(0.0, 1.0);
        check(0.025, 1.075);
        check(0.5, 3.0);
        check(0.975, 7.7);
        check(1.0, 8.0);
    }

    #[test]
    fn a_draw_takes_as_many_customers_as_there_are() {
        for (draw, customers) in [(0, 1), (1, 2), (7, 1_000)] {
            assert_eq!(weights(3, draw, customers).iter().sum::<u32>() as usize, customers);
        }
        assert_ne!(weights(3, 0, 50), weights(3, 1, 50));
        assert_ne!(weights(3, 0, 50), weights(4, 0, 50));
    }

    #[test]
    fn totals_are_those_of_the_same_draws() {
        let settings = Bootstrap { draws: 37, seed: 9 };
        let values: Vec<f64> = (0..1_300).map(|n| f64::from(n % 17)).collect();
        let ones = vec![1.0; values.len()];
        let found = settings.totals(values.len(), &[&values, &ones]);
        let expect = settings.replicate(values.len(), |weights| {
            weights.iter().zip(&values).map(|(weight, value)| f64::from(*weight) * value).sum()
        });
        assert_eq!(found, [expect, vec![1_300.0; 37]]);
    }

    #[test]
    fn the_interval_of_a_mean_has_its_textbook_width() {
        // n = 400 values 0 or 1, mean 1/2: standard error 0.025, so 95 % is ± 0.049.
        let settings = Bootstrap { draws: 2_000, seed: 5 };
        let mut draws = settings.replicate(400, |weights| {
            weights.iter().step_by(2).map(|&w| f64::from(w)).sum::<f64>() / 400.0
        });
        let interval = Interval::percentile(0.5, &mut draws);
        assert!((interval.high - interval.low - 0.098).abs() < 0.008, "{interval:?}");
    }
}
