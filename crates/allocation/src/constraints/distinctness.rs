//! Is the promotion in the slate already?

use tercet_types::Result;

use super::{Rule, RuleId, broken};
use crate::ledger::Question;
use crate::plan::Plan;
use crate::problem::Problem;

/// A customer gets a promotion once.
pub(crate) struct Distinctness;

impl Rule for Distinctness {
    fn id(&self) -> RuleId {
        RuleId::Distinctness
    }

    fn name(&self) -> &'static str {
        "distinctness"
    }

    fn words(&self) -> &'static str {
        "the promotions for this slot already stand in another slot"
    }

    fn words_of_offer(&self) -> &'static str {
        "it stands in another slot of the customer"
    }

    fn admits(&self, question: &Question<'_>) -> bool {
        !question.chosen.contains(&question.candidate.promotion)
    }

    fn verify(&self, problem: &Problem<'_>, plan: &Plan) -> Result<()> {
        for customer in 0..problem.customers.len() {
            let mut seen = Vec::new();
            for (_, placed) in plan.chosen(customer).iter() {
                let promotion = problem.candidate(customer, placed.at()).promotion;
                if seen.contains(&promotion) {
                    return Err(broken(self.id(), customer, promotion));
                }
                seen.push(promotion);
            }
        }
        Ok(())
    }
}
