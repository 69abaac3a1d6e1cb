//! Which products does each promotion apply to?

use tercet_types::{Error, Result};

/// Eligible products per promotion `0..promotions()` and, turned round, promotions per product.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Eligibility {
    promotions: Lists,
    products: Lists,
}

/// Sorted lists laid end to end.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Lists {
    starts: Vec<usize>,
    members: Vec<u32>,
}

impl Lists {
    /// Sorted, distinct `(list, member)` pairs, by list.
    pub(crate) fn new(lists: usize, mut pairs: Vec<(u32, u32)>) -> Self {
        pairs.sort_unstable();
        pairs.dedup();
        let mut starts = vec![0; lists + 1];
        for (list, _) in &pairs {
            starts[*list as usize + 1] += 1;
        }
        for list in 0..lists {
            starts[list + 1] += starts[list];
        }
        Self { starts, members: pairs.into_iter().map(|(_, member)| member).collect() }
    }

    pub(crate) fn get(&self, list: u32) -> &[u32] {
        &self.members[self.range(list)]
    }

    /// Where the members of a list stand among all; empty for a list out of range.
    pub(crate) fn range(&self, list: u32) -> std::ops::Range<usize> {
        let list = list as usize;
        match (self.starts.get(list), self.starts.get(list + 1)) {
            (Some(from), Some(to)) => *from..*to,
            _ => 0..0,
        }
    }

    pub(crate) fn len(&self) -> usize {
        self.starts.len().saturating_sub(1)
    }
}

impl Eligibility {
    /// Takes one list of product indices (below `products`, in any order) per promotion.
    ///
    /// # Errors
    /// `T0407` for a product out of range.
    pub fn new(products: usize, eligible: &[Vec<u32>]) -> Result<Self> {
        let mut pairs = Vec::with_capacity(eligible.iter().map(Vec::len).sum());
        for (promotion, list) in (0_u32..).zip(eligible) {
            if let Some(product) = list.iter().find(|product| **product as usize >= products) {
                return Err(Error::data(
                    "T0407",
                    format!("promotion {promotion}: eligible product {product} of {products}"),
                ));
            }
            pairs.extend(list.iter().map(|product| (promotion, *product)));
        }
        let inverse = pairs.iter().map(|(promotion, product)| (*product, *promotion)).collect();
        Ok(Self {
            promotions: Lists::new(eligible.len(), pairs),
            products: Lists::new(products, inverse),
        })
    }

    /// Every product is a promotion of its own, with the product's index.
    pub fn each_product(products: usize) -> Self {
        let each: Vec<(u32, u32)> =
            (0..products as u32).map(|product| (product, product)).collect();
        let own = Lists::new(products, each);
        Self { promotions: own.clone(), products: own }
    }

    /// The number of promotions.
    pub fn promotions(&self) -> usize {
        self.promotions.len()
    }

    /// The number of products.
    pub fn products(&self) -> usize {
        self.products.len()
    }

    /// The products a promotion applies to, sorted.
    pub fn products_of(&self, promotion: u32) -> &[u32] {
        self.promotions.get(promotion)
    }

    /// The promotions that apply to a product, sorted.
    pub fn promotions_of(&self, product: u32) -> &[u32] {
        self.products.get(product)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_are_sorted_distinct_and_turned_round() {
        let eligibility = Eligibility::new(4, &[vec![3, 1, 3], vec![], vec![1]]).unwrap();
        assert_eq!(eligibility.products_of(0), [1, 3]);
        assert!(eligibility.products_of(1).is_empty());
        assert_eq!(eligibility.promotions_of(1), [0, 2]);
        assert!(eligibility.promotions_of(9).is_empty());
        assert_eq!(Eligibility::new(4, &[vec![4]]).unwrap_err().code(), "T0407");
    }
}
