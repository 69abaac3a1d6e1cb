//! What does a treatment add for each customer?
//!
//! Learners of uplift over the project's tree ensemble, one a file behind [`UpliftLearner`]: a [`Trial`] in
//! (features, outcomes, arms, propensities), an [`UpliftModel`] out, which says per row and arm how much more
//! the outcome is than in control. [`cross_fit`] says the same of the trial's own rows by models that did not
//! see them, and is what figures are to be taken on.
//!
//! Künzel, Sekhon, Bickel and Yu 2019 name T, S and X (doi:10.1073/pnas.1804597116); DR is Kennedy 2023
//! (doi:10.1214/23-EJS2157), R is Nie and Wager 2021 (doi:10.1093/biomet/asaa076).

mod cross_fit;
mod dr;
mod effect;
mod folds;
mod model;
mod r;
mod s;
mod settings;
mod shrink;
mod stages;
mod t;
mod trial;
mod x;

pub use cross_fit::{CrossFit, cross_fit};
pub use dr::DrLearner;
pub use effect::Effect;
pub use folds::row_key;
pub use model::{UpliftModel, fit};
pub use r::RLearner;
pub use s::SLearner;
pub use settings::UpliftSettings;
pub use shrink::{Shrinkage, shrinkage};
pub use t::TLearner;
pub use trial::{Contrast, Propensity, Trial};
pub use x::XLearner;

use tercet_types::Result;

use crate::gbdt::FeatureSchema;

/// Learns from one treatment against control what it adds.
pub trait UpliftLearner: Sync {
    /// Its name, as it is typed.
    fn name(&self) -> &'static str;

    /// Learns from the rows of `contrast` and from nothing else.
    ///
    /// # Errors
    /// As [`crate::gbdt::train`].
    fn fit(
        &self,
        contrast: &Contrast,
        schema: &FeatureSchema,
        settings: &UpliftSettings,
    ) -> Result<Effect>;
}

/// All learners.
pub const LEARNERS: [&dyn UpliftLearner; 5] =
    [&DrLearner, &RLearner, &XLearner, &TLearner, &SLearner];
