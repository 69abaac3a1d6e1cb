//! What do likely tastes say of a customer and a promotion?

/// How many features there are.
pub(super) const FEATURES: usize = NeighbourFeature::ALL.len();

/// What a customer's likes say about a promotion.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum NeighbourFeature {
    /// `Σ_t S(p, t) · Σ_u cos(u, t)` over types `u` the customer ever bought and other types `t`:
    /// the cosine of the sets of active customers who bought `u` and `t` in the window;
    /// `S` is the share of the type's lines in the window that fall on eligible products.
    TypePairs,
    /// Decayed lines of eligible products of the customers alike by products, weighted by likeness.
    Products,
    /// The part of [`Products`](Self::Products) on products the customer never bought.
    ProductsNew,
    /// As [`Products`](Self::Products), of the customers alike by product types.
    Types,
    /// The part of [`Types`](Self::Types) on products the customer never bought.
    TypesNew,
}

impl NeighbourFeature {
    /// All features, in the order they are stored.
    pub const ALL: [Self; 5] =
        [Self::TypePairs, Self::Products, Self::ProductsNew, Self::Types, Self::TypesNew];

    /// The feature's name in tables.
    pub const fn name(self) -> &'static str {
        match self {
            Self::TypePairs => "neighbour_type_pairs",
            Self::Products => "neighbour_products",
            Self::ProductsNew => "neighbour_products_new",
            Self::Types => "neighbour_types",
            Self::TypesNew => "neighbour_types_new",
        }
    }
}

/// Five numbers per asked customer and promotion, each zero where there is nothing.
#[derive(Clone, Debug, PartialEq)]
pub struct NeighbourFeatures {
    pub(super) promotions: usize,
    /// Per customer and feature one row over promotions.
    pub(super) values: Vec<f32>,
}

impl NeighbourFeatures {
    /// The feature of the customer at a position of the asked list; zero out of range.
    pub fn get(&self, feature: NeighbourFeature, customer_position: usize, promotion: u32) -> f32 {
        self.row(feature, customer_position).get(promotion as usize).copied().unwrap_or(0.0)
    }

    /// The feature by promotion of the customer at a position of the asked list; empty out of range.
    pub fn row(&self, feature: NeighbourFeature, customer_position: usize) -> &[f32] {
        let from = (customer_position * FEATURES + feature as usize) * self.promotions;
        self.values.get(from..from + self.promotions).unwrap_or(&[])
    }
}
