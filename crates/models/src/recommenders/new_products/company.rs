//! Which groups of products go with the others that a customer buys?

use rayon::prelude::*;
use tercet_types::{Error, Result};

use super::super::ease::{Ease, Linear};
use super::level::Level;
use crate::Training;
use crate::likeness::evenly;

/// The customers, evenly spaced, and the most bought groups that are learnt from: enough for a linear model of groups,
/// and a bound on its time in a shop of any size.
const CUSTOMERS_MAX: usize = 100_000;
const GROUPS_MAX: usize = 4_000;

/// What a level's groups say of one another, in a linear model of who bought which of them.
pub(super) struct Company {
    expected: Linear,
    weight: f64,
}

impl Company {
    /// Learns from the groups of a level that customers bought at any time.
    pub(super) fn learn(training: &Training<'_>, level: &Level, weight: f64) -> Result<Self> {
        let customers: Vec<u32> = (0..training.history.customers() as u32).collect();
        let groups = |customer: &u32| {
            let lines = training.lines(*customer).iter();
            let mut groups: Vec<u32> =
                lines.map(|line| level.group(line.product as usize) as u32).collect();
            groups.sort_unstable();
            groups.dedup();
            groups
        };
        let bought: Vec<Vec<u32>> =
            evenly(customers, CUSTOMERS_MAX).par_iter().map(groups).collect();
        let model = Ease { max_products: Some(GROUPS_MAX), ..Ease::default() };
        let expected = model.learn(&bought, level.groups()).map_err(|cause| {
            Error::data("T0413", "new-products: groups have no linear model of one another")
                .hint("set company_weight = 0")
                .cause(cause)
        })?;
        Ok(Self { expected, weight })
    }

    /// What the groups that a customer bought make of each group: `e^(weight · expected)`.
    pub(super) fn factors(
        &self,
        bought: impl Iterator<Item = u32>,
    ) -> impl Iterator<Item = (u32, f64)> {
        let expected = self.expected.expected(bought);
        expected.map(|(group, expected)| (group, (self.weight * expected).exp()))
    }
}
