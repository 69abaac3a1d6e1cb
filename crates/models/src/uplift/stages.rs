//! How are outcomes and effects learnt, without a row having a say in what is predicted of it?

use rayon::prelude::*;
use tercet_types::Result;

use super::UpliftSettings;
use super::folds::fold_of;
use crate::gbdt::{Ensemble, FeatureSchema, Matrix, Objective, Params, TrainingSet, train};

/// What the folds of a learner's own stages add to the seed, lest they be those of [`super::cross_fit`].
const STAGES: u64 = 0x5746_a9e5;

/// Learns outcomes from all rows.
pub(super) fn outcomes(
    matrix: &Matrix,
    outcome: &[f64],
    schema: &FeatureSchema,
    settings: &UpliftSettings,
) -> Result<Ensemble> {
    let binary = outcome.iter().all(|value| *value == 0.0 || *value == 1.0);
    let objective = if binary { Objective::Logistic } else { Objective::SquaredError };
    let params = Params { objective, ..settings.outcome.clone() };
    learn(&params, matrix, outcome, None, schema)
}

/// The fold of every row in the stages of a learner.
pub(super) fn stage_folds(key: &[u64], settings: &UpliftSettings) -> Vec<u8> {
    key.iter().map(|key| fold_of(*key, settings.seed ^ STAGES, settings.stage_folds)).collect()
}

/// The outcome of each row of `matrix` as learnt from `learn_from`, the rows of the row's own fold left out.
pub(super) fn outcomes_out_of_fold(
    (matrix, outcome, fold): (&Matrix, &[f64], &[u8]),
    learn_from: &[usize],
    schema: &FeatureSchema,
    settings: &UpliftSettings,
) -> Result<Vec<f64>> {
    out_of_fold(matrix, fold, settings.stage_folds, |own| {
        let rows: Vec<usize> = learn_from.iter().copied().filter(|row| fold[*row] != own).collect();
        let labels: Vec<f64> = rows.iter().map(|row| outcome[*row]).collect();
        outcomes(&matrix.only(&rows), &labels, schema, settings)
    })
}

/// Learns an effect from a pseudo-outcome per row whose mean is the effect; rows may count differently.
/// Where there are several settings, those whose effects miss the pseudo-outcomes least are taken: with the
/// weights of the R learner that is the R loss of Nie and Wager 2021.
pub(super) fn effect(
    (matrix, fold): (&Matrix, &[u8]),
    pseudo: &[f64],
    weights: Option<&[f64]>,
    schema: &FeatureSchema,
    settings: &UpliftSettings,
) -> Result<Ensemble> {
    let loss = |params: &Params| -> Result<f64> {
        let predicted = out_of_fold(matrix, fold, settings.stage_folds, |own| {
            let rows: Vec<usize> = (0..fold.len()).filter(|row| fold[*row] != own).collect();
            let labels: Vec<f64> = rows.iter().map(|row| pseudo[*row]).collect();
            let weights: Option<Vec<f64>> =
                weights.map(|all| rows.iter().map(|row| all[*row]).collect());
            learn(params, &matrix.only(&rows), &labels, weights.as_deref(), schema)
        })?;
        let misses = predicted.iter().zip(pseudo).enumerate();
        Ok(misses.map(|(row, (a, b))| weights.map_or(1.0, |all| all[row]) * (a - b).powi(2)).sum())
    };
    let mut best: Option<(f64, &Params)> = None;
    for params in &settings.effect {
        let loss = if settings.effect.len() > 1 { loss(params)? } else { 0.0 };
        if best.is_none_or(|(least, _)| loss < least) {
            best = Some((loss, params));
        }
    }
    let params = best.map_or(&settings.outcome, |(_, params)| params);
    learn(params, matrix, pseudo, weights, schema)
}

/// What a model learnt without a row's fold predicts of it.
fn out_of_fold(
    matrix: &Matrix,
    fold: &[u8],
    folds: u8,
    learn: impl Fn(u8) -> Result<Ensemble> + Sync,
) -> Result<Vec<f64>> {
    let parts: Vec<(Vec<usize>, Vec<f64>)> = (0..folds)
        .into_par_iter()
        .map(|own| {
            let rows: Vec<usize> = (0..fold.len()).filter(|row| fold[*row] == own).collect();
            if rows.is_empty() {
                return Ok((rows, Vec::new()));
            }
            let predicted = learn(own)?.predict(&matrix.only(&rows))?;
            Ok((rows, predicted))
        })
        .collect::<Result<_>>()?;
    let mut all = vec![0.0; fold.len()];
    for (rows, predicted) in parts {
        rows.into_iter().zip(predicted).for_each(|(row, value)| all[row] = value);
    }
    Ok(all)
}

fn learn(
    params: &Params,
    matrix: &Matrix,
    labels: &[f64],
    weights: Option<&[f64]>,
    schema: &FeatureSchema,
) -> Result<Ensemble> {
    let narrow = |values: &[f64]| values.iter().map(|value| *value as f32).collect::<Vec<f32>>();
    let (labels, weights) = (narrow(labels), weights.map(narrow));
    let rows = TrainingSet { matrix, labels: &labels, weights: weights.as_deref() };
    train(params, &rows, None, schema).map(|(ensemble, _)| ensemble)
}
