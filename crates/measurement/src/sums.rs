//! What do the means, variances and covariances of several integers per unit hang on, exactly?

use crate::estimate::Refusal;
use crate::moments::{Moments, PairMoments};

/// The largest number a unit may have, either sign: 7·10¹³ minor units. Sums of squares over
/// [`UNITS_MAX`] such units still fit.
pub const VALUE_MAX: i64 = 1 << 46;

/// The most units that are summed up: 8.6·10⁹.
pub const UNITS_MAX: u64 = 1 << 33;

/// Exact sums, and sums of products, of `width` integers per unit: money in minor units, counts, 0 or 1.
///
/// Integers add up to the same bits in any order, so that a table may be summed in any parts by any number
/// of threads. Numbers that are zero cost nothing.
///
/// ```
/// use tercet_measurement::Sums;
/// // Spend and orders of three customers, the third in another part.
/// let mut sums = Sums::new(2);
/// sums.add(&[1_999, 1])?;
/// sums.add_zeros(1)?;
/// let mut other = Sums::new(2);
/// other.add(&[5_001, 3])?;
/// sums.merge(&other)?;
/// assert_eq!((sums.count(), sums.total(0), sums.mean(1)), (3, 7_000, 4.0 / 3.0));
/// # Ok::<(), tercet_measurement::estimate::Refusal>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sums {
    count: u64,
    totals: Vec<i128>,
    /// Sums of products of numbers `i ≤ j`, row by row of the upper triangle.
    products: Vec<i128>,
}

impl Sums {
    /// No units yet, of `width` numbers each.
    pub fn new(width: usize) -> Self {
        Self { count: 0, totals: vec![0; width], products: vec![0; width * (width + 1) / 2] }
    }

    /// Adds one unit; nothing is added when it is refused.
    ///
    /// # Errors
    /// `TooLarge` when a number lies beyond [`VALUE_MAX`] or there are more than [`UNITS_MAX`] units.
    ///
    /// # Panics
    /// When there are not [`Self::width`] values.
    pub fn add(&mut self, values: &[i64]) -> Result<(), Refusal> {
        assert_eq!(values.len(), self.width(), "one value for each number");
        if values.iter().any(|value| value.unsigned_abs() > VALUE_MAX.unsigned_abs()) {
            return Err(Refusal::TooLarge);
        }
        self.add_zeros(1)?;
        let mut row = 0;
        for (i, &first) in values.iter().enumerate() {
            let length = values.len() - i;
            if first != 0 {
                self.totals[i] += i128::from(first);
                for (sum, &second) in self.products[row..row + length].iter_mut().zip(&values[i..])
                {
                    if second != 0 {
                        *sum += i128::from(first) * i128::from(second);
                    }
                }
            }
            row += length;
        }
        Ok(())
    }

    /// Adds units all of whose numbers are zero.
    ///
    /// # Errors
    /// `TooLarge` when there are more than [`UNITS_MAX`] units.
    pub fn add_zeros(&mut self, units: u64) -> Result<(), Refusal> {
        let count = self.count.checked_add(units).filter(|&count| count <= UNITS_MAX);
        self.count = count.ok_or(Refusal::TooLarge)?;
        Ok(())
    }

    /// Adds the units of another part.
    ///
    /// # Errors
    /// `TooLarge` when there are more than [`UNITS_MAX`] units.
    ///
    /// # Panics
    /// When the other part has another width.
    pub fn merge(&mut self, other: &Self) -> Result<(), Refusal> {
        assert_eq!(self.width(), other.width(), "the same numbers on both sides");
        self.add_zeros(other.count)?;
        let both = |own: &mut [i128], theirs: &[i128]| {
            own.iter_mut().zip(theirs).for_each(|(own, &theirs)| *own += theirs);
        };
        both(&mut self.totals, &other.totals);
        both(&mut self.products, &other.products);
        Ok(())
    }

    /// The sums of other numbers of the same units: number `k` is the sum of the present numbers, each times
    /// its weight in `weights[k]`. So weeks are summed up to a cumulative outcome, and discounts taken off.
    ///
    /// # Errors
    /// `TooLarge` when the new sums do not fit.
    ///
    /// # Panics
    /// When there are not [`Self::width`] weights for a number.
    pub fn combined(&self, weights: &[&[i64]]) -> Result<Self, Refusal> {
        let mut new = Self::new(weights.len());
        new.count = self.count;
        let mut products = Vec::with_capacity(new.products.len());
        for (k, row) in weights.iter().enumerate() {
            assert_eq!(row.len(), self.width(), "one weight for each number");
            new.totals[k] = weighted(row, |i| Some(self.totals[i]))?;
            for other in &weights[k..] {
                products
                    .push(weighted(row, |i| weighted(other, |j| Some(self.product(i, j))).ok())?);
            }
        }
        new.products = products;
        // A square of a total is at most the units times the sum of squares, so that nothing that is taken
        // off a sum of products is larger than the largest sum of squares.
        let fits = |k| new.product(k, k) <= i128::MAX / 4;
        if (0..new.width()).all(fits) { Ok(new) } else { Err(Refusal::TooLarge) }
    }

    /// Units.
    pub const fn count(&self) -> u64 {
        self.count
    }

    /// Numbers per unit.
    pub const fn width(&self) -> usize {
        self.totals.len()
    }

    /// The sum of a number over all units.
    pub fn total(&self, number: usize) -> i128 {
        self.totals[number]
    }

    /// The mean of a number; 0 without units.
    pub fn mean(&self, number: usize) -> f64 {
        let (whole, rest) = self.divided(number);
        whole as f64 + rest as f64 / self.count.max(1) as f64
    }

    /// The moments of a number.
    pub fn moments(&self, number: usize) -> Moments {
        Moments::from_parts(self.count, self.mean(number), self.deviations(number, number))
    }

    /// The moments of two numbers, and how they move together.
    pub fn pair(&self, first: usize, second: usize) -> PairMoments {
        PairMoments::from_parts(
            self.moments(first),
            self.moments(second),
            self.deviations(first, second),
        )
    }

    fn product(&self, i: usize, j: usize) -> i128 {
        let (i, j) = (i.min(j), i.max(j));
        self.products[i * (2 * self.width() - i + 1) / 2 + j - i]
    }

    /// A total as `whole · count + rest`, `0 ≤ rest < count`.
    fn divided(&self, number: usize) -> (i128, i128) {
        let count = i128::from(self.count.max(1));
        (self.totals[number].div_euclid(count), self.totals[number].rem_euclid(count))
    }

    /// The sum of the products of two numbers' deviations from their means. It is taken around the whole
    /// parts of the means, in integers, where nothing cancels; what is left of it is below 1.
    fn deviations(&self, first: usize, second: usize) -> f64 {
        let count = i128::from(self.count.max(1));
        let ((whole, rest), (other_whole, other_rest)) =
            (self.divided(first), self.divided(second));
        let around = self.product(first, second) - whole * self.totals[second] - other_whole * rest;
        let off = rest * other_rest;
        (around - off / count) as f64 - (off % count) as f64 / count as f64
    }
}

/// `Σ weights[i] · at(i)`, checked.
fn weighted(weights: &[i64], at: impl Fn(usize) -> Option<i128>) -> Result<i128, Refusal> {
    let mut sum = 0_i128;
    for (i, &weight) in weights.iter().enumerate().filter(|(_, weight)| **weight != 0) {
        let term = at(i).and_then(|value| value.checked_mul(i128::from(weight)));
        sum = term.and_then(|term| sum.checked_add(term)).ok_or(Refusal::TooLarge)?;
    }
    Ok(sum)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn sums(rows: &[[i64; 3]]) -> Sums {
        let mut sums = Sums::new(3);
        rows.iter().for_each(|row| sums.add(row).unwrap());
        sums
    }

    #[test]
    fn what_does_not_fit_is_refused() {
        let mut sums = Sums::new(1);
        for value in [i64::MIN, i64::MAX, VALUE_MAX + 1, -VALUE_MAX - 1] {
            assert_eq!(sums.add(&[value]), Err(Refusal::TooLarge));
        }
        assert_eq!(sums, Sums::new(1));
        assert_eq!(sums.add_zeros(u64::MAX), Err(Refusal::TooLarge));
        sums.add(&[-VALUE_MAX]).unwrap();
        sums.add_zeros(UNITS_MAX - 1).unwrap();
        assert_eq!(sums.add(&[1]), Err(Refusal::TooLarge));
        assert_eq!(sums.combined(&[&[i64::MAX]]), Err(Refusal::TooLarge));
        assert_eq!(sums.combined(&[&[1 << 18]]), Err(Refusal::TooLarge));
        assert!(sums.combined(&[&[1 << 16]]).unwrap().moments(0).variance().is_some());
    }

    #[test]
    fn the_largest_sums_fit() {
        let mut sums = Sums::new(2);
        sums.add(&[VALUE_MAX, -VALUE_MAX]).unwrap();
        for _ in 0..33 {
            sums.merge(&sums.clone()).unwrap();
        }
        assert_eq!(sums.count(), UNITS_MAX);
        assert_eq!((sums.mean(0), sums.mean(1)), (VALUE_MAX as f64, -VALUE_MAX as f64));
        assert_eq!(sums.pair(0, 1).covariance(), Some(0.0));
    }

    #[test]
    fn nothing_is_nothing() {
        let none = Sums::new(2);
        assert_eq!((none.count(), none.mean(1), none.moments(0).variance()), (0, 0.0, None));
    }

    prop_compose! {
        fn row()(values in [-3_i64..4, -90_000_000_000..90_000_000_000, 0_i64..2], zero in any::<bool>())
            -> [i64; 3]
        {
            if zero { [0, 0, values[2]] } else { values }
        }
    }

    proptest! {
        #[test]
        fn any_order_and_any_parts_give_the_same_bits(
            rows in prop::collection::vec(row(), 1..40), cut in 0_usize..40, zeros in 0_u64..9,
        ) {
            let cut = cut.min(rows.len());
            let mut whole = sums(&rows);
            whole.add_zeros(zeros).unwrap();
            let mut parts = sums(&rows[cut..]);
            (0..zeros).for_each(|_| parts.add(&[0; 3]).unwrap());
            let mut first = rows[..cut].to_vec();
            first.reverse();
            parts.merge(&sums(&first)).unwrap();
            prop_assert_eq!(whole, parts);
        }

        #[test]
        fn moments_are_those_of_the_rows(rows in prop::collection::vec(row(), 2..40)) {
            let sums = sums(&rows);
            for (i, j) in [(0, 0), (0, 1), (1, 0), (1, 1), (1, 2), (2, 2)] {
                let pairs: PairMoments =
                    rows.iter().map(|row| (row[i] as f64, row[j] as f64)).collect();
                let found = sums.pair(i, j);
                prop_assert_eq!(found.first().count(), rows.len() as u64);
                prop_assert!((found.first().mean() - pairs.first().mean()).abs() <= 1e-4);
                let scale = (pairs.first().variance().unwrap() * pairs.second().variance().unwrap())
                    .sqrt()
                    .max(1e-9);
                let off = found.covariance().unwrap() - pairs.covariance().unwrap();
                prop_assert!(off.abs() <= 1e-9 * scale, "{} of {}", off, scale);
            }
        }

        #[test]
        fn combined_sums_are_those_of_combined_rows(
            rows in prop::collection::vec(row(), 1..40),
            weights in prop::collection::vec([-3_i64..4, 0_i64..2, -9_i64..9], 1..4),
        ) {
            let weights: Vec<&[i64]> = weights.iter().map(<[i64; 3]>::as_slice).collect();
            let mut expect = Sums::new(weights.len());
            for row in &rows {
                let of = |weight: &&[i64]| weight.iter().zip(row).map(|(w, x)| w * x).sum();
                expect.add(&weights.iter().map(of).collect::<Vec<i64>>()).unwrap();
            }
            prop_assert_eq!(sums(&rows).combined(&weights).unwrap(), expect);
        }
    }
}
