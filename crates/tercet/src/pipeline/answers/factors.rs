//! How much more does a promotion bring, and a customer take of a product type, than is expected of them?
//!
//! What is alike in many offers is in their facts ([`super::expected`]). What is peculiar to one promotion, or to one
//! customer and one type of products, shows in the answers to these very offers. Each has a factor of its own, drawn from
//! a gamma distribution of mean one, and purchases are Poisson with the expected number times both factors (the
//! gamma-Poisson model of DuMouchel 1999, doi:10.1080/00031305.1999.10474456). Given the offers, a factor's mean is
//! `(brought + shape) / (expected + shape)`: an offer of which little was expected says little when it is not answered.

use std::collections::BTreeMap;
use std::ops::Range;

use serde::{Deserialize, Serialize};
use tercet_engine::Engine;
use tercet_types::Result;

use super::causes::{EXTRA_MAX, Held, Uses};

/// Shape of the factors of promotions. Coupons of The Complete Journey differ in use as if drawn with 0.97.
const PROMOTION_SHAPE: f64 = 1.0;

/// Shape of the factors of a customer and a product type: most types are nothing to somebody, a few are much.
const TASTE_SHAPE: f64 = 0.5;

/// How often what was bought is divided, and factors are taken from it.
const STEPS: usize = 10;

/// The product types of promotions that are of one.
pub(super) type Types = BTreeMap<i32, i32>;

/// Reads which promotions are of one product type. Needs [`index`](tercet_features::index).
pub(super) fn types_of(engine: &Engine) -> Result<Types> {
    let found = engine.query(include_str!("../../../sql/answer_types.sql"), &BTreeMap::new())?;
    Ok(found.i32("promotion_ix")?.into_iter().zip(found.i32("type_ix")?).collect())
}

/// Factors of promotions, and of customers and product types; one where no offer was made.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(in crate::pipeline) struct Factors {
    promotions: Vec<(i32, f64)>,
    /// By the customer's id, for parts of a shop number customers anew; then by type.
    tastes: BTreeMap<String, Vec<(i32, f64)>>,
    types: Types,
}

impl Factors {
    /// The factors of a customer's offers, by promotion.
    pub(in crate::pipeline) fn of_customer<'a>(
        &'a self,
        customer_id: &str,
    ) -> impl Fn(i32) -> f64 + use<'a> {
        let tastes = self.tastes.get(customer_id).map_or(&[][..], Vec::as_slice);
        move |promotion| {
            let taste = self.types.get(&promotion).and_then(|of_type| found(tastes, *of_type));
            found(&self.promotions, promotion).unwrap_or(1.0) * taste.unwrap_or(1.0)
        }
    }
}

fn found(factors: &[(i32, f64)], key: i32) -> Option<f64> {
    factors.binary_search_by_key(&key, |(of, _)| *of).ok().map(|at| factors[at].1)
}

/// Offers made, the newest first: what was expected of each and what came of it, and whose they were.
pub(super) struct Answered<'a> {
    pub(super) offers: &'a [Held],
    pub(super) uses: Uses,
    types: Types,
    /// Ascending.
    promotions: Vec<i32>,
    /// Customer and type, ascending.
    tastes: Vec<(i32, i32)>,
    promotion_of: Vec<usize>,
    taste_of: Vec<Option<usize>>,
}

/// The factors of [`Answered`] by some of its offers, by place.
pub(super) struct Found {
    promotions: Vec<f64>,
    tastes: Vec<f64>,
    /// The shares of the offers' purchases that they brought.
    pub(super) shares: Vec<f32>,
}

/// What was expected of some offers, and what they brought.
#[derive(Clone, Copy, Default)]
struct Sums {
    expected: f64,
    brought: f64,
}

impl Sums {
    fn add(&mut self, expected: f64, brought: f64) {
        self.expected += expected;
        self.brought += brought;
    }

    fn factor(&self, shape: f64) -> f64 {
        (self.brought + shape) / (self.expected + shape)
    }
}

impl<'a> Answered<'a> {
    /// `of` has the customer and the promotion of each offer.
    pub(super) fn new(offers: &'a [Held], of: &[(i32, i32)], uses: Uses, types: Types) -> Self {
        let typed = |(customer, promotion): &(i32, i32)| Some((*customer, *types.get(promotion)?));
        let mut promotions: Vec<i32> = of.iter().map(|(_, promotion)| *promotion).collect();
        promotions.sort_unstable();
        promotions.dedup();
        let mut tastes: Vec<(i32, i32)> = of.iter().filter_map(typed).collect();
        tastes.sort_unstable();
        tastes.dedup();
        let place = |(_, promotion): &(i32, i32)| promotions.partition_point(|ix| ix < promotion);
        let promotion_of = of.iter().map(place).collect();
        let taste_of = of.iter().map(|of| tastes.binary_search(&typed(of)?).ok()).collect();
        Self { offers, uses, types, promotions, tastes, promotion_of, taste_of }
    }

    /// The factors by a range of the offers.
    pub(super) fn by(&self, range: Range<usize>) -> Found {
        let mut found = Found {
            promotions: vec![1.0; self.promotions.len()],
            tastes: vec![1.0; self.tastes.len()],
            shares: vec![0.0; range.len()],
        };
        for _ in 0..STEPS {
            for (share, at) in found.shares.iter_mut().zip(range.clone()) {
                let taste = self.taste_of[at].map_or(1.0, |place| found.tastes[place]);
                let factor = found.promotions[self.promotion_of[at]] * taste;
                *share = self.uses.share(&self.offers[at].times(factor));
            }
            let mut sums = vec![Sums::default(); self.promotions.len()];
            for (share, at) in found.shares.iter().zip(range.clone()) {
                let taste = self.taste_of[at].map_or(1.0, |place| found.tastes[place]);
                let expected = self.offers[at].extra * taste;
                sums[self.promotion_of[at]].add(expected, f64::from(*share));
            }
            found.promotions = sums.iter().map(|sums| sums.factor(PROMOTION_SHAPE)).collect();
            let mut sums = vec![Sums::default(); self.tastes.len()];
            for (share, at) in found.shares.iter().zip(range.clone()) {
                let Some(place) = self.taste_of[at] else { continue };
                let expected = self.offers[at].extra * found.promotions[self.promotion_of[at]];
                sums[place].add(expected, f64::from(*share));
            }
            found.tastes = sums.iter().map(|sums| sums.factor(TASTE_SHAPE)).collect();
        }
        found
    }

    /// The factor of a pair, by what was found.
    pub(super) fn factor(&self, found: &Found, (customer, promotion): (i32, i32)) -> f64 {
        let of_promotion = self.promotions.binary_search(&promotion).ok();
        let of_type = self.types.get(&promotion);
        let taste =
            of_type.and_then(|of_type| self.tastes.binary_search(&(customer, *of_type)).ok());
        of_promotion.map_or(1.0, |at| found.promotions[at])
            * taste.map_or(1.0, |at| found.tastes[at])
    }

    /// What was found, to be kept; `id` names customers.
    pub(super) fn keep(self, found: &Found, id: impl Fn(i32) -> String) -> Factors {
        let mut tastes: BTreeMap<String, Vec<(i32, f64)>> = BTreeMap::new();
        for ((customer, of_type), factor) in self.tastes.iter().zip(&found.tastes) {
            tastes.entry(id(*customer)).or_default().push((*of_type, *factor));
        }
        let promotions = self.promotions.into_iter().zip(found.promotions.iter().copied());
        Factors { promotions: promotions.collect(), tastes, types: self.types }
    }
}

impl Held {
    /// The same, with so many times as much expected.
    pub(super) fn times(&self, factor: f64) -> Self {
        Self { extra: (self.extra * factor).min(EXTRA_MAX), ..*self }
    }
}
