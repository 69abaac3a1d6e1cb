//! Which brand does each customer prefer where they buy most?

use std::cmp::Reverse;

use crate::Purchase;

/// A customer's brand of choice in one of their most bought product types.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Favourite {
    /// The product type.
    pub product_type: u32,
    /// The brand with the most lines in it (ties: the lower index).
    pub brand: u32,
    /// The type's share of all the customer's lines, `(0, 1]`.
    pub type_share: f64,
    /// The brand's share of the customer's lines in the type, `(0, 1]`.
    pub brand_share: f64,
}

/// The favourites in the `most_types` product types with the most lines (ties: the lower index),
/// leaving out types where the leading brand has less than `min_brand_share`.
///
/// `lines` is one customer's past, returns not counted; `product_types` and `brands` map every product. Brand loyalty as
/// share of category requirements: Ehrenberg, Uncles, Goodhardt, Journal of Business Research 57(12),
/// 2004, doi:10.1016/j.jbusres.2002.11.001.
pub fn favourites(
    lines: &[Purchase],
    product_types: &[u32],
    brands: &[u32],
    most_types: usize,
    min_brand_share: f64,
) -> Vec<Favourite> {
    let mut bought: Vec<(u32, u32)> = lines
        .iter()
        .filter(|line| line.spend_minor >= 0)
        .map(|line| (product_types[line.product as usize], brands[line.product as usize]))
        .collect();
    bought.sort_unstable();
    let mut types: Vec<&[(u32, u32)]> = bought.chunk_by(|a, b| a.0 == b.0).collect();
    types.sort_by_key(|lines| Reverse(lines.len()));
    let favourite = |same_type: &&[(u32, u32)]| {
        // The first of equals, which the sort put lowest: `max_by_key` alone would take the last.
        let leading = same_type
            .chunk_by(|a, b| a.1 == b.1)
            .rev()
            .max_by_key(|same_brand| same_brand.len())?;
        let brand_share = leading.len() as f64 / same_type.len() as f64;
        (brand_share >= min_brand_share).then_some(Favourite {
            product_type: leading[0].0,
            brand: leading[0].1,
            type_share: same_type.len() as f64 / bought.len() as f64,
            brand_share,
        })
    };
    types.iter().take(most_types).filter_map(favourite).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::conformance;

    #[test]
    fn the_leading_brand_of_the_leading_types() {
        // Products 0, 1, 2 are of type 7 with brands 5, 4, 4; product 3 is of type 6, brand 9.
        let check = |products: &[u32], expect: &[(u32, u32, f64, f64)]| {
            let lines: Vec<_> = products.iter().map(|product| (0, 1, *product)).collect();
            let history = conformance::history(1, 4, &lines);
            let found = favourites(history.of(0), &[7, 7, 7, 6], &[5, 4, 4, 9], 2, 0.5);
            let brief: Vec<_> = found
                .iter()
                .map(|f| (f.product_type, f.brand, f.type_share, f.brand_share))
                .collect();
            assert_eq!(brief, expect, "{products:?}");
        };
        check(&[], &[]);
        check(&[0, 1], &[(7, 4, 1.0, 0.5)]);
        check(&[1, 2, 0, 3], &[(7, 4, 0.75, 2.0 / 3.0), (6, 9, 0.25, 1.0)]);
    }
}
