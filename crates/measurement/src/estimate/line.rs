//! Which straight line lies closest to pairs of numbers?

use serde::{Deserialize, Serialize};

use crate::PairMoments;

/// A straight line by least squares: what to expect of the second number where the first is known.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Line {
    /// What to expect at 0.
    pub level: f64,
    /// By how much more where the first number is one more.
    pub slope: f64,
}

impl Line {
    /// The first number taken at its word.
    pub const IDENTITY: Self = Self { level: 0.0, slope: 1.0 };

    /// The line through pairs; level where all first numbers are alike, and zero without any.
    pub fn through(pairs: &PairMoments) -> Self {
        let slope = match (pairs.covariance(), pairs.first().variance()) {
            (Some(covariance), Some(variance)) if variance > 0.0 => covariance / variance,
            _ => 0.0,
        };
        Self::of_slope(slope, pairs)
    }

    /// The line that lies closest among those that do not fall; [`Self::IDENTITY`] without any pair.
    pub fn rising(pairs: &PairMoments) -> Self {
        match pairs.first().count() {
            0 => Self::IDENTITY,
            _ => Self::of_slope(Self::through(pairs).slope.max(0.0), pairs),
        }
    }

    /// Through the middle of the pairs.
    fn of_slope(slope: f64, pairs: &PairMoments) -> Self {
        Self { level: pairs.second().mean() - slope * pairs.first().mean(), slope }
    }

    /// What to expect there.
    pub fn at(self, first: f64) -> f64 {
        self.level + self.slope * first
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_lie_closest() {
        let check = |pairs: &[(f64, f64)], through: (f64, f64), rising: (f64, f64)| {
            let pairs: PairMoments = pairs.iter().copied().collect();
            for (found, expect) in
                [(Line::through(&pairs), through), (Line::rising(&pairs), rising)]
            {
                let near = |a: f64, b: f64| (a - b).abs() < 1e-12;
                assert!(near(found.level, expect.0) && near(found.slope, expect.1), "{found:?}");
            }
        };
        check(&[], (0.0, 0.0), (0.0, 1.0));
        check(&[(1.0, 4.0), (1.0, 8.0)], (6.0, 0.0), (6.0, 0.0));
        check(&[(0.0, 1.0), (1.0, 2.0), (2.0, 6.0)], (0.5, 2.5), (0.5, 2.5));
        check(&[(0.0, 4.0), (2.0, 0.0)], (4.0, -2.0), (2.0, 0.0));
    }
}
