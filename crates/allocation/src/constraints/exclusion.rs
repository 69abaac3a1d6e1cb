//! Did the marketer take the promotion away from the customer?

use super::{Rule, RuleId};

/// Excluded by hand. Arrives as a flag.
pub(crate) struct Exclusion;

impl Rule for Exclusion {
    fn id(&self) -> RuleId {
        RuleId::Exclusion
    }

    fn name(&self) -> &'static str {
        "exclusion"
    }

    fn words(&self) -> &'static str {
        "the marketer excluded the promotions for this slot"
    }

    fn words_of_offer(&self) -> &'static str {
        "it is on the list of promotions that nobody gets"
    }
}
