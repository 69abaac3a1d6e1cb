//! Has the customer redeemed the promotion already?

use super::{Rule, RuleId};

/// What was redeemed is not offered again. Arrives as a flag.
pub(crate) struct Redeemed;

impl Rule for Redeemed {
    fn id(&self) -> RuleId {
        RuleId::Redeemed
    }

    fn name(&self) -> &'static str {
        "redeemed"
    }

    fn words(&self) -> &'static str {
        "the customer has already redeemed the promotions for this slot"
    }

    fn words_of_offer(&self) -> &'static str {
        "the customer has redeemed it already"
    }
}
