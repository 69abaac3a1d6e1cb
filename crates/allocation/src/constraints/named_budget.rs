//! Is a budget that several promotions spend used up?

use tercet_types::Result;

use super::{Rule, RuleId, broken};
use crate::ledger::Question;
use crate::plan::Plan;
use crate::problem::Problem;

/// What the offers of a budget's promotions cost, or lose of the margin, stays within the budget, for every budget
/// the promotion belongs to.
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
        "what is left of a budget that it shares with others is less than it would take"
    }

    fn admits(&self, question: &Question<'_>) -> bool {
        let (problem, candidate) = (question.problem, question.candidate);
        let mut budgets = problem.budgets_of(candidate.promotion);
        budgets.all(|at| question.ledger.lasts(problem, at, candidate))
    }

    fn verify(&self, problem: &Problem<'_>, plan: &Plan) -> Result<()> {
        if problem.budgets.is_empty() {
            return Ok(());
        }
        let mut sums_minor = vec![0_i128; problem.budgets.len()];
        for (customer, _, placed) in plan.offers() {
            let candidate = problem.candidate(customer, placed.at());
            for (budget, sum_minor) in problem.budgets.iter().zip(&mut sums_minor) {
                if budget.promotions.contains(&candidate.promotion) {
                    *sum_minor += i128::from(candidate.minor(budget.measure));
                    if *sum_minor > i128::from(budget.budget_minor.max(0)) {
                        return Err(broken(self.id(), customer, candidate.promotion));
                    }
                }
            }
        }
        Ok(())
    }
}
