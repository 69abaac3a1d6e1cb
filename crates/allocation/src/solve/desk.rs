//! What does one customer get next?

use super::picks::Picks;
use super::seats::Seated;
use crate::constraints::{RuleId, refusal};
use crate::customers::Candidate;
use crate::ledger::{Ledger, Question};
use crate::problem::Problem;

/// The next offer of a customer.
#[derive(Clone, Copy, Debug)]
pub(super) struct Next {
    pub(super) at: usize,
    pub(super) promotion: u32,
    pub(super) value_minor: f64,
}

/// One customer's slate while it is filled.
pub(super) struct Desk {
    customer: usize,
    /// Candidates that no flag refuses, by falling value, then by promotion.
    sorted: Vec<(u16, Candidate)>,
    /// Promotions chosen, in order.
    chosen: Vec<u32>,
    /// Places in the row of the offers chosen, in order.
    picks: Picks,
    /// The sum of their marginal values.
    value_minor: f64,
    seated: Seated,
}

impl Desk {
    /// The desk with offers that stand already.
    pub(super) fn new(problem: &Problem<'_>, customer: usize, stand: &Picks) -> Self {
        let is_shut = problem.offers_most(customer) == 0;
        let open = |candidate: &Candidate| {
            candidate.excluded.is_none()
                && problem.open_slots(customer, candidate) & problem.all_slots() != 0
        };
        let row = (0..).zip(problem.customers.row(customer).iter());
        let mut sorted: Vec<(u16, Candidate)> =
            if is_shut { Vec::new() } else { row.filter(|(_, c)| open(c)).collect() };
        sorted.sort_unstable_by_key(|(at, candidate)| {
            (std::cmp::Reverse(candidate.value_minor), *at)
        });
        let mut desk = Self {
            customer,
            sorted,
            chosen: Vec::new(),
            picks: Picks::default(),
            value_minor: 0.0,
            seated: Seated::default(),
        };
        for at in stand.iter() {
            let candidate = problem.candidate(customer, at);
            let value_minor = problem.marginal_minor(customer, &desk.chosen, &candidate);
            desk.place(problem, Next { at, promotion: candidate.promotion, value_minor });
        }
        desk
    }

    fn question<'a>(
        &'a self,
        problem: &'a Problem<'a>,
        ledger: &'a Ledger,
        candidate: &'a Candidate,
        is_pinned: bool,
    ) -> Question<'a> {
        let slate = (self.customer, self.chosen.as_slice());
        Question::new(problem, ledger, slate, candidate, is_pinned)
    }

    /// The candidate with the largest marginal value that the rules admit and a slot is free for;
    /// ties go to the lower promotion index.
    ///
    /// A marginal value is at most the value, so the search by falling value ends early.
    pub(super) fn next(&self, problem: &Problem<'_>, ledger: &Ledger) -> Option<Next> {
        let mut best: Option<Next> = None;
        if self.picks.len() == problem.slots.len() {
            return best;
        }
        for (at, candidate) in &self.sorted {
            if best.is_some_and(|best| (candidate.value_minor as f64) < best.value_minor) {
                break;
            }
            if self.seat(problem, candidate).is_none() {
                continue;
            }
            let question = self.question(problem, ledger, candidate, false);
            if refusal(&question).is_some() {
                continue;
            }
            let (value_minor, promotion) = (question.marginal_minor(), candidate.promotion);
            if best.is_none_or(|best| {
                value_minor > best.value_minor
                    || (value_minor == best.value_minor && promotion < best.promotion)
            }) {
                best = Some(Next { at: usize::from(*at), promotion, value_minor });
            }
        }
        best
    }

    /// True when the rules still admit a candidate that [`Self::next`] named since the last offer.
    ///
    /// It is then still the best: other candidates can only have been refused meanwhile.
    pub(super) fn is_open(&self, problem: &Problem<'_>, ledger: &Ledger, next: Next) -> bool {
        let candidate = problem.candidate(self.customer, next.at);
        refusal(&self.question(problem, ledger, &candidate, false)).is_none()
    }

    /// Places a pin, or names the rule in the way.
    pub(super) fn pin(
        &mut self,
        problem: &Problem<'_>,
        ledger: &mut Ledger,
        at: usize,
    ) -> Result<(), RuleId> {
        let candidate = problem.candidate(self.customer, at);
        if let Some(rule) = refusal(&self.question(problem, ledger, &candidate, true)) {
            return Err(rule);
        }
        if self.seat(problem, &candidate).is_none() {
            let shut = problem.scope_refusal(self.customer, &candidate);
            return Err(shut.unwrap_or(RuleId::SlotKind));
        }
        let value_minor = problem.marginal_minor(self.customer, &self.chosen, &candidate);
        self.place(problem, Next { at, promotion: candidate.promotion, value_minor });
        ledger.add(problem, self.customer, &candidate);
        Ok(())
    }

    /// Takes an offer into the slate. A slot for it must be free, see [`Self::next`].
    pub(super) fn place(&mut self, problem: &Problem<'_>, next: Next) {
        let seated = self.seat(problem, &problem.candidate(self.customer, next.at));
        assert!(seated.is_some(), "an offer is placed only where a slot is free for it");
        self.seated = seated.unwrap_or(self.seated);
        self.chosen.push(next.promotion);
        self.picks.push(next.at);
        self.value_minor += next.value_minor;
    }

    /// Takes an offer into the slate, and what it uses from the limits.
    pub(super) fn take(&mut self, problem: &Problem<'_>, ledger: &mut Ledger, next: Next) {
        self.place(problem, next);
        ledger.add(problem, self.customer, &problem.candidate(self.customer, next.at));
    }

    /// The offers chosen, in order.
    pub(super) fn picks(&self) -> &Picks {
        &self.picks
    }

    /// The sum of the marginal values.
    pub(super) fn value_minor(&self) -> f64 {
        self.value_minor
    }

    /// The seats with the candidate, if need be by moving chosen offers to other slots of theirs.
    fn seat(&self, problem: &Problem<'_>, candidate: &Candidate) -> Option<Seated> {
        self.seated.with(problem.open_slots(self.customer, candidate) & problem.all_slots())
    }
}
