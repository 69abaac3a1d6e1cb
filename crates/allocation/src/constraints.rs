//! Which rules may keep an offer from a customer?
//!
//! One rule a file. Each says in a marketer's words why a slot stayed empty, admits or refuses a
//! candidate while the plan is made, and verifies the finished plan by itself, from the problem
//! alone. Rules about history and data (consent, window, frequency …) arrive as flags on customers
//! and candidates; rules about scope (store, channel) compare what promotion, customer and slot say of
//! themselves; rules about the plan (cap, budget, exclusivity …) count for themselves. A floor
//! keeps no offer away; what it asks for has a price, like every limit.
//!
//! To add one: a file here with its `Rule`, a [`RuleId`], a place in `RULES`, and a property test.

mod audience;
mod baseline;
mod cap;
mod channel;
mod consent;
mod contacts;
mod control;
mod distinctness;
mod exclusion;
mod exclusivity;
mod fatigue;
mod floor;
mod frequency;
mod min_value;
mod named_budget;
mod offers_max;
mod promotion_budget;
mod redeemed;
mod slot_kind;
mod store;
mod total_budget;
mod window;

use tercet_types::{Error, Result};

use crate::ledger::Question;
use crate::plan::Plan;
use crate::problem::Problem;

/// A rule by name, in the order in which rules are applied.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum RuleId {
    /// Opted out, no consent, or suppressed.
    Consent,
    /// In the holdout.
    Control,
    /// Not in the run's target audience, or not in the promotion's.
    Audience,
    /// Not valid in the week.
    Window,
    /// Already redeemed.
    Redeemed,
    /// Excluded by the marketer.
    Exclusion,
    /// Offered within the last weeks.
    Frequency,
    /// In an engine test, on the side without offers.
    Baseline,
    /// Holds in stores where the customer does not shop.
    Store,
    /// Holds in channels in which the customer is not reached, or the slot is not shown.
    Channel,
    /// Does not meet the slot's predicate.
    SlotKind,
    /// Already in another slot of the slate.
    Distinctness,
    /// Another promotion of its group is in the slate.
    Exclusivity,
    /// The customer's contacts are used up.
    Contacts,
    /// The slate has as many offers as a run may make to a customer.
    OffersMax,
    /// The promotion's cap is used up.
    Cap,
    /// The promotion's budget is used up.
    PromotionBudget,
    /// A budget of several promotions is used up.
    NamedBudget,
    /// The run's budget is used up.
    TotalBudget,
    /// Worth too little.
    MinValue,
    /// Worth too little to a customer who was contacted lately.
    Fatigue,
    /// A least number of offers of other promotions, or to other customers, has to be made.
    Floor,
}

/// All rules, in the order of [`RuleId`].
pub(crate) const RULES: [&dyn Rule; 22] = [
    &consent::Consent,
    &control::Control,
    &audience::Audience,
    &window::Window,
    &redeemed::Redeemed,
    &exclusion::Exclusion,
    &frequency::Frequency,
    &baseline::Baseline,
    &store::Store,
    &channel::Channel,
    &slot_kind::SlotKind,
    &distinctness::Distinctness,
    &exclusivity::Exclusivity,
    &contacts::Contacts,
    &offers_max::OffersMax,
    &cap::Cap,
    &promotion_budget::PromotionBudget,
    &named_budget::NamedBudget,
    &total_budget::TotalBudget,
    &min_value::MinValue,
    &fatigue::Fatigue,
    &floor::Floor,
];

impl RuleId {
    /// All rules, in the order in which they are applied.
    pub fn all() -> impl Iterator<Item = Self> {
        RULES.iter().map(|rule| rule.id())
    }

    /// The name in tables and configuration.
    pub fn name(self) -> &'static str {
        RULES[self as usize].name()
    }

    /// Why the slot is empty, in a marketer's words.
    pub fn words(self) -> &'static str {
        RULES[self as usize].words()
    }

    /// Why one offer was not made, in a marketer's words.
    pub fn words_of_offer(self) -> &'static str {
        RULES[self as usize].words_of_offer()
    }

    /// The rule of that name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::all().find(|rule| rule.name() == name)
    }

    /// True when the rule is decided before allocation and arrives as a flag.
    pub fn is_flag(self) -> bool {
        self < Self::Store
    }
}

impl std::fmt::Display for RuleId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name())
    }
}

/// A rule of allocation.
pub(crate) trait Rule: Sync {
    /// Which rule.
    fn id(&self) -> RuleId;

    /// The name in tables and configuration.
    fn name(&self) -> &'static str;

    /// Why the slot is empty, in a marketer's words.
    fn words(&self) -> &'static str;

    /// Why one offer was not made, in a marketer's words.
    fn words_of_offer(&self) -> &'static str {
        self.words()
    }

    /// True when the customer may get the candidate on top of what is chosen.
    fn admits(&self, question: &Question<'_>) -> bool {
        !is_flagged(question.problem, self.id(), question.customer, question.candidate.excluded)
    }

    /// Holds the finished plan against the rule.
    ///
    /// # Errors
    /// `T0601` (internal) naming rule, customer and promotion.
    fn verify(&self, problem: &Problem<'_>, plan: &Plan) -> Result<()> {
        for (customer, _, placed) in plan.offers() {
            let candidate = problem.candidate(customer, placed.at());
            if is_flagged(problem, self.id(), customer, candidate.excluded) {
                return Err(broken(self.id(), customer, candidate.promotion));
            }
        }
        Ok(())
    }
}

/// The first rule that refuses the candidate.
pub(crate) fn refusal(question: &Question<'_>) -> Option<RuleId> {
    RULES.iter().find(|rule| !rule.admits(question)).map(|rule| rule.id())
}

/// The error of a broken rule.
pub(crate) fn broken(rule: RuleId, customer: usize, promotion: u32) -> Error {
    let place = format!("rule {rule}, customer {customer}, promotion {promotion}");
    Error::internal("T0601", format!("{place}: the plan breaks the rule"))
        .hint("report this: nothing was published")
}

fn is_flagged(
    problem: &Problem<'_>,
    rule: RuleId,
    customer: usize,
    excluded: Option<RuleId>,
) -> bool {
    excluded == Some(rule) || problem.customers[customer].blocked == Some(rule)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rules_stand_in_the_order_of_their_ids_and_speak() {
        let ids: Vec<RuleId> = RuleId::all().collect();
        for (at, id) in ids.iter().enumerate() {
            assert_eq!(*id as usize, at);
            assert_eq!(RuleId::from_name(id.name()), Some(*id));
            for words in [id.words(), id.words_of_offer()] {
                assert!(words.len() > 20 && !words.ends_with('.'), "{id}");
            }
        }
        assert_eq!(ids[0], RuleId::Consent);
        assert_eq!(RuleId::from_name("nothing"), None);
    }
}
