//! What has to be decided, and under which limits?

use tercet_types::{Error, Result};

use crate::constraints::RuleId;
use crate::customers::{Candidate, Customers, MAX_GROUPS, malformed};
use crate::overlap::{NoOverlap, Overlap};

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

/// What a budget counts of an offer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Measure {
    /// What it is expected to cost: the discount given.
    #[default]
    Cost,
    /// The margin that it is expected to lose: the discount, less the margin on what it brings.
    Margin,
}

/// A budget of several promotions: a supplier's, a campaign's.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Budget {
    /// The most that all their offers may add up to, minor units.
    pub budget_minor: i64,
    /// What of them adds up.
    pub measure: Measure,
    /// The promotions that spend it, ascending. A promotion may spend several budgets: each has to last.
    pub promotions: Vec<u32>,
}

/// A least number of offers: so that a new promotion is seen, or a group of customers is not left out.
///
/// It is met as far as rules and limits allow. Where it would cost more than `miss_minor` in other offers to
/// make one more of its offers, it is missed, and the plan says by how many ([`crate::Plan::shortfalls`]).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Floor {
    /// The promotions whose offers count, ascending; none means all.
    pub promotions: Option<Vec<u32>>,
    /// The group of customers whose offers count, below [`MAX_GROUPS`]; none means all customers.
    pub group: Option<u8>,
    /// The least number of offers.
    pub offers_min: u64,
    /// What each offer that is missing counts as lost, minor units, at least 0.
    pub miss_minor: i64,
}

impl Floor {
    /// True when an offer of the promotion to a customer of these groups counts.
    pub(crate) fn counts(&self, groups: u16, promotion: u32) -> bool {
        self.group.is_none_or(|group| groups >> group & 1 == 1) && self.names(promotion)
    }

    /// True when the promotion is among its promotions.
    pub(crate) fn names(&self, promotion: u32) -> bool {
        self.promotions.as_ref().is_none_or(|list| list.binary_search(&promotion).is_ok())
    }
}

/// Everything a solver needs.
#[derive(Clone)]
pub struct Problem<'a> {
    /// The slots of every slate, at most [`MAX_SLOTS`].
    pub slots: Vec<Slot>,
    /// The promotions.
    pub promotions: Vec<Promotion>,
    /// Budgets of several promotions each.
    pub budgets: Vec<Budget>,
    /// Least numbers of offers.
    pub floors: Vec<Floor>,
    /// The customers with their candidates.
    pub customers: Customers,
    /// The most expected cost of all offers, minor units.
    pub total_budget_minor: Option<i64>,
    /// The most offers of one customer in this run; none means one per slot.
    pub offers_max: Option<u8>,
    /// The least marginal value of an offer that is not pinned, minor units; none means 0: what is expected
    /// to lose is not sent.
    pub min_value_minor: Option<i64>,
    /// How much of a candidate's value earlier offers of the slate already have.
    pub overlap: &'a dyn Overlap,
}

/// Holds the number of slots against what a mask of them has room for.
///
/// # Errors
/// `T0602` (config) for none or more than [`MAX_SLOTS`].
pub fn check_slots(count: usize) -> Result<()> {
    if (1..=MAX_SLOTS).contains(&count) {
        return Ok(());
    }
    Err(Error::config("T0602", format!("{count} slots are not 1 to {MAX_SLOTS}"))
        .hint("configure between one and eight [[slots]]"))
}

impl Default for Problem<'_> {
    /// Nothing to decide, and no limits.
    fn default() -> Self {
        Self {
            slots: Vec::new(),
            promotions: Vec::new(),
            budgets: Vec::new(),
            floors: Vec::new(),
            customers: Customers::default(),
            total_budget_minor: None,
            offers_max: None,
            min_value_minor: None,
            overlap: &NoOverlap,
        }
    }
}

impl Problem<'_> {
    /// The same, but for the overlap: for a reader of customers and candidates.
    pub fn without_overlap(self) -> Problem<'static> {
        let Self { slots, promotions, budgets, floors, customers, .. } = self;
        Problem {
            slots,
            promotions,
            budgets,
            floors,
            customers,
            total_budget_minor: self.total_budget_minor,
            offers_max: self.offers_max,
            min_value_minor: self.min_value_minor,
            overlap: &NoOverlap,
        }
    }

    /// The candidate at a place of a customer's row.
    pub fn candidate(&self, customer: usize, at: usize) -> Candidate {
        self.customers.row(customer).get(at)
    }

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

    /// True when one customer's offers can take from another's: a limit or a floor is set.
    pub(crate) fn is_coupled(&self) -> bool {
        self.total_budget_minor.is_some()
            || !self.budgets.is_empty()
            || self.floors.iter().any(|floor| floor.offers_min > 0)
            || self.promotions.iter().any(|p| p.cap.is_some() || p.budget_minor.is_some())
    }

    /// The most offers of a customer.
    pub(crate) fn offers_most(&self, customer: usize) -> usize {
        let known = &self.customers[customer];
        if known.blocked.is_some() {
            return 0;
        }
        let most = self.offers_max.unwrap_or(MAX_SLOTS as u8).min(known.max_offers);
        usize::from(most).min(self.slots.len())
    }

    /// The least that an offer which is not pinned must add, minor units.
    pub(crate) fn least_minor(&self) -> f64 {
        self.min_value_minor.unwrap_or(0) as f64
    }

    /// Budgets of several promotions that the promotion spends.
    pub(crate) fn budgets_of(&self, promotion: u32) -> impl Iterator<Item = usize> + '_ {
        let spends = move |budget: &Budget| budget.promotions.binary_search(&promotion).is_ok();
        self.budgets.iter().enumerate().filter(move |(_, budget)| spends(budget)).map(|(at, _)| at)
    }

    /// What a candidate adds to the promotions already chosen for the customer, minor units, before the
    /// price of a contact.
    ///
    /// `value · (1 − covered share)`, and the value itself when it is negative: overlap never makes
    /// a loss smaller. At most the value.
    pub(crate) fn worth_minor(
        &self,
        customer: usize,
        chosen: &[u32],
        candidate: &Candidate,
    ) -> f64 {
        let value_minor = candidate.value_minor as f64;
        if chosen.is_empty() || candidate.value_minor <= 0 {
            return value_minor;
        }
        let share = self.overlap.covered_share(customer, chosen, candidate);
        value_minor * (1.0 - share.clamp(0.0, 1.0))
    }

    /// What a candidate adds to the promotions already chosen for the customer, minor units: what of its
    /// value they do not cover, less the price of a contact.
    pub fn marginal_minor(&self, customer: usize, chosen: &[u32], candidate: &Candidate) -> f64 {
        let price_minor = f64::from(self.customers[customer].contact_price_minor);
        self.worth_minor(customer, chosen, candidate) - price_minor
    }

    /// Checks ranges and signs; customers were checked when they were added.
    ///
    /// # Errors
    /// `T0602` (config) for no slot or more than [`MAX_SLOTS`] slots; `T0603` (internal) naming what is
    /// malformed.
    pub fn check(&self) -> Result<()> {
        check_slots(self.slots.len())?;
        for (at, slot) in self.slots.iter().enumerate() {
            if slot.channel.is_some_and(|channel| usize::from(channel) >= MAX_CHANNELS) {
                return Err(malformed("slot", at, "its channel does not exist"));
            }
        }
        for (at, promotion) in self.promotions.iter().enumerate() {
            if promotion.stores.as_ref().is_some_and(|stores| !stores.is_sorted()) {
                return Err(malformed("promotion", at, "its stores do not ascend"));
            }
        }
        let named = self.customers.promotions();
        if named > self.promotions.len() {
            return Err(malformed(
                "promotion",
                named - 1,
                "a candidate names it, but it is not there",
            ));
        }
        let is_wrong = |list: &[u32]| {
            !list.is_sorted_by(|one, other| one < other)
                || list.last().is_some_and(|last| *last as usize >= self.promotions.len())
        };
        for (at, budget) in self.budgets.iter().enumerate() {
            if is_wrong(&budget.promotions) {
                return Err(malformed(
                    "budget",
                    at,
                    "its promotions do not ascend or do not exist",
                ));
            }
        }
        for (at, floor) in self.floors.iter().enumerate() {
            if floor.promotions.as_ref().is_some_and(|list| is_wrong(list)) {
                return Err(malformed("floor", at, "its promotions do not ascend or do not exist"));
            }
            if floor.group.is_some_and(|group| usize::from(group) >= MAX_GROUPS) {
                return Err(malformed("floor", at, "its group does not exist"));
            }
            if floor.miss_minor < 0 {
                return Err(malformed("floor", at, "a miss is worth less than nothing"));
            }
        }
        Ok(())
    }
}
