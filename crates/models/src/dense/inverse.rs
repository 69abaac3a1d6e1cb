//! What is the inverse of a large symmetric matrix?

use rayon::prelude::*;

use super::{DOUBLES, Instructions, Lanes, ROWS, Work, run, tile};

/// Columns of a tile.
const COLUMNS: usize = DOUBLES;
/// Rows that one piece of work takes.
const STRIP: usize = 4 * ROWS;
/// Rows and columns that are swept at a time.
const BLOCK: usize = 4 * STRIP;

/// Inverts a symmetric positive definite matrix of `size` rows, of which the lower triangle is read; `None` when it
/// is not positive definite.
///
/// By the sweep operator in blocks, Goodnight, "A tutorial on the SWEEP operator", The American Statistician 1979,
/// doi:10.1080/00031305.1979.10482685: `A_KK ← −D`, `A_iK ← A_iK D`, `A_ij ← A_ij − A_iK D A_Kj` with
/// `D = A_KK⁻¹` leaves `−A⁻¹` when every block was swept. It is a Cholesky inverse with the loops exchanged: the same
/// size³ / 2 products, all but a few of them in one update of the triangle by tiles.
pub(crate) fn invert(matrix: &[f64], size: usize) -> Option<Vec<f64>> {
    // Filled up with ones on the diagonal, whose inverse is itself, the matrix is made of whole strips.
    let length = size.next_multiple_of(STRIP);
    let mut a = vec![0.0; length * length];
    for at in 0..length {
        match at < size {
            true => a[at * length..at * length + at + 1]
                .copy_from_slice(&matrix[at * size..at * size + at + 1]),
            false => a[at * length + at] = 1.0,
        }
    }
    for from in (0..length).step_by(BLOCK) {
        sweep(&mut a, length, from, (from + BLOCK).min(length))?;
    }
    let mut inverse = vec![0.0; size * size];
    for row in 0..size {
        for column in 0..=row {
            let value = -a[row * length + column];
            inverse[row * size + column] = value;
            inverse[column * size + row] = value;
        }
    }
    Some(inverse)
}

/// Sweeps the rows and columns `from..to` of the lower triangle.
fn sweep(a: &mut [f64], length: usize, from: usize, to: usize) -> Option<()> {
    let width = to - from;
    let mut pivot: Vec<f64> = (from..to)
        .flat_map(|row| a[row * length + from..row * length + to].iter().copied())
        .collect();
    invert_small(&mut pivot, width)?;
    // Per row of the matrix its `width` entries in the block's columns; the block's own rows stay as they are.
    let mut columns = vec![0.0; length * width];
    for (row, entries) in columns.chunks_exact_mut(width).enumerate() {
        if row < from {
            entries
                .iter_mut()
                .enumerate()
                .for_each(|(k, entry)| *entry = a[(from + k) * length + row]);
        } else if row >= to {
            entries.copy_from_slice(&a[row * length + from..row * length + to]);
        }
    }
    let right = packed::<COLUMNS>(&columns, width);
    let turned: Vec<f64> = pivot.iter().map(|entry| -entry).collect();
    let turned = packed::<COLUMNS>(&turned, width);
    let left = packed::<ROWS>(&columns, width);
    // −A_iK D, strip by strip.
    let mut scaled = vec![0.0; length * width];
    scaled.par_chunks_mut(STRIP * width).zip(left.par_chunks(STRIP / ROWS * width)).for_each(
        |(rows, left)| {
            run(Update { rows, length: width, last: width, left, right: &turned, width });
        },
    );
    let left = packed::<ROWS>(&scaled, width);
    a.par_chunks_mut(STRIP * length)
        .zip(left.par_chunks(STRIP / ROWS * width))
        .enumerate()
        .for_each(|(strip, (rows, left))| {
            run(Update { rows, length, last: (strip + 1) * STRIP, left, right: &right, width });
        });
    for (row, entries) in scaled.chunks_exact(width).enumerate() {
        for (k, entry) in entries.iter().enumerate() {
            if row < from {
                a[(from + k) * length + row] = -entry;
            } else if row >= to {
                a[row * length + from + k] = -entry;
            } else {
                a[row * length + from + k] = -pivot[(row - from) * width + k];
            }
        }
    }
    Some(())
}

/// Rows of `width` numbers, `N` at a time, number by number.
fn packed<const N: usize>(rows: &[f64], width: usize) -> Vec<[f64; N]> {
    let mut out = vec![[0.0; N]; rows.len() / N];
    let groups = rows.par_chunks_exact(N * width).zip(out.par_chunks_exact_mut(width));
    groups.for_each(|(group, out)| {
        for (lane, row) in group.chunks_exact(width).enumerate() {
            out.iter_mut().zip(row).for_each(|(out, number)| out[lane] = *number);
        }
    });
    out
}

/// Adds the product of packed rows and packed columns to some rows, in the columns below `last`.
struct Update<'a> {
    rows: &'a mut [f64],
    length: usize,
    last: usize,
    left: &'a [[f64; ROWS]],
    right: &'a [[f64; COLUMNS]],
    width: usize,
}

impl Work for Update<'_> {
    type Output = ();

    #[inline(always)]
    fn run<I: Instructions>(self) {
        for (at, right) in self.right.chunks_exact(self.width).enumerate() {
            let column = at * COLUMNS;
            if column >= self.last {
                break;
            }
            for (place, left) in self.left.chunks_exact(self.width).enumerate() {
                let sums: [I::Doubles; ROWS] =
                    tile::<I, _, _, COLUMNS>(left.iter().zip(right), 0.0);
                for (row, sums) in sums.iter().enumerate() {
                    let start = (place * ROWS + row) * self.length + column;
                    if let Some((out, _)) = self.rows[start..].split_first_chunk_mut() {
                        sums.plus(I::Doubles::of(out)).to(out);
                    }
                }
            }
        }
    }
}

/// Inverts a small symmetric positive definite matrix in place, its lower triangle read and all of it written.
fn invert_small(a: &mut [f64], size: usize) -> Option<()> {
    for row in 0..size {
        for column in 0..row {
            a[column * size + row] = a[row * size + column];
        }
    }
    for k in 0..size {
        let pivot = a[k * size + k];
        if !(pivot > 0.0 && pivot.is_finite()) {
            return None;
        }
        let own: Vec<f64> = a[k * size..(k + 1) * size].to_vec();
        for (row, entries) in a.chunks_exact_mut(size).enumerate() {
            let by = own[row] / pivot;
            if row != k {
                entries.iter_mut().zip(&own).for_each(|(entry, own)| *entry -= by * own);
                entries[k] = by;
            }
        }
        let entries = &mut a[k * size..(k + 1) * size];
        entries.iter_mut().for_each(|entry| *entry /= pivot);
        entries[k] = -1.0 / pivot;
    }
    a.iter_mut().for_each(|entry| *entry = -*entry);
    Some(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::conformance::draws;

    #[test]
    fn a_matrix_times_its_inverse_is_one() {
        for size in [1, 2, 31, 32, 33, 140] {
            let mut draw = draws(size as u64);
            let rows: Vec<f64> = (0..size * 7).map(|_| f64::from(draw(100)) / 50.0 - 1.0).collect();
            let mut matrix = vec![0.0; size * size];
            for i in 0..size {
                for j in 0..size {
                    let product: f64 = (0..7).map(|k| rows[i * 7 + k] * rows[j * 7 + k]).sum();
                    matrix[i * size + j] = product + if i == j { 0.5 } else { 0.0 };
                }
            }
            let inverse = invert(&matrix, size).unwrap();
            for i in 0..size {
                for j in 0..size {
                    let one: f64 =
                        (0..size).map(|k| matrix[i * size + k] * inverse[k * size + j]).sum();
                    let expected = if i == j { 1.0 } else { 0.0 };
                    assert!((one - expected).abs() < 1e-10, "{size}: {i}, {j}: {one}");
                }
            }
        }
        assert_eq!(invert(&[1.0, 2.0, 2.0, 1.0], 2), None);
        assert_eq!(invert(&[f64::NAN], 1), None);
        assert_eq!(invert(&[], 0), Some(Vec::new()));
    }
}
