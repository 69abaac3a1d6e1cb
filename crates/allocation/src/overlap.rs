//! How much of an offer's value do the offers before it already have?
//!
//! Eligible sets nest and overlap; what a customer spends on a product must count once.

use std::collections::BTreeMap;

use tercet_types::{Error, Result};

use crate::customers::Candidate;

/// The share of a candidate's value that chosen promotions cover.
pub trait Overlap: Sync {
    /// The share, `0 ..= 1`, of `candidate`'s value for `customer` (index) that the `chosen`
    /// promotions (indices) already have. Must not fall when more are chosen.
    fn covered_share(&self, customer: usize, chosen: &[u32], candidate: &Candidate) -> f64;

    /// True when nothing is ever covered: the values of a slate add up.
    fn is_additive(&self) -> bool {
        false
    }
}

/// Values simply add up.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoOverlap;

impl Overlap for NoOverlap {
    fn covered_share(&self, _: usize, _: &[u32], _: &Candidate) -> f64 {
        0.0
    }

    fn is_additive(&self) -> bool {
        true
    }
}

/// A candidate's value spreads evenly over its eligible products: the covered share is the share of
/// them that the chosen promotions, taken together, hold for as well.
#[derive(Clone, Debug)]
pub struct CountedProducts {
    /// Eligible products of each promotion.
    counts: Vec<u32>,
    /// A bit per promotion and product, `words` to a promotion: those that several promotions hold for.
    products: Vec<u64>,
    words: usize,
    /// `common[candidate * promotions + chosen]`: eligible products that both hold for.
    common: Vec<u32>,
}

impl CountedProducts {
    /// `promotion_products[promotion]` lists eligible products ascending.
    ///
    /// # Errors
    /// `T0604` (internal) when a list is not ascending.
    pub fn new(promotion_products: Vec<Vec<u32>>) -> Result<Self> {
        let descends = |list: &Vec<u32>| list.windows(2).any(|pair| pair[0] >= pair[1]);
        if let Some(at) = promotion_products.iter().position(descends) {
            return Err(Error::internal(
                "T0604",
                format!("overlap: products of promotion {at} are not ascending"),
            )
            .hint("report this: allocation was handed a malformed overlap"));
        }
        let count = promotion_products.len();
        let mut by_product: BTreeMap<u32, Vec<u32>> = BTreeMap::new();
        for (promotion, products) in (0..).zip(&promotion_products) {
            for product in products {
                by_product.entry(*product).or_default().push(promotion);
            }
        }
        let mut common = vec![0; count * count];
        // What one promotion alone holds for is never in common.
        by_product.retain(|_, promotions| promotions.len() > 1);
        let words = by_product.len().div_ceil(64);
        let mut products = vec![0_u64; count * words];
        for (place, promotions) in by_product.values().enumerate() {
            for &one in promotions {
                products[one as usize * words + place / 64] |= 1 << (place % 64);
                for &other in promotions {
                    common[one as usize * count + other as usize] += 1;
                }
            }
        }
        let counts = promotion_products.iter().map(|products| products.len() as u32).collect();
        Ok(Self { counts, products, words, common })
    }

    fn shared_products(&self, promotion: u32) -> &[u64] {
        let from = promotion as usize * self.words;
        &self.products[from..from + self.words]
    }
}

impl Overlap for CountedProducts {
    fn covered_share(&self, _: usize, chosen: &[u32], candidate: &Candidate) -> f64 {
        let row = candidate.promotion as usize * self.counts.len();
        let with = |promotion: &u32| self.common[row + *promotion as usize];
        let mut touching = chosen.iter().filter(|promotion| with(promotion) > 0);
        let covered = match (touching.next(), touching.next()) {
            (None, _) => return 0.0,
            (Some(only), None) => with(only),
            // Two that touch it may hold for the same products: these count once.
            _ => {
                let own = self.shared_products(candidate.promotion).iter().enumerate();
                let of_any = |place: usize| {
                    let words = chosen.iter().map(|&other| self.shared_products(other)[place]);
                    words.fold(0, |any, word| any | word)
                };
                own.map(|(place, word)| (word & of_any(place)).count_ones()).sum()
            }
        };
        f64::from(covered) / f64::from(self.counts[candidate.promotion as usize].max(1))
    }
}

/// Values overlap in the products that several promotions cover.
///
/// With `e(p)` the expected spend of the customer on product `p` and `t = Σ e(p)` over a
/// candidate's eligible products, a value `v` splits into `min(t, v)` tied to products and a
/// residual. The covered part is `min(t, v) · Σ_covered e(p) / t` plus the residual times
/// `1 − Π (1 − share)` over the chosen promotions' static shares. When `v = t`, marginal values of
/// a slate add up to `Σ e(p)` over the union of its products.
#[derive(Clone, Debug)]
pub struct SharedProducts {
    promotion_products: Vec<ProductSet>,
    starts: Vec<usize>,
    expected: Vec<(u32, f32)>,
    residual_share: Option<Vec<f32>>,
}

impl SharedProducts {
    /// `promotion_products[promotion]` lists eligible products ascending; `expected[customer]` the
    /// products with expected spend (minor units, positive), ascending by product;
    /// `residual_share`, when given, has `promotions × promotions` shares: row = candidate, column
    /// = chosen. Without it residuals do not overlap.
    ///
    /// # Errors
    /// `T0604` (internal) when a list is not ascending, a spend is not positive and finite, or the
    /// shares are not a square within `0 ..= 1`.
    pub fn new(
        promotion_products: Vec<Vec<u32>>,
        expected: &[Vec<(u32, f32)>],
        residual_share: Option<Vec<f32>>,
    ) -> Result<Self> {
        let wrong = |what: String| {
            Err(Error::internal("T0604", format!("overlap: {what}"))
                .hint("report this: allocation was handed a malformed overlap"))
        };
        for (promotion, products) in promotion_products.iter().enumerate() {
            if products.windows(2).any(|pair| pair[0] >= pair[1]) {
                return wrong(format!("products of promotion {promotion} are not ascending"));
            }
        }
        let (mut starts, mut flat) = (vec![0], Vec::new());
        for (customer, products) in expected.iter().enumerate() {
            if products.windows(2).any(|pair| pair[0].0 >= pair[1].0) {
                return wrong(format!("products of customer {customer} are not ascending"));
            }
            if !products.iter().all(|(_, minor)| *minor > 0.0 && minor.is_finite()) {
                return wrong(format!("an expected spend of customer {customer} is not positive"));
            }
            flat.extend_from_slice(products);
            starts.push(flat.len());
        }
        if let Some(shares) = &residual_share {
            let square = promotion_products.len() * promotion_products.len();
            if shares.len() != square || !shares.iter().all(|share| (0.0..=1.0).contains(share)) {
                return wrong("residual shares are not a square within 0 to 1".to_owned());
            }
        }
        let highest = promotion_products.iter().filter_map(|products| products.last()).max();
        let products = highest.map_or(0, |&highest| highest as usize + 1);
        let promotion_products =
            promotion_products.into_iter().map(|list| ProductSet::new(list, products)).collect();
        Ok(Self { promotion_products, starts, expected: flat, residual_share })
    }

    /// The expected spend of the customer on the union of the promotions' products, minor units.
    pub fn union_minor(&self, customer: usize, promotions: &[u32]) -> f64 {
        let covered =
            self.spends(customer).filter(|(product, _)| self.covers(promotions, *product));
        covered.map(|(_, minor)| minor).sum()
    }

    fn spends(&self, customer: usize) -> impl Iterator<Item = (u32, f64)> + '_ {
        let range = self.starts[customer]..self.starts[customer + 1];
        self.expected[range].iter().map(|&(product, minor)| (product, f64::from(minor)))
    }

    fn covers(&self, promotions: &[u32], product: u32) -> bool {
        let eligible = |&p: &u32| self.promotion_products[p as usize].has(product);
        promotions.iter().any(eligible)
    }

    fn residual_covered(&self, chosen: &[u32], promotion: u32) -> f64 {
        let Some(shares) = &self.residual_share else { return 0.0 };
        let row = promotion as usize * self.promotion_products.len();
        let free: f64 = chosen.iter().map(|&c| 1.0 - f64::from(shares[row + c as usize])).product();
        1.0 - free
    }
}

/// The eligible products of a promotion, in whichever form is smaller.
#[derive(Clone, Debug)]
enum ProductSet {
    List(Vec<u32>),
    Bits(Vec<u64>),
}

impl ProductSet {
    fn new(list: Vec<u32>, products: usize) -> Self {
        let words = products.div_ceil(64);
        if list.len() <= words * 2 {
            return Self::List(list);
        }
        let mut bits = vec![0; words];
        list.iter().for_each(|&product| bits[product as usize / 64] |= 1 << (product % 64));
        Self::Bits(bits)
    }

    fn has(&self, product: u32) -> bool {
        match self {
            Self::List(list) => list.binary_search(&product).is_ok(),
            Self::Bits(bits) => {
                bits.get(product as usize / 64).is_some_and(|word| word >> (product % 64) & 1 == 1)
            }
        }
    }
}

impl Overlap for SharedProducts {
    fn covered_share(&self, customer: usize, chosen: &[u32], candidate: &Candidate) -> f64 {
        let value = candidate.value_minor as f64;
        if value <= 0.0 {
            return 0.0;
        }
        let (mut total, mut covered) = (0.0, 0.0);
        for (product, minor) in self.spends(customer) {
            if self.covers(&[candidate.promotion], product) {
                total += minor;
                covered += if self.covers(chosen, product) { minor } else { 0.0 };
            }
        }
        let tied = total.min(value);
        let tied_covered = if total > 0.0 { tied * covered / total } else { 0.0 };
        let residual = (value - tied) * self.residual_covered(chosen, candidate.promotion);
        ((tied_covered + residual) / value).clamp(0.0, 1.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counted_products_share_what_the_union_of_the_chosen_holds() {
        let sets: [&[u32]; 5] = [&[1, 2, 3, 4], &[3, 4, 5], &[4, 5, 6], &[7], &[]];
        let overlap = CountedProducts::new(sets.map(<[u32]>::to_vec).to_vec()).unwrap();
        let check = |promotion: u32, chosen: &[u32], share: f64| {
            let candidate = Candidate {
                promotion,
                slots: 1,
                value_minor: 100,
                expected_cost_minor: 0,
                margin_loss_minor: 0,
                excluded: None,
            };
            assert_eq!(
                overlap.covered_share(0, chosen, &candidate),
                share,
                "{promotion} after {chosen:?}"
            );
        };
        check(0, &[], 0.0);
        check(0, &[3], 0.0);
        check(0, &[1], 0.5);
        check(0, &[1, 2], 0.5);
        check(1, &[0, 2], 1.0);
        check(2, &[3, 1], 2.0 / 3.0);
        check(4, &[0], 0.0);
        assert!(CountedProducts::new(vec![vec![2, 1]]).is_err());
    }
}
