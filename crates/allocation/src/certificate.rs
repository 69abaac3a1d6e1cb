//! How far from the best possible is a plan, and which limit costs how much?

use crate::plan::Plan;

/// A limit that customers share.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Limit {
    /// The run's budget.
    TotalBudget,
    /// The budget of a promotion, by its index.
    PromotionBudget(u32),
    /// The cap of a promotion, by its index.
    Cap(u32),
}

/// What the last unit of a limit is worth.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ShadowPrice {
    /// The limit.
    pub limit: Limit,
    /// What one more unit would bring, minor units: an offer of a cap, a minor unit of a budget.
    pub price_minor: f64,
    /// The price times what the limit leaves after the pins, minor units.
    pub weight_minor: f64,
}

/// A proof of how good a plan is.
#[derive(Clone, Debug, PartialEq)]
pub struct Certificate {
    /// No plan with the same pins is worth more, minor units.
    pub bound_minor: f64,
    /// What the plan is worth, minor units.
    pub value_minor: f64,
    /// What greedy's plan is worth, minor units.
    pub greedy_minor: f64,
    /// Limits with a price, the one that weighs most first.
    pub prices: Vec<ShadowPrice>,
}

impl Certificate {
    /// The share of the bound that the plan may be missing: `(bound − value) / bound`, 0 when there is
    /// nothing to be had.
    pub fn gap(&self) -> f64 {
        if self.bound_minor > 0.0 {
            ((self.bound_minor - self.value_minor) / self.bound_minor).max(0.0)
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
