//! Is the customer among those the run or the promotion is for?

use super::{Rule, RuleId};

/// The run's target audience and the promotion's audience rule. Arrives as a flag.
pub(crate) struct Audience;

impl Rule for Audience {
    fn id(&self) -> RuleId {
        RuleId::Audience
    }

    fn name(&self) -> &'static str {
        "audience"
    }

    fn words(&self) -> &'static str {
        "the offer is not meant for this customer: outside the audience of the run or of the promotion"
    }
}
