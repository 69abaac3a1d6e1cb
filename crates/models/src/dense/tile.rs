//! What is the product of a few rows and a few columns?

use super::Instructions;

/// The rows of a tile.
pub(crate) const ROWS: usize = 8;
const HALF: usize = ROWS / 2;

/// A number of single or double precision.
pub(crate) trait Real: Copy + Default + Send + Sync {
    /// `self · by + to`, rounded once where the instructions can.
    fn times_plus<I: Instructions>(self, by: Self, to: Self) -> Self;
}

macro_rules! real {
    ($($number:ty),*) => {$(
        impl Real for $number {
            #[inline(always)]
            fn times_plus<I: Instructions>(self, by: Self, to: Self) -> Self {
                if I::FUSED { self.mul_add(by, to) } else { self * by + to }
            }
        }
    )*};
}
real!(f32, f64);

/// `out[r][c] = Σ a[r] · b[c]` over pairs of `a` and `b`, each sum in the order of the pairs.
#[inline(always)]
pub(crate) fn tile<'a, I: Instructions, T: Real + 'a, const C: usize>(
    pairs: impl Iterator<Item = (&'a [T; ROWS], &'a [T; C])> + Clone,
) -> [[T; C]; ROWS] {
    if I::WIDE {
        return part::<I, T, C, ROWS>(pairs, 0);
    }
    let (upper, lower) =
        (part::<I, T, C, HALF>(pairs.clone(), 0), part::<I, T, C, HALF>(pairs, HALF));
    let mut out = [[T::default(); C]; ROWS];
    out[..HALF].copy_from_slice(&upper);
    out[HALF..].copy_from_slice(&lower);
    out
}

/// `R` rows of a tile from the row `from` on: as many as stay in registers.
#[inline(always)]
fn part<'a, I: Instructions, T: Real + 'a, const C: usize, const R: usize>(
    pairs: impl Iterator<Item = (&'a [T; ROWS], &'a [T; C])>,
    from: usize,
) -> [[T; C]; R] {
    let mut sums = [[T::default(); C]; R];
    for (a, b) in pairs {
        for (sums, a) in sums.iter_mut().zip(&a[from..from + R]) {
            for (sum, b) in sums.iter_mut().zip(b) {
                *sum = a.times_plus::<I>(*b, *sum);
            }
        }
    }
    sums
}

/// `Σ a · b`, lane by lane and the lanes in pairs.
#[inline(always)]
pub(crate) fn dot<I: Instructions, const C: usize>(a: &[[f32; C]], b: &[[f32; C]]) -> f32 {
    let mut sums = [0.0_f32; C];
    for (a, b) in a.iter().zip(b) {
        for (sum, (a, b)) in sums.iter_mut().zip(a.iter().zip(b)) {
            *sum = a.times_plus::<I>(*b, *sum);
        }
    }
    let mut width = C / 2;
    while width > 0 {
        let (low, high) = sums.split_at_mut(width);
        low.iter_mut().zip(high).for_each(|(low, high)| *low += *high);
        width /= 2;
    }
    sums[0]
}

/// `to += by · a`.
#[inline(always)]
pub(crate) fn add_scaled<I: Instructions, const C: usize>(
    to: &mut [[f32; C]],
    by: f32,
    a: &[[f32; C]],
) {
    for (to, a) in to.iter_mut().zip(a) {
        for (to, a) in to.iter_mut().zip(a) {
            *to = a.times_plus::<I>(by, *to);
        }
    }
}
