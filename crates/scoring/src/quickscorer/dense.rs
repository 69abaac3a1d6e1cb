//! How is a full matrix of pairs scored, that has a row for each?

use rayon::prelude::*;
use tercet_types::Result;

use super::kernel::Kernel;
use super::score::Scorer;
use super::sides::{Place, Rows, Side};

/// A row of features for each pair: customer after customer, all with the same promotions in the same order.
#[derive(Clone, Copy, Debug)]
pub struct Dense<'a> {
    values: &'a [f32],
    columns: usize,
    customers: usize,
    promotions: usize,
}

/// What may still be said of a column: the same for all promotions, the same for all customers.
type Same = (Vec<bool>, Vec<bool>);

impl<'a> Dense<'a> {
    /// The matrix of the pairs `customer_ix × promotion_ix`, whose rows of `columns` values stand in `values`.
    ///
    /// `None` when the pairs are not all customers with all promotions, or are not as many as rows.
    pub fn of(
        customer_ix: &[i32],
        promotion_ix: &[i32],
        values: &'a [f32],
        columns: usize,
    ) -> Option<Self> {
        let first = customer_ix.first()?;
        let promotions = customer_ix.iter().take_while(|customer| *customer == first).count();
        let customers = customer_ix.len() / promotions;
        let offered = promotion_ix.get(..promotions)?;
        let blocks = customer_ix.chunks(promotions).zip(promotion_ix.chunks(promotions));
        let is_full = customer_ix.len() == promotion_ix.len()
            && values.len() == customer_ix.len().checked_mul(columns)?
            && columns > 0
            && blocks.into_iter().all(|(customers, promotions)| {
                promotions == offered && customers.iter().all(|customer| *customer == customers[0])
            });
        is_full.then_some(Self { values, columns, customers, promotions })
    }

    /// Where each column stands: with the customer or the promotion if its values are the same (in every bit)
    /// for all promotions or all customers, else cross.
    ///
    /// Found by reading all values, so that it cannot be wrong.
    pub fn places(&self) -> Vec<Place> {
        let both = || (vec![true; self.columns], vec![true; self.columns]);
        let size = self.promotions * self.columns;
        let of_promotions = &self.values[..size];
        let (of_customer, of_promotion) = self
            .values
            .par_chunks_exact(size)
            .fold(both, |mut same: Same, customer| {
                let rows = customer.chunks_exact(self.columns);
                for (row, others) in rows.zip(of_promotions.chunks_exact(self.columns)) {
                    still_equal(&mut same.0, row, customer);
                    still_equal(&mut same.1, row, others);
                }
                same
            })
            .reduce(both, |mut one, other| {
                one.0.iter_mut().zip(other.0).for_each(|(one, other)| *one &= other);
                one.1.iter_mut().zip(other.1).for_each(|(one, other)| *one &= other);
                one
            });
        of_customer
            .into_iter()
            .zip(of_promotion)
            .enumerate()
            .map(|(column, sides)| {
                let side = match sides {
                    (true, _) => Side::Customer,
                    (false, true) => Side::Promotion,
                    (false, false) => Side::Cross,
                };
                Place { side, column }
            })
            .collect()
    }

    /// Margins of all pairs, in the order of the rows, by a scorer made for [`places`](Self::places).
    ///
    /// # Errors
    /// `T0506` when the scorer looks at columns that are not there.
    pub fn margins(&self, kernel: Kernel, scorer: &Scorer) -> Result<Vec<f64>> {
        let rows = |stride| Rows { values: self.values, stride };
        // Every promotion is a group of its own, whose row is that of the pair.
        let groups: Vec<u32> = (0..self.promotions as u32).collect();
        let promotions = scorer.promotions(kernel, rows(self.columns), &groups)?;
        let customers = rows(self.promotions * self.columns);
        let sums =
            scorer.score(kernel, &promotions, self.customers, customers, rows(self.columns))?;
        Ok(sums.into_par_iter().map(|sum| scorer.margin(sum)).collect())
    }
}

fn still_equal(same: &mut [bool], row: &[f32], other: &[f32]) {
    for ((same, value), other) in same.iter_mut().zip(row).zip(other) {
        *same &= value.to_bits() == other.to_bits();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_all_customers_with_all_promotions() {
        let check = |customers: &[i32], promotions: &[i32], expect: Option<(usize, usize)>| {
            let values = vec![0.0; customers.len() * 2];
            let dense = Dense::of(customers, promotions, &values, 2);
            assert_eq!(dense.map(|dense| (dense.customers, dense.promotions)), expect);
        };
        check(&[4, 4, 9, 9], &[1, 7, 1, 7], Some((2, 2)));
        check(&[4], &[1], Some((1, 1)));
        check(&[4, 9, 11], &[1, 1, 1], Some((3, 1)));
        check(&[4, 4, 9, 9], &[1, 7, 7, 1], None);
        check(&[4, 4, 9], &[1, 7, 1], None);
        check(&[4, 4, 9, 8], &[1, 7, 1, 7], None);
        check(&[4, 4], &[1, 7, 9], None);
        check(&[], &[], None);
        assert!(Dense::of(&[1], &[1], &[0.0; 3], 2).is_none());
    }

    #[test]
    fn columns_stand_where_they_do_not_change() {
        let nan = f32::NAN;
        let values = [
            [1.0, 5.0, 0.0, nan, nan, 7.0, 0.0],
            [1.0, 6.0, 0.0, nan, 2.0, 7.0, 0.0],
            [2.0, 5.0, 0.0, nan, 3.0, 7.0, 0.0],
            [2.0, 6.0, 1.0, nan, 2.0, 7.0, -0.0],
        ]
        .concat();
        let dense = Dense::of(&[1, 1, 2, 2], &[1, 2, 1, 2], &values, 7).unwrap();
        use Side::{Cross, Customer, Promotion};
        let sides: Vec<Side> = dense.places().iter().map(|place| place.side).collect();
        assert_eq!(sides, [Customer, Promotion, Cross, Customer, Cross, Customer, Cross]);
        assert!(dense.places().iter().enumerate().all(|(at, place)| place.column == at));
    }
}
