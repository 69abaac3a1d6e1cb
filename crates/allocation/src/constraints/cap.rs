//! Has the promotion been offered to as many customers as it may be?

use tercet_types::Result;

use super::{Rule, RuleId, broken};
use crate::ledger::Question;
use crate::plan::Plan;
use crate::problem::Problem;

/// A promotion's offers stay within its cap.
pub(crate) struct Cap;

impl Rule for Cap {
    fn id(&self) -> RuleId {
        RuleId::Cap
    }

    fn name(&self) -> &'static str {
        "cap"
    }

    fn words(&self) -> &'static str {
        "the promotions for this slot have reached their cap"
    }

    fn words_of_offer(&self) -> &'static str {
        "it has reached its cap with other customers"
    }

    fn admits(&self, question: &Question<'_>) -> bool {
        let promotion = question.candidate.promotion as usize;
        let cap = question.problem.promotions[promotion].cap;
        cap.is_none_or(|cap| question.ledger.offers[promotion] < cap)
    }

    fn verify(&self, problem: &Problem<'_>, plan: &Plan) -> Result<()> {
        let mut offers = vec![0_u64; problem.promotions.len()];
        for (customer, _, placed) in plan.offers() {
            let promotion = problem.candidate(customer, placed.at()).promotion;
            let count = &mut offers[promotion as usize];
            *count += 1;
            if problem.promotions[promotion as usize].cap.is_some_and(|cap| *count > cap) {
                return Err(broken(self.id(), customer, promotion));
            }
        }
        Ok(())
    }
}
