//! Is the promotion's own budget used up?

use tercet_types::Result;

use super::{Rule, RuleId, broken};
use crate::ledger::Question;
use crate::plan::Plan;
use crate::problem::Problem;

/// The expected cost of a promotion's offers stays within its budget.
pub(crate) struct PromotionBudget;

impl Rule for PromotionBudget {
    fn id(&self) -> RuleId {
        RuleId::PromotionBudget
    }

    fn name(&self) -> &'static str {
        "promotion_budget"
    }

    fn words(&self) -> &'static str {
        "the promotions for this slot have spent their budget"
    }

    fn words_of_offer(&self) -> &'static str {
        "what is left of its budget is less than it would cost"
    }

    fn admits(&self, question: &Question<'_>) -> bool {
        let promotion = question.candidate.promotion as usize;
        let budget_minor = question.problem.promotions[promotion].budget_minor;
        let cost_minor = question.candidate.expected_cost_minor;
        budget_minor.is_none_or(|budget_minor| {
            cost_minor == 0
                || question.ledger.costs_minor[promotion]
                    .checked_add(cost_minor)
                    .is_some_and(|sum| sum <= budget_minor)
        })
    }

    fn verify(&self, problem: &Problem<'_>, plan: &Plan) -> Result<()> {
        let mut costs_minor = vec![0_i128; problem.promotions.len()];
        for (customer, _, placed) in plan.offers() {
            let candidate = problem.candidate(customer, placed.at());
            let cost_minor = &mut costs_minor[candidate.promotion as usize];
            *cost_minor += i128::from(candidate.expected_cost_minor);
            let budget_minor = problem.promotions[candidate.promotion as usize].budget_minor;
            let over = |budget_minor: i64| *cost_minor > i128::from(budget_minor.max(0));
            if budget_minor.is_some_and(over) {
                return Err(broken(self.id(), customer, candidate.promotion));
            }
        }
        Ok(())
    }
}
