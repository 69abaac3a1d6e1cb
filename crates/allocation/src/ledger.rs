//! What has been used up so far?

use std::cell::OnceCell;

use crate::customers::Candidate;
use crate::plan::Plan;
use crate::problem::Problem;

/// Running counts of all promotions, budgets and floors.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Ledger {
    /// Offers per promotion.
    pub(crate) offers: Vec<u64>,
    /// Expected cost per promotion, minor units.
    pub(crate) costs_minor: Vec<i64>,
    /// What each budget of several promotions counts, minor units.
    pub(crate) budgets_minor: Vec<i64>,
    /// Expected cost of all, minor units.
    pub(crate) total_cost_minor: i64,
    /// Offers that count for each floor.
    pub(crate) floors: Vec<u64>,
}

impl Ledger {
    pub(crate) fn new(problem: &Problem<'_>) -> Self {
        let promotions = problem.promotions.len();
        Self {
            offers: vec![0; promotions],
            costs_minor: vec![0; promotions],
            budgets_minor: vec![0; problem.budgets.len()],
            total_cost_minor: 0,
            floors: vec![0; problem.floors.len()],
        }
    }

    pub(crate) fn add(&mut self, problem: &Problem<'_>, customer: usize, candidate: &Candidate) {
        let promotion = candidate.promotion as usize;
        let cost_minor = candidate.expected_cost_minor;
        let spend = |sum: &mut i64| *sum = sum.saturating_add(cost_minor);
        self.offers[promotion] += 1;
        spend(&mut self.costs_minor[promotion]);
        spend(&mut self.total_cost_minor);
        for at in problem.budgets_of(candidate.promotion) {
            let minor = candidate.minor(problem.budgets[at].measure);
            self.budgets_minor[at] = self.budgets_minor[at].saturating_add(minor);
        }
        let groups = problem.customers[customer].groups;
        for (floor, count) in problem.floors.iter().zip(&mut self.floors) {
            *count += u64::from(floor.counts(groups, candidate.promotion));
        }
    }

    /// What the offers of a plan use.
    pub(crate) fn of(problem: &Problem<'_>, plan: &Plan) -> Self {
        let mut ledger = Self::new(problem);
        for (customer, _, placed) in plan.offers() {
            ledger.add(problem, customer, &problem.candidate(customer, placed.at()));
        }
        ledger
    }

    /// Without an offer that was added before.
    pub(crate) fn remove(&mut self, problem: &Problem<'_>, customer: usize, gone: &Candidate) {
        let promotion = gone.promotion as usize;
        let cost_minor = gone.expected_cost_minor;
        self.offers[promotion] -= 1;
        self.costs_minor[promotion] -= cost_minor;
        self.total_cost_minor -= cost_minor;
        for at in problem.budgets_of(gone.promotion) {
            self.budgets_minor[at] -= gone.minor(problem.budgets[at].measure);
        }
        let groups = problem.customers[customer].groups;
        for (floor, count) in problem.floors.iter().zip(&mut self.floors) {
            *count -= u64::from(floor.counts(groups, gone.promotion));
        }
    }

    /// True when every limit has room for one offer more.
    pub(crate) fn has_room(&self, problem: &Problem<'_>, candidate: &Candidate) -> bool {
        let (at, cost_minor) = (candidate.promotion as usize, candidate.expected_cost_minor);
        let promotion = &problem.promotions[at];
        let lasts =
            |budget_minor: i64, used_minor: i64| is_enough(budget_minor, used_minor, cost_minor);
        let mut shared = problem.budgets_of(candidate.promotion);
        promotion.cap.is_none_or(|cap| self.offers[at] < cap)
            && promotion.budget_minor.is_none_or(|minor| lasts(minor, self.costs_minor[at]))
            && problem.total_budget_minor.is_none_or(|minor| lasts(minor, self.total_cost_minor))
            && shared.all(|of| self.lasts(problem, of, candidate))
    }

    /// True when a budget of several promotions has room for the candidate.
    pub(crate) fn lasts(&self, problem: &Problem<'_>, at: usize, candidate: &Candidate) -> bool {
        let budget = &problem.budgets[at];
        is_enough(budget.budget_minor, self.budgets_minor[at], candidate.minor(budget.measure))
    }

    /// With what another ledger counted.
    pub(crate) fn join(&mut self, other: &Self) {
        let add = |sums: &mut [i64], more: &[i64]| {
            sums.iter_mut().zip(more).for_each(|(sum, more)| *sum = sum.saturating_add(*more));
        };
        let count = |sums: &mut [u64], more: &[u64]| {
            sums.iter_mut().zip(more).for_each(|(sum, more)| *sum += more);
        };
        count(&mut self.offers, &other.offers);
        count(&mut self.floors, &other.floors);
        add(&mut self.costs_minor, &other.costs_minor);
        add(&mut self.budgets_minor, &other.budgets_minor);
        self.total_cost_minor = self.total_cost_minor.saturating_add(other.total_cost_minor);
    }
}

/// True when so much more stays within the budget; nothing always does.
fn is_enough(budget_minor: i64, used_minor: i64, more_minor: i64) -> bool {
    more_minor == 0 || used_minor.checked_add(more_minor).is_some_and(|sum| sum <= budget_minor)
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
    worth_minor: OnceCell<f64>,
}

impl<'a> Question<'a> {
    pub(crate) fn new(
        problem: &'a Problem<'a>,
        ledger: &'a Ledger,
        (customer, chosen): (usize, &'a [u32]),
        candidate: &'a Candidate,
        is_pinned: bool,
    ) -> Self {
        let worth_minor = OnceCell::new();
        Self { problem, ledger, customer, chosen, candidate, is_pinned, worth_minor }
    }

    /// What the candidate adds to the slate before the price of a contact, minor units; worked out once,
    /// when first asked.
    pub(crate) fn worth_minor(&self) -> f64 {
        *self
            .worth_minor
            .get_or_init(|| self.problem.worth_minor(self.customer, self.chosen, self.candidate))
    }

    /// What the candidate adds to the slate, minor units.
    pub(crate) fn marginal_minor(&self) -> f64 {
        let price_minor = self.problem.customers[self.customer].contact_price_minor;
        self.worth_minor() - f64::from(price_minor)
    }
}
