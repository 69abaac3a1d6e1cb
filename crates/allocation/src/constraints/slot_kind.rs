//! Does the promotion meet the slot's predicate?

use tercet_types::Result;

use super::{Rule, RuleId, broken};
use crate::ledger::Question;
use crate::plan::Plan;
use crate::problem::Problem;

/// A slot takes only promotions that meet its predicate. Which of the free slots, the solver decides.
pub(crate) struct SlotKind;

impl Rule for SlotKind {
    fn id(&self) -> RuleId {
        RuleId::SlotKind
    }

    fn name(&self) -> &'static str {
        "slot_kind"
    }

    fn words(&self) -> &'static str {
        "no promotion of the kind this slot asks for is left for the customer"
    }

    fn words_of_offer(&self) -> &'static str {
        "no slot asks for its kind for this customer"
    }

    fn admits(&self, question: &Question<'_>) -> bool {
        question.candidate.slots & question.problem.all_slots() != 0
    }

    fn verify(&self, problem: &Problem<'_>, plan: &Plan) -> Result<()> {
        for (customer, slot, placed) in plan.offers() {
            let candidate = problem.candidate(customer, placed.at());
            if candidate.slots >> slot & 1 == 0 {
                return Err(broken(self.id(), customer, candidate.promotion));
            }
        }
        Ok(())
    }
}
