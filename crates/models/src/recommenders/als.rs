//! Which products lie near a customer where both are points that explain what was bought?

mod attributes;
mod factors;
mod pairs;
mod rank;
mod solve;

use std::borrow::Cow;

use rayon::prelude::*;
use serde::{Deserialize, Serialize};
use tercet_types::{Error, Result};

use self::factors::{Block, Factors};
use self::pairs::Pairs;
use self::rank::Catalogue;
use self::solve::{Against, solve_all};
use super::decayed_frequency::Weight;
use crate::registry::{Axis, Configured, Range};
use crate::setting::check_setting;
use crate::{Fitted, Query, Ranked, Recommender, Row, Training, Wanted};

const NAME: &str = "als";
/// What the largest registers are made for.
const MAX_FACTORS: usize = 256;
/// Customers that are ranked for at a time.
const BATCH: usize = 64;

/// Implicit matrix factorisation by alternating least squares: `score = x · y` of a customer's and a product's factors.
///
/// Every customer × product is explained: bought ones as 1 with confidence `1 + w`, all others as 0 with confidence
/// 1, `w = confidence · log2(1 + amount / unit)`: Hu, Koren, Volinsky, "Collaborative filtering for implicit
/// feedback datasets", ICDM 2008, doi:10.1109/ICDM.2008.22, equation 6 with the logarithm to base 2, so that one
/// unit weighs `confidence`. A row pays `λ · |x|²` of which `λ = regularisation · (sum of its
/// confidences)^regularisation_power`: Rendle, Krichene, Zhang, Koren, "Revisiting the performance of iALS on item
/// recommendation benchmarks", RecSys 2022, doi:10.1145/3523227.3548486.
///
/// What was never bought, and who never bought, gets the sum of factors of its attributes, learnt by ridge regression
/// from those that were and did; a customer with other lines than it was trained on is solved for anew. A customer
/// or product of which nothing is known has no score.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Als {
    /// The length of a customer's and a product's factors, `1..=256`.
    pub factors: usize,
    /// How often customers and products are solved for.
    pub iterations: usize,
    /// How rows are solved while fitting.
    pub solver: Solver,
    /// The steps of conjugate gradients that a row takes in an iteration.
    pub steps: usize,
    /// What a factor costs, `>= 0`.
    pub regularisation: f64,
    /// The power of a row's confidences that this is multiplied by, in `[0, 2]`; 0 is the same for every row.
    pub regularisation_power: f64,
    /// What one unit weighs above what was not bought, `>= 0`.
    pub confidence: f64,
    /// What an amount is made of.
    pub weight: Weight,
    /// The amount that is one unit, in lines or minor units of spend, `> 0`.
    pub unit: f64,
    /// The age in days at which a line counts half, `> 0`; lines do not age without one.
    pub half_life_days: Option<f64>,
    /// What a factor of an attribute costs, in rows, `> 0`.
    pub attribute_regularisation: f64,
    /// Draws the factors that are started from.
    pub seed: u64,
}

/// How the factors of one row are found while those of the other side stand.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Solver {
    /// A few steps towards the solution from where the row stood: Takács, Pilászy, Tikk, "Applications of the
    /// conjugate gradient method for implicit feedback collaborative filtering", RecSys 2011,
    /// doi:10.1145/2043932.2043987. Time per row grows with the square of the factors.
    ConjugateGradient,
    /// The solution itself; time per row grows with the cube of the factors, and with their square for each product.
    #[default]
    Cholesky,
}

impl Default for Als {
    fn default() -> Self {
        Self {
            factors: 64,
            iterations: 15,
            solver: Solver::default(),
            steps: 3,
            regularisation: 0.01,
            regularisation_power: 1.0,
            confidence: 10.0,
            weight: Weight::Lines,
            unit: 1.0,
            half_life_days: None,
            attribute_regularisation: 1.0,
            seed: 1,
        }
    }
}

impl Als {
    fn check(&self) -> Result<()> {
        let number = |name, value, range| check_setting(NAME, name, value, range);
        number("factors", self.factors as f64, 1.0..=MAX_FACTORS as f64)?;
        number("iterations", self.iterations as f64, 1.0..=1_000.0)?;
        number("regularisation", self.regularisation, 0.0..=1e9)?;
        number("regularisation_power", self.regularisation_power, 0.0..=2.0)?;
        number("confidence", self.confidence, 0.0..=1e6)?;
        number("unit", self.unit, 1e-9..=1e12)?;
        number("attribute_regularisation", self.attribute_regularisation, 1e-9..=1e9)?;
        number("steps", self.steps as f64, 1.0..=100.0)?;
        number("half_life_days", self.half_life_days.unwrap_or(1.0), 1e-3..=36_500.0)
    }
}

impl Recommender for Als {
    fn name(&self) -> &'static str {
        NAME
    }

    fn fit<'a>(&'a self, training: &Training<'a>) -> Result<Box<dyn Fitted + 'a>> {
        training.check()?;
        self.check()?;
        let by_customer = Pairs::new(training, &self.weighing());
        let by_product = by_customer.turned(training.history.products());
        let mut customers = Factors::drawn(&by_customer, self.factors, self.seed);
        let mut products = Factors::zero(by_product.rows(), self.factors);
        for _ in 0..self.iterations {
            solve_all(&by_product, &mut products, &customers, self);
            solve_all(&by_customer, &mut customers, &products, self);
        }
        let gram = solve::gram(&products);
        let cost = self.attribute_regularisation;
        let known = attributes::complete(&mut products, training.products, cost);
        attributes::complete(&mut customers, training.customers, cost);
        if !(customers.finite() && products.finite()) {
            return Err(Error::data(
                "T0413",
                format!("{NAME}: the factors grew beyond all numbers"),
            )
            .hint("raise regularisation"));
        }
        let catalogue = Catalogue::new(&products, &known);
        Ok(Box::new(Points {
            als: self,
            training: *training,
            customers,
            products,
            known,
            catalogue,
            gram,
        }))
    }
}

impl Configured for Als {
    const NAME: &'static str = NAME;
    const SPACE: &'static [Axis] = &[
        Axis { setting: "factors", range: Range::LogWhole(16, 256) },
        Axis { setting: "iterations", range: Range::LogWhole(5, 30) },
        Axis { setting: "regularisation", range: Range::LogReal(1e-4, 1.0) },
        Axis { setting: "regularisation_power", range: Range::Real(0.0, 1.0) },
        Axis { setting: "confidence", range: Range::LogReal(0.3, 100.0) },
    ];
}

/// What was learnt: customers and products as points.
struct Points<'a> {
    als: &'a Als,
    training: Training<'a>,
    customers: Factors,
    products: Factors,
    /// Per product whether it has factors.
    known: Vec<bool>,
    catalogue: Catalogue,
    /// Of the products, to solve for customers with.
    gram: Vec<Block>,
}

impl Points<'_> {
    /// Where a customer lies: where it was put, or solved for when its lines are others than those trained on.
    fn place<'b>(&'b self, query: &Query<'_>) -> Option<Cow<'b, [Block]>> {
        let trained =
            query.customer.filter(|customer| (*customer as usize) < self.customers.rows());
        if let Some(customer) = trained
            && self.training.lines(customer).len() == query.lines.len()
        {
            let row = self.customers.row(customer as usize);
            return row.iter().flatten().any(|number| *number != 0.0).then_some(Cow::Borrowed(row));
        }
        let mut pairs = self.als.weighing().of(query.lines, query.as_of);
        pairs.retain(|(product, _)| self.known.get(*product as usize).is_some_and(|known| *known));
        let (places, weights): (Vec<u32>, Vec<f32>) = pairs.into_iter().unzip();
        if places.is_empty() {
            return None;
        }
        let against = Against::with(&self.products, &self.gram, self.als);
        Some(Cow::Owned(against.solve_one(&places, &weights)))
    }
}

impl Fitted for Points<'_> {
    fn score(&self, query: &Query<'_>, row: &mut Row) {
        if let Some(place) = self.place(query) {
            for product in self.catalogue.products() {
                row.add(*product, product_of(&place, self.products.row(*product as usize)));
            }
        }
    }

    /// The cosine of the products' factors.
    fn similar(&self, product: u32, row: &mut Row) -> bool {
        if self.known.get(product as usize).is_some_and(|known| *known) {
            let own = self.products.row(product as usize);
            let length = product_of(own, own).sqrt();
            for other in self.catalogue.products().iter().filter(|other| **other != product) {
                let theirs = self.products.row(*other as usize);
                row.add(
                    *other,
                    product_of(own, theirs) / (length * product_of(theirs, theirs).sqrt()),
                );
            }
        }
        true
    }

    fn products(&self) -> usize {
        self.products.rows()
    }

    fn recommend(&self, queries: &[Query<'_>], wanted: &Wanted<'_>) -> Vec<Ranked> {
        let answer = |queries: &[Query<'_>]| {
            let places: Vec<_> = queries.iter().map(|query| self.place(query)).collect();
            let rows: Vec<_> = places.iter().map(Option::as_deref).collect();
            self.catalogue.best(queries, &rows, wanted)
        };
        queries.par_chunks(BATCH).flat_map_iter(answer).collect()
    }
}

/// `x · y` in double precision.
fn product_of(x: &[Block], y: &[Block]) -> f64 {
    x.as_flattened().iter().zip(y.as_flattened()).map(|(x, y)| f64::from(*x) * f64::from(*y)).sum()
}

#[cfg(test)]
mod tests;
