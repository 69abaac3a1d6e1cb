//! How often does something happen, when every fact multiplies how often?
//!
//! Poisson regression with the logarithm as link: the expected count of a row is `exp(intercept + Σ weight · fact)`. Few
//! rows suffice where trees need many, for each fact has one weight, wherever the other facts stand.

use serde::{Deserialize, Serialize};
use tercet_types::{Error, Result};

use crate::dense::invert;

/// Newton's steps at most: a handful suffices.
const STEPS: usize = 50;

/// What a step has to gain, as a share of the likelihood.
const GAIN_MIN: f64 = 1e-12;

/// Expected counts are not above `exp` of this while weights are sought: a step too long is no overflow.
const LOG_RATE_MAX: f64 = 30.0;

/// A fitted Poisson regression. A missing fact (NaN) stands for the mean of the rows that were fitted.
///
/// Source: McCullagh and Nelder, Generalized Linear Models (1989), chapter 6, doi:10.1007/978-1-4899-3242-6; the squared
/// weights of the standardised facts are penalised (Hoerl and Kennard 1970, doi:10.1080/00401706.1970.10488634).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct LogLinear {
    intercept: f64,
    weights: Vec<f64>,
    means: Vec<f64>,
}

impl LogLinear {
    /// Fits `counts` (at least 0, shares of a count allowed) to `facts`, row after row of `width` each. `ridge` is what a
    /// weight's square costs, half of it, once its fact is scaled to a standard deviation of one; 0 is no penalty.
    ///
    /// # Errors
    /// `T0403` when lengths do not match, when a count is negative or not finite, or all are nothing; when without
    /// a penalty the facts leave weights open.
    pub fn fit(facts: &[f64], width: usize, counts: &[f64], ridge: f64) -> Result<Self> {
        let refused = |why: &str| Error::config("T0403", format!("log-linear model: {why}"));
        if facts.len() != width * counts.len() {
            return Err(refused("facts and counts differ in length"));
        }
        if counts.iter().any(|count| !count.is_finite() || *count < 0.0) {
            return Err(refused("a count is negative or not a number"));
        }
        let sum: f64 = counts.iter().sum();
        if sum <= 0.0 {
            return Err(refused("nothing was counted"));
        }
        let (means, scales) = spread(facts, width);
        let rows: Vec<f64> = facts
            .iter()
            .enumerate()
            .map(|(at, fact)| scaled(*fact, means[at % width], scales[at % width]))
            .collect();
        let mut of = Fit { rows, counts, width, ridge, weights: vec![0.0; width + 1] };
        of.weights[0] = (sum / counts.len() as f64).ln();
        of.climb().ok_or_else(|| refused("the facts leave weights open"))?;
        let weights: Vec<f64> =
            of.weights[1..].iter().zip(&scales).map(|(weight, scale)| weight * scale).collect();
        let at_means: f64 = weights.iter().zip(&means).map(|(weight, mean)| weight * mean).sum();
        Ok(Self { intercept: of.weights[0] - at_means, weights, means })
    }

    /// The logarithm of the expected count where all facts are nothing.
    pub const fn intercept(&self) -> f64 {
        self.intercept
    }

    /// What the fact at a place adds to the logarithm of the expected count.
    pub fn part(&self, place: usize, fact: f64) -> f64 {
        self.weights[place] * if fact.is_nan() { self.means[place] } else { fact }
    }

    /// The logarithm of a row's expected count.
    pub fn log_rate(&self, facts: &[f64]) -> f64 {
        let parts = facts.iter().enumerate().map(|(place, fact)| self.part(place, *fact));
        self.intercept + parts.sum::<f64>()
    }
}

/// The mean of each fact, and one over its standard deviation; nothing where it is the same for all.
fn spread(facts: &[f64], width: usize) -> (Vec<f64>, Vec<f64>) {
    (0..width)
        .map(|place| {
            let known =
                || facts.iter().skip(place).step_by(width).copied().filter(|fact| !fact.is_nan());
            let count = known().count().max(1) as f64;
            let mean = known().sum::<f64>() / count;
            let deviation = (known().map(|fact| (fact - mean).powi(2)).sum::<f64>() / count).sqrt();
            (mean, if deviation > 1e-9 * mean.abs() { 1.0 / deviation } else { 0.0 })
        })
        .unzip()
}

fn scaled(fact: f64, mean: f64, scale: f64) -> f64 {
    if fact.is_nan() { 0.0 } else { (fact - mean) * scale }
}

/// Weights that are sought, that of the intercept first.
struct Fit<'a> {
    rows: Vec<f64>,
    counts: &'a [f64],
    width: usize,
    ridge: f64,
    weights: Vec<f64>,
}

impl Fit<'_> {
    /// Newton's method, each step halved until it gains. `None` where the second derivative is singular.
    fn climb(&mut self) -> Option<()> {
        let mut likelihood = self.likelihood(&self.weights);
        for _ in 0..STEPS {
            let mut step = self.step()?;
            let found = loop {
                let tried: Vec<f64> =
                    self.weights.iter().zip(&step).map(|(weight, step)| weight + step).collect();
                let found = self.likelihood(&tried);
                if found >= likelihood {
                    self.weights = tried;
                    break found;
                }
                step.iter_mut().for_each(|step| *step /= 2.0);
                if step.iter().all(|step| step.abs() < f64::EPSILON) {
                    break likelihood;
                }
            };
            let gain = found - likelihood;
            likelihood = found;
            if gain <= GAIN_MIN * likelihood.abs() {
                break;
            }
        }
        Some(())
    }

    /// The row with a leading one times the weights, so far as it goes.
    fn log_rate(&self, weights: &[f64], row: &[f64]) -> f64 {
        let sum: f64 = row.iter().zip(&weights[1..]).map(|(fact, weight)| fact * weight).sum();
        (weights[0] + sum).min(LOG_RATE_MAX)
    }

    /// The logarithm of the likelihood, less the penalty, but for what hangs on no weight.
    fn likelihood(&self, weights: &[f64]) -> f64 {
        let of_rows: f64 = self
            .each()
            .map(|(row, count)| {
                let log_rate = self.log_rate(weights, row);
                count * log_rate - log_rate.exp()
            })
            .sum();
        let squares: f64 = weights[1..].iter().map(|weight| weight * weight).sum();
        of_rows - self.ridge / 2.0 * squares
    }

    /// One step of Newton's: the inverse of the second derivative times the first.
    fn step(&self) -> Option<Vec<f64>> {
        let size = self.width + 1;
        let (mut first, mut second) = (vec![0.0; size], vec![0.0; size * size]);
        let mut with_one = vec![1.0; size];
        for (row, count) in self.each() {
            with_one[1..].copy_from_slice(row);
            let rate = self.log_rate(&self.weights, row).exp();
            for i in 0..size {
                first[i] += with_one[i] * (count - rate);
                let weighted = with_one[i] * rate;
                for j in 0..=i {
                    second[i * size + j] += weighted * with_one[j];
                }
            }
        }
        for place in 1..size {
            first[place] -= self.ridge * self.weights[place];
            second[place * size + place] += self.ridge;
            // A fact that is the same for all has no weight.
            if second[place * size + place] <= 0.0 {
                second[place * size + place] = 1.0;
            }
        }
        let inverse = invert(&second, size)?;
        let step = |i: usize| (0..size).map(|j| inverse[i * size + j] * first[j]).sum();
        Some((0..size).map(step).collect())
    }

    fn each(&self) -> impl Iterator<Item = (&[f64], f64)> {
        (0..self.counts.len())
            .map(|at| (&self.rows[at * self.width..(at + 1) * self.width], self.counts[at]))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rates_multiply() {
        // Two facts, 100 rows of each combination, counts exactly as expected: twice for the one, a third for the other.
        let mut facts = Vec::new();
        let mut counts = Vec::new();
        for (one, other) in [(0.0, 0.0), (1.0, 0.0), (0.0, 1.0), (1.0, 1.0)] {
            for _ in 0..100 {
                facts.extend([one, other]);
                counts.push(0.1 * 2_f64.powf(one) * 3_f64.powf(-other));
            }
        }
        let found = LogLinear::fit(&facts, 2, &counts, 0.0).unwrap();
        let check = |facts: [f64; 2], rate: f64| {
            let log_rate = found.log_rate(&facts);
            assert!((log_rate - rate.ln()).abs() < 1e-9, "{log_rate} {rate}");
        };
        check([0.0, 0.0], 0.1);
        check([1.0, 1.0], 0.2 / 3.0);
        check([2.0, 0.0], 0.4);
        // Who is not known to have it stands half way.
        check([f64::NAN, 0.0], 0.1 * 2_f64.sqrt());
        assert!(
            (found.intercept() + found.part(0, 1.0) + found.part(1, 0.0) - 0.2_f64.ln()).abs()
                < 1e-9
        );
    }

    #[test]
    fn a_penalty_draws_weights_to_nothing_and_keeps_the_sum() {
        let facts: Vec<f64> = (0..200).map(|row| f64::from(row % 2)).collect();
        let counts: Vec<f64> = facts.iter().map(|fact| 0.1 + 0.2 * fact).collect();
        let mut last = f64::INFINITY;
        for ridge in [0.0, 1.0, 10.0, 1e6] {
            let found = LogLinear::fit(&facts, 1, &counts, ridge).unwrap();
            let weight = found.part(0, 1.0);
            assert!(weight < last && weight > -1e-9, "{ridge}: {weight}");
            last = weight;
            let sum: f64 = facts.iter().map(|fact| found.log_rate(&[*fact]).exp()).sum();
            assert!((sum - 40.0).abs() < 1e-6, "{ridge}: {sum}");
        }
        assert!(last < 1e-3);
    }

    #[test]
    fn facts_that_tell_nothing_have_no_weight() {
        let facts: Vec<f64> = (0..50).flat_map(|row| [7.0, f64::from(row)]).collect();
        let counts: Vec<f64> = (0..50).map(|row| f64::from(row % 3)).collect();
        let found = LogLinear::fit(&facts, 2, &counts, 1.0).unwrap();
        assert_eq!(found.part(0, 7.0), 0.0);
        assert!(found.log_rate(&[f64::NAN, f64::NAN]).is_finite());
        // As likely at first as a step that is far too long: one row in a thousand counts.
        let facts: Vec<f64> = (0..1_000).map(|row| if row == 0 { 1.0 } else { 0.0 }).collect();
        let counts: Vec<f64> = facts.iter().map(|fact| 0.001 + 100.0 * fact).collect();
        let found = LogLinear::fit(&facts, 1, &counts, 0.0).unwrap();
        assert!((found.log_rate(&[1.0]) - 100.001_f64.ln()).abs() < 1e-6);
    }

    #[test]
    fn what_cannot_be_fitted_is_refused() {
        let check = |facts: &[f64], width: usize, counts: &[f64], ridge: f64, word: &str| {
            let error = LogLinear::fit(facts, width, counts, ridge).unwrap_err();
            assert_eq!(error.code(), "T0403");
            assert!(error.to_string().contains(word), "{error}");
        };
        check(&[1.0, 2.0, 3.0], 2, &[1.0], 1.0, "length");
        check(&[1.0], 1, &[-1.0], 1.0, "negative");
        check(&[1.0], 1, &[f64::NAN], 1.0, "negative");
        check(&[1.0], 1, &[0.0], 1.0, "nothing");
        // The same fact twice.
        check(&[0.0, 0.0, 1.0, 1.0], 2, &[1.0, 2.0], 0.0, "open");
    }
}
