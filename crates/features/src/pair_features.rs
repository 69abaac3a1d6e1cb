//! Which features does the model see of a customer and a promotion?

/// How a feature is to be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FeatureKind {
    /// A number; missing is NaN.
    Numeric,
    /// A code without order.
    Categorical,
}

/// What a feature hangs on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum PairSide {
    /// The customer and the promotion's cross group: promotions that cover the same products share one.
    Cross,
    /// The promotion alone.
    Promotion,
    /// The customer alone.
    Customer,
}

/// What a feature tells of, in words a marketer would use.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Topic {
    /// Whether something is due again.
    Rhythm,
    /// What the customer bought of the promotion's products.
    Bought,
    /// What the customer buys of the same types, categories and makers.
    Taste,
    /// What the customer looked at.
    Looked,
    /// What customers alike buy.
    Alike,
    /// The promotion as it does with everybody.
    Promotion,
    /// The customer as with every promotion.
    Habits,
}

/// Cross features: the first so many.
pub const CROSS_FEATURES: usize = 26;

/// Features of the promotion alone: so many behind the cross features.
pub const PROMOTION_FEATURES: usize = 6;

/// Features of the customer alone: the last so many.
pub const CUSTOMER_FEATURES: usize = 4;

/// The cross features that come from models, by name; see [`ModelColumns`](crate::ModelColumns).
pub const MODEL_FEATURES: [&str; 7] = [
    "due_products",
    "due_value_minor",
    "neighbour_products",
    "neighbour_types",
    "neighbour_products_new",
    "neighbour_types_new",
    "neighbour_type_pairs",
];

/// Where [`MODEL_FEATURES`] stand.
pub(crate) const MODEL_PLACES: [usize; MODEL_FEATURES.len()] = [9, 10, 11, 12, 13, 14, 21];

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

impl Topic {
    /// All topics.
    pub const ALL: [Self; 7] = [
        Self::Rhythm,
        Self::Bought,
        Self::Taste,
        Self::Looked,
        Self::Alike,
        Self::Promotion,
        Self::Habits,
    ];

    /// The topic's name in results.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Rhythm => "rhythm",
            Self::Bought => "bought",
            Self::Taste => "taste",
            Self::Looked => "looked",
            Self::Alike => "alike",
            Self::Promotion => "promotion",
            Self::Habits => "habits",
        }
    }
}

impl PairFeature {
    /// What the feature tells of.
    pub fn topic(&self) -> Topic {
        match self.name {
            "own_age_days" | "own_due_ratio" | "own_interval_days" | "type_due_rate" => {
                Topic::Rhythm
            }
            name if name.starts_with("due_") => Topic::Rhythm,
            name if name.starts_with("own_") => Topic::Bought,
            name if name.starts_with("looked_") => Topic::Looked,
            name if name.starts_with("neighbour_") => Topic::Alike,
            name if name.starts_with("promotion_") => Topic::Promotion,
            name if name.starts_with("customer_") => Topic::Habits,
            _ => Topic::Taste,
        }
    }

    /// What the feature at a place of [`PAIR_FEATURES`] hangs on, and its place among those that hang on the same.
    pub const fn side(place: usize) -> (PairSide, usize) {
        if place < CROSS_FEATURES {
            (PairSide::Cross, place)
        } else if place < CROSS_FEATURES + PROMOTION_FEATURES {
            (PairSide::Promotion, place - CROSS_FEATURES)
        } else {
            (PairSide::Customer, place - CROSS_FEATURES - PROMOTION_FEATURES)
        }
    }
}

const fn numeric(name: &'static str, doc: &'static str) -> PairFeature {
    PairFeature { name, doc, kind: FeatureKind::Numeric }
}

/// The features of a pair, in the order of the columns of [`Pairs`](crate::Pairs).
///
/// "Lines" are order lines (one per order and product); "decayed by n days" weighs each by
/// `0.5^(age / n)`; "active customers" shopped in the last 56 days. All look at days before the as-of day only.
/// Cross features come first, then those of the promotion, then those of the customer. The `due_` and `neighbour_`
/// features come from the rhythm of purchases and from customers' nearest neighbours, which the models find: they
/// are NaN until somebody says what they are ([`ModelColumns`](crate::ModelColumns), [`Pairs::fill`](crate::Pairs::fill)).
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
    numeric("looked_14d", "Looks at eligible products (products and days), decayed by 14 days."),
    numeric("looked_60d", "Looks at eligible products (products and days), decayed by 60 days."),
    numeric("looked_age_days", "Days since the last look at an eligible product."),
    numeric(
        "looked_type_60d",
        "Looks at each product type, decayed by 60 days, times the share covered.",
    ),
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

    #[test]
    fn every_topic_has_its_features() {
        let of = |topic: Topic| PAIR_FEATURES.iter().filter(|f| f.topic() == topic).count();
        assert_eq!(Topic::ALL.map(of), [6, 6, 5, 4, 5, 6, 4]);
    }

    #[test]
    fn features_stand_with_what_they_hang_on() {
        let all = CROSS_FEATURES + PROMOTION_FEATURES + CUSTOMER_FEATURES;
        assert_eq!(PAIR_FEATURES.len(), all);
        for (place, feature) in PAIR_FEATURES.iter().enumerate() {
            let side = match feature.name.split_once('_') {
                Some(("promotion", _)) => PairSide::Promotion,
                Some(("customer", _)) => PairSide::Customer,
                _ => PairSide::Cross,
            };
            assert_eq!(PairFeature::side(place).0, side, "{}", feature.name);
        }
        for (name, place) in MODEL_FEATURES.into_iter().zip(MODEL_PLACES) {
            assert_eq!(column(name), Some(place), "{name}");
        }
    }
}
