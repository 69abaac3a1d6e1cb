//! Does another promotion of the same group stand in the slate?

use tercet_types::Result;

use super::{Rule, RuleId, broken};
use crate::ledger::Question;
use crate::plan::Plan;
use crate::problem::Problem;

/// A customer gets at most one promotion of an exclusivity group.
pub(crate) struct Exclusivity;

impl Rule for Exclusivity {
    fn id(&self) -> RuleId {
        RuleId::Exclusivity
    }

    fn name(&self) -> &'static str {
        "exclusivity"
    }

    fn words(&self) -> &'static str {
        "the promotions for this slot may not be combined with another offer of the customer"
    }

    fn words_of_offer(&self) -> &'static str {
        "it may not be combined with another offer of the customer"
    }

    fn admits(&self, question: &Question<'_>) -> bool {
        let group =
            |promotion: u32| question.problem.promotions[promotion as usize].exclusivity_group;
        let own = group(question.candidate.promotion);
        own.is_none() || question.chosen.iter().all(|&promotion| group(promotion) != own)
    }

    fn verify(&self, problem: &Problem<'_>, plan: &Plan) -> Result<()> {
        for customer in 0..problem.customers.len() {
            let mut seen = Vec::new();
            for (_, placed) in plan.chosen(customer).iter() {
                let promotion = problem.candidate(customer, placed.at()).promotion;
                let Some(group) = problem.promotions[promotion as usize].exclusivity_group else {
                    continue;
                };
                if seen.contains(&group) {
                    return Err(broken(self.id(), customer, promotion));
                }
                seen.push(group);
            }
        }
        Ok(())
    }
}
