//! X: what did the treated gain, and what would control customers have gained?

use tercet_types::Result;

use super::{Contrast, Effect, UpliftLearner, UpliftSettings, stages};
use crate::gbdt::FeatureSchema;

/// `e τ₀(x) + (1 − e) τ₁(x)`, where `τ₁` is learnt from `y − μ₀(x)` of the treated and `τ₀` from `μ₁(x) − y` of
/// control (Künzel et al. 2019), `e` the share that was treated.
#[derive(Clone, Copy, Debug)]
pub struct XLearner;

impl UpliftLearner for XLearner {
    fn name(&self) -> &'static str {
        "x"
    }

    fn fit(
        &self,
        contrast: &Contrast,
        schema: &FeatureSchema,
        settings: &UpliftSettings,
    ) -> Result<Effect> {
        let fold = stages::stage_folds(&contrast.key, settings);
        let of_arm = |treated: bool| {
            let (own, other) = (contrast.rows_of(treated), contrast.rows_of(!treated));
            let part = |rows: &[usize]| {
                let outcome = rows.iter().map(|row| contrast.outcome[*row]).collect::<Vec<_>>();
                (contrast.matrix.only(rows), outcome)
            };
            let (matrix, outcome) = part(&other);
            let model = stages::outcomes(&matrix, &outcome, schema, settings)?;
            let (matrix, outcome) = part(&own);
            let sign = if treated { 1.0 } else { -1.0 };
            let gained = outcome.iter().zip(model.predict(&matrix)?).map(|(y, mu)| sign * (y - mu));
            let fold: Vec<u8> = own.iter().map(|row| fold[*row]).collect();
            let gained: Vec<f64> = gained.collect();
            stages::effect((&matrix, &fold), &gained, None, schema, settings)
        };
        let share = contrast.share();
        Ok(Effect::of(vec![(share, of_arm(false)?), (1.0 - share, of_arm(true)?)]))
    }
}
