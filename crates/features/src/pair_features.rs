//! Which features does the model see of a customer and a promotion?

/// How a feature is to be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FeatureKind {
    /// A number; missing is NaN.
    Numeric,
    /// A code without order.
    Categorical,
}

/// One column of [`Pairs`](crate::Pairs).
#[derive(Clone, Copy, Debug)]
pub struct PairFeature {
    /// The name, unit last.
    pub name: &'static str,
    /// What it holds, one sentence.
    pub doc: &'static str,
    /// How to read it.
    pub kind: FeatureKind,
}

const fn numeric(name: &'static str, doc: &'static str) -> PairFeature {
    PairFeature { name, doc, kind: FeatureKind::Numeric }
}

/// The features of a pair, in the order of the columns of [`Pairs`](crate::Pairs).
///
/// "Lines" are order lines (one per order and product); "decayed by n days" weighs each by
/// `0.5^(age / n)`; "active customers" shopped in the last 56 days. All look at days before the as-of day only.
/// The `due_` and `neighbour_` columns are NaN until [`Pairs::fill`](crate::Pairs::fill) sets them: they come from the
/// rhythm of purchases and from customers' nearest neighbours, which the models find.
pub const PAIR_FEATURES: &[PairFeature] = &[
    numeric("own_days", "Days on which the customer bought an eligible product."),
    numeric("own_value_180d_minor", "Amount paid for eligible products, decayed by 180 days."),
    numeric("own_value_60d_minor", "Amount paid for eligible products, decayed by 60 days."),
    numeric("own_lines_60d", "Lines of eligible products, decayed by 60 days."),
    numeric("own_lines_180d", "Lines of eligible products, decayed by 180 days."),
    numeric("own_lines_14d", "Lines of eligible products, decayed by 14 days."),
    numeric("own_age_days", "Days since the last purchase of an eligible product."),
    numeric("own_due_ratio", "Days since that purchase over the mean interval, at least one day."),
    numeric("own_interval_days", "Mean interval between days with an eligible product."),
    numeric(
        "due_products",
        "Products that are due again, by the customer's and the product's rhythm.",
    ),
    numeric("due_value_minor", "What the customer usually pays for these, as far as they are due."),
    numeric("neighbour_products", "Neighbours' lines of eligible products; alike by products."),
    numeric("neighbour_types", "Neighbours' lines of eligible products; alike by product types."),
    numeric("neighbour_products_new", "Of neighbour_products, those of products never bought."),
    numeric("neighbour_types_new", "Of neighbour_types, those of products never bought."),
    numeric(
        "maker_type_affinity",
        "Lines of each maker's type (120 days) times the share covered.",
    ),
    numeric("maker_affinity", "Lines of each maker (120 days) times the share covered."),
    numeric("type_affinity", "Lines of each product type (90 days) times the share covered."),
    numeric("type_due_rate", "Purchases due in a week by type, times the share covered."),
    numeric("type_new_affinity", "Of type_affinity, what falls on products never bought."),
    numeric("category_affinity", "Lines of each category (90 days) times the share covered."),
    numeric("neighbour_type_pairs", "Types that are bought by those who buy the customer's types."),
    numeric(
        "promotion_price_minor",
        "Mean amount of a line of the promotion's products, 12 weeks.",
    ),
    numeric(
        "promotion_repeat_rate",
        "Lines per active buyer of the promotion's products, 12 weeks.",
    ),
    numeric("promotion_breadth", "Eligible products."),
    numeric("promotion_buyers_12w_rate", "Share of active customers who bought in 12 weeks."),
    numeric("promotion_buyers_4w_rate", "Share of active customers who bought in 4 weeks."),
    numeric(
        "promotion_new_4w_rate",
        "Share of active customers who bought one for the first time in 4 weeks.",
    ),
    numeric("customer_basket_minor", "Mean amount of an order, 12 weeks."),
    numeric("customer_orders_12w", "Orders in 12 weeks."),
    numeric(
        "customer_new_rate",
        "Share of the products bought in 4 weeks that were new to the customer.",
    ),
    numeric("customer_tenure_days", "Days since the first order."),
];

/// The column of a feature.
pub(crate) fn column(name: &str) -> Option<usize> {
    PAIR_FEATURES.iter().position(|feature| feature.name == name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_unique_and_documented() {
        for (place, feature) in PAIR_FEATURES.iter().enumerate() {
            assert_eq!(column(feature.name), Some(place), "{}", feature.name);
            assert!(feature.doc.ends_with('.'), "{}", feature.name);
        }
    }
}
