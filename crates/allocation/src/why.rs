//! Why was a candidate not offered, and why did a slot stay empty?
//!
//! Read off the finished plan, not remembered from making it: what is said here can be checked by hand.

use crate::constraints::{RULES, RuleId, refusal};
use crate::customers::Candidate;
use crate::explore::{Explored, Reserve};
use crate::ledger::{Ledger, Question};
use crate::plan::{Chosen, Placed, Plan};
use crate::problem::Problem;

/// What kept a candidate out. Slots are those where the named offer stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WhyNot {
    /// A rule that does not hang on the customer's other offers.
    Rule(RuleId),
    /// An offer of the same exclusivity group is in the slate.
    SameGroup {
        /// Its slot.
        slot: usize,
    },
    /// The marketer's pin has the slot.
    Pinned {
        /// Its slot.
        slot: usize,
    },
    /// Another offer brings at least as much, and it has the slot.
    Better {
        /// Its slot.
        slot: usize,
    },
    /// Another offer was drawn at random, and it has the slot.
    Drawn {
        /// Its slot.
        slot: usize,
    },
    /// By itself it would bring enough; beside the offer that covers its products already, it does not.
    SameProducts {
        /// The slot of the offer that covers most of it.
        slot: usize,
    },
}

impl WhyNot {
    /// The name in tables.
    pub fn name(self) -> &'static str {
        match self {
            Self::Rule(rule) => rule.name(),
            Self::SameGroup { .. } => "same_group",
            Self::Pinned { .. } => "pinned_offer",
            Self::Better { .. } => "better_offer",
            Self::Drawn { .. } => "drawn_offer",
            Self::SameProducts { .. } => "same_products",
        }
    }

    /// The slot of the offer that it names.
    pub fn slot(self) -> Option<usize> {
        match self {
            Self::Rule(_) => None,
            Self::SameGroup { slot }
            | Self::Pinned { slot }
            | Self::Better { slot }
            | Self::Drawn { slot }
            | Self::SameProducts { slot } => Some(slot),
        }
    }
}

/// Why slots are empty and candidates were not offered.
///
/// Nothing is said of a candidate that was offered, nor of one that the price of a limit kept out.
pub struct Reasons<'a> {
    problem: &'a Problem<'a>,
    plan: &'a Plan,
    /// What the plan uses up.
    ledger: Ledger,
}

impl<'a> Reasons<'a> {
    /// The reasons of a plan.
    pub fn new(problem: &'a Problem<'a>, plan: &'a Plan) -> Self {
        Self { problem, plan, ledger: Ledger::of(problem, plan) }
    }

    /// The reasons of a plan with draws: what the solver could use of a limit was used by the offers as they
    /// were planned, and what was kept for draws was not to be had.
    pub fn with_draws(problem: &'a Problem<'a>, explored: &'a Explored, kept: &Reserve) -> Self {
        Self { problem, plan: &explored.plan, ledger: kept.on_top_of(&explored.planned_ledger) }
    }

    /// For each candidate of the customer what kept it out.
    pub fn of_candidates(&self, customer: usize) -> Vec<Option<WhyNot>> {
        let slate = self.slate(customer);
        (0..self.problem.customers.row(customer).len()).map(|at| slate.why_not(at)).collect()
    }

    /// For each slot of the customer that is empty, the rule that stands in the way of most of its
    /// candidates; ties go to the earlier rule.
    pub fn of_slots(&self, customer: usize) -> Vec<Option<RuleId>> {
        let slate = self.slate(customer);
        let cells = self.plan.slate(customer).iter().enumerate();
        cells.map(|(slot, cell)| cell.is_none().then(|| slate.why_empty(slot))).collect()
    }

    fn slate(&self, customer: usize) -> Slate<'_> {
        let offers = self.plan.chosen(customer);
        let promotion =
            |(_, placed): &(usize, Placed)| self.problem.candidate(customer, placed.at()).promotion;
        let promotions = offers.iter().map(promotion).collect();
        Slate { problem: self.problem, ledger: &self.ledger, customer, offers, promotions }
    }
}

/// A customer's finished slate.
struct Slate<'a> {
    problem: &'a Problem<'a>,
    ledger: &'a Ledger,
    customer: usize,
    /// Offers in the order in which they were chosen, with their slots.
    offers: Chosen,
    /// Their promotions.
    promotions: Vec<u32>,
}

impl Slate<'_> {
    fn why_empty(&self, slot: usize) -> RuleId {
        let (problem, facts) = (self.problem, &self.problem.customers[self.customer]);
        if let Some(rule) = facts.blocked {
            return rule;
        }
        if self.offers.len() >= usize::from(facts.max_offers) {
            return RuleId::Contacts;
        }
        if problem.offers_max.is_some_and(|most| self.offers.len() >= usize::from(most)) {
            return RuleId::OffersMax;
        }
        let mut counts = [0_usize; RULES.len()];
        for candidate in problem.customers.row(self.customer).iter() {
            if candidate.slots >> slot & 1 == 0 {
                continue;
            }
            // A channel may shut this slot and no other.
            let shut = problem.open_slots(self.customer, &candidate) >> slot & 1 == 0;
            let shut = shut.then_some(RuleId::Channel);
            let refused = self.refused_beside(&candidate, self.offers.len());
            if let Some(rule) = refused.into_iter().chain(shut).min() {
                counts[rule as usize] += 1;
            }
        }
        // What stands elsewhere in the slate is the reason only when nothing else is.
        let elsewhere = std::mem::take(&mut counts[RuleId::Distinctness as usize]);
        let most = counts.iter().copied().max().filter(|&most| most > 0);
        let rule = most.and_then(|most| RuleId::all().find(|&rule| counts[rule as usize] == most));
        let rest = if elsewhere > 0 { RuleId::Distinctness } else { RuleId::SlotKind };
        rule.unwrap_or(rest)
    }

    fn why_not(&self, at: usize) -> Option<WhyNot> {
        let (problem, customer) = (self.problem, &self.problem.customers[self.customer]);
        let candidate = self.candidate(at);
        if self.offers.iter().any(|(_, placed)| placed.at() == at) {
            return None;
        }
        let fact = customer.blocked.or(candidate.excluded);
        if let Some(rule) = fact.or_else(|| problem.scope_refusal(self.customer, &candidate)) {
            return Some(WhyNot::Rule(rule));
        }
        if candidate.slots & problem.all_slots() == 0 {
            return Some(WhyNot::Rule(RuleId::SlotKind));
        }
        if let Some(group) = problem.promotions[candidate.promotion as usize].exclusivity_group {
            let is_of_group = |promotion: &u32| {
                problem.promotions[*promotion as usize].exclusivity_group == Some(group)
            };
            if let Some(rank) = self.promotions.iter().position(is_of_group) {
                return Some(WhyNot::SameGroup { slot: self.offers[rank].0 });
            }
        }
        match self.rivals(at) {
            Some(rivals) => self.why_outbid(at, &rivals),
            None => match self.refused_beside(&candidate, self.offers.len())? {
                RuleId::MinValue | RuleId::Fatigue if self.is_worth_enough(&candidate) => {
                    self.covers_most(at, self.offers.len())
                }
                rule => Some(WhyNot::Rule(rule)),
            },
        }
    }

    /// What the rules say of the candidate beside the first offers of the slate.
    fn refused_beside(&self, candidate: &Candidate, rank: usize) -> Option<RuleId> {
        let slate = (self.customer, &self.promotions[..rank]);
        refusal(&Question::new(self.problem, self.ledger, slate, candidate, false))
    }

    /// Ranks of the offers one of which must go for the candidate to have a slot, those that can move to
    /// another slot included; nothing when a slot can be had as it is.
    fn rivals(&self, at: usize) -> Option<Vec<usize>> {
        let (problem, all) = (self.problem, self.problem.all_slots());
        let mask = |at: usize| problem.open_slots(self.customer, &self.candidate(at)) & all;
        let mut within = mask(at);
        let mut rivals = vec![false; self.offers.len()];
        loop {
            let taken: u8 = self.offers.iter().map(|(slot, _)| 1 << slot).sum();
            if within & !taken != 0 {
                return None;
            }
            let more = (0..self.offers.len())
                .find(|rank| !rivals[*rank] && within >> self.offers[*rank].0 & 1 == 1);
            let Some(rank) = more else { break };
            rivals[rank] = true;
            within |= mask(self.offers[rank].1.at());
        }
        Some((0..self.offers.len()).filter(|rank| rivals[*rank]).collect())
    }

    /// Why none of the rivals, by rank, had to go.
    fn why_outbid(&self, at: usize, rivals: &[usize]) -> Option<WhyNot> {
        let (problem, candidate) = (self.problem, self.candidate(at));
        let value_minor = problem.marginal_minor(self.customer, &[], &candidate);
        let open = problem.open_slots(self.customer, &candidate);
        let is_drawn = |(slot, rival): &(usize, Placed)| rival.is_drawn() && open >> slot & 1 == 1;
        if let Some((slot, _)) = rivals.iter().map(|rank| self.offers[*rank]).find(is_drawn) {
            return Some(WhyNot::Drawn { slot });
        }
        let chosen = || rivals.iter().copied().filter(|rank| self.offers[*rank].1.has_to_pay());
        // Where it was worth more than what was chosen, a limit had run out.
        for rank in chosen() {
            let rival = &self.offers[rank].1;
            let before = &self.promotions[..rank];
            let rival_minor = f64::from(rival.value_minor);
            if value_minor >= rival_minor
                && problem.marginal_minor(self.customer, before, &candidate) >= rival_minor
                && let Some(rule) = self.refused_beside(&candidate, rank)
            {
                return Some(WhyNot::Rule(rule));
            }
        }
        let wanted = chosen().filter(|rank| open >> self.offers[*rank].0 & 1 == 1);
        let Some(last) = wanted.max() else {
            let pin = rivals.iter().find(|rank| open >> self.offers[**rank].0 & 1 == 1);
            return pin.map(|rank| WhyNot::Pinned { slot: self.offers[*rank].0 });
        };
        let (slot, rival) = self.offers[last];
        let rival_minor = f64::from(rival.value_minor);
        if rival_minor >= value_minor {
            return Some(WhyNot::Better { slot });
        }
        // It would have added more than what was chosen, which is kept as f32: a price stood in its way.
        let before = &self.promotions[..last];
        let exact_minor = rival_minor * (1.0 + 4.0 * f64::from(f32::EPSILON));
        if problem.marginal_minor(self.customer, before, &candidate) > exact_minor {
            return None;
        }
        self.covers_most(at, last)
    }

    fn is_worth_enough(&self, candidate: &Candidate) -> bool {
        let alone_minor = self.problem.marginal_minor(self.customer, &[], candidate);
        alone_minor >= self.problem.least_minor()
    }

    fn candidate(&self, at: usize) -> Candidate {
        self.problem.candidate(self.customer, at)
    }

    /// The one of the first offers that covers most of the candidate.
    fn covers_most(&self, at: usize, before: usize) -> Option<WhyNot> {
        let covered = |rank: &usize| {
            let one = &self.promotions[*rank..=*rank];
            self.problem.overlap.covered_share(self.customer, one, &self.candidate(at))
        };
        let most = (0..before).max_by(|a, b| covered(a).total_cmp(&covered(b)).then(b.cmp(a)));
        most.filter(|rank| covered(rank) > 0.0)
            .map(|rank| WhyNot::SameProducts { slot: self.offers[rank].0 })
    }
}
