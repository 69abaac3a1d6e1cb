//! Does the promotion hold in the channel in which the customer meets it?

use tercet_types::Result;

use super::{Rule, RuleId, broken};
use crate::ledger::Question;
use crate::plan::Plan;
use crate::problem::Problem;

/// A promotion that names channels stands only in slots that are shown in one of them; in a slot of no
/// channel of its own, only for customers who use one of them. A slot of a channel that the customer has
/// refused takes no offer at all.
pub(crate) struct Channel;

impl Rule for Channel {
    fn id(&self) -> RuleId {
        RuleId::Channel
    }

    fn name(&self) -> &'static str {
        "channel"
    }

    fn words(&self) -> &'static str {
        "the promotions for this slot hold in channels in which the customer does not meet it"
    }

    fn words_of_offer(&self) -> &'static str {
        "it holds in channels in which the customer does not meet it"
    }

    fn admits(&self, question: &Question<'_>) -> bool {
        let refused = question.problem.scope_refusal(question.customer, question.candidate);
        refused != Some(self.id())
    }

    fn verify(&self, problem: &Problem<'_>, plan: &Plan) -> Result<()> {
        for (customer, slot, placed) in plan.offers() {
            let promotion = problem.candidate(customer, placed.at()).promotion;
            let known = &problem.customers[customer];
            let scope = problem.promotions[promotion as usize].channels;
            let met_in = match problem.slots[slot].channel {
                Some(channel) => 1 << channel & !known.refused_channels,
                None => known.channels,
            };
            let is_met = met_in & scope.unwrap_or(u64::MAX) != 0;
            let is_free = scope.is_none() && problem.slots[slot].channel.is_none();
            if !is_met && !is_free {
                return Err(broken(self.id(), customer, promotion));
            }
        }
        Ok(())
    }
}
