//! What has to be decided, and under which limits?

use std::ops::Range;

use tercet_types::{Error, Result};

use crate::constraints::RuleId;
use crate::overlap::Overlap;

/// The most slots a slate may have: the bits of [`Candidate::slots`].
pub const MAX_SLOTS: usize = 8;

/// The most channels there may be: the bits of [`Promotion::channels`].
pub const MAX_CHANNELS: usize = 64;

/// A place in the slate.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Slot {
    /// The configured name.
    pub name: String,
    /// The channel it is shown in, below [`MAX_CHANNELS`]; none when it is shown wherever the customer is.
    pub channel: Option<u8>,
}

/// The limits and the scope of a promotion.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Promotion {
    /// The most customers it may be offered to.
    pub cap: Option<u64>,
    /// The most expected cost its offers may add up to, minor units.
    pub budget_minor: Option<i64>,
    /// A customer gets at most one promotion of a group.
    pub exclusivity_group: Option<u32>,
    /// The stores it holds in, ascending; none means all.
    pub stores: Option<Vec<u32>>,
    /// The channels it holds in: bit `k` for channel `k`; none means all.
    pub channels: Option<u64>,
}

/// A customer and the candidates to choose from.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Customer {
    /// The most offers that contacts of earlier weeks leave for this run.
    pub max_offers: u8,
    /// The customer's part of [`Problem::candidates`].
    pub candidates: Range<usize>,
    /// Candidates the marketer pins, as indices into [`Problem::candidates`], most urgent first.
    /// A pin goes before every value, and bows to every rule but the minimum value.
    pub pinned: Vec<usize>,
    /// The rule that keeps every offer away from the customer, the first that applies.
    pub blocked: Option<RuleId>,
    /// A keyed hash of the customer: who comes first among equals, so that caps favour nobody.
    pub order: u64,
    /// The store where the customer shops, where known.
    pub store: Option<u32>,
    /// The channels in which the customer shops, looks, or agreed to be reached.
    pub channels: u64,
    /// The channels in which the customer must not be reached; those never asked about are not among them.
    pub refused_channels: u64,
}

/// One promotion that one customer could get.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Candidate {
    /// Index into [`Problem::promotions`].
    pub promotion: u32,
    /// The slots whose predicate it meets: bit `k` for slot `k`. See [`Problem::open_slots`].
    pub slots: u8,
    /// What the solver maximises, minor units.
    pub value_minor: i64,
    /// What budgets consume, minor units, at least 0.
    pub expected_cost_minor: i64,
    /// Probability of buying into the promotion.
    pub response_rate: f32,
    /// The rule that excludes it, the first that applies.
    pub excluded: Option<RuleId>,
}

/// Everything a solver needs.
#[derive(Clone)]
pub struct Problem<'a> {
    /// The slots of every slate, at most [`MAX_SLOTS`].
    pub slots: Vec<Slot>,
    /// The promotions.
    pub promotions: Vec<Promotion>,
    /// The customers.
    pub customers: Vec<Customer>,
    /// The candidates of all customers, customer by customer.
    pub candidates: Vec<Candidate>,
    /// The most expected cost of all offers, minor units.
    pub total_budget_minor: Option<i64>,
    /// The most offers of one customer in this run; none means one per slot.
    pub offers_max: Option<u8>,
    /// The least marginal value of an offer that is not pinned, minor units.
    pub min_value_minor: Option<i64>,
    /// How much of a candidate's value earlier offers of the slate already have.
    pub overlap: &'a dyn Overlap,
}

impl Problem<'_> {
    /// The bits of all slots.
    pub(crate) fn all_slots(&self) -> u8 {
        ((1_u16 << self.slots.len()) - 1) as u8
    }

    /// The slots in which a candidate may stand, by their predicates and by channel: bit `k` for slot `k`.
    pub fn open_slots(&self, customer: usize, candidate: &Candidate) -> u8 {
        candidate.slots & self.channel_slots(customer, candidate.promotion)
    }

    /// [`Self::open_slots`], and none for a promotion that does not hold where the customer shops.
    pub fn scoped_slots(&self, customer: usize, candidate: &Candidate) -> u8 {
        match self.holds_at_store(customer, candidate.promotion) {
            true => self.open_slots(customer, candidate),
            false => 0,
        }
    }

    /// The rule of scope, store or channel, that keeps the candidate from every slot.
    pub fn scope_refusal(&self, customer: usize, candidate: &Candidate) -> Option<RuleId> {
        if !self.holds_at_store(customer, candidate.promotion) {
            return Some(RuleId::Store);
        }
        // Of the slots that ask for its kind; of all where none does.
        let asking = match candidate.slots & self.all_slots() {
            0 => self.all_slots(),
            asking => asking,
        };
        let met_in = self.channel_slots(customer, candidate.promotion);
        (asking & met_in == 0).then_some(RuleId::Channel)
    }

    /// True when the promotion holds where the customer shops.
    pub(crate) fn holds_at_store(&self, customer: usize, promotion: u32) -> bool {
        let Some(stores) = &self.promotions[promotion as usize].stores else { return true };
        let home = self.customers[customer].store;
        home.is_some_and(|home| stores.binary_search(&home).is_ok())
    }

    /// The slots in which the customer may meet the promotion, by channel.
    pub(crate) fn channel_slots(&self, customer: usize, promotion: u32) -> u8 {
        let known = &self.customers[customer];
        let scope = self.promotions[promotion as usize].channels;
        if scope.is_none() && known.refused_channels == 0 {
            return self.all_slots();
        }
        let mut open = 0;
        for (at, slot) in self.slots.iter().enumerate() {
            let is_open = match (slot.channel, scope) {
                (None, None) => true,
                (None, Some(scope)) => scope & known.channels != 0,
                (Some(shown), scope) => {
                    scope.unwrap_or(u64::MAX) & !known.refused_channels & 1 << shown != 0
                }
            };
            open |= u8::from(is_open) << at;
        }
        open
    }

    /// True when one customer's offers can take from another's: a cap or a budget is set.
    pub(crate) fn is_coupled(&self) -> bool {
        self.total_budget_minor.is_some()
            || self.promotions.iter().any(|p| p.cap.is_some() || p.budget_minor.is_some())
    }

    /// What a candidate adds to the promotions already chosen for the customer, minor units.
    ///
    /// `value · (1 − covered share)`, and the value itself when it is negative: overlap never makes
    /// a loss smaller. At most the value.
    pub fn marginal_minor(&self, customer: usize, chosen: &[u32], candidate: &Candidate) -> f64 {
        let value_minor = candidate.value_minor as f64;
        if chosen.is_empty() || candidate.value_minor <= 0 {
            return value_minor;
        }
        let share = self.overlap.covered_share(customer, chosen, candidate);
        value_minor * (1.0 - share.clamp(0.0, 1.0))
    }

    /// Checks ranges and signs.
    ///
    /// # Errors
    /// `T0602` (config) for no slot or more than [`MAX_SLOTS`] slots; `T0603` (internal) naming the
    /// customer or candidate when an index, a cost or a flag is not what it may be.
    pub fn check(&self) -> Result<()> {
        if self.slots.is_empty() || self.slots.len() > MAX_SLOTS {
            let count = self.slots.len();
            return Err(Error::config("T0602", format!("{count} slots are not 1 to {MAX_SLOTS}"))
                .hint("configure between one and eight [[slots]]"));
        }
        for (at, slot) in self.slots.iter().enumerate() {
            if slot.channel.is_some_and(|channel| usize::from(channel) >= MAX_CHANNELS) {
                return Err(wrong("slot", at, "its channel does not exist"));
            }
        }
        for (at, promotion) in self.promotions.iter().enumerate() {
            if promotion.stores.as_ref().is_some_and(|stores| !stores.is_sorted()) {
                return Err(wrong("promotion", at, "its stores do not ascend"));
            }
        }
        for (at, candidate) in self.candidates.iter().enumerate() {
            if candidate.promotion as usize >= self.promotions.len() {
                return Err(wrong("candidate", at, "its promotion does not exist"));
            }
            if candidate.expected_cost_minor < 0 {
                return Err(wrong("candidate", at, "its expected cost is negative"));
            }
            if candidate.excluded.is_some_and(|rule| !rule.is_flag()) {
                return Err(wrong("candidate", at, "the rule that excludes it is not a flag"));
            }
        }
        for (at, customer) in self.customers.iter().enumerate() {
            let Range { start, end } = customer.candidates;
            if start > end || end > self.candidates.len() {
                return Err(wrong("customer", at, "the candidates do not exist"));
            }
            if customer.pinned.iter().any(|pin| !customer.candidates.contains(pin)) {
                return Err(wrong("customer", at, "a pin is not among the candidates"));
            }
            if customer.blocked.is_some_and(|rule| !rule.is_flag()) {
                return Err(wrong("customer", at, "the rule that blocks is not a flag"));
            }
        }
        Ok(())
    }
}

fn wrong(noun: &str, at: usize, what: &str) -> Error {
    Error::internal("T0603", format!("{noun} {at}: {what}"))
        .hint("report this: allocation was handed a malformed problem")
}
