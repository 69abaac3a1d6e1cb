//! Is the customer in an engine test, on the side that gets no offers?

use super::{Rule, RuleId};

/// Customers of a baseline without an engine have zero offers. Arrives as a flag.
pub(crate) struct Baseline;

impl Rule for Baseline {
    fn id(&self) -> RuleId {
        RuleId::Baseline
    }

    fn name(&self) -> &'static str {
        "baseline"
    }

    fn words(&self) -> &'static str {
        "the customer is in the baseline of an engine test and gets no offers yet"
    }
}
