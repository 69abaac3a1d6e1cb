//! How are models of uplift trained?

use crate::gbdt::{Objective, Params};

/// The settings of the stages of a learner.
#[derive(Clone, Debug, PartialEq)]
pub struct UpliftSettings {
    /// Of the models of outcomes; the objective is chosen by the outcomes: logistic where all are 0 or 1.
    pub outcome: Params,
    /// Of the models of effects: where there are several, each learner takes the one whose effects, learnt
    /// without a row, miss that row's pseudo-outcome by least.
    pub effect: Vec<Params>,
    /// Folds of rows inside a learner: what is predicted of a row in between comes from models that did not see
    /// its fold.
    pub stage_folds: u8,
    /// Folds of [`super::cross_fit`].
    pub folds: u8,
    /// Where the draw of folds starts.
    pub seed: u64,
}

impl Default for UpliftSettings {
    /// Small trees and few of them: an effect is a small part of the outcome's spread.
    fn default() -> Self {
        let params = |leaves: usize, rounds: usize| Params {
            objective: Objective::SquaredError,
            rounds,
            leaves: Some(leaves),
            learning_rate: 0.05,
            min_rows_per_leaf: 100,
            column_sample: 0.8,
            early_stopping_rounds: None,
            ..Params::default()
        };
        Self {
            outcome: params(8, 80),
            effect: vec![params(3, 60), params(6, 60), params(8, 120)],
            stage_folds: 3,
            folds: 5,
            seed: 1,
        }
    }
}
