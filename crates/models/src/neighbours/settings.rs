//! How are neighbours looked for?

use tercet_types::Result;

use crate::setting::check_setting;

const ENGINE: &str = "neighbours";
const MAX_HALF_LIFE_DAYS: f64 = 36_500.0;

/// Settings of [`neighbour_features`](crate::neighbour_features).
#[derive(Clone, Debug, PartialEq)]
pub struct NeighbourParams {
    /// Only customers with a line in so many days before the as-of day are neighbours.
    pub active_days: u32,
    /// The most neighbours to choose among, `>= 1`: of more active customers so many, evenly spaced.
    pub lenders_max: usize,
    /// Of how much of a vector's squared length likeness by types is looked at, in `(0, 1]`, the types
    /// that weigh most first, where there are `lenders_max` customers to choose among; of fewer at all.
    pub type_share: f64,
    /// The days that count for shares of a type's lines and for types bought together.
    pub window_days: u32,
    /// The most neighbours of a customer.
    pub neighbours: usize,
    /// The age at which a line of a product counts half, `> 0`: in likeness and in what is lent.
    pub product_half_life_days: f64,
    /// The age at which a line of a product type counts half, `> 0`: in likeness by types.
    pub type_half_life_days: f64,
    /// The power of decayed lines in the vectors, in `[0, 8]`; below 1 dampens the frequent.
    pub vector_power: f64,
    /// Types bought together by a lower cosine than this, in `[0, 1]`, count as unrelated.
    pub min_type_cosine: f64,
    /// The least number of customers a type's cosine is divided by.
    pub min_type_customers: u32,
}

impl Default for NeighbourParams {
    fn default() -> Self {
        Self {
            active_days: 56,
            lenders_max: 4096,
            type_share: 0.8,
            window_days: 84,
            neighbours: 50,
            product_half_life_days: 60.0,
            type_half_life_days: 90.0,
            vector_power: 0.5,
            min_type_cosine: 0.15,
            min_type_customers: 5,
        }
    }
}

impl NeighbourParams {
    pub(super) fn check(&self) -> Result<()> {
        let days = f64::MIN_POSITIVE..=MAX_HALF_LIFE_DAYS;
        let (by_product, by_type) = (self.product_half_life_days, self.type_half_life_days);
        check_setting(ENGINE, "product_half_life_days", by_product, days.clone())?;
        check_setting(ENGINE, "type_half_life_days", by_type, days)?;
        check_setting(ENGINE, "lenders_max", self.lenders_max as f64, 1.0..=f64::MAX)?;
        check_setting(ENGINE, "type_share", self.type_share, f64::MIN_POSITIVE..=1.0)?;
        check_setting(ENGINE, "vector_power", self.vector_power, 0.0..=8.0)?;
        check_setting(ENGINE, "min_type_cosine", self.min_type_cosine, 0.0..=1.0)
    }
}
