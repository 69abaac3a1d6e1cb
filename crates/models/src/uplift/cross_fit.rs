//! What do models say of the rows of a trial that they did not learn from?

use rayon::prelude::*;
use tercet_types::Result;

use super::folds::fold_of;
use super::model::fit_where;
use super::{Trial, UpliftLearner, UpliftModel, UpliftSettings, stages};
use crate::gbdt::FeatureSchema;

/// What is predicted of every row by models that were learnt without its fold. Arrays are in the order of the
/// trial's rows.
#[derive(Clone, Debug, PartialEq)]
pub struct CrossFit {
    /// The fold of each row.
    pub fold: Vec<u8>,
    /// What every arm but control adds, row by row, learnt from all other folds.
    pub uplift: Vec<f64>,
    /// The same, learnt from the folds before the row's own alone; nothing for the first fold. This is what a
    /// test of whether effects differ at all is to be taken on.
    pub uplift_before: Vec<Option<f64>>,
    /// The outcome whatever the arm, learnt from all other folds.
    pub outcome: Vec<f64>,
    /// The outcome in every arm, control first, row by row, each learnt from the rows of that arm in all other
    /// folds: what doubly robust values rest on.
    pub expected: Vec<f64>,
}

/// Learns without each of `folds` folds and predicts it; and learns from the folds before each, and predicts
/// it. Folds are drawn by the keys of rows.
///
/// # Errors
/// As [`super::fit`]; `T0412` also when an arm has no row outside of a fold.
pub fn cross_fit(
    learner: &dyn UpliftLearner,
    trial: &Trial<'_>,
    kinds: &[u16],
    schema: &FeatureSchema,
    settings: &UpliftSettings,
) -> Result<CrossFit> {
    trial.check()?;
    let fold: Vec<u8> =
        trial.key.iter().map(|key| fold_of(*key, settings.seed, settings.folds)).collect();
    let arms = trial.arms();
    let learn = |keep: &(dyn Fn(usize) -> bool + Sync)| {
        fit_where(learner, trial, kinds, schema, settings, keep)
    };
    // One task per fold and kind of rows: all but the fold's, or those before it.
    let tasks: Vec<(u8, bool)> =
        (0..settings.folds).flat_map(|own| [(own, false), (own, true)]).collect();
    let parts: Vec<Part> = tasks
        .into_par_iter()
        .map(|(own, before)| {
            let rows: Vec<usize> = (0..fold.len()).filter(|row| fold[*row] == own).collect();
            let matrix = trial.matrix.only(&rows);
            if rows.is_empty() || before && own == 0 {
                return Ok(Part::Nothing);
            }
            if before {
                let model = learn(&|row| fold[row] < own)?;
                return Ok(Part::Before(rows, model.predict(&matrix)?));
            }
            let model: UpliftModel = learn(&|row| fold[row] != own)?;
            let mut expected = vec![0.0; rows.len() * arms];
            for arm in 0..arms {
                let of_arm = |row: &usize| usize::from(trial.arm[*row]) == arm && fold[*row] != own;
                let others: Vec<usize> = (0..fold.len()).filter(of_arm).collect();
                let outcome: Vec<f64> = others.iter().map(|row| trial.outcome[*row]).collect();
                let learnt =
                    stages::outcomes(&trial.matrix.only(&others), &outcome, schema, settings)?;
                let predicted = learnt.predict(&matrix)?.into_iter().enumerate();
                predicted.for_each(|(row, value)| expected[row * arms + arm] = value);
            }
            let (uplift, outcome) = (model.predict(&matrix)?, model.expected(&matrix)?);
            Ok(Part::Others { rows, uplift, outcome, expected })
        })
        .collect::<Result<_>>()?;
    let mut all = CrossFit {
        uplift: vec![0.0; fold.len() * (arms - 1)],
        uplift_before: vec![None; fold.len() * (arms - 1)],
        outcome: vec![0.0; fold.len()],
        expected: vec![0.0; fold.len() * arms],
        fold,
    };
    parts.into_iter().for_each(|part| part.place(&mut all));
    Ok(all)
}

/// What one task predicts.
enum Part {
    Nothing,
    Before(Vec<usize>, Vec<f64>),
    Others { rows: Vec<usize>, uplift: Vec<f64>, outcome: Vec<f64>, expected: Vec<f64> },
}

impl Part {
    fn place(self, all: &mut CrossFit) {
        match self {
            Self::Nothing => (),
            Self::Before(rows, uplift) => {
                let uplift: Vec<Option<f64>> = uplift.into_iter().map(Some).collect();
                put(&mut all.uplift_before, &rows, &uplift);
            }
            Self::Others { rows, uplift, outcome, expected } => {
                put(&mut all.uplift, &rows, &uplift);
                put(&mut all.outcome, &rows, &outcome);
                put(&mut all.expected, &rows, &expected);
            }
        }
    }
}

/// Puts the values of some rows, equally many each, to their places.
fn put<T: Copy>(all: &mut [T], rows: &[usize], values: &[T]) {
    let width = values.len() / rows.len().max(1);
    for (row, values) in rows.iter().zip(values.chunks_exact(width.max(1))) {
        all[row * width..(row + 1) * width].copy_from_slice(values);
    }
}
