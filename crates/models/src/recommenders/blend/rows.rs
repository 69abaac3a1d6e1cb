//! Which rows does the ranker learn from?

use tercet_types::Result;

use crate::gbdt::{Matrix, TrainingSet};

/// Whether a key is among a share of all keys.
///
/// Steele, Lea, Flood, "Fast splittable pseudorandom number generators", OOPSLA 2014, doi:10.1145/2660193.2660195.
pub(super) fn drawn(key: u64, seed: u64, share: f64) -> bool {
    let mut mixed = key ^ seed.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    mixed = (mixed ^ mixed >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed = (mixed ^ mixed >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
    ((mixed ^ mixed >> 31) >> 11) as f64 <= share * (1_u64 << 53) as f64
}

/// Labelled rows of features.
#[derive(Default)]
pub(super) struct Rows {
    pub(super) values: Vec<f32>,
    pub(super) labels: Vec<f32>,
    pub(super) weights: Vec<f32>,
}

impl Rows {
    pub(super) fn append(&mut self, mut other: Self) {
        self.values.append(&mut other.values);
        self.labels.append(&mut other.labels);
        self.weights.append(&mut other.weights);
    }

    /// Whether there are rows of both labels.
    pub(super) fn tells(&self) -> bool {
        [0.0, 1.0].iter().all(|label| self.labels.contains(label))
    }

    /// The features, which are taken out.
    pub(super) fn matrix(&mut self, columns: usize) -> Result<Matrix> {
        Matrix::new(self.labels.len(), columns, std::mem::take(&mut self.values))
    }

    pub(super) fn set<'a>(&'a self, matrix: &'a Matrix) -> TrainingSet<'a> {
        TrainingSet { matrix, labels: &self.labels, weights: Some(&self.weights) }
    }
}
