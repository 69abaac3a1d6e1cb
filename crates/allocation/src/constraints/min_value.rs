//! Is the offer worth making?

use tercet_types::Result;

use super::{Rule, RuleId, broken};
use crate::ledger::Question;
use crate::plan::Plan;
use crate::problem::Problem;

/// What an offer adds to its slate reaches the minimum, unless it is pinned.
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
        let least_minor = question.problem.min_value_minor;
        question.is_pinned
            || least_minor.is_none_or(|least_minor| question.marginal_minor() >= least_minor as f64)
    }

    fn verify(&self, problem: &Problem<'_>, plan: &Plan) -> Result<()> {
        let Some(least_minor) = problem.min_value_minor else { return Ok(()) };
        for customer in 0..problem.customers.len() {
            let mut promotions = Vec::new();
            for (_, placed) in plan.chosen(customer) {
                let candidate = &problem.candidates[placed.candidate];
                let worth = problem.marginal_minor(customer, &promotions, candidate);
                if !placed.is_pinned && worth < least_minor as f64 {
                    return Err(broken(self.id(), customer, candidate.promotion));
                }
                promotions.push(candidate.promotion);
            }
        }
        Ok(())
    }
}
