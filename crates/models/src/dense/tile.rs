//! What is the product of a few rows and a few columns?

use super::lanes::Lanes;
use super::{Instructions, SINGLES};

/// The rows of a tile.
pub(crate) const ROWS: usize = 8;
const HALF: usize = ROWS / 2;

/// `out[r][c] = Σ a[r] · b[c]` over pairs of `a` and `b`, each sum in the order of the pairs.
#[inline(always)]
pub(crate) fn tile<'a, I: Instructions, T: Copy + 'a, L: Lanes<T, C>, const C: usize>(
    pairs: impl Iterator<Item = (&'a [T; ROWS], &'a [T; C])> + Clone,
    zero: T,
) -> [L; ROWS] {
    if I::WIDE {
        return part::<T, L, C, ROWS>(pairs, zero, 0);
    }
    let upper = part::<T, L, C, HALF>(pairs.clone(), zero, 0);
    let lower = part::<T, L, C, HALF>(pairs, zero, HALF);
    let mut out = [upper[0]; ROWS];
    out[..HALF].copy_from_slice(&upper);
    out[HALF..].copy_from_slice(&lower);
    out
}

/// `R` rows of a tile from the row `from` on: as many as stay in registers.
#[inline(always)]
fn part<'a, T: Copy + 'a, L: Lanes<T, C>, const C: usize, const R: usize>(
    pairs: impl Iterator<Item = (&'a [T; ROWS], &'a [T; C])>,
    zero: T,
    from: usize,
) -> [L; R] {
    let mut sums = [L::all(zero); R];
    for (a, b) in pairs {
        let b = L::of(b);
        for (sum, a) in sums.iter_mut().zip(&a[from..from + R]) {
            *sum = L::all(*a).times_plus(b, *sum);
        }
    }
    sums
}

/// `Σ a · b`, lane by lane and the lanes in pairs.
#[inline(always)]
pub(crate) fn dot<I: Instructions>(a: &[[f32; SINGLES]], b: &[[f32; SINGLES]]) -> f32 {
    let mut lanes = I::Singles::all(0.0);
    for (a, b) in a.iter().zip(b) {
        lanes = I::Singles::of(a).times_plus(I::Singles::of(b), lanes);
    }
    let mut sums = [0.0; SINGLES];
    lanes.to(&mut sums);
    let mut width = SINGLES / 2;
    while width > 0 {
        let (low, high) = sums.split_at_mut(width);
        for (low, high) in low.iter_mut().zip(high) {
            *low += *high;
        }
        width /= 2;
    }
    sums[0]
}

/// `to += by · a`.
#[inline(always)]
pub(crate) fn add_scaled<I: Instructions>(
    to: &mut [[f32; SINGLES]],
    by: f32,
    a: &[[f32; SINGLES]],
) {
    let by = I::Singles::all(by);
    for (to, a) in to.iter_mut().zip(a) {
        I::Singles::of(a).times_plus(by, I::Singles::of(to)).to(to);
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::dense::instructions::with_each;
    use crate::dense::{DOUBLES, Work};

    /// All that lanes do, in both precisions: a tile, a sum of two, a product of rows, a row that is added.
    #[derive(Clone)]
    struct Everything {
        singles: Vec<([f32; ROWS], [f32; SINGLES])>,
        doubles: Vec<([f64; ROWS], [f64; DOUBLES])>,
    }

    impl Work for Everything {
        type Output = Vec<f64>;

        #[inline(always)]
        fn run<I: Instructions>(self) -> Vec<f64> {
            let mut out = Vec::new();
            let pairs = self.singles.iter().map(|(a, b)| (a, b));
            let sums: [I::Singles; ROWS] = tile::<I, _, _, SINGLES>(pairs, 0.0);
            let mut numbers = [0.0; SINGLES];
            for sum in sums {
                sum.plus(sum).to(&mut numbers);
                out.extend(numbers.map(f64::from));
            }
            let pairs = self.doubles.iter().map(|(a, b)| (a, b));
            let sums: [I::Doubles; ROWS] = tile::<I, _, _, DOUBLES>(pairs, 0.0);
            let mut numbers = [0.0; DOUBLES];
            for sum in sums {
                sum.plus(sum).to(&mut numbers);
                out.extend(numbers);
            }
            let mut rows: Vec<[f32; SINGLES]> = self.singles.iter().map(|(_, row)| *row).collect();
            let other = rows.clone();
            out.push(f64::from(dot::<I>(&rows, &other)));
            add_scaled::<I>(&mut rows, 0.3, &other);
            out.extend(rows.as_flattened().iter().map(|number| f64::from(*number)));
            out
        }
    }

    fn row<T: From<i16> + std::ops::Div<Output = T> + std::fmt::Debug, const N: usize>()
    -> impl Strategy<Value = [T; N]> {
        proptest::array::uniform(-1_000_i16..1_000)
            .prop_map(|row: [i16; N]| row.map(|number| T::from(number) / T::from(700)))
    }

    proptest! {
        #[test]
        fn every_set_of_instructions_finds_the_same(
            singles in proptest::collection::vec((row(), row()), 0..40),
            doubles in proptest::collection::vec((row(), row()), 0..40),
        ) {
            let found = with_each(&Everything { singles, doubles });
            for other in &found[1..] {
                prop_assert_eq!(other.len(), found[0].len());
                for (one, other) in found[0].iter().zip(other) {
                    prop_assert!((one - other).abs() <= 2e-5 * one.abs().max(1.0), "{one} {other}");
                }
            }
            // Both round once, and add in the same order.
            if let [_, avx2, avx512] = &found[..] {
                prop_assert_eq!(avx2, avx512);
            }
        }
    }
}
