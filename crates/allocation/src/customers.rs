//! Who are the customers of a problem, and what could each get?

use std::ops::{Index, IndexMut};

use tercet_types::{Error, Result};

use crate::constraints::RuleId;
use crate::problem::Measure;
use crate::rows::{MAX_PROMOTIONS, Row, Rows};

/// The most groups of customers there may be: the bits of [`Customer::groups`].
pub const MAX_GROUPS: usize = 16;

/// A customer, apart from the candidates.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Customer {
    /// A keyed hash of the customer: who comes first among equals, so that caps favour nobody.
    pub order: u64,
    /// The channels in which the customer shops, looks, or agreed to be reached.
    pub channels: u64,
    /// The channels in which the customer must not be reached; those never asked about are not among them.
    pub refused_channels: u64,
    /// The store where the customer shops, where known.
    pub store: Option<u32>,
    /// What each offer has to bring on top, because the customer was contacted lately, minor units; at
    /// least 0.
    pub contact_price_minor: f32,
    /// The groups the customer belongs to: bit `k` for group `k`, below [`MAX_GROUPS`].
    pub groups: u16,
    /// The most offers that contacts of earlier weeks leave for this run.
    pub max_offers: u8,
    /// The rule that keeps every offer away from the customer, the first that applies.
    pub blocked: Option<RuleId>,
}

/// One promotion that one customer could get.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Candidate {
    /// Index into the promotions, below [`MAX_PROMOTIONS`].
    pub promotion: u32,
    /// The slots whose predicate it meets: bit `k` for slot `k`.
    pub slots: u8,
    /// What the solver maximises, minor units.
    pub value_minor: i64,
    /// What budgets of costs consume, minor units, at least 0.
    pub expected_cost_minor: i64,
    /// What budgets of margin consume, minor units, at least 0; 0 where there is none.
    pub margin_loss_minor: i64,
    /// The rule that excludes it, the first that applies.
    pub excluded: Option<RuleId>,
}

impl Candidate {
    /// What a budget of this measure consumes, minor units.
    pub(crate) fn minor(&self, measure: Measure) -> i64 {
        match measure {
            Measure::Cost => self.expected_cost_minor,
            Measure::Margin => self.margin_loss_minor,
        }
    }
}

/// The customers of a problem with their candidates, in the order in which they were added.
///
/// Reads like a slice of [`Customer`]; the candidates of one are its [`Row`].
#[derive(Clone, Debug, Default)]
pub struct Customers {
    list: Vec<Customer>,
    rows: Rows,
    /// Customer and place in the row, customer by customer, most urgent first.
    pins: Vec<(u32, u16)>,
    promotions: usize,
    has_zeros: bool,
}

impl Customers {
    /// Adds a customer with the candidates to choose from, ascending by promotion.
    ///
    /// `pinned` are places in `candidates` that the marketer insists on, most urgent first. A pin goes
    /// before every value, and bows to every rule but the minimum value and the price of contacts.
    ///
    /// # Errors
    /// `T0603` (internal) naming the customer when candidates do not ascend, a promotion, a cost, a flag, a
    /// pin or the contact price is not what it may be.
    pub fn push(
        &mut self,
        customer: Customer,
        candidates: &[Candidate],
        pinned: &[usize],
    ) -> Result<()> {
        let at = self.list.len();
        if let Some(what) = wrong_with(&customer, candidates, pinned) {
            return Err(malformed("customer", at, what));
        }
        let Ok(number) = u32::try_from(at) else {
            return Err(malformed("customer", at, "there are too many"));
        };
        self.rows.push(candidates);
        if let Some(last) = candidates.last() {
            self.promotions = self.promotions.max(last.promotion as usize + 1);
        }
        self.has_zeros |= candidates.iter().any(|candidate| candidate.value_minor == 0);
        self.pins.extend(pinned.iter().map(|&pin| (number, pin as u16)));
        self.list.push(customer);
        Ok(())
    }

    /// Adds other customers behind these.
    ///
    /// # Errors
    /// `T0603` (internal) when there are too many.
    pub fn append(&mut self, other: &Self) -> Result<()> {
        let first = self.len();
        if u32::try_from(first + other.len()).is_err() {
            return Err(malformed("customer", first + other.len(), "there are too many"));
        }
        (0..other.len()).for_each(|at| self.rows.copy(other.row(at)));
        self.pins.extend(other.pins.iter().map(|&(of, pin)| (first as u32 + of, pin)));
        self.list.extend_from_slice(&other.list);
        self.promotions = self.promotions.max(other.promotions);
        self.has_zeros |= other.has_zeros;
        Ok(())
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.list.len()
    }

    /// True when there is none.
    pub fn is_empty(&self) -> bool {
        self.list.is_empty()
    }

    /// The customers in the order in which they were added.
    pub fn iter(&self) -> std::slice::Iter<'_, Customer> {
        self.list.iter()
    }

    /// The candidates of a customer.
    pub fn row(&self, customer: usize) -> Row<'_> {
        self.rows.row(customer)
    }

    /// Copies of the rows of some customers, side by side.
    pub(crate) fn rows_of(&self, customers: &[u32]) -> Rows {
        let mut rows = Rows::default();
        customers.iter().for_each(|at| rows.copy(self.row(*at as usize)));
        rows
    }

    /// Places in the customer's row that the marketer pins, most urgent first.
    pub fn pinned(&self, customer: usize) -> impl Iterator<Item = usize> + '_ {
        let start = self.pins.partition_point(|(of, _)| (*of as usize) < customer);
        let pins = self.pins[start..].iter().take_while(move |(of, _)| *of as usize == customer);
        pins.map(|(_, at)| usize::from(*at))
    }

    /// Customers with pins, ascending, each once.
    pub(crate) fn with_pins(&self) -> impl Iterator<Item = usize> + '_ {
        self.pins.chunk_by(|one, other| one.0 == other.0).map(|of| of[0].0 as usize)
    }

    /// Candidates of all customers.
    pub fn candidates(&self) -> usize {
        self.rows.candidates()
    }

    /// Bytes that the candidates take.
    pub fn candidate_bytes(&self) -> usize {
        self.rows.bytes()
    }

    /// One more than the highest promotion that is named.
    pub(crate) fn promotions(&self) -> usize {
        self.promotions
    }

    /// True when a candidate is worth exactly nothing.
    pub(crate) fn has_zeros(&self) -> bool {
        self.has_zeros
    }
}

impl Index<usize> for Customers {
    type Output = Customer;

    fn index(&self, at: usize) -> &Customer {
        &self.list[at]
    }
}

impl IndexMut<usize> for Customers {
    fn index_mut(&mut self, at: usize) -> &mut Customer {
        &mut self.list[at]
    }
}

/// What of a customer is not as it may be.
fn wrong_with(
    customer: &Customer,
    candidates: &[Candidate],
    pinned: &[usize],
) -> Option<&'static str> {
    let is_other = |rule: RuleId| !rule.is_flag();
    let price = customer.contact_price_minor;
    if !price.is_finite() || price < 0.0 {
        return Some("the price of a contact is not an amount");
    }
    if customer.blocked.is_some_and(is_other) {
        return Some("the rule that blocks is not a flag");
    }
    if !candidates.is_sorted_by(|one, other| one.promotion < other.promotion) {
        return Some("the promotions of the candidates do not ascend");
    }
    for candidate in candidates {
        if candidate.promotion as usize >= MAX_PROMOTIONS {
            return Some("there are too many promotions");
        }
        if candidate.expected_cost_minor < 0 {
            return Some("an expected cost is negative");
        }
        if candidate.margin_loss_minor < 0 {
            return Some("a loss of margin is negative");
        }
        if candidate.excluded.is_some_and(is_other) {
            return Some("the rule that excludes a candidate is not a flag");
        }
    }
    let is_missing = |pin: &usize| *pin >= candidates.len();
    pinned.iter().any(is_missing).then_some("a pin is not among the candidates")
}

pub(crate) fn malformed(noun: &str, at: usize, what: &str) -> Error {
    Error::internal("T0603", format!("{noun} {at}: {what}"))
        .hint("report this: allocation was handed a malformed problem")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn customers_in_parts_are_those_pushed_one_after_the_other() {
        let candidate = |promotion: u32, value_minor: i64| Candidate {
            promotion,
            slots: 1,
            value_minor,
            expected_cost_minor: 3,
            margin_loss_minor: value_minor / 2,
            excluded: (promotion == 4).then_some(RuleId::Exclusion),
        };
        let count = 9_000_u64;
        let push = |customers: &mut Customers, order: u64| {
            let value = order as i64 % 70_000;
            let candidates = [candidate(order as u32 % 3, value), candidate(4, value % 5)];
            let pinned: &[usize] = if order % 4 == 1 { &[1, 0] } else { &[] };
            customers.push(Customer { order, ..Customer::default() }, &candidates, pinned).unwrap();
        };
        let mut whole = Customers::default();
        (0..count).for_each(|order| push(&mut whole, order));
        let mut parted = Customers::default();
        for from in (0..count).step_by(1_300) {
            let mut part = Customers::default();
            (from..count.min(from + 1_300)).for_each(|order| push(&mut part, order));
            parted.append(&part).unwrap();
        }
        parted.append(&Customers::default()).unwrap();
        assert_eq!(parted.list, whole.list);
        assert_eq!(parted.pins, whole.pins);
        assert_eq!(parted.has_zeros(), whole.has_zeros());
        assert_eq!(parted.promotions(), whole.promotions());
        assert_eq!(parted.candidate_bytes(), whole.candidate_bytes());
        for at in 0..whole.len() {
            assert!(parted.row(at).iter().eq(whole.row(at).iter()), "customer {at}");
        }
        assert!(parted.pinned(1_301).eq([1, 0]) && parted.pinned(1_302).eq([]));
    }
}
