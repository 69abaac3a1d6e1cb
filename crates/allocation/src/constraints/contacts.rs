//! Has the customer been contacted often enough?

use tercet_types::Result;

use super::{Rule, RuleId, broken};
use crate::ledger::Question;
use crate::plan::Plan;
use crate::problem::Problem;

/// At most so many offers in the rolling window; what earlier runs left of it is the customer's
/// `max_offers`.
pub(crate) struct Contacts;

impl Rule for Contacts {
    fn id(&self) -> RuleId {
        RuleId::Contacts
    }

    fn name(&self) -> &'static str {
        "contacts"
    }

    fn words(&self) -> &'static str {
        "the customer has been contacted as often as the contact limit allows"
    }

    fn admits(&self, question: &Question<'_>) -> bool {
        question.chosen.len()
            < usize::from(question.problem.customers[question.customer].max_offers)
    }

    fn verify(&self, problem: &Problem<'_>, plan: &Plan) -> Result<()> {
        for (customer, known) in problem.customers.iter().enumerate() {
            let chosen = plan.chosen(customer);
            if let Some((_, placed)) = chosen.get(usize::from(known.max_offers)) {
                let promotion = problem.candidate(customer, placed.at()).promotion;
                return Err(broken(self.id(), customer, promotion));
            }
        }
        Ok(())
    }
}
