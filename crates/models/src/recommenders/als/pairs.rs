//! How much does each pair of a customer and a product that it bought weigh?

use rayon::prelude::*;

use super::Als;
use crate::recommenders::decayed_frequency::Weight;
use crate::{Purchase, Training};

/// What lines weigh.
pub(super) struct Weighing<'a>(&'a Als);

impl Als {
    pub(super) const fn weighing(&self) -> Weighing<'_> {
        Weighing(self)
    }
}

impl Weighing<'_> {
    /// `(product, weight)` by product, of a customer's lines.
    pub(super) fn of(&self, lines: &[Purchase], as_of: i32) -> Vec<(u32, f32)> {
        let amount = |line: &Purchase| {
            let amount = match self.0.weight {
                Weight::Lines => 1.0,
                Weight::Spend => line.spend_minor.max(0) as f64,
            };
            let age_days = f64::from(as_of) - f64::from(line.day);
            (
                line.product,
                amount * self.0.half_life_days.map_or(1.0, |half| (-age_days / half).exp2()),
            )
        };
        let mut amounts: Vec<(u32, f64)> = lines.iter().map(amount).collect();
        // Stable: lines of one product are added up in the order of their days.
        amounts.sort_by_key(|(product, _)| *product);
        let products = amounts.chunk_by(|a, b| a.0 == b.0);
        let weight = |lines: &[(u32, f64)]| {
            let units = lines.iter().map(|(_, amount)| amount).sum::<f64>() / self.0.unit;
            (lines[0].0, (self.0.confidence * units.ln_1p() / LN_2) as f32)
        };
        products.map(weight).filter(|(_, weight)| *weight > 0.0).collect()
    }
}

const LN_2: f64 = std::f64::consts::LN_2;

/// Rows of `(place on the other side, weight)`, by place.
pub(super) struct Pairs {
    starts: Vec<usize>,
    places: Vec<u32>,
    weights: Vec<f32>,
}

/// The customers whose pairs are laid end to end at a time.
const BATCH: usize = 1 << 16;

impl Pairs {
    /// By customer, what it bought.
    pub(super) fn new(training: &Training<'_>, weighing: &Weighing<'_>) -> Self {
        let customers = training.history.customers();
        let mut pairs = Self { starts: vec![0], places: Vec::new(), weights: Vec::new() };
        for from in (0..customers).step_by(BATCH) {
            let batch = from..(from + BATCH).min(customers);
            let rows: Vec<Vec<(u32, f32)>> = batch
                .into_par_iter()
                .map(|customer| weighing.of(training.lines(customer as u32), training.as_of))
                .collect();
            for row in rows {
                pairs.places.extend(row.iter().map(|(place, _)| *place));
                pairs.weights.extend(row.iter().map(|(_, weight)| *weight));
                pairs.starts.push(pairs.places.len());
            }
        }
        pairs
    }

    pub(super) fn rows(&self) -> usize {
        self.starts.len() - 1
    }

    /// The places and weights of a row.
    pub(super) fn of(&self, row: usize) -> (&[u32], &[f32]) {
        let range = self.starts[row]..self.starts[row + 1];
        (&self.places[range.clone()], &self.weights[range])
    }

    /// The same pairs by the other side, which has so many places.
    pub(super) fn turned(&self, places: usize) -> Self {
        let mut starts = vec![0; places + 1];
        self.places.iter().for_each(|place| starts[*place as usize + 1] += 1);
        for place in 0..places {
            starts[place + 1] += starts[place];
        }
        let mut next = starts.clone();
        let mut turned = Self {
            starts,
            places: vec![0; self.places.len()],
            weights: vec![0.0; self.weights.len()],
        };
        for row in 0..self.rows() {
            let (own, weights) = self.of(row);
            for (place, weight) in own.iter().zip(weights) {
                let at = &mut next[*place as usize];
                turned.places[*at] = row as u32;
                turned.weights[*at] = *weight;
                *at += 1;
            }
        }
        turned
    }
}
