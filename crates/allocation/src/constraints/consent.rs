//! May we write to the customer at all?

use super::{Rule, RuleId};

/// Opt-out, consent and suppression: the first rule to be applied. Arrives as a flag.
pub(crate) struct Consent;

impl Rule for Consent {
    fn id(&self) -> RuleId {
        RuleId::Consent
    }

    fn name(&self) -> &'static str {
        "consent"
    }

    fn words(&self) -> &'static str {
        "the customer has opted out, gave no consent, or is suppressed"
    }
}
