//! DR: what did each customer gain, as far as models and the draw of arms tell together?

use tercet_types::Result;

use super::{Contrast, Effect, UpliftLearner, UpliftSettings, stages};
use crate::gbdt::FeatureSchema;

/// Learns from `μ₁ − μ₀ + t (y − μ₁) / e − (1 − t) (y − μ₀) / (1 − e)`, models of outcomes cross-fitted (Kennedy
/// 2023).
#[derive(Clone, Copy, Debug)]
pub struct DrLearner;

impl UpliftLearner for DrLearner {
    fn name(&self) -> &'static str {
        "dr"
    }

    fn fit(
        &self,
        contrast: &Contrast,
        schema: &FeatureSchema,
        settings: &UpliftSettings,
    ) -> Result<Effect> {
        let Contrast { matrix, outcome, treated, propensity, key } = contrast;
        let fold = stages::stage_folds(key, settings);
        let expected = |treated: bool| {
            let rows = contrast.rows_of(treated);
            stages::outcomes_out_of_fold((matrix, outcome, &fold), &rows, schema, settings)
        };
        let (control, treatment) = (expected(false)?, expected(true)?);
        let gained = |row: usize| {
            let weight =
                if treated[row] { 1.0 / propensity[row] } else { 1.0 / (propensity[row] - 1.0) };
            let own = if treated[row] { treatment[row] } else { control[row] };
            treatment[row] - control[row] + weight * (outcome[row] - own)
        };
        let gained: Vec<f64> = (0..outcome.len()).map(gained).collect();
        let model = stages::effect((matrix, &fold), &gained, None, schema, settings)?;
        Ok(Effect::of(vec![(1.0, model)]))
    }
}
