//! Is the run's budget used up?

use tercet_types::Result;

use super::{Rule, RuleId, broken};
use crate::ledger::Question;
use crate::plan::Plan;
use crate::problem::Problem;

/// The expected cost of all offers stays within the run's budget.
pub(crate) struct TotalBudget;

impl Rule for TotalBudget {
    fn id(&self) -> RuleId {
        RuleId::TotalBudget
    }

    fn name(&self) -> &'static str {
        "total_budget"
    }

    fn words(&self) -> &'static str {
        "the budget of the run is spent"
    }

    fn words_of_offer(&self) -> &'static str {
        "what is left of the run's budget is less than it would cost"
    }

    fn admits(&self, question: &Question<'_>) -> bool {
        let cost_minor = question.candidate.expected_cost_minor;
        question.problem.total_budget_minor.is_none_or(|budget_minor| {
            cost_minor == 0
                || question
                    .ledger
                    .total_cost_minor
                    .checked_add(cost_minor)
                    .is_some_and(|sum| sum <= budget_minor)
        })
    }

    fn verify(&self, problem: &Problem<'_>, plan: &Plan) -> Result<()> {
        let Some(budget_minor) = problem.total_budget_minor else { return Ok(()) };
        let mut cost_minor = 0_i128;
        for (customer, _, placed) in plan.offers() {
            let candidate = problem.candidate(customer, placed.at());
            cost_minor += i128::from(candidate.expected_cost_minor);
            if cost_minor > i128::from(budget_minor.max(0)) {
                return Err(broken(self.id(), customer, candidate.promotion));
            }
        }
        Ok(())
    }
}
