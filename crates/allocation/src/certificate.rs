//! How far from the best possible is a plan, and which limit costs how much?

use crate::plan::Plan;

/// A limit that customers share.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Limit {
    /// The run's budget.
    TotalBudget,
    /// A budget of several promotions, by its index.
    Budget(u32),
    /// The budget of a promotion, by its index.
    PromotionBudget(u32),
    /// The cap of a promotion, by its index.
    Cap(u32),
    /// A least number of offers, by its index.
    Floor(u32),
}

/// What the last unit of a limit is worth.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ShadowPrice {
    /// The limit.
    pub limit: Limit,
    /// What one more unit would bring, minor units: an offer of a cap, a minor unit of a budget. Of a floor:
    /// what its last offer costs.
    pub price_minor: f64,
    /// The price times what the limit leaves, or the floor asks for, after the pins, minor units.
    pub weight_minor: f64,
}

/// A proof of how good a plan is. Values are less the price of contacts, and less what is counted as lost
/// where a floor is missed.
#[derive(Clone, Debug, PartialEq)]
pub struct Certificate {
    /// No plan with the same pins is worth more, minor units.
    pub bound_minor: f64,
    /// What the plan is worth, minor units.
    pub value_minor: f64,
    /// What greedy's plan is worth, minor units. Of more than [`Self::GREEDY_CUSTOMERS`] it is worked out on
    /// so many, the first by their hash, with limits in proportion.
    pub greedy_minor: f64,
    /// Limits with a price, the one that weighs most first.
    pub prices: Vec<ShadowPrice>,
    /// How often the customers of a sample were gone through to find the prices.
    pub passes: usize,
}

impl Certificate {
    /// Up to so many customers greedy's plan is made in full, and taken where it is worth more.
    pub const GREEDY_CUSTOMERS: usize = 20_000;

    /// The share of the bound that the plan may be missing: `(bound − value) / |bound|`, 0 when
    /// there is nothing to be had.
    pub fn gap(&self) -> f64 {
        let size_minor = self.bound_minor.abs();
        if size_minor > 0.0 {
            ((self.bound_minor - self.value_minor) / size_minor).max(0.0)
        } else {
            0.0
        }
    }
}

/// A plan and the proof of how good it is.
#[derive(Clone, Debug, PartialEq)]
pub struct Certified {
    /// The plan.
    pub plan: Plan,
    /// The proof.
    pub certificate: Certificate,
}
