//! Which products does a linear model of everything bought expect a customer to buy?

use rayon::prelude::*;
use serde::{Deserialize, Serialize};
use tercet_types::{Error, Result};

use crate::registry::{Axis, Configured, Range};
use crate::setting::check_setting;
use crate::{Fitted, Purchase, Query, Recommender, Row, Training, dense};

const NAME: &str = "ease";
/// Products of a model: three matrices of this many rows and columns take 9.6 GB while it is fitted.
const MAX_PRODUCTS: usize = 20_000;

/// Embarrassingly shallow autoencoder: `score = Σ B[bought][product]` over the products that a customer bought.
///
/// `B = I − P / diag(P)`, `P = (XᵀX + λ I)⁻¹`, of which `X` is 1 where a customer bought a product: Steck,
/// "Embarrassingly shallow autoencoders for sparse data", WWW 2019, doi:10.1145/3308558.3313710. Strong where
/// products are few and customers many; products without a buyer have no score.
///
/// Memory while fitting grows with 24 bytes times the square of the products, time with their cube.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Ease {
    /// λ, in customers, `> 0`; the larger, the nearer to co-occurrence.
    pub regularisation: f64,
    /// Only so many products are in the model, the most bought first; `None` takes all, and refuses too many.
    pub max_products: Option<usize>,
}

impl Default for Ease {
    fn default() -> Self {
        Self { regularisation: 300.0, max_products: None }
    }
}

impl Recommender for Ease {
    fn name(&self) -> &'static str {
        NAME
    }

    fn fit<'a>(&'a self, training: &Training<'a>) -> Result<Box<dyn Fitted + 'a>> {
        training.check()?;
        let products = training.history.products();
        let all = training.history.all_customers();
        let bought: Vec<Vec<u32>> =
            all.map(|customer| distinct(training.lines(customer), products)).collect();
        Ok(Box::new(self.learn(&bought, products)?))
    }
}

impl Ease {
    /// Learns from what each customer bought: numbers below `products`, ascending, each once.
    pub(super) fn learn(&self, bought: &[Vec<u32>], products: usize) -> Result<Linear> {
        check_setting(NAME, "regularisation", self.regularisation, 1e-6..=1e9)?;
        let most = self.max_products.unwrap_or(MAX_PRODUCTS);
        check_setting(NAME, "max_products", most as f64, 1.0..=MAX_PRODUCTS as f64)?;
        let mut buyers = vec![0_u32; products];
        bought.iter().flatten().for_each(|product| buyers[*product as usize] += 1);
        let mut members: Vec<u32> =
            (0..products as u32).filter(|product| buyers[*product as usize] > 0).collect();
        if self.max_products.is_none() && members.len() > most {
            return Err(Error::data("T0408", format!("{NAME}: {} products were bought, at most {most} fit", members.len()))
                .hint("set max_products to take the most bought products into the model, or choose als or item-to-item"));
        }
        members.sort_by_key(|product| (std::cmp::Reverse(buyers[*product as usize]), *product));
        members.truncate(most);
        members.sort_unstable();
        let mut places = vec![None; products];
        (0..).zip(&members).for_each(|(place, product)| places[*product as usize] = Some(place));
        let size = members.len();
        let mut gram = gram(bought, &places, size);
        (0..size).for_each(|at| gram[at * size + at] += self.regularisation);
        let mut weights = dense::invert(&gram, size).ok_or_else(|| {
            Error::data("T0413", format!("{NAME}: the products' matrix has no inverse"))
                .hint("raise regularisation")
        })?;
        drop(gram);
        let diagonal: Vec<f64> = (0..size).map(|at| weights[at * size + at]).collect();
        weights.par_chunks_mut(size.max(1)).enumerate().for_each(|(row, entries)| {
            entries.iter_mut().zip(&diagonal).for_each(|(entry, own)| *entry /= -own);
            entries[row] = 0.0;
        });
        Ok(Linear { members, places, weights })
    }
}

impl Configured for Ease {
    const NAME: &'static str = NAME;
    const SPACE: &'static [Axis] =
        &[Axis { setting: "regularisation", range: Range::LogReal(1.0, 5_000.0) }];
}

/// The products of some lines, sorted, each once; those that are not known are left out.
fn distinct(lines: &[Purchase], products: usize) -> Vec<u32> {
    let mut found: Vec<u32> = lines.iter().map(|line| line.product).collect();
    found.retain(|product| (*product as usize) < products);
    found.sort_unstable();
    found.dedup();
    found
}

/// How many customers bought both of two products, in the lower triangle; whole numbers, exact in any order.
fn gram(bought: &[Vec<u32>], places: &[Option<u32>], size: usize) -> Vec<f64> {
    let bought: Vec<Vec<u32>> = bought
        .par_iter()
        .map(|list| list.iter().filter_map(|product| places[*product as usize]).collect())
        .collect();
    let mut buyers: Vec<Vec<u32>> = vec![Vec::new(); size];
    for (customer, list) in (0..).zip(&bought) {
        list.iter().for_each(|place| buyers[*place as usize].push(customer));
    }
    let mut gram = vec![0.0; size * size];
    gram.par_chunks_mut(size.max(1)).zip(&buyers).enumerate().for_each(|(own, (row, buyers))| {
        for customer in buyers {
            let list = &bought[*customer as usize];
            let upto = list.partition_point(|place| (*place as usize) <= own);
            list[..upto].iter().for_each(|place| row[*place as usize] += 1.0);
        }
    });
    gram
}

/// What each product bought says of every other.
pub(super) struct Linear {
    /// The products of the model, sorted.
    members: Vec<u32>,
    /// Per product its place among them.
    places: Vec<Option<u32>>,
    /// Row by row what a member says of all members; 0 of itself.
    weights: Vec<f64>,
}

impl Linear {
    fn weights_of(&self, product: u32) -> Option<&[f64]> {
        let place = (*self.places.get(product as usize)?)? as usize;
        let size = self.members.len();
        Some(&self.weights[place * size..(place + 1) * size])
    }

    /// What is expected of every member by what was bought; nothing where none of that is known.
    pub(super) fn expected(
        &self,
        bought: impl Iterator<Item = u32>,
    ) -> impl Iterator<Item = (u32, f64)> {
        let mut sums = vec![0.0; self.members.len()];
        let mut known = false;
        for weights in bought.filter_map(|product| self.weights_of(product)) {
            known = true;
            sums.iter_mut().zip(weights).for_each(|(sum, weight)| *sum += weight);
        }
        self.members.iter().copied().zip(sums).filter(move |_| known)
    }
}

impl Fitted for Linear {
    fn score(&self, query: &Query<'_>, row: &mut Row) {
        let bought = distinct(query.lines, self.places.len());
        self.expected(bought.into_iter()).for_each(|(product, sum)| row.add(product, sum));
    }

    fn similar(&self, product: u32, row: &mut Row) -> bool {
        let others = self.weights_of(product).into_iter().flatten().zip(&self.members);
        others
            .filter(|(_, other)| **other != product)
            .for_each(|(weight, other)| row.add(*other, *weight));
        true
    }

    fn products(&self) -> usize {
        self.places.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Attributes;
    use crate::conformance;

    #[test]
    fn conforms() {
        conformance::check_recommender(&Ease::default());
        conformance::check_recommender(&Ease { regularisation: 1.0, max_products: Some(9) });
    }

    #[test]
    fn only_the_most_bought_products_are_in_a_bounded_model() {
        let lines = [(0, 1, 0), (0, 1, 1), (1, 1, 1), (1, 1, 2), (2, 1, 2), (2, 1, 3), (3, 1, 1)];
        let past = conformance::history(4, 5, &lines);
        let (products, customers) = (Attributes::none(5), Attributes::none(4));
        let training =
            Training { history: &past, as_of: 9, products: &products, customers: &customers };
        let scored = |ease: &Ease, customer: u32| {
            let fitted = ease.fit(&training).unwrap();
            let mut row = Row::new(5);
            fitted.score(&Query::of(&past, customer, 9), &mut row);
            row.take().into_iter().map(|(product, _)| product).collect::<Vec<_>>()
        };
        assert_eq!(scored(&Ease::default(), 0), [0, 1, 2, 3]);
        let two = Ease { max_products: Some(2), ..Ease::default() };
        assert_eq!(scored(&two, 0), [1, 2]);
        for wrong in [
            Ease { regularisation: 0.0, ..two.clone() },
            Ease { regularisation: f64::NAN, ..two.clone() },
            Ease { max_products: Some(0), ..two.clone() },
            Ease { max_products: Some(MAX_PRODUCTS + 1), ..two },
        ] {
            assert_eq!(conformance::refusal(&wrong), "T0405", "{wrong:?}");
        }
    }

    #[test]
    fn too_many_products_are_refused() {
        let count = MAX_PRODUCTS as u32 + 1;
        let lines: Vec<_> = (0..count).map(|product| (0, 1, product)).collect();
        let past = conformance::history(1, count as usize, &lines);
        let (products, customers) = (Attributes::none(count as usize), Attributes::none(1));
        let training =
            Training { history: &past, as_of: 9, products: &products, customers: &customers };
        let refused = Ease::default().fit(&training).map(|_| ()).unwrap_err();
        assert_eq!(refused.code(), "T0408");
        assert!(refused.hint_text().is_some_and(|hint| hint.contains("item-to-item")));
        let few = Ease { max_products: Some(3), ..Ease::default() };
        assert!(few.fit(&training).is_ok());
    }
}
