//! Is a budget that several promotions spend used up?

use tercet_types::Result;

use super::{Rule, RuleId, broken};
use crate::ledger::Question;
use crate::plan::Plan;
use crate::problem::Problem;

/// The expected cost of the offers of a budget's promotions stays within the budget, for every budget the
/// promotion belongs to.
pub(crate) struct NamedBudget;

impl Rule for NamedBudget {
    fn id(&self) -> RuleId {
        RuleId::NamedBudget
    }

    fn name(&self) -> &'static str {
        "budget"
    }

    fn words(&self) -> &'static str {
        "the promotions for this slot have spent a budget that they share with others"
    }

    fn words_of_offer(&self) -> &'static str {
        "what is left of a budget that it shares with others is less than it would cost"
    }

    fn admits(&self, question: &Question<'_>) -> bool {
        let cost_minor = question.candidate.expected_cost_minor;
        let problem = question.problem;
        let lasts = |at: usize| {
            let sum_minor = question.ledger.budgets_minor[at].checked_add(cost_minor);
            sum_minor.is_some_and(|sum| sum <= problem.budgets[at].budget_minor)
        };
        cost_minor == 0 || problem.budgets_of(question.candidate.promotion).all(lasts)
    }

    fn verify(&self, problem: &Problem<'_>, plan: &Plan) -> Result<()> {
        if problem.budgets.is_empty() {
            return Ok(());
        }
        let mut costs_minor = vec![0_i128; problem.budgets.len()];
        for (customer, _, placed) in plan.offers() {
            let candidate = problem.candidate(customer, placed.at());
            for (budget, cost_minor) in problem.budgets.iter().zip(&mut costs_minor) {
                if budget.promotions.contains(&candidate.promotion) {
                    *cost_minor += i128::from(candidate.expected_cost_minor);
                    if *cost_minor > i128::from(budget.budget_minor.max(0)) {
                        return Err(broken(self.id(), customer, candidate.promotion));
                    }
                }
            }
        }
        Ok(())
    }
}
