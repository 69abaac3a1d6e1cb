//! What can be said of how products go with products?

use serde::{Deserialize, Serialize};
use tercet_types::Result;

use crate::registry::{Axis, Configured, Range};
use crate::setting::check_setting;

pub(super) const ESTIMATOR: &str = "item-to-item";
const MAX_HALF_LIFE_DAYS: f64 = 36_500.0;

/// How often two products met, held against how often each was met: `c / (n_i^a · n_j^b)`.
///
/// `c` is the weight with which customers had both, `n` how many customers had one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Measure {
    /// `c`: co-visitation, how much was met after a product.
    Count,
    /// `c / n_i`: the probability of a product after another.
    Probability,
    /// `c / √(n_i n_j)`: Sarwar et al., WWW 2001, doi:10.1145/371920.372071.
    #[default]
    Cosine,
    /// `c · n / (n_i n_j)`, of `n` customers: how much more often than by chance.
    Lift,
}

/// Of which of two products the other one is a neighbour, where lists are bounded.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kept {
    /// Of each product those that are met with it most: what `similar` shows.
    #[default]
    Followers,
    /// Of each product those that lead to it most, so that no product is met from everywhere:
    /// Deshpande & Karypis 2004.
    Leaders,
}

/// Every product has a bounded list of those that customers had with it or after it; a customer's score of a product
/// is the sum over its recent lines.
///
/// Two lines of a customer, `steps` orders and `days` apart, weigh `steps^(−distance_power) · 2^(−days / half_life)`
/// (in one order: 1), from the later to the earlier one `backward` times that; of several such pairs of two
/// products the heaviest counts, so a customer counts once.
/// A likeness is `measure · n_j^(−popularity_discount) · m / (m + shrinkage)`, where `m` customers had both.
/// Products that few customers had take over from those with like attributes (`attribute_customers`).
/// Item-to-item: Linden, Smith, York 2003, doi:10.1109/MIC.2003.1167344; discounted popularity: Deshpande &
/// Karypis 2004, doi:10.1145/963770.963776; shrinkage: Koren 2008, doi:10.1145/1401890.1401944; order and
/// distance: "sequential rules" of Ludewig & Jannach 2018, doi:10.1007/s11257-018-9209-6.
///
/// Time grows with the sum over customers of the square of their lines, of which at most `lines_max` count; memory
/// with lines, and products times `neighbours`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ItemToItem {
    /// What a co-occurrence is held against.
    pub measure: Measure,
    /// How much the popularity of what is recommended is held against it besides, in `[0, 1]`.
    pub popularity_discount: f64,
    /// How many customers a likeness is drawn to nought by, `>= 0`.
    pub shrinkage: f64,
    /// Pairs of products that fewer customers had are none.
    pub min_customers: u32,
    /// What counts where the other product came before, in `[0, 1]`: 0 looks ahead only, 1 both ways.
    pub backward: f64,
    /// The power of the number of orders between two lines, in `[0, 8]`: 0 is no decay.
    pub distance_power: f64,
    /// Orders further apart than this have nothing to do with each other.
    pub reach_orders: u32,
    /// The time between two lines at which they count half, in days, `> 0`.
    pub half_life_days: Option<f64>,
    /// Whether a product that customers come back to is a neighbour of its own.
    pub returns: bool,
    /// The power of a customer's number of lines that its pairs are divided by, in `[0, 2]`.
    pub history_discount: f64,
    /// The last lines of a customer that count.
    pub lines_max: usize,
    /// The most neighbours kept of a product.
    pub neighbours: usize,
    /// Whose neighbours they are.
    pub kept: Kept,
    /// As many customers' experience of products with like attributes counts as a product's own, `>= 0`.
    pub attribute_customers: f64,
    /// The last orders of who is asked for that count.
    pub recent_orders: u32,
    /// The power of the number of orders since, the last being the first, in `[0, 8]`.
    pub recency_power: f64,
    /// The age at which a line of who is asked for counts half, in days, `> 0`.
    pub recency_half_life_days: Option<f64>,
}

impl Default for ItemToItem {
    fn default() -> Self {
        Self {
            measure: Measure::Cosine,
            popularity_discount: 0.0,
            shrinkage: 0.0,
            min_customers: 1,
            backward: 1.0,
            distance_power: 0.0,
            reach_orders: u32::MAX,
            half_life_days: None,
            returns: false,
            history_discount: 0.0,
            lines_max: 1_000,
            neighbours: 100,
            kept: Kept::Followers,
            attribute_customers: 0.2,
            recent_orders: u32::MAX,
            recency_power: 0.0,
            recency_half_life_days: None,
        }
    }
}

impl ItemToItem {
    /// # Errors
    /// `T0405` for a setting out of range.
    pub(super) fn check(&self) -> Result<()> {
        let shortest = f64::MIN_POSITIVE;
        let half_life = |days: Option<f64>| days.unwrap_or(MAX_HALF_LIFE_DAYS);
        for (name, value, range) in [
            ("popularity_discount", self.popularity_discount, 0.0..=1.0),
            ("shrinkage", self.shrinkage, 0.0..=1e9),
            ("backward", self.backward, 0.0..=1.0),
            ("distance_power", self.distance_power, 0.0..=8.0),
            ("half_life_days", half_life(self.half_life_days), shortest..=MAX_HALF_LIFE_DAYS),
            ("history_discount", self.history_discount, 0.0..=2.0),
            ("attribute_customers", self.attribute_customers, 0.0..=1e9),
            ("recency_power", self.recency_power, 0.0..=8.0),
            (
                "recency_half_life_days",
                half_life(self.recency_half_life_days),
                shortest..=MAX_HALF_LIFE_DAYS,
            ),
        ] {
            check_setting(ESTIMATOR, name, value, range)?;
        }
        Ok(())
    }

    /// Whether a pair of lines weighs other than 1 for some.
    pub(super) fn weighs_pairs(&self) -> bool {
        self.backward != 1.0
            || self.distance_power != 0.0
            || self.reach_orders != u32::MAX
            || self.half_life_days.is_some()
            || self.history_discount != 0.0
            || self.returns
    }
}

impl Configured for ItemToItem {
    const NAME: &'static str = ESTIMATOR;
    const SPACE: &'static [Axis] = &[
        Axis {
            setting: "measure",
            range: Range::Among(&["count", "probability", "cosine", "lift"]),
        },
        Axis { setting: "popularity_discount", range: Range::Real(0.0, 0.5) },
        Axis { setting: "shrinkage", range: Range::Real(0.0, 50.0) },
        Axis { setting: "backward", range: Range::Real(0.0, 1.0) },
        Axis { setting: "distance_power", range: Range::Real(0.0, 2.0) },
        Axis { setting: "returns", range: Range::Flag },
        Axis { setting: "history_discount", range: Range::Real(0.0, 1.0) },
        Axis { setting: "neighbours", range: Range::LogWhole(20, 500) },
        Axis { setting: "kept", range: Range::Among(&["followers", "leaders"]) },
        Axis { setting: "attribute_customers", range: Range::LogReal(0.01, 10.0) },
        Axis { setting: "recency_power", range: Range::Real(0.0, 3.0) },
    ];
}
