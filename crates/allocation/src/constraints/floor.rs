//! Are there as many offers as there have to be?

use tercet_types::{Error, Result};

use super::{Rule, RuleId};
use crate::ledger::Question;
use crate::plan::Plan;
use crate::problem::Problem;

/// At least so many offers of a promotion, or to a group of customers.
///
/// It refuses nobody; the plan says by how many offers a floor is missed, and that has to be true.
pub(crate) struct Floor;

impl Rule for Floor {
    fn id(&self) -> RuleId {
        RuleId::Floor
    }

    fn name(&self) -> &'static str {
        "floor"
    }

    fn words(&self) -> &'static str {
        "a least number of offers has to be made of other promotions or to other customers"
    }

    fn admits(&self, _: &Question<'_>) -> bool {
        true
    }

    fn verify(&self, problem: &Problem<'_>, plan: &Plan) -> Result<()> {
        for (at, floor) in problem.floors.iter().enumerate() {
            let counts = |&(customer, promotion): &(usize, u32)| {
                let is_named = floor.promotions.as_ref().is_none_or(|p| p.contains(&promotion));
                let groups = problem.customers[customer].groups;
                is_named && floor.group.is_none_or(|group| groups & 1 << group != 0)
            };
            let offers = plan.offers().map(|(customer, _, placed)| {
                (customer, problem.candidate(customer, placed.at()).promotion)
            });
            let missing = floor.offers_min.saturating_sub(offers.filter(counts).count() as u64);
            if plan.shortfalls.get(at) != Some(&missing) {
                let place = format!("rule {}, floor {at}", self.id());
                return Err(Error::internal(
                    "T0601",
                    format!("{place}: {missing} offers are missing, but the plan says otherwise"),
                )
                .hint("report this: nothing was published"));
            }
        }
        Ok(())
    }
}
