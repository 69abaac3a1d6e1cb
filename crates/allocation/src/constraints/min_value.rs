//! Is the offer worth making?

use tercet_types::Result;

use super::{Rule, RuleId, broken};
use crate::ledger::Question;
use crate::plan::Plan;
use crate::problem::Problem;

/// What an offer adds to its slate reaches the minimum, unless it is pinned or drawn at random. Without a minimum it is 0: what is
/// expected to lose is not sent.
pub(crate) struct MinValue;

impl Rule for MinValue {
    fn id(&self) -> RuleId {
        RuleId::MinValue
    }

    fn name(&self) -> &'static str {
        "min_value"
    }

    fn words(&self) -> &'static str {
        "no promotion left for this slot is worth enough to the customer"
    }

    fn words_of_offer(&self) -> &'static str {
        "it is worth less to the customer than an offer must be"
    }

    fn admits(&self, question: &Question<'_>) -> bool {
        question.is_pinned || question.worth_minor() >= question.problem.least_minor()
    }

    fn verify(&self, problem: &Problem<'_>, plan: &Plan) -> Result<()> {
        let least_minor = problem.least_minor();
        for customer in 0..problem.customers.len() {
            let mut promotions = Vec::new();
            for (_, placed) in plan.chosen(customer).iter() {
                let candidate = problem.candidate(customer, placed.at());
                let worth_minor = problem.worth_minor(customer, &promotions, &candidate);
                if placed.has_to_pay() && worth_minor < least_minor {
                    return Err(broken(self.id(), customer, candidate.promotion));
                }
                promotions.push(candidate.promotion);
            }
        }
        Ok(())
    }
}
