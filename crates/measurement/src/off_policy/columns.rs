//! How do several sums of a unit move together?

use super::refusal::Refusal;
use crate::estimate::{DENOMINATOR_ERRORS_MIN, Estimate, Refusal as NoEstimate, ratio};
use crate::moments::{Moments, PairMoments};

/// Means of `N` numbers per unit, and the sums of products of their deviations; added and merged as
/// [`PairMoments`] are.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Columns<const N: usize> {
    count: u64,
    means: [f64; N],
    cross: [[f64; N]; N],
}

/// A ratio of two columns' means, to be added or, with −1, taken away.
#[derive(Clone, Copy, Debug)]
pub(super) struct Ratio {
    pub(super) sign: f64,
    pub(super) above: usize,
    pub(super) below: usize,
}

impl<const N: usize> Default for Columns<N> {
    fn default() -> Self {
        Self { count: 0, means: [0.0; N], cross: [[0.0; N]; N] }
    }
}

impl<const N: usize> Columns<N> {
    /// Adds one unit.
    pub(super) fn add(&mut self, unit: [f64; N]) {
        self.count += 1;
        let mut before = [0.0; N];
        for ((before, mean), value) in before.iter_mut().zip(&mut self.means).zip(&unit) {
            *before = value - *mean;
            *mean += *before / self.count as f64;
        }
        for (row, before) in self.cross.iter_mut().zip(before) {
            for ((cross, value), mean) in row.iter_mut().zip(&unit).zip(&self.means) {
                *cross += before * (value - mean);
            }
        }
    }

    /// Adds the units of another part.
    pub(super) fn merge(&mut self, other: &Self) {
        if other.count == 0 {
            return;
        }
        let (own, theirs) = (self.count as f64, other.count as f64);
        let mut apart = [0.0; N];
        for (apart, (mine, other)) in apart.iter_mut().zip(self.means.iter().zip(&other.means)) {
            *apart = other - mine;
        }
        for (i, (row, others)) in self.cross.iter_mut().zip(&other.cross).enumerate() {
            for (j, (cross, other)) in row.iter_mut().zip(others).enumerate() {
                *cross += other + apart[i] * apart[j] * own * theirs / (own + theirs);
            }
        }
        for (mean, apart) in self.means.iter_mut().zip(apart) {
            *mean += apart * theirs / (own + theirs);
        }
        self.count += other.count;
    }

    /// Units.
    pub(super) const fn count(&self) -> u64 {
        self.count
    }

    /// The sum of a column.
    pub(super) fn sum(&self, column: usize) -> f64 {
        self.means[column] * self.count as f64
    }

    /// The moments of a column.
    pub(super) fn moments(&self, column: usize) -> Moments {
        Moments::from_parts(self.count, self.means[column], self.cross[column][column])
    }

    /// The value of a sum of ratios of columns, and its squared standard error by the delta method.
    pub(super) fn parts(&self, ratios: &[Ratio]) -> Result<(f64, f64), Refusal> {
        if self.count < 2 {
            return Err(Refusal::TooFewRounds);
        }
        let (mut value, mut gradient) = (0.0, [0.0; N]);
        for of in ratios {
            let below = self.moments(of.below);
            let error = below.mean_variance().unwrap_or(f64::NAN).sqrt();
            let is_far = below.mean() > 0.0 && below.mean() >= DENOMINATOR_ERRORS_MIN * error;
            if !is_far {
                return Err(NoEstimate::BaseNearZero.into());
            }
            let ratio = self.means[of.above] / below.mean();
            value += of.sign * ratio;
            gradient[of.above] += of.sign / below.mean();
            gradient[of.below] -= of.sign * ratio / below.mean();
        }
        let rows = self.cross.iter().zip(gradient);
        let squares: f64 = rows
            .map(|(row, own)| {
                own * row.iter().zip(gradient).map(|(c, other)| c * other).sum::<f64>()
            })
            .sum();
        let count = self.count as f64;
        Ok((value, squares.max(0.0) / (count - 1.0) / count))
    }

    /// The same with its interval.
    pub(super) fn estimate(&self, ratios: &[Ratio], level: f64) -> Result<Estimate, Refusal> {
        let (value, variance) = self.parts(ratios)?;
        let count = self.count as f64;
        // What a sum of ratios comes to, unit by unit, against a column of ones.
        let linear = Moments::from_parts(self.count, value, variance * count * (count - 1.0));
        let ones = Moments::from_parts(self.count, 1.0, 0.0);
        Ok(ratio(&PairMoments::from_parts(ones, linear, 0.0), level)?)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_ratio_is_that_of_pairs() {
        let pairs: Vec<(f64, f64)> =
            (0..50).map(|n| (1.0 + f64::from(n % 3), f64::from(n % 7))).collect();
        let mut columns = Columns::<2>::default();
        pairs.iter().for_each(|(a, b)| columns.add([*a, *b]));
        let found = columns.estimate(&[Ratio { sign: 1.0, above: 1, below: 0 }], 0.9).unwrap();
        let expect = ratio(&pairs.into_iter().collect(), 0.9).unwrap();
        assert!((found.value - expect.value).abs() < 1e-12);
        assert!((found.low - expect.low).abs() < 1e-12 && found.dof == expect.dof);
    }

    proptest! {
        #[test]
        fn parts_merge_to_the_whole(
            units in prop::collection::vec(prop::array::uniform3(-1e3_f64..1e3), 2..40),
            cut in 0_usize..40,
        ) {
            let cut = cut.min(units.len());
            let of = |units: &[[f64; 3]]| {
                let mut columns = Columns::<3>::default();
                units.iter().for_each(|unit| columns.add(*unit));
                columns
            };
            let (whole, mut merged) = (of(&units), of(&units[..cut]));
            merged.merge(&of(&units[cut..]));
            prop_assert_eq!(whole.count(), merged.count());
            for i in 0..3 {
                prop_assert!((whole.means[i] - merged.means[i]).abs() < 1e-9);
                for j in 0..3 {
                    let pairs: PairMoments = units.iter().map(|unit| (unit[i], unit[j])).collect();
                    let cross = pairs.covariance().unwrap() * (units.len() - 1) as f64;
                    for columns in [&whole, &merged] {
                        prop_assert!((columns.cross[i][j] - cross).abs() < 1e-5);
                    }
                }
            }
        }
    }
}
