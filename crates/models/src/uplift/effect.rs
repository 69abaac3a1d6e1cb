//! What is an effect, once learnt?

use serde::{Deserialize, Serialize};
use tercet_types::{Error, Result};

use crate::gbdt::{Ensemble, Matrix};

/// A learnt effect: a weighted sum of what ensembles predict.
#[derive(Clone, Debug, PartialEq)]
pub struct Effect {
    pub(super) ensembles: Vec<Ensemble>,
    pub(super) terms: Vec<Term>,
}

/// One part of the sum.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Term {
    /// Its weight.
    pub weight: f64,
    /// Which ensemble predicts.
    pub ensemble: usize,
    /// What stands in the ensemble's last column, which the features do not have: whether a row is treated.
    pub treated: Option<bool>,
}

impl Effect {
    /// A sum over ensembles of features alone.
    pub(super) fn of(parts: Vec<(f64, Ensemble)>) -> Self {
        let (weights, ensembles): (Vec<f64>, Vec<Ensemble>) = parts.into_iter().unzip();
        let term = |(ensemble, weight)| Term { weight, ensemble, treated: None };
        Self { ensembles, terms: weights.into_iter().enumerate().map(term).collect() }
    }

    /// By how much the outcome of each row is higher when it is treated.
    ///
    /// # Errors
    /// `T0401` when the matrix has other columns than the features learnt from.
    pub fn predict(&self, matrix: &Matrix) -> Result<Vec<f64>> {
        let mut sums = vec![0.0; matrix.rows()];
        for term in &self.terms {
            let ensemble = self.ensembles.get(term.ensemble).ok_or_else(|| {
                Error::data("T0402", "model: an effect names an ensemble that is not there")
            })?;
            let predicted = match term.treated {
                None => ensemble.predict(matrix)?,
                Some(treated) => {
                    ensemble.predict(&matrix.with(|_| f32::from(u8::from(treated))))?
                }
            };
            sums.iter_mut().zip(predicted).for_each(|(sum, part)| *sum += term.weight * part);
        }
        Ok(sums)
    }
}
