//! R: what of an outcome that is not as expected goes with being treated?

use tercet_types::Result;

use super::{Contrast, Effect, UpliftLearner, UpliftSettings, stages};
use crate::gbdt::FeatureSchema;

/// Learns from `(y − m(x)) / (t − e)`, each row counting `(t − e)²`; `m`, the outcome whatever the arm, is
/// cross-fitted (Nie and Wager 2021).
#[derive(Clone, Copy, Debug)]
pub struct RLearner;

impl UpliftLearner for RLearner {
    fn name(&self) -> &'static str {
        "r"
    }

    fn fit(
        &self,
        contrast: &Contrast,
        schema: &FeatureSchema,
        settings: &UpliftSettings,
    ) -> Result<Effect> {
        let Contrast { matrix, outcome, treated, propensity, key } = contrast;
        let fold = stages::stage_folds(key, settings);
        let rows: Vec<usize> = (0..outcome.len()).collect();
        let expected =
            stages::outcomes_out_of_fold((matrix, outcome, &fold), &rows, schema, settings)?;
        let drawn: Vec<f64> = treated
            .iter()
            .zip(propensity)
            .map(|(treated, chance)| f64::from(u8::from(*treated)) - chance)
            .collect();
        let pseudo: Vec<f64> =
            rows.iter().map(|row| (outcome[*row] - expected[*row]) / drawn[*row]).collect();
        let weights: Vec<f64> = drawn.iter().map(|drawn| drawn * drawn).collect();
        let model = stages::effect((matrix, &fold), &pseudo, Some(&weights), schema, settings)?;
        Ok(Effect::of(vec![(1.0, model)]))
    }
}
