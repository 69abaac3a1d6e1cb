//! Was the same promotion offered within the last weeks?

use super::{Rule, RuleId};

/// Not the same promotion within the configured number of weeks. Arrives as a flag.
pub(crate) struct Frequency;

impl Rule for Frequency {
    fn id(&self) -> RuleId {
        RuleId::Frequency
    }

    fn name(&self) -> &'static str {
        "frequency"
    }

    fn words(&self) -> &'static str {
        "the promotions for this slot were offered to the customer only recently"
    }

    fn words_of_offer(&self) -> &'static str {
        "the customer was offered it within the last weeks"
    }
}
