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

    /// The one ensemble whose predictions the effect is: that of DR and of R.
    ///
    /// # Errors
    /// `T0402` for an effect of several parts.
    pub fn into_ensemble(mut self) -> Result<Ensemble> {
        let plain = Term { weight: 1.0, ensemble: 0, treated: None };
        match (self.ensembles.pop(), self.ensembles.is_empty() && self.terms == [plain]) {
            (Some(only), true) => Ok(only),
            _ => Err(Error::internal("T0402", "model: an effect of several parts is no ensemble")),
        }
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::gbdt::{FeatureSchema, Objective};

    #[test]
    fn one_whole_part_is_an_ensemble() {
        let ensemble = |base| {
            let schema = FeatureSchema::numeric(["x"]);
            Ensemble::new(schema, Objective::SquaredError, base, Vec::new()).unwrap()
        };
        let check = |parts: Vec<(f64, f32)>, expect: Option<f32>| {
            let parts = parts.into_iter().map(|(weight, base)| (weight, ensemble(base))).collect();
            let found = Effect::of(parts).into_ensemble();
            assert_eq!(found.ok(), expect.map(ensemble));
        };
        check(vec![(1.0, 0.25)], Some(0.25));
        check(vec![(0.5, 0.25)], None);
        check(vec![(1.0, 0.25), (1.0, 0.5)], None);
        check(Vec::new(), None);
    }
}
