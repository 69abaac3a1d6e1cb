//! What does one customer get next?

use crate::constraints::{RULES, RuleId, refusal};
use crate::ledger::{Ledger, Question};
use crate::plan::{Cell, Placed};
use crate::problem::{Candidate, MAX_SLOTS, Problem};

/// The next offer of a customer.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Next {
    pub(crate) candidate: usize,
    pub(crate) value_minor: f64,
}

/// Which chosen offer stands in which slot.
pub(super) type Seats = [Option<u8>; MAX_SLOTS];

/// One customer's slate while it is filled.
pub(crate) struct Desk {
    customer: usize,
    /// Candidates that no flag refuses, by falling value, then by promotion.
    sorted: Vec<usize>,
    /// Promotions chosen, in order.
    chosen: Vec<u32>,
    /// Offers chosen, in order.
    placed: Vec<Placed>,
    /// The slots each chosen offer may stand in.
    masks: Vec<u8>,
    /// Which chosen offer stands in which slot.
    seats: Seats,
}

impl Desk {
    pub(crate) fn new(problem: &Problem<'_>, customer: usize) -> Self {
        let facts = &problem.customers[customer];
        let mut sorted: Vec<usize> = if facts.blocked.is_some() || facts.max_offers == 0 {
            Vec::new()
        } else {
            let open = |&at: &usize| {
                let candidate = &problem.candidates[at];
                candidate.excluded.is_none()
                    && problem.open_slots(customer, candidate) & problem.all_slots() != 0
            };
            facts.candidates.clone().filter(open).collect()
        };
        sorted.sort_unstable_by_key(|&at| {
            let candidate = &problem.candidates[at];
            (std::cmp::Reverse(candidate.value_minor), candidate.promotion, at)
        });
        Self {
            customer,
            sorted,
            chosen: Vec::new(),
            placed: Vec::new(),
            masks: Vec::new(),
            seats: [None; MAX_SLOTS],
        }
    }

    fn question<'a>(
        &'a self,
        problem: &'a Problem<'a>,
        ledger: &'a Ledger,
        at: usize,
        is_pinned: bool,
    ) -> Question<'a> {
        let slate = (self.customer, self.chosen.as_slice());
        Question::new(problem, ledger, slate, &problem.candidates[at], is_pinned)
    }

    /// The candidate with the largest marginal value that the rules admit and a slot is free for;
    /// ties go to the lower promotion index.
    ///
    /// A marginal value is at most the value, so the search by falling value ends early.
    pub(crate) fn next(&self, problem: &Problem<'_>, ledger: &Ledger) -> Option<Next> {
        let mut best: Option<Next> = None;
        if self.placed.len() == problem.slots.len() {
            return best;
        }
        let promotion = |at: usize| problem.candidates[at].promotion;
        for &at in &self.sorted {
            let candidate = &problem.candidates[at];
            if best.is_some_and(|best| (candidate.value_minor as f64) < best.value_minor) {
                break;
            }
            if !self.can_seat(problem, problem.open_slots(self.customer, candidate)) {
                continue;
            }
            let question = self.question(problem, ledger, at, false);
            if refusal(&question).is_some() {
                continue;
            }
            let value_minor = question.marginal_minor();
            if best.is_none_or(|best| {
                value_minor > best.value_minor
                    || (value_minor == best.value_minor
                        && promotion(at) < promotion(best.candidate))
            }) {
                best = Some(Next { candidate: at, value_minor });
            }
        }
        best
    }

    /// True when the rules still admit a candidate that [`Self::next`] named since the last offer.
    ///
    /// It is then still the best: other candidates can only have been refused meanwhile.
    pub(crate) fn is_open(&self, problem: &Problem<'_>, ledger: &Ledger, next: Next) -> bool {
        refusal(&self.question(problem, ledger, next.candidate, false)).is_none()
    }

    /// Places a pin, or names the rule in the way.
    pub(crate) fn pin(
        &mut self,
        problem: &Problem<'_>,
        ledger: &mut Ledger,
        at: usize,
    ) -> Result<(), RuleId> {
        if let Some(rule) = refusal(&self.question(problem, ledger, at, true)) {
            return Err(rule);
        }
        let candidate = &problem.candidates[at];
        if !self.can_seat(problem, problem.open_slots(self.customer, candidate)) {
            return Err(self.shut(problem, candidate));
        }
        let value_minor = problem.marginal_minor(self.customer, &self.chosen, candidate);
        self.place(problem, Next { candidate: at, value_minor }, true);
        ledger.add(candidate);
        Ok(())
    }

    /// Takes a candidate that the rules admit, or leaves it where they do not.
    pub(crate) fn choose(&mut self, problem: &Problem<'_>, ledger: &mut Ledger, at: usize) {
        let candidate = &problem.candidates[at];
        let question = self.question(problem, ledger, at, false);
        let open = problem.open_slots(self.customer, candidate);
        if refusal(&question).is_some() || !self.can_seat(problem, open) {
            return;
        }
        let value_minor = question.marginal_minor();
        self.place(problem, Next { candidate: at, value_minor }, false);
        ledger.add(candidate);
    }

    /// Takes an offer into the slate. A slot for it must be free, see [`Self::next`].
    pub(crate) fn place(&mut self, problem: &Problem<'_>, next: Next, is_pinned: bool) {
        let candidate = &problem.candidates[next.candidate];
        let rank = self.placed.len() as u8;
        self.chosen.push(candidate.promotion);
        self.masks.push(problem.open_slots(self.customer, candidate) & problem.all_slots());
        let is_seated = seat(&mut self.seats, &self.masks, rank, &mut 0);
        assert!(is_seated, "an offer is placed only where a slot is free for it");
        self.placed.push(Placed {
            candidate: next.candidate,
            rank,
            value_minor: next.value_minor,
            is_pinned,
        });
    }

    pub(crate) fn placed(&self) -> &[Placed] {
        &self.placed
    }

    /// The slots, each filled or with the reason why not.
    pub(crate) fn cells(&self, problem: &Problem<'_>, ledger: &Ledger) -> Vec<Cell> {
        let seats = self.tidy_seats();
        let cell = |slot: usize| match seats[slot] {
            Some(rank) => Cell::Placed(self.placed[usize::from(rank)]),
            None => Cell::Empty(self.empty_reason(problem, ledger, slot)),
        };
        (0..problem.slots.len()).map(cell).collect()
    }

    /// The seats, with the offer chosen first in the earlier slot wherever two may change places.
    fn tidy_seats(&self) -> Seats {
        let mut seats = self.seats;
        for _ in 0..MAX_SLOTS {
            for (early, late) in
                (0..MAX_SLOTS).flat_map(|a| (a + 1..MAX_SLOTS).map(move |b| (a, b)))
            {
                let (Some(first), Some(second)) = (seats[early], seats[late]) else { continue };
                let fits = |offer: u8, slot: usize| self.masks[usize::from(offer)] >> slot & 1 == 1;
                if first > second && fits(first, late) && fits(second, early) {
                    seats.swap(early, late);
                }
            }
        }
        seats
    }

    /// The rule that stands in the way of most candidates of the slot; ties go to the earlier rule.
    fn empty_reason(&self, problem: &Problem<'_>, ledger: &Ledger, slot: usize) -> RuleId {
        let facts = &problem.customers[self.customer];
        if let Some(rule) = facts.blocked {
            return rule;
        }
        if self.placed.len() >= usize::from(facts.max_offers) {
            return RuleId::Contacts;
        }
        if problem.offers_max.is_some_and(|most| self.placed.len() >= usize::from(most)) {
            return RuleId::OffersMax;
        }
        let mut counts = [0_usize; RULES.len()];
        for at in facts.candidates.clone() {
            let candidate = &problem.candidates[at];
            if candidate.slots >> slot & 1 == 0 {
                continue;
            }
            // A channel may shut this slot and no other.
            let shut = problem.open_slots(self.customer, candidate) >> slot & 1 == 0;
            let shut = shut.then_some(RuleId::Channel);
            let refused = refusal(&self.question(problem, ledger, at, false));
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

    /// The rule that shuts every slot of a candidate that no slot is free for.
    fn shut(&self, problem: &Problem<'_>, candidate: &Candidate) -> RuleId {
        problem.scope_refusal(self.customer, candidate).unwrap_or(RuleId::SlotKind)
    }

    /// True when a slot can be had, if need be by moving chosen offers to other slots of theirs.
    fn can_seat(&self, problem: &Problem<'_>, mask: u8) -> bool {
        let mask = mask & problem.all_slots();
        let is_free = |slot: usize| mask >> slot & 1 == 1 && self.seats[slot].is_none();
        if (0..problem.slots.len()).any(is_free) {
            return true;
        }
        let mut masks = self.masks.clone();
        masks.push(mask);
        seat(&mut self.seats.clone(), &masks, self.placed.len() as u8, &mut 0)
    }
}

/// Seats an offer, moving others along an augmenting path (Kuhn 1955, doi:10.1002/nav.3800020109).
///
/// Sets of offers that can be seated form a transversal matroid, so that greedy choice by additive
/// values is optimal (Edmonds 1971, doi:10.1007/BF01584082).
pub(super) fn seat(seats: &mut Seats, masks: &[u8], offer: u8, tried: &mut u8) -> bool {
    let mask = masks[usize::from(offer)];
    let is_free = |slot: &usize| mask >> slot & 1 == 1 && seats[*slot].is_none();
    if let Some(slot) = (0..MAX_SLOTS).find(is_free) {
        seats[slot] = Some(offer);
        return true;
    }
    for slot in 0..MAX_SLOTS {
        let bit = 1 << slot;
        if mask & bit == 0 || *tried & bit != 0 {
            continue;
        }
        *tried |= bit;
        let moved = seats[slot].is_some_and(|other| seat(seats, masks, other, tried));
        if moved {
            seats[slot] = Some(offer);
            return true;
        }
    }
    false
}
