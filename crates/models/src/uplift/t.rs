//! T: what do the treated do more than control customers, each learnt for itself?

use tercet_types::Result;

use super::{Contrast, Effect, UpliftLearner, UpliftSettings, stages};
use crate::gbdt::FeatureSchema;

/// `μ₁(x) − μ₀(x)`, two models (Künzel et al. 2019).
#[derive(Clone, Copy, Debug)]
pub struct TLearner;

impl UpliftLearner for TLearner {
    fn name(&self) -> &'static str {
        "t"
    }

    fn fit(
        &self,
        contrast: &Contrast,
        schema: &FeatureSchema,
        settings: &UpliftSettings,
    ) -> Result<Effect> {
        let of_arm = |treated: bool| {
            let rows = contrast.rows_of(treated);
            let outcome: Vec<f64> = rows.iter().map(|row| contrast.outcome[*row]).collect();
            stages::outcomes(&contrast.matrix.only(&rows), &outcome, schema, settings)
        };
        Ok(Effect::of(vec![(1.0, of_arm(true)?), (-1.0, of_arm(false)?)]))
    }
}
