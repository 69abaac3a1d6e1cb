//! Which slopes leave the least variance?

use super::Refusal;
use crate::sums::Sums;

/// A covariate is refused when less than this share of its variance is its own.
const OWN_SHARE_MIN: f64 = 1e-9;

/// Covariances of an outcome and its covariates within some units.
#[derive(Debug)]
pub(super) struct Spread {
    /// The outcome's variance.
    outcome: f64,
    /// Of each covariate with the outcome.
    with_outcome: Vec<f64>,
    /// Of the covariates with each other, row by row.
    among: Vec<Vec<f64>>,
}

impl Spread {
    /// The sample covariances of these units, of which there are at least two.
    pub(super) fn of(units: &Sums, outcome: usize, covariates: &[usize]) -> Result<Self, Refusal> {
        let covariance =
            |a: usize, b: usize| units.pair(a, b).covariance().ok_or(Refusal::TooFewUnits);
        let with = |a: usize| -> Result<Vec<f64>, Refusal> {
            covariates.iter().map(|&b| covariance(a, b)).collect()
        };
        Ok(Self {
            outcome: covariance(outcome, outcome)?,
            with_outcome: with(outcome)?,
            among: covariates.iter().map(|&a| with(a)).collect::<Result<_, _>>()?,
        })
    }

    /// The least-squares slope of the outcome on each covariate; 0 on one that is the same for everybody.
    pub(super) fn slopes(&self) -> Result<Vec<f64>, Refusal> {
        let own: Vec<usize> =
            (0..self.with_outcome.len()).filter(|&k| self.among[k][k] > 0.0).collect();
        let factor = self.cholesky(&own)?;
        // Forward and back through the triangles.
        let mut solved: Vec<f64> = own.iter().map(|&k| self.with_outcome[k]).collect();
        for i in 0..own.len() {
            let known: f64 = (0..i).map(|j| factor[i][j] * solved[j]).sum();
            solved[i] = (solved[i] - known) / factor[i][i];
        }
        for i in (0..own.len()).rev() {
            let known: f64 = (i + 1..own.len()).map(|j| factor[j][i] * solved[j]).sum();
            solved[i] = (solved[i] - known) / factor[i][i];
        }
        let mut slopes = vec![0.0; self.with_outcome.len()];
        own.iter().zip(solved).for_each(|(&k, slope)| slopes[k] = slope);
        Ok(slopes)
    }

    /// The variance of the outcome less its covariates, each times its slope.
    pub(super) fn left(&self, slopes: &[f64]) -> f64 {
        let mut left = self.outcome;
        for (k, slope) in slopes.iter().enumerate() {
            let among: f64 =
                self.among[k].iter().zip(slopes).map(|(with, other)| with * other).sum();
            left += slope * (among - 2.0 * self.with_outcome[k]);
        }
        left.max(0.0)
    }

    /// The lower triangle whose square is the covariance of these covariates.
    fn cholesky(&self, own: &[usize]) -> Result<Vec<Vec<f64>>, Refusal> {
        let mut factor: Vec<Vec<f64>> = vec![vec![0.0; own.len()]; own.len()];
        for i in 0..own.len() {
            for j in 0..=i {
                let variance = self.among[own[i]][own[j]];
                let known: f64 = (0..j).map(|k| factor[i][k] * factor[j][k]).sum();
                factor[i][j] = if i > j {
                    (variance - known) / factor[j][j]
                } else if variance - known > OWN_SHARE_MIN * variance {
                    (variance - known).sqrt()
                } else {
                    return Err(Refusal::CollinearCovariates);
                };
            }
        }
        Ok(factor)
    }
}
