//! Which pairs of customer and promotion have a row of their own?

use tercet_engine::{Engine, Frame};
use tercet_types::{Error, Result};

use crate::pair_features::{PAIR_FEATURES, column};

/// Some pairs of customer and promotion with their features, sorted by customer, then promotion: what a model learns
/// from. The pairs of a week to decide are a [`PairBlock`](crate::PairBlock).
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Pairs {
    /// The customer of each row.
    pub customer_ix: Vec<i32>,
    /// The promotion of each row.
    pub promotion_ix: Vec<i32>,
    /// Features, row after row: `rows × PAIR_FEATURES.len()`; missing is NaN.
    pub values: Vec<f32>,
}

impl Pairs {
    /// Number of pairs.
    pub fn rows(&self) -> usize {
        self.customer_ix.len()
    }

    /// The features of one row.
    pub fn row(&self, row: usize) -> &[f32] {
        &self.values[row * PAIR_FEATURES.len()..(row + 1) * PAIR_FEATURES.len()]
    }

    /// Sets a feature of every row from its customer and promotion; NaN says unknown.
    ///
    /// # Errors
    /// `T0305` when there is no feature of that name.
    pub fn fill(&mut self, name: &str, value: impl Fn(i32, i32) -> f32) -> Result<()> {
        let place = column(name).ok_or_else(|| {
            Error::internal("T0305", format!("there is no pair feature '{name}'"))
        })?;
        let rows = self.values.chunks_exact_mut(PAIR_FEATURES.len());
        for ((row, &customer), &promotion) in rows.zip(&self.customer_ix).zip(&self.promotion_ix) {
            row[place] = value(customer, promotion);
        }
        Ok(())
    }
}

pub(crate) fn ascending(numbers: &[i32]) -> Vec<i32> {
    let mut numbers = numbers.to_vec();
    numbers.sort_unstable();
    numbers.dedup();
    numbers
}

pub(crate) fn scope(engine: &Engine, table: &str, column: &str, numbers: &[i32]) -> Result<()> {
    engine.register(table, &Frame::of(vec![(column, numbers.to_vec().into())])?)
}
