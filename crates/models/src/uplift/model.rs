//! What does each arm of a trial add for a customer, and how is that kept?

use rayon::prelude::*;
use serde::{Deserialize, Serialize};
use tercet_types::{Error, Result};

use super::effect::Term;
use super::shrink::shrink;
use super::{Effect, Shrinkage, Trial, UpliftLearner, UpliftSettings, shrinkage, stages};
use crate::gbdt::{Ensemble, FeatureSchema, Matrix};

const FORMAT: &str = "tercet-uplift";
const VERSION: u32 = 1;

/// What every arm of a trial adds to control, and what happens whatever the arm.
#[derive(Clone, Debug, PartialEq)]
pub struct UpliftModel {
    learner: String,
    effects: Vec<Effect>,
    shrinkage: Vec<Shrinkage>,
    outcome: Ensemble,
}

/// Learns what every arm adds. `kinds` has one entry per arm but control: arms of a kind are drawn towards
/// each other as far as they differ by chance alone ([`shrinkage`]).
///
/// # Errors
/// `T0411`, `T0412` for a trial that cannot be learnt from; as [`crate::gbdt::train`].
pub fn fit(
    learner: &dyn UpliftLearner,
    trial: &Trial<'_>,
    kinds: &[u16],
    schema: &FeatureSchema,
    settings: &UpliftSettings,
) -> Result<UpliftModel> {
    trial.check()?;
    if kinds.len() + 1 != trial.arms() {
        return Err(Error::data("T0411", "trial: there is not one kind for every arm but control"));
    }
    fit_where(learner, trial, kinds, schema, settings, &|_| true)
}

/// Learns from the rows for which `keep` holds. The trial was checked.
pub(super) fn fit_where(
    learner: &dyn UpliftLearner,
    trial: &Trial<'_>,
    kinds: &[u16],
    schema: &FeatureSchema,
    settings: &UpliftSettings,
    keep: &(dyn Fn(usize) -> bool + Sync),
) -> Result<UpliftModel> {
    let arms: Vec<u16> = (1..trial.arms() as u16).collect();
    let effects = arms
        .par_iter()
        .map(|arm| learner.fit(&trial.contrast(*arm, keep), schema, settings))
        .collect::<Result<_>>()?;
    let means: Vec<(f64, f64)> = arms.iter().map(|arm| mean_of(trial, *arm, keep)).collect();
    let rows: Vec<usize> = (0..trial.outcome.len()).filter(|row| keep(*row)).collect();
    let outcome: Vec<f64> = rows.iter().map(|row| trial.outcome[*row]).collect();
    Ok(UpliftModel {
        learner: learner.name().to_owned(),
        effects,
        shrinkage: shrinkage(&means, kinds),
        outcome: stages::outcomes(&trial.matrix.only(&rows), &outcome, schema, settings)?,
    })
}

/// The mean outcome of an arm and its squared standard error.
fn mean_of(trial: &Trial<'_>, arm: u16, keep: &(dyn Fn(usize) -> bool + Sync)) -> (f64, f64) {
    let rows = (0..trial.outcome.len()).filter(|row| trial.arm[*row] == arm && keep(*row));
    let outcomes: Vec<f64> = rows.map(|row| trial.outcome[row]).collect();
    let count = outcomes.len().max(1) as f64;
    let mean = outcomes.iter().sum::<f64>() / count;
    let squares: f64 = outcomes.iter().map(|outcome| (outcome - mean).powi(2)).sum();
    (mean, squares / (count - 1.0).max(1.0) / count)
}

impl UpliftModel {
    /// The learner that made it.
    pub fn learner(&self) -> &str {
        &self.learner
    }

    /// The number of arms, control not counted.
    pub fn arms(&self) -> usize {
        self.effects.len()
    }

    /// How far every arm is drawn towards its kind.
    pub fn shrinkage(&self) -> &[Shrinkage] {
        &self.shrinkage
    }

    /// What every arm but control adds for each row, row by row.
    ///
    /// # Errors
    /// `T0401` when the matrix has other columns than the features learnt from.
    pub fn predict(&self, matrix: &Matrix) -> Result<Vec<f64>> {
        let arms = self.effects.iter().map(|effect| effect.predict(matrix));
        let arms: Vec<Vec<f64>> = arms.collect::<Result<_>>()?;
        let mut rows = vec![0.0; matrix.rows() * arms.len()];
        for (row, effects) in rows.chunks_exact_mut(arms.len()).enumerate() {
            effects.iter_mut().zip(&arms).for_each(|(effect, arm)| *effect = arm[row]);
            shrink(effects, &self.shrinkage);
        }
        Ok(rows)
    }

    /// The outcome of each row that the trial as a whole lets expect, whatever the arm: what customers would
    /// be ranked by without uplift.
    ///
    /// # Errors
    /// As [`UpliftModel::predict`].
    pub fn expected(&self, matrix: &Matrix) -> Result<Vec<f64>> {
        self.outcome.predict(matrix)
    }

    /// The features it was learnt from.
    pub const fn schema(&self) -> &FeatureSchema {
        self.outcome.schema()
    }

    /// The model as JSON; [`UpliftModel::from_json`] gives back the same bits.
    ///
    /// # Errors
    /// `T0402` when a value cannot be written (a bug).
    pub fn to_json(&self) -> Result<serde_json::Value> {
        let effect = |effect: &Effect| {
            let ensembles = effect.ensembles.iter().map(kept).collect::<Result<_>>()?;
            Ok(EffectFile { ensembles, terms: effect.terms.clone() })
        };
        let file = File {
            format: FORMAT.to_owned(),
            version: VERSION,
            learner: self.learner.clone(),
            effects: self.effects.iter().map(effect).collect::<Result<_>>()?,
            shrinkage: self.shrinkage.clone(),
            outcome: kept(&self.outcome)?,
        };
        serde_json::to_value(&file).map_err(|cause| {
            Error::internal("T0402", "model: cannot be written as JSON").cause(cause)
        })
    }

    /// Reads what [`UpliftModel::to_json`] wrote.
    ///
    /// # Errors
    /// `T0402` for anything else, or an ensemble that was changed since.
    pub fn from_json(value: serde_json::Value) -> Result<Self> {
        let corrupt = |what: &str| {
            Error::data("T0402", format!("model: the file {what}")).hint("train the model again")
        };
        let file: File = serde_json::from_value(value)
            .map_err(|cause| corrupt("is not a model of uplift").cause(cause))?;
        if file.format != FORMAT || file.version != VERSION {
            return Err(corrupt(&format!(
                "has format '{}' version {}, expected '{FORMAT}' version {VERSION}",
                file.format, file.version
            )));
        }
        let read = |value: &serde_json::Value| Ensemble::from_json(&value.to_string());
        let effect = |file: EffectFile| {
            let ensembles: Vec<Ensemble> =
                file.ensembles.iter().map(read).collect::<Result<_>>()?;
            Ok(Effect { ensembles, terms: file.terms })
        };
        let effects: Vec<Effect> = file.effects.into_iter().map(effect).collect::<Result<_>>()?;
        if effects.len() != file.shrinkage.len() {
            return Err(corrupt("contradicts its own number of arms"));
        }
        let outcome = read(&file.outcome)?;
        Ok(Self { learner: file.learner, effects, shrinkage: file.shrinkage, outcome })
    }
}

/// The model as it is kept; ensembles as [`Ensemble::to_json`] writes them, each with its checksum.
#[derive(Serialize, Deserialize)]
struct File {
    format: String,
    version: u32,
    learner: String,
    effects: Vec<EffectFile>,
    shrinkage: Vec<Shrinkage>,
    outcome: serde_json::Value,
}

#[derive(Serialize, Deserialize)]
struct EffectFile {
    ensembles: Vec<serde_json::Value>,
    terms: Vec<Term>,
}

fn kept(ensemble: &Ensemble) -> Result<serde_json::Value> {
    serde_json::from_str(&ensemble.to_json()?)
        .map_err(|cause| Error::internal("T0402", "model: cannot be written as JSON").cause(cause))
}
