//! What if another share of the customers had been judged?

use serde::Serialize;
use tercet_types::{Error, Result};

use super::history::Histories;
use super::scores::mean_where;
use super::split::is_drawn;
use crate::Moments;

/// A share of the judged customers, drawn several times over by a hash of their ids.
#[derive(Clone, Copy, Debug)]
pub struct Redraws<'a> {
    histories: &'a Histories,
    share: f64,
    count: u32,
    seed: u64,
}

/// The most redraws.
const REDRAWS_MAX: u32 = 1_000;

impl<'a> Redraws<'a> {
    /// So many draws of a share of the customers.
    ///
    /// # Errors
    /// `T0733` (config) for a share that is none, or a count of 0 or above 1,000.
    pub fn new(histories: &'a Histories, share: f64, count: u32, seed: u64) -> Result<Self> {
        if share > 0.0 && share <= 1.0 && (1..=REDRAWS_MAX).contains(&count) {
            return Ok(Self { histories, share, count, seed });
        }
        Err(Error::config("T0733", format!("{count} redraws of a share of {share}")).hint(format!(
            "give a share above 0 and up to 1, such as 0.2, and 1 to {REDRAWS_MAX} redraws"
        )))
    }

    /// Whether a customer is judged in any of the draws.
    pub fn any(&self, customer: u32) -> bool {
        (0..self.count).any(|draw| self.holds(draw, customer))
    }

    /// The mean of values of customers in each draw, over all draws; nothing where they are defined for nobody.
    pub(super) fn of(&self, customers: &[u32], values: &[f64]) -> Option<Redrawn> {
        let means: Moments = (0..self.count)
            .map(|draw| mean_where(values, |at| self.holds(draw, customers[at])))
            .filter(|mean| !mean.is_nan())
            .collect();
        let redraws = u32::try_from(means.count()).ok().filter(|count| *count > 0)?;
        Some(Redrawn { mean: means.mean(), deviation: means.variance().map(f64::sqrt), redraws })
    }

    fn holds(&self, draw: u32, customer: u32) -> bool {
        let seed = self.seed.wrapping_add(u64::from(draw));
        is_drawn(self.histories.customer_key(customer), seed, self.share)
    }
}

/// A metric over redrawn shares of the customers.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Redrawn {
    /// The mean over redraws.
    pub mean: f64,
    /// Their standard deviation; none of one redraw.
    pub deviation: Option<f64>,
    /// How many there were.
    pub redraws: u32,
}
