//! Is the customer held out, to measure what offers cause?

use super::{Rule, RuleId};

/// Control customers have zero offers. Arrives as a flag.
pub(crate) struct Control;

impl Rule for Control {
    fn id(&self) -> RuleId {
        RuleId::Control
    }

    fn name(&self) -> &'static str {
        "control"
    }

    fn words(&self) -> &'static str {
        "the customer is in the control group and gets no offers"
    }
}
