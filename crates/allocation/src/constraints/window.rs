//! Is the promotion valid in the week?

use super::{Rule, RuleId};

/// The promotion's window covers the week. Arrives as a flag.
pub(crate) struct Window;

impl Rule for Window {
    fn id(&self) -> RuleId {
        RuleId::Window
    }

    fn name(&self) -> &'static str {
        "window"
    }

    fn words(&self) -> &'static str {
        "the promotions for this slot are not valid in this week"
    }

    fn words_of_offer(&self) -> &'static str {
        "it is not valid in this week"
    }
}
