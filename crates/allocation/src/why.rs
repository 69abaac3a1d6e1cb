//! Why was a candidate not offered?
//!
//! Read off the finished plan, not remembered from making it: what is said here can be checked by hand.

use rayon::prelude::*;

use crate::constraints::{RuleId, refusal};
use crate::ledger::{Ledger, Question};
use crate::plan::{Placed, Plan};
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
            | Self::SameProducts { slot } => Some(slot),
        }
    }
}

/// For each candidate of the problem what kept it out; nothing for those that were offered, and for those
/// that the price of a limit kept out.
pub fn why_not(problem: &Problem<'_>, plan: &Plan) -> Vec<Option<WhyNot>> {
    let mut ledger = Ledger::new(problem);
    for (_, _, placed) in plan.offers() {
        ledger.add(&problem.candidates[placed.candidate]);
    }
    let mut found = vec![None; problem.candidates.len()];
    let of_customers: Vec<Vec<Option<WhyNot>>> = (0..problem.customers.len())
        .into_par_iter()
        .map(|customer| {
            let slate = Slate::new(problem, &ledger, plan, customer);
            let candidates = problem.customers[customer].candidates.clone();
            candidates.map(|at| slate.why_not(at)).collect()
        })
        .collect();
    for (customer, reasons) in problem.customers.iter().zip(of_customers) {
        for (at, reason) in customer.candidates.clone().zip(reasons) {
            found[at] = reason;
        }
    }
    found
}

/// A customer's finished slate.
struct Slate<'a> {
    problem: &'a Problem<'a>,
    ledger: &'a Ledger,
    customer: usize,
    /// Offers in the order in which they were chosen, with their slots.
    offers: Vec<(usize, Placed)>,
    /// Their promotions.
    promotions: Vec<u32>,
}

impl<'a> Slate<'a> {
    fn new(problem: &'a Problem<'a>, ledger: &'a Ledger, plan: &Plan, customer: usize) -> Self {
        let offers = plan.chosen(customer);
        let promotion =
            |(_, placed): &(usize, Placed)| problem.candidates[placed.candidate].promotion;
        let promotions = offers.iter().map(promotion).collect();
        Self { problem, ledger, customer, offers, promotions }
    }

    fn why_not(&self, at: usize) -> Option<WhyNot> {
        let (problem, customer) = (self.problem, &self.problem.customers[self.customer]);
        let candidate = &problem.candidates[at];
        if self.offers.iter().any(|(_, placed)| placed.candidate == at) {
            return None;
        }
        let fact = customer.blocked.or(candidate.excluded);
        if let Some(rule) = fact.or_else(|| problem.scope_refusal(self.customer, candidate)) {
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
            None => match self.refused_beside(at, self.offers.len())? {
                RuleId::MinValue if self.is_worth_enough(candidate.value_minor) => {
                    self.covers_most(at, self.offers.len())
                }
                rule => Some(WhyNot::Rule(rule)),
            },
        }
    }

    /// What the rules say of the candidate beside the first offers of the slate.
    fn refused_beside(&self, at: usize, rank: usize) -> Option<RuleId> {
        let slate = (self.customer, &self.promotions[..rank]);
        let candidate = &self.problem.candidates[at];
        refusal(&Question::new(self.problem, self.ledger, slate, candidate, false))
    }

    /// Ranks of the offers one of which must go for the candidate to have a slot, those that can move to
    /// another slot included; nothing when a slot can be had as it is.
    fn rivals(&self, at: usize) -> Option<Vec<usize>> {
        let (problem, all) = (self.problem, self.problem.all_slots());
        let mask = |at: usize| problem.open_slots(self.customer, &problem.candidates[at]) & all;
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
            within |= mask(self.offers[rank].1.candidate);
        }
        Some((0..self.offers.len()).filter(|rank| rivals[*rank]).collect())
    }

    /// Why none of the rivals, by rank, had to go.
    fn why_outbid(&self, at: usize, rivals: &[usize]) -> Option<WhyNot> {
        let (problem, candidate) = (self.problem, &self.problem.candidates[at]);
        let value_minor = candidate.value_minor as f64;
        let chosen = || rivals.iter().copied().filter(|rank| !self.offers[*rank].1.is_pinned);
        // Where it was worth more than what was chosen, a limit had run out.
        for rank in chosen() {
            let rival = &self.offers[rank].1;
            let before = &self.promotions[..rank];
            if value_minor >= rival.value_minor
                && problem.marginal_minor(self.customer, before, candidate) >= rival.value_minor
                && let Some(rule) = self.refused_beside(at, rank)
            {
                return Some(WhyNot::Rule(rule));
            }
        }
        let open = problem.open_slots(self.customer, candidate);
        let wanted = chosen().filter(|rank| open >> self.offers[*rank].0 & 1 == 1);
        let Some(last) = wanted.max() else {
            let pin = rivals.iter().find(|rank| open >> self.offers[**rank].0 & 1 == 1);
            return pin.map(|rank| WhyNot::Pinned { slot: self.offers[*rank].0 });
        };
        let (slot, rival) = self.offers[last];
        if rival.value_minor >= value_minor {
            return Some(WhyNot::Better { slot });
        }
        // It would have added more than what was chosen: a price stood in its way.
        let before = &self.promotions[..last];
        if problem.marginal_minor(self.customer, before, candidate) > rival.value_minor {
            return None;
        }
        self.covers_most(at, last)
    }

    fn is_worth_enough(&self, value_minor: i64) -> bool {
        self.problem.min_value_minor.is_none_or(|least_minor| value_minor >= least_minor)
    }

    /// The one of the first offers that covers most of the candidate.
    fn covers_most(&self, at: usize, before: usize) -> Option<WhyNot> {
        let covered = |rank: &usize| {
            let one = &self.promotions[*rank..=*rank];
            let candidate = &self.problem.candidates[at];
            self.problem.overlap.covered_share(self.customer, one, candidate)
        };
        let most = (0..before).max_by(|a, b| covered(a).total_cmp(&covered(b)).then(b.cmp(a)));
        most.filter(|rank| covered(rank) > 0.0)
            .map(|rank| WhyNot::SameProducts { slot: self.offers[rank].0 })
    }
}
