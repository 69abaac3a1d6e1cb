//! How much are large weights worth their variance?

use serde::Serialize;

use super::columns::{Columns, Ratio};
use super::estimator::Estimator;
use super::refusal::Refusal;
use super::round::{Predicted, Round};
use super::weights::WeightSums;
use crate::estimate::Estimate;
use crate::moments::Moments;

/// The values of λ that are tried unless somebody gives others. Infinity is DR.
pub const LAMBDAS: [f64; 14] =
    [1.0, 2.0, 5.0, 10.0, 20.0, 50.0, 100.0, 200.0, 500.0, 1e3, 1e4, 1e5, 1e6, f64::INFINITY];

/// The bound on the bias fails with this probability.
const BOUND_DELTA: f64 = 0.05;

/// The λ that was chosen, and what it was chosen by.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Shrunk {
    /// The λ.
    pub lambda: f64,
    /// The bound on the mean squared error: sample variance, and the bound on the bias squared.
    pub mse_bound: f64,
}

const ROUNDS: usize = 0;
const TERM: usize = 1;
const REWARD: usize = 2;
const VALUE: Ratio = Ratio { sign: 1.0, above: TERM, below: ROUNDS };
const LOGGED: Ratio = Ratio { sign: -1.0, above: REWARD, below: ROUNDS };

/// Sums of an estimator with one λ.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct ShrunkSums {
    estimator: Estimator,
    lambda: f64,
    columns: Columns<3>,
    /// `(w − ŵ)(r − q)`, round by round: its mean is the bias.
    bias: Moments,
}

impl ShrunkSums {
    pub(super) fn new(estimator: Estimator, lambda: f64) -> Self {
        Self { estimator, lambda, columns: Columns::default(), bias: Moments::default() }
    }

    pub(super) const fn estimator(&self) -> Estimator {
        self.estimator
    }

    /// Adds a unit; rounds without a prediction count as such elsewhere.
    pub(super) fn add(&mut self, unit: &[Round]) {
        let mut sums = [0.0; 3];
        for round in unit {
            let Some(Predicted { done, target }) = round.predicted else { continue };
            let (weight, residual) = (round.weight, round.reward - done);
            let shrunk = self.estimator.shrunk(weight, self.lambda);
            self.bias.add((weight - shrunk) * residual);
            sums[ROUNDS] += 1.0;
            sums[TERM] += target + shrunk * residual;
            sums[REWARD] += round.reward;
        }
        self.columns.add(sums);
    }

    pub(super) fn merge(&mut self, other: &Self) {
        assert_eq!(
            (self.estimator, self.lambda),
            (other.estimator, other.lambda),
            "parts of a log are summed with the same lambdas"
        );
        self.columns.merge(&other.columns);
        self.bias.merge(&other.bias);
    }

    /// The bound on the mean squared error: the sample variance, and the square of the bias that is seen with
    /// Bernstein's bound of what is not (Su et al. 2020, section 5, for residuals up to `residual_max`).
    pub(super) fn bound(&self, weights: &WeightSums, residual_max: f64) -> Result<Shrunk, Refusal> {
        let (_, variance) = self.columns.parts(&[VALUE])?;
        let (units, rounds) = (self.columns.count() as f64, self.bias.count() as f64);
        let log = (2.0 / BOUND_DELTA).ln();
        let unseen = (2.0 * weights.mean_square() * log / rounds).sqrt()
            + 2.0 * weights.max() * log / (3.0 * rounds);
        let bias = self.bias.mean().abs() + residual_max * unseen;
        let mse_bound = variance * (units - 1.0) / units + bias * bias;
        Ok(Shrunk { lambda: self.lambda, mse_bound })
    }

    /// The value; less the mean of what was logged, if asked.
    pub(super) fn estimate(&self, over_logged: bool, level: f64) -> Result<Estimate, Refusal> {
        let ratios: &[Ratio] = if over_logged { &[VALUE, LOGGED] } else { &[VALUE] };
        self.columns.estimate(ratios, level)
    }
}
