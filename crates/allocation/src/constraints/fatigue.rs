//! Is the offer worth one more contact?

use tercet_types::Result;

use super::{Rule, RuleId, broken};
use crate::ledger::Question;
use crate::plan::Plan;
use crate::problem::Problem;

/// Less the price of a contact, what an offer adds to its slate still reaches the minimum, unless it is pinned or
/// drawn at random.
///
/// The price grows with how often the customer was contacted lately, see [`crate::contacts`].
pub(crate) struct Fatigue;

impl Rule for Fatigue {
    fn id(&self) -> RuleId {
        RuleId::Fatigue
    }

    fn name(&self) -> &'static str {
        "fatigue"
    }

    fn words(&self) -> &'static str {
        "no promotion left for this slot is worth one more contact to a customer who had many lately"
    }

    fn words_of_offer(&self) -> &'static str {
        "it is not worth one more contact to a customer who had many lately"
    }

    fn admits(&self, question: &Question<'_>) -> bool {
        question.is_pinned || question.marginal_minor() >= question.problem.least_minor()
    }

    fn verify(&self, problem: &Problem<'_>, plan: &Plan) -> Result<()> {
        for (customer, known) in problem.customers.iter().enumerate() {
            let mut promotions = Vec::new();
            for (_, placed) in plan.chosen(customer).iter() {
                let candidate = problem.candidate(customer, placed.at());
                let worth_minor = problem.worth_minor(customer, &promotions, &candidate);
                let left_minor = worth_minor - f64::from(known.contact_price_minor);
                if placed.has_to_pay() && left_minor < problem.least_minor() {
                    return Err(broken(self.id(), customer, candidate.promotion));
                }
                promotions.push(candidate.promotion);
            }
        }
        Ok(())
    }
}
