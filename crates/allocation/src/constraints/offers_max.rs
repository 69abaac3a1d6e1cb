//! Has the customer as many offers as one run may make?

use tercet_types::Result;

use super::{Rule, RuleId, broken};
use crate::ledger::Question;
use crate::plan::Plan;
use crate::problem::Problem;

/// A run makes a customer at most so many offers, however many slots there are.
pub(crate) struct OffersMax;

impl Rule for OffersMax {
    fn id(&self) -> RuleId {
        RuleId::OffersMax
    }

    fn name(&self) -> &'static str {
        "offers_max"
    }

    fn words(&self) -> &'static str {
        "the customer has as many offers as one run may make"
    }

    fn admits(&self, question: &Question<'_>) -> bool {
        let most = question.problem.offers_max;
        most.is_none_or(|most| question.chosen.len() < usize::from(most))
    }

    fn verify(&self, problem: &Problem<'_>, plan: &Plan) -> Result<()> {
        let Some(most) = problem.offers_max else { return Ok(()) };
        for customer in 0..problem.customers.len() {
            if let Some((_, placed)) = plan.chosen(customer).get(usize::from(most)) {
                let promotion = problem.candidate(customer, placed.at()).promotion;
                return Err(broken(self.id(), customer, promotion));
            }
        }
        Ok(())
    }
}
