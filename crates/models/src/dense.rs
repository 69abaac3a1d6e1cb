//! How are dense blocks of numbers multiplied and inverted, on every machine and any number of threads alike?
//!
//! One product of blocks, [`tile`], carries the estimators that live on it: Gram matrices, rankings by factors,
//! the inverse of a large matrix. It is compiled once for each set of instructions.

mod instructions;
mod inverse;
mod lanes;
mod tile;

#[cfg(test)]
pub(crate) use instructions::with_each;
pub(crate) use instructions::{DOUBLES, Instructions, SINGLES, Work, run};
pub(crate) use inverse::invert;
pub(crate) use lanes::Lanes;
pub(crate) use tile::{ROWS, add_scaled, dot, tile};
