//! Where would a product, or a customer, lie of which only attributes are known?

use super::factors::{Block, Factors, LANES};
use crate::Attributes;

/// Rounds over all values; each comes closer to the solution.
const SWEEPS: usize = 30;

/// Gives rows at the origin the sum of their attributes' factors, and says which rows have factors then.
///
/// The factors `A_v` of values minimise `Σ |y − Σ_v A_v|² + cost · Σ |A_v|²` over the rows that have factors, by
/// Gauss-Seidel; a row is the sum of its attributes as in Kula, "Metadata embeddings for user and item cold-start
/// recommendations", 2015, arXiv:1507.08439.
pub(super) fn complete(factors: &mut Factors, attributes: &Attributes, cost: f64) -> Vec<bool> {
    let learnt: Vec<bool> = (0..factors.rows())
        .map(|row| factors.row(row).iter().flatten().any(|number| *number != 0.0))
        .collect();
    let mut known = learnt.clone();
    if learnt.iter().all(|known| *known) || attributes.kinds().is_empty() {
        return known;
    }
    let blocks = factors.blocks();
    let mut rest = factors.clone();
    let mut learnt_of: Vec<Vec<Vec<Block>>> = attributes
        .kinds()
        .iter()
        .map(|kind| vec![vec![[0.0; LANES]; blocks]; kind.values()])
        .collect();
    for _ in 0..SWEEPS {
        for (kind, values) in attributes.kinds().iter().zip(&mut learnt_of) {
            for (value, own) in (0..).zip(values) {
                let rows = || {
                    kind.rows_with(value).iter().map(|row| *row as usize).filter(|row| learnt[*row])
                };
                let count = rows().count() as f64;
                let mut change = vec![0.0_f64; blocks * LANES];
                for row in rows() {
                    let numbers = rest.row(row).as_flattened();
                    change
                        .iter_mut()
                        .zip(numbers)
                        .for_each(|(sum, number)| *sum += f64::from(*number));
                }
                for (change, own) in change.iter_mut().zip(own.as_flattened()) {
                    *change = (*change - cost * f64::from(*own)) / (count + cost);
                }
                for row in rows() {
                    add(rest.row_mut(row), &change, -1.0);
                }
                add(own, &change, 1.0);
            }
        }
    }
    for row in (0..factors.rows()).filter(|row| !learnt[*row]) {
        let mut sum = vec![0.0_f64; blocks * LANES];
        for (kind, values) in attributes.kinds().iter().zip(&learnt_of) {
            for value in kind.of(row as u32) {
                let numbers = values[*value as usize].as_flattened();
                sum.iter_mut().zip(numbers).for_each(|(sum, number)| *sum += f64::from(*number));
            }
        }
        add(factors.row_mut(row), &sum, 1.0);
        known[row] = factors.row(row).iter().flatten().any(|number| *number != 0.0);
    }
    known
}

fn add(to: &mut [Block], numbers: &[f64], sign: f64) {
    to.as_flattened_mut()
        .iter_mut()
        .zip(numbers)
        .for_each(|(to, number)| *to += (sign * number) as f32);
}
