//! What has been used up so far?

use std::cell::OnceCell;

use crate::problem::{Candidate, Problem};

/// Running counts of all promotions.
#[derive(Clone, Debug)]
pub(crate) struct Ledger {
    /// Offers per promotion.
    pub(crate) offers: Vec<u64>,
    /// Expected cost per promotion, minor units.
    pub(crate) costs_minor: Vec<i64>,
    /// Expected cost of all, minor units.
    pub(crate) total_cost_minor: i64,
}

impl Ledger {
    pub(crate) fn new(problem: &Problem<'_>) -> Self {
        let promotions = problem.promotions.len();
        Self { offers: vec![0; promotions], costs_minor: vec![0; promotions], total_cost_minor: 0 }
    }

    pub(crate) fn add(&mut self, candidate: &Candidate) {
        let promotion = candidate.promotion as usize;
        let cost_minor = candidate.expected_cost_minor;
        self.offers[promotion] += 1;
        self.costs_minor[promotion] = self.costs_minor[promotion].saturating_add(cost_minor);
        self.total_cost_minor = self.total_cost_minor.saturating_add(cost_minor);
    }
}

/// One question to the rules: may this customer, with these offers, get one more?
pub(crate) struct Question<'a> {
    /// The problem.
    pub(crate) problem: &'a Problem<'a>,
    /// What all customers used so far.
    pub(crate) ledger: &'a Ledger,
    /// The customer's index.
    pub(crate) customer: usize,
    /// The promotions chosen for the customer so far, in order.
    pub(crate) chosen: &'a [u32],
    /// The candidate.
    pub(crate) candidate: &'a Candidate,
    /// True when the marketer pinned it.
    pub(crate) is_pinned: bool,
    value_minor: OnceCell<f64>,
}

impl<'a> Question<'a> {
    pub(crate) fn new(
        problem: &'a Problem<'a>,
        ledger: &'a Ledger,
        (customer, chosen): (usize, &'a [u32]),
        candidate: &'a Candidate,
        is_pinned: bool,
    ) -> Self {
        let value_minor = OnceCell::new();
        Self { problem, ledger, customer, chosen, candidate, is_pinned, value_minor }
    }

    /// What the candidate adds to the slate, minor units; worked out once, when first asked.
    pub(crate) fn marginal_minor(&self) -> f64 {
        *self
            .value_minor
            .get_or_init(|| self.problem.marginal_minor(self.customer, self.chosen, self.candidate))
    }
}
