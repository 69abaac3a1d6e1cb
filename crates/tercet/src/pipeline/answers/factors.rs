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
    /// That of a promotion.
    pub(in crate::pipeline) fn of_promotion(&self, promotion: i32) -> f64 {
        factor_of(&self.promotions, promotion)
    }

    /// The type that a promotion is of, if it is of one.
    pub(in crate::pipeline) fn type_of(&self, promotion: i32) -> Option<i32> {
        self.types.get(&promotion).copied()
    }

    /// Those of a customer, by type.
    pub(in crate::pipeline) fn tastes(&self, customer_id: &str) -> &[(i32, f64)] {
        self.tastes.get(customer_id).map_or(&[], Vec::as_slice)
    }
}

/// The factor of a key, among factors in the order of theirs: one where none is known.
pub(in crate::pipeline) fn factor_of(factors: &[(i32, f64)], key: i32) -> f64 {
    factors.binary_search_by_key(&key, |(of, _)| *of).map_or(1.0, |at| factors[at].1)
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
    fn factor(&self, found: &Found, (customer, promotion): (i32, i32)) -> f64 {
        let of_promotion = self.promotions.binary_search(&promotion).ok();
        let of_type = self.types.get(&promotion);
        let taste =
            of_type.and_then(|of_type| self.tastes.binary_search(&(customer, *of_type)).ok());
        of_promotion.map_or(1.0, |at| found.promotions[at])
            * taste.map_or(1.0, |at| found.tastes[at])
    }

    /// By row of weeks, the newest first, the factor of its pair as offers of the weeks before told it: `made` are the
    /// rows of the offers.
    pub(super) fn before(
        &self,
        weeks: impl Iterator<Item = Range<usize>>,
        made: &[usize],
        pair: impl Fn(usize) -> (i32, i32),
    ) -> Vec<f64> {
        let mut factors = Vec::new();
        for week in weeks {
            let earlier = made.partition_point(|row| *row < week.end)..made.len();
            let found = self.by(earlier);
            factors.extend(week.map(|row| self.factor(&found, pair(row))));
        }
        factors
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

#[cfg(test)]
mod tests {
    use super::*;

    const TIMES: [f64; 4] = [2.0, 0.25, 1.0, 0.5];

    /// Offers of four promotions, the first two of type 7 and the third of type 8, to each of many customers, of whom
    /// one in five takes four times as much of type 7 as expected and the others a quarter; with whose they are.
    fn offers() -> (Vec<Held>, Vec<(i32, i32)>) {
        let mut state = 1_u64;
        let mut chance = || {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            (state >> 11) as f64 / (1_u64 << 53) as f64
        };
        let (mut held, mut of) = (Vec::new(), Vec::new());
        for _ in 0..12 {
            for customer in 0..1_000 {
                for promotion in 0..4 {
                    let taste = match promotion {
                        0 | 1 if customer % 5 == 0 => 4.0,
                        0 | 1 => 0.25,
                        _ => 1.0,
                    };
                    let (extra, unoffered) = (0.06, 0.04);
                    let brought = chance() < extra * TIMES[promotion as usize] * taste;
                    let bought = brought || chance() < unoffered;
                    let was_used = bought && chance() < if brought { 0.25 } else { 0.04 };
                    held.push(Held { extra, unoffered, bought, was_used });
                    of.push((customer, promotion));
                }
            }
        }
        (held, of)
    }

    fn answered<'a>(held: &'a [Held], of: &[(i32, i32)]) -> Answered<'a> {
        let expected: Vec<f32> =
            held.iter().map(|offer| if offer.bought { 0.6 } else { 0.0 }).collect();
        Answered::new(held, of, Uses::of(held, &expected), Types::from([(0, 7), (1, 7), (2, 8)]))
    }

    #[test]
    fn promotions_and_tastes_are_told_apart() {
        let (held, of) = offers();
        let answered = answered(&held, &of);
        let found = answered.by(0..held.len());
        let of_promotion: Vec<f64> = (0..4).map(|ix| found.promotions[ix]).collect();
        // What customers differ in is not the promotions'; those of a type share its mean taste.
        let ratio = of_promotion[0] / of_promotion[1];
        assert!((5.0..12.0).contains(&ratio), "{of_promotion:?}");
        assert!((1.4..2.6).contains(&(of_promotion[2] / of_promotion[3])), "{of_promotion:?}");
        let mean = |liked: bool| {
            let tastes = answered.tastes.iter().zip(&found.tastes);
            let of: Vec<f64> = tastes
                .filter(|((customer, of_type), _)| *of_type == 7 && (customer % 5 == 0) == liked)
                .map(|(_, factor)| *factor)
                .collect();
            of.iter().sum::<f64>() / of.len() as f64
        };
        assert!(mean(true) > 4.0 * mean(false), "{} {}", mean(true), mean(false));
        let shares: f64 = found.shares.iter().map(|share| f64::from(*share)).sum();
        assert!(shares > 0.0 && found.shares.iter().all(|share| (0.0..=1.0).contains(share)));
    }

    #[test]
    fn a_week_is_told_by_weeks_before_it() {
        let (held, of) = offers();
        let answered = answered(&held, &of);
        // Three weeks, the newest first; a third of the rows are no offers made.
        let weeks = || [0..18_000, 18_000..36_000, 36_000..72_000].into_iter();
        let made: Vec<usize> = (0..72_000).filter(|row| row % 3 != 2).collect();
        let pair = |row: usize| of[row / 3 * 2 + (row % 3).min(1)];
        let before = answered.before(weeks(), &made, pair);
        assert_eq!(before.len(), 72_000);
        assert!(before[36_000..].iter().all(|factor| *factor == 1.0));
        for (week, first) in [(0, 12_000), (18_000, 24_000)] {
            let found = answered.by(first..held.len());
            for row in [week, week + 1, week + 2] {
                assert_eq!(before[row], answered.factor(&found, pair(row)));
            }
        }
        assert_ne!(before[0], before[18_000]);
    }

    #[test]
    fn what_is_kept_is_what_was_found() {
        let (held, of) = offers();
        let answered_ = answered(&held, &of);
        let found = answered_.by(0..held.len());
        let expect: Vec<f64> =
            [(5, 0), (5, 2), (5, 3), (6, 1)].map(|pair| answered_.factor(&found, pair)).to_vec();
        let factors = answered_.keep(&found, |customer| format!("c{customer}"));
        let text = serde_json::to_string(&factors).unwrap();
        let factors: Factors = serde_json::from_str(&text).unwrap();
        let of = |customer: &str, promotion: i32| {
            let taste = |of_type| factor_of(factors.tastes(customer), of_type);
            factors.of_promotion(promotion) * factors.type_of(promotion).map_or(1.0, taste)
        };
        assert_eq!([of("c5", 0), of("c5", 2), of("c5", 3), of("c6", 1)].to_vec(), expect);
        // Whom nothing was offered, and what was offered to nobody.
        assert_eq!(of("new", 0), found.promotions[0]);
        assert_eq!(of("c5", 9), 1.0);
    }

    #[test]
    fn nothing_expected_tells_nothing() {
        let held = [Held { extra: 1e-12, unoffered: 0.1, bought: false, was_used: false }; 50];
        let of: Vec<(i32, i32)> = (0..50).map(|_| (1, 0)).collect();
        let answered = answered(&held, &of);
        let factor = answered.factor(&answered.by(0..50), (1, 0));
        assert!((factor - 1.0).abs() < 1e-9, "{factor}");
        assert_eq!(held[0].times(1e15).extra, EXTRA_MAX);
    }
}
