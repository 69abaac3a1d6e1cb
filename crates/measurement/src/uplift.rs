//! Whom does an offer change, and is it worth choosing by that?
//!
//! Outcomes, arms and scores of the units of a trial in, one entry per unit each; figures or an enumerated
//! refusal out. Figures of rankings come in the conventions of two libraries, named after them, since they
//! differ and may not be compared with each other: [`scikit_uplift`] and [`causalml`]. [`ArmValues`] says
//! what a way of sending is worth, [`sending`] which is best, [`calibration`] whether predicted effects happen, and [`heterogeneity`]
//! whether there are any differences of effect to choose by.

mod arm_values;
mod calibration;
pub mod causalml;
mod curve;
mod heterogeneity;
mod ranked;
mod refusal;
pub mod scikit_uplift;
mod selected;
mod sending;

pub use arm_values::ArmValues;
pub use calibration::{GROUPS, UpliftGroup, calibration};
pub use curve::qini_curve;
pub use heterogeneity::{Heterogeneity, SIGNIFICANT_P, heterogeneity};
pub use ranked::Ranked;
pub use refusal::Refusal;
pub use selected::{Selected, selected};
pub use sending::{Sending, arm_to_send, sending};
