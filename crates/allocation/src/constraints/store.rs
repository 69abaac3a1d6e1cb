//! Does the promotion hold where the customer shops?

use tercet_types::Result;

use super::{Rule, RuleId, broken};
use crate::ledger::Question;
use crate::plan::Plan;
use crate::problem::Problem;

/// A promotion that names stores goes to customers whose home store is one of them; one that names
/// none goes to everybody. A customer without a known home store shops in none of them.
pub(crate) struct Store;

impl Rule for Store {
    fn id(&self) -> RuleId {
        RuleId::Store
    }

    fn name(&self) -> &'static str {
        "store"
    }

    fn words(&self) -> &'static str {
        "the promotions for this slot hold in other stores than the one where the customer shops"
    }

    fn words_of_offer(&self) -> &'static str {
        "it holds in other stores than the one where the customer shops"
    }

    fn admits(&self, question: &Question<'_>) -> bool {
        question.problem.holds_at_store(question.customer, question.candidate.promotion)
    }

    fn verify(&self, problem: &Problem<'_>, plan: &Plan) -> Result<()> {
        for (customer, _, placed) in plan.offers() {
            let promotion = problem.candidate(customer, placed.at()).promotion;
            if let Some(stores) = &problem.promotions[promotion as usize].stores {
                let home = problem.customers[customer].store;
                if !stores.iter().any(|store| Some(*store) == home) {
                    return Err(broken(self.id(), customer, promotion));
                }
            }
        }
        Ok(())
    }
}
