//! What is known of some customers with all promotions, without a row per pair?

use crate::pair_features::{
    CROSS_FEATURES, CUSTOMER_FEATURES, MODEL_FEATURES, PAIR_FEATURES, PROMOTION_FEATURES,
};

/// Values of [`MODEL_FEATURES`], by the customer's place in the block and the cross group.
pub type ModelColumns<'a> = &'a (dyn Fn(usize, u32) -> [f32; MODEL_FEATURES.len()] + Sync);

/// The promotions of a day, and the features that hang on them alone.
///
/// Promotions that cover the same products are alike to a customer: they share a *cross group*, and with it the
/// cross features.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Offered {
    /// The promotions, ascending.
    pub promotion_ix: Vec<i32>,
    /// The cross group of each.
    pub group_of: Vec<u32>,
    /// The products that count for each group, ascending.
    pub group_products: Vec<Vec<u32>>,
    /// `promotions × PROMOTION_FEATURES`; missing is NaN.
    pub values: Vec<f32>,
}

impl Offered {
    /// The number of cross groups.
    pub fn groups(&self) -> usize {
        self.group_products.len()
    }

    /// Where a promotion stands among them.
    pub fn place(&self, promotion_ix: i32) -> Option<usize> {
        self.promotion_ix.binary_search(&promotion_ix).ok()
    }
}

/// Some customers, ascending, and what is known of them with every cross group of an [`Offered`].
///
/// Cross rows are kept of groups about which there is something to say; all others share one row.
#[derive(Clone, Debug, PartialEq)]
pub struct PairBlock {
    /// The customers.
    pub customer_ix: Vec<i32>,
    /// `customers × CUSTOMER_FEATURES`; missing is NaN.
    pub customers: Vec<f32>,
    /// Where the cross rows of each customer begin; one more than customers.
    pub starts: Vec<usize>,
    /// The group of each cross row, ascending within a customer.
    pub groups: Vec<u32>,
    /// `cross rows × CROSS_FEATURES`; missing is NaN.
    pub cross: Vec<f32>,
    /// The cross features of every customer and group without a row.
    pub otherwise: [f32; CROSS_FEATURES],
}

impl PairBlock {
    /// A block without customers.
    pub(crate) fn empty(otherwise: [f32; CROSS_FEATURES]) -> Self {
        Self {
            customer_ix: Vec::new(),
            customers: Vec::new(),
            starts: vec![0],
            groups: Vec::new(),
            cross: Vec::new(),
            otherwise,
        }
    }

    /// Adds the customers of a block made with the same `otherwise`.
    pub(crate) fn append(&mut self, other: &Self) {
        let rows = self.groups.len();
        self.customer_ix.extend_from_slice(&other.customer_ix);
        self.customers.extend_from_slice(&other.customers);
        self.starts.extend(other.starts[1..].iter().map(|start| rows + start));
        self.groups.extend_from_slice(&other.groups);
        self.cross.extend_from_slice(&other.cross);
    }

    /// The number of customers.
    pub fn len(&self) -> usize {
        self.customer_ix.len()
    }

    /// Whether there is no customer.
    pub fn is_empty(&self) -> bool {
        self.customer_ix.is_empty()
    }

    /// The cross features of the customer at a place with a group.
    pub fn cross_row(&self, customer: usize, group: u32) -> &[f32] {
        let rows = self.starts[customer]..self.starts[customer + 1];
        match self.groups[rows.clone()].binary_search(&group) {
            Ok(at) => self.cross_at(rows.start + at),
            Err(_) => &self.otherwise,
        }
    }

    fn cross_at(&self, row: usize) -> &[f32] {
        &self.cross[row * CROSS_FEATURES..(row + 1) * CROSS_FEATURES]
    }

    /// All features of the customer at a place with the promotion at a place, as
    /// [`PAIR_FEATURES`](crate::PAIR_FEATURES) lists them.
    pub fn row(&self, customer: usize, offered: &Offered, promotion: usize) -> Vec<f32> {
        let mut row = Vec::with_capacity(PAIR_FEATURES.len());
        row.extend_from_slice(self.cross_row(customer, offered.group_of[promotion]));
        row.extend_from_slice(
            &offered.values[promotion * PROMOTION_FEATURES..][..PROMOTION_FEATURES],
        );
        row.extend_from_slice(&self.customers[customer * CUSTOMER_FEATURES..][..CUSTOMER_FEATURES]);
        row
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_of_pairs() {
        let cross = |value: f32| [value; CROSS_FEATURES];
        let mut block = PairBlock {
            customer_ix: vec![3],
            customers: vec![0.5; CUSTOMER_FEATURES],
            starts: vec![0, 2],
            groups: vec![1, 4],
            cross: [cross(1.0), cross(4.0)].concat(),
            otherwise: cross(-1.0),
        };
        block.append(&PairBlock {
            customer_ix: vec![7],
            starts: vec![0, 0],
            groups: vec![],
            cross: vec![],
            ..block.clone()
        });
        block.append(&PairBlock {
            customer_ix: vec![9],
            starts: vec![0, 1],
            groups: vec![0],
            cross: cross(9.0).to_vec(),
            ..block.clone()
        });
        assert_eq!((block.len(), block.starts.as_slice()), (3, &[0, 2, 2, 3][..]));
        let check = |customer: usize, group: u32, expect: f32| {
            assert_eq!(block.cross_row(customer, group), cross(expect), "{customer} {group}");
        };
        check(0, 1, 1.0);
        check(0, 4, 4.0);
        check(0, 2, -1.0);
        check(1, 1, -1.0);
        check(2, 0, 9.0);
        let offered = Offered {
            promotion_ix: vec![2, 5],
            group_of: vec![0, 4],
            group_products: vec![vec![]; 5],
            values: (0..2 * PROMOTION_FEATURES)
                .map(|at| (at / PROMOTION_FEATURES) as f32)
                .collect(),
        };
        assert_eq!((offered.place(5), offered.place(4), offered.groups()), (Some(1), None, 5));
        let row = block.row(0, &offered, 1);
        assert_eq!(row.len(), PAIR_FEATURES.len());
        assert_eq!(
            (row[0], row[CROSS_FEATURES], row[CROSS_FEATURES + PROMOTION_FEATURES]),
            (4.0, 1.0, 0.5)
        );
    }
}
