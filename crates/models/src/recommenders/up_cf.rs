//! What is in the latest orders of this customer and of those who buy the same?

use serde::{Deserialize, Serialize};
use tercet_types::Result;

use super::lenders::{Lenders, Weights, known};
use crate::likeness::{Comparison, order_lines, summed};
use crate::purchases::orders;
use crate::registry::{Axis, Configured, Range};
use crate::setting::check_setting;
use crate::{Fitted, Purchase, Query, Recommender, Row, Training};

const NAME: &str = "up-cf";

/// UP-CF: the share of the latest orders that hold a product, summed over the customers most alike.
///
/// `score(c, p) = Σ_n sim(c, n)^locality · (orders of n's latest that hold p) / (how many these are)`, over the
/// customer itself, whose `sim` is 1, and the others with the largest
/// `sim(c, n) = x_c · x_n / (|x_c|^(2α) · |x_n|^(2(1 − α)))`, where `x` counts the orders that hold each product and
/// `α` is the asymmetry: above one half, neighbours with short histories count less.
///
/// Faggioli, Polato, Aiolli, "Recency aware collaborative filtering for next basket recommendation", UMAP 2020,
/// doi:10.1145/3340631.3394850. [`CustomerKnn`](crate::CustomerKnn) is its kin for shops with dates: ages in days
/// instead of orders, rarity, and a fixed share of the customer's own.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct UpCf {
    /// How many of a customer's latest orders count, `>= 1`.
    pub recent_orders: usize,
    /// The power of a neighbour's likeness, in `[0, 8]`.
    pub locality: f64,
    /// What share of the likeness's length is the asker's, in `[0, 1]`; one half is the cosine.
    pub asymmetry: f64,
    /// The most neighbours, the customer itself among them, `>= 1`.
    pub neighbours: usize,
    /// The most customers to choose among: of more, so many that are spaced evenly.
    pub lenders_max: usize,
}

impl Default for UpCf {
    /// The settings that did best on Ta Feng in the paper's family, there found on validation orders.
    fn default() -> Self {
        Self {
            recent_orders: 10,
            locality: 1.0,
            asymmetry: 0.75,
            neighbours: 100,
            lenders_max: 50_000,
        }
    }
}

impl Configured for UpCf {
    const NAME: &'static str = NAME;
    const SPACE: &'static [Axis] = &[
        Axis { setting: "recent_orders", range: Range::LogWhole(1, 50) },
        Axis { setting: "locality", range: Range::Real(0.0, 4.0) },
        Axis { setting: "asymmetry", range: Range::Real(0.0, 1.0) },
        Axis { setting: "neighbours", range: Range::LogWhole(10, 1_000) },
    ];
}

impl Recommender for UpCf {
    fn name(&self) -> &'static str {
        NAME
    }

    fn fit<'a>(&'a self, training: &Training<'a>) -> Result<Box<dyn Fitted + 'a>> {
        check_setting(NAME, "recent_orders", self.recent_orders as f64, 1.0..=f64::MAX)?;
        check_setting(NAME, "neighbours", self.neighbours as f64, 1.0..=f64::MAX)?;
        check_setting(NAME, "locality", self.locality, 0.0..=8.0)?;
        check_setting(NAME, "asymmetry", self.asymmetry, 0.0..=1.0)?;
        training.check()?;
        let lenders = Lenders::new(
            training,
            Lenders::among(training.history, training.as_of, self.lenders_max),
            Comparison {
                lengths: [2.0 * self.asymmetry, 2.0 - 2.0 * self.asymmetry],
                ..Comparison::DOT
            },
            counts,
            |lines: &[Purchase]| self.recent(lines),
        );
        Ok(Box::new(Neighbours { up_cf: self, lenders, products: training.history.products() }))
    }
}

impl UpCf {
    /// The share of the latest orders that hold each product.
    fn recent(&self, lines: &[Purchase]) -> Weights {
        let all = orders(lines).count();
        let latest: Vec<&[Purchase]> = orders(lines).rev().take(self.recent_orders).collect();
        let first = lines.len() - latest.iter().map(|order| order.len()).sum::<usize>();
        let share = 1.0 / all.min(self.recent_orders).max(1) as f64;
        let mut held = counts(&lines[first..]);
        held.iter_mut().for_each(|(_, count)| *count *= share);
        held
    }
}

/// The orders that hold each product.
fn counts(lines: &[Purchase]) -> Weights {
    let held = orders(lines).flat_map(order_lines);
    summed(held.map(|line| (line.product, 1.0)).collect())
}

struct Neighbours<'a> {
    up_cf: &'a UpCf,
    lenders: Lenders,
    products: usize,
}

impl Fitted for Neighbours<'_> {
    fn score(&self, query: &Query<'_>, row: &mut Row) {
        let up_cf = self.up_cf;
        for (product, share) in known(up_cf.recent(query.lines), self.products) {
            row.add(product, share);
        }
        let others = up_cf.neighbours - 1;
        let vector = known(counts(query.lines), self.products);
        for (neighbour, likeness) in self.lenders.nearest(&vector, query.customer, others) {
            self.lenders.lend(neighbour, likeness.powf(up_cf.locality), row);
        }
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
        check_recommender(&UpCf::default());
        check_recommender(&UpCf { recent_orders: 2, neighbours: 1, ..UpCf::default() });
        check_recommender(&UpCf {
            asymmetry: 0.0,
            lenders_max: 7,
            locality: 0.0,
            ..UpCf::default()
        });
    }

    #[test]
    fn settings_out_of_range_are_refused() {
        let past = history(1, 1, &[]);
        let none = Attributes::none(1);
        let training = Training { history: &past, as_of: 9, products: &none, customers: &none };
        for wrong in [
            UpCf { recent_orders: 0, ..UpCf::default() },
            UpCf { neighbours: 0, ..UpCf::default() },
            UpCf { locality: f64::NAN, ..UpCf::default() },
            UpCf { asymmetry: 1.5, ..UpCf::default() },
        ] {
            assert_eq!(wrong.fit(&training).map(|_| ()).unwrap_err().code(), "T0405");
        }
    }
}
