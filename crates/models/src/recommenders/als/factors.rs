//! Where are the customers, or the products, as points?

use rayon::prelude::*;

use super::pairs::Pairs;

pub(super) use crate::dense::SINGLES as LANES;
/// Numbers of [`LANES`] lanes.
pub(super) type Block = [f32; LANES];

/// Rows of factors, each filled up with zeros to whole blocks.
#[derive(Clone, Debug)]
pub(super) struct Factors {
    factors: usize,
    cells: Vec<Block>,
}

impl Factors {
    /// So many rows at the origin.
    pub(super) fn zero(rows: usize, factors: usize) -> Self {
        Self { factors, cells: vec![[0.0; LANES]; rows * blocks(factors)] }
    }

    /// Rows of small numbers around zero, by seed, row and factor; rows without a pair stay at the origin.
    pub(super) fn drawn(pairs: &Pairs, factors: usize, seed: u64) -> Self {
        let mut drawn = Self::zero(pairs.rows(), factors);
        let scale = 1.0 / (factors as f64).sqrt();
        drawn.rows_mut().enumerate().for_each(|(row, cells)| {
            if !pairs.of(row).0.is_empty() {
                let start = mixed(mixed(seed) ^ row as u64);
                let numbers = cells.as_flattened_mut()[..factors].iter_mut().enumerate();
                numbers.for_each(|(factor, number)| {
                    let bits = mixed(start.wrapping_add(factor as u64)) >> 40;
                    *number = ((bits as f64 / (1_u64 << 24) as f64 - 0.5) * scale) as f32;
                });
            }
        });
        drawn
    }

    /// The length of a row.
    pub(super) const fn factors(&self) -> usize {
        self.factors
    }

    /// The blocks of a row.
    pub(super) const fn blocks(&self) -> usize {
        blocks(self.factors)
    }

    pub(super) fn rows(&self) -> usize {
        self.cells.len() / self.blocks()
    }

    pub(super) fn row(&self, at: usize) -> &[Block] {
        &self.cells[at * self.blocks()..(at + 1) * self.blocks()]
    }

    pub(super) fn row_mut(&mut self, at: usize) -> &mut [Block] {
        let blocks = self.blocks();
        &mut self.cells[at * blocks..(at + 1) * blocks]
    }

    /// All rows, end to end.
    pub(super) fn cells(&self) -> &[Block] {
        &self.cells
    }

    pub(super) fn cells_mut(&mut self) -> &mut [Block] {
        &mut self.cells
    }

    fn rows_mut(&mut self) -> impl IndexedParallelIterator<Item = &mut [Block]> {
        let blocks = self.blocks();
        self.cells.par_chunks_exact_mut(blocks)
    }

    pub(super) fn finite(&self) -> bool {
        self.cells.par_iter().all(|block| block.iter().all(|number| number.is_finite()))
    }
}

/// Rows are widened to a number of blocks that loops are compiled for.
const fn blocks(factors: usize) -> usize {
    match factors.div_ceil(LANES) {
        0..=2 => factors.div_ceil(LANES),
        3..=4 => 4,
        5..=8 => 8,
        _ => 16,
    }
}

/// Mixes 64 bits: Steele, Lea, Flood, "Fast splittable pseudorandom number generators", OOPSLA 2014,
/// doi:10.1145/2660193.2660195.
const fn mixed(number: u64) -> u64 {
    let mut z = number.wrapping_add(0x9E37_79B9_7F4A_7C15);
    z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^ (z >> 31)
}
