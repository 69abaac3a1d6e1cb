//! What does this customer buy again, and those at the least distance, more of late than long ago?

use serde::{Deserialize, Serialize};
use tercet_types::Result;

use super::lenders::{Lenders, Weights, known};
use crate::likeness::{Comparison, order_lines, summed};
use crate::purchases::orders;
use crate::registry::{Axis, Configured, Range};
use crate::setting::check_setting;
use crate::{Fitted, Purchase, Query, Recommender, Row, Training};

const NAME: &str = "tifu-knn";

/// TIFU-kNN: the customer's decayed orders blended with the mean of the customers nearest in distance.
///
/// A customer's orders, the latest last, are cut from the end into groups of `group_orders`; only the first may hold
/// fewer. The vector of a group is the mean of `within_decay^(orders until the group's last)` over its orders that
/// hold a product, the customer's the mean of `group_decay^(groups until the last)` times its groups' vectors, and
/// `score = own_share · own + (1 − own_share) · mean of the nearest customers' vectors`, nearest by Euclidean distance.
///
/// Hu, He, Gao, Zhang, "Modeling personalized item frequency information for next-basket recommendation", SIGIR 2020,
/// doi:10.1145/3397271.3401066, equations 1 to 4.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct TifuKnn {
    /// The orders of a group, `>= 1`.
    pub group_orders: usize,
    /// What an order counts beside the next in its group, in `(0, 1]`.
    pub within_decay: f64,
    /// What a group counts beside the next, in `(0, 1]`.
    pub group_decay: f64,
    /// The most neighbours.
    pub neighbours: usize,
    /// The share of the customer's own vector, in `[0, 1]`.
    pub own_share: f64,
    /// The most customers to choose among: of more, so many that are spaced evenly.
    pub lenders_max: usize,
}

impl Default for TifuKnn {
    /// The paper's settings for Ta Feng.
    fn default() -> Self {
        Self {
            group_orders: 7,
            within_decay: 0.9,
            group_decay: 0.7,
            neighbours: 300,
            own_share: 0.7,
            lenders_max: 50_000,
        }
    }
}

impl Configured for TifuKnn {
    const NAME: &'static str = NAME;
    const SPACE: &'static [Axis] = &[
        Axis { setting: "group_orders", range: Range::LogWhole(1, 30) },
        Axis { setting: "within_decay", range: Range::Real(0.1, 1.0) },
        Axis { setting: "group_decay", range: Range::Real(0.1, 1.0) },
        Axis { setting: "neighbours", range: Range::LogWhole(10, 1_000) },
        Axis { setting: "own_share", range: Range::Real(0.0, 1.0) },
    ];
}

impl Recommender for TifuKnn {
    fn name(&self) -> &'static str {
        NAME
    }

    fn fit<'a>(&'a self, training: &Training<'a>) -> Result<Box<dyn Fitted + 'a>> {
        check_setting(NAME, "group_orders", self.group_orders as f64, 1.0..=f64::MAX)?;
        check_setting(NAME, "within_decay", self.within_decay, f64::MIN_POSITIVE..=1.0)?;
        check_setting(NAME, "group_decay", self.group_decay, f64::MIN_POSITIVE..=1.0)?;
        check_setting(NAME, "own_share", self.own_share, 0.0..=1.0)?;
        training.check()?;
        let among = Lenders::among(training.history, training.as_of, self.lenders_max);
        let vector = |lines: &[Purchase]| self.vector(lines);
        let lenders = Lenders::new(training, among, Comparison::DOT, vector, vector);
        let square = |vector: &Weights| vector.iter().map(|(_, weight)| weight * weight).sum();
        let squares = lenders.lent().iter().map(square).collect();
        let products = training.history.products();
        Ok(Box::new(Nearest { tifu: self, lenders, squares, products }))
    }
}

impl TifuKnn {
    /// What each product counts of a customer's lines.
    fn vector(&self, lines: &[Purchase]) -> Weights {
        let count = orders(lines).count();
        let groups = count.div_ceil(self.group_orders);
        let oldest = count - groups.saturating_sub(1) * self.group_orders;
        let weigh = |(back, order): (usize, &[Purchase])| {
            let (group, within) = (back / self.group_orders, back % self.group_orders);
            let size = if group + 1 == groups { oldest } else { self.group_orders };
            let decay = power(self.within_decay, within) * power(self.group_decay, group);
            let weight = decay / (size as f64 * groups as f64);
            order_lines(order).map(|line| (line.product, weight)).collect::<Weights>()
        };
        summed(orders(lines).rev().enumerate().flat_map(weigh).collect())
    }
}

/// Decay over so many steps; beyond what is told apart from nothing it is nothing.
fn power(decay: f64, steps: usize) -> f64 {
    decay.powi(i32::try_from(steps).unwrap_or(i32::MAX))
}

struct Nearest<'a> {
    tifu: &'a TifuKnn,
    lenders: Lenders,
    /// The squared lengths of the lenders' vectors.
    squares: Vec<f64>,
    products: usize,
}

impl Fitted for Nearest<'_> {
    fn score(&self, query: &Query<'_>, row: &mut Row) {
        let own = known(self.tifu.vector(query.lines), self.products);
        let most = self.tifu.neighbours;
        let near = self.lenders.closest(&own, query.customer, most, &self.squares);
        for (product, weight) in own {
            row.add(product, self.tifu.own_share * weight);
        }
        let share = (1.0 - self.tifu.own_share) / near.len().max(1) as f64;
        near.iter().for_each(|(neighbour, _)| self.lenders.lend(*neighbour, share, row));
    }

    fn products(&self) -> usize {
        self.products
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Attributes;
    use crate::conformance::{check_recommender, history};

    #[test]
    fn conforms() {
        check_recommender(&TifuKnn::default());
        check_recommender(&TifuKnn { group_orders: 1, neighbours: 0, ..TifuKnn::default() });
        check_recommender(&TifuKnn { own_share: 0.0, lenders_max: 9, ..TifuKnn::default() });
    }

    #[test]
    fn settings_out_of_range_are_refused() {
        let past = history(1, 1, &[]);
        let none = Attributes::none(1);
        let training = Training { history: &past, as_of: 9, products: &none, customers: &none };
        for wrong in [
            TifuKnn { group_orders: 0, ..TifuKnn::default() },
            TifuKnn { within_decay: 0.0, ..TifuKnn::default() },
            TifuKnn { group_decay: 1.1, ..TifuKnn::default() },
            TifuKnn { own_share: f64::NAN, ..TifuKnn::default() },
        ] {
            assert_eq!(wrong.fit(&training).map(|_| ()).unwrap_err().code(), "T0405");
        }
    }
}
