//! S: what does one model say of a customer treated, and not?

use tercet_types::Result;

use super::effect::Term;
use super::{Contrast, Effect, UpliftLearner, UpliftSettings, stages};
use crate::gbdt::FeatureSchema;

/// The column that says whether a row is treated; no feature may have its name.
const TREATED: &str = "(treated)";

/// `μ(x, 1) − μ(x, 0)`, one model (Künzel et al. 2019).
#[derive(Clone, Copy, Debug)]
pub struct SLearner;

impl UpliftLearner for SLearner {
    fn name(&self) -> &'static str {
        "s"
    }

    fn fit(
        &self,
        contrast: &Contrast,
        schema: &FeatureSchema,
        settings: &UpliftSettings,
    ) -> Result<Effect> {
        let matrix = contrast.matrix.with(|row| f32::from(u8::from(contrast.treated[row])));
        let schema = schema.clone().with(TREATED, None);
        let model = stages::outcomes(&matrix, &contrast.outcome, &schema, settings)?;
        let term = |weight, treated| Term { weight, ensemble: 0, treated: Some(treated) };
        Ok(Effect { ensembles: vec![model], terms: vec![term(1.0, true), term(-1.0, false)] })
    }
}
