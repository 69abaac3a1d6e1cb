//! Which promotions suit each customer by rhythm, by rule and by brand?

use rayon::prelude::*;
use tercet_types::{Error, Result};

use super::association_rules::{self, Rule, RuleParams};
use super::favourite_brand;
use super::purchase_cycle::{CycleParams, PurchaseCycles};
use crate::recommender::{self, Recommender, Scores};
use crate::{Eligibility, Popularity, Purchases};

/// Doublings of the minimal support before rules are given up, from 1 in 1,000 to more than 1.
const MAX_SUPPORT_DOUBLINGS: usize = 10;

/// What is known of every product; both arrays have one entry per product.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ItemAttributes {
    /// The index of the product's type (the level rules are learnt on).
    pub product_types: Vec<u32>,
    /// The index of the product's brand.
    pub brands: Vec<u32>,
}

/// Why a promotion was picked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Reason {
    /// Many customers buy its products.
    Popular,
    /// It holds the customer's favourite brand in a favourite product type.
    FavouriteBrand,
    /// Its product type goes with what the customer bought lately.
    GoesWith,
    /// The customer is about to need one of its products again.
    Due,
}

impl Reason {
    /// The code that decisions carry.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Popular => "popular",
            Self::FavouriteBrand => "favourite_brand",
            Self::GoesWith => "goes_with",
            Self::Due => "due",
        }
    }
}

/// One promotion with its score and reason.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ScoredPromotion {
    /// The promotion's index.
    pub promotion: u32,
    /// Above zero; see [`Legacy`].
    pub score: f64,
    /// Which part put it here.
    pub reason: Reason,
    /// What weighed most: the due product's index, the product type that goes with recent ones, or the
    /// favourite brand's index; for `Popular` the number of buyers.
    pub evidence: u32,
}

/// The statistical engine: what is due first, then what goes with recent orders, then favourite
/// brands, then (when `fill` is set) what is popular.
///
/// A promotion scores `tier + s / (1 + s)` in the highest tier that speaks for it:
/// - 3, `due`: `s` sums the due scores of its eligible products ([`PurchaseCycles`]);
/// - 2, `goes_with`: `s` sums, over its product types that are the single consequent of a rule whose
///   antecedent lies within one recent order and that were not bought in the recent days themselves,
///   the best confidence of such a rule;
/// - 1, `favourite_brand`: `s` sums type share × brand share of the favourites it holds;
/// - 0, `popular`: `s` is the share of customers who bought into it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Legacy {
    /// What is known of every product.
    pub attributes: ItemAttributes,
    /// The settings.
    pub params: LegacyParams,
}

/// The settings of [`Legacy`].
#[derive(Clone, Debug, PartialEq)]
pub struct LegacyParams {
    /// When a product is due.
    pub cycles: CycleParams,
    /// What counts as a rule. The minimal support is doubled while too many sets are frequent.
    pub rules: RuleParams,
    /// The days before the as-of day whose orders teach rules.
    pub rule_window_days: u32,
    /// The days before the as-of day whose orders call for rules.
    pub recent_days: u32,
    /// The days before the as-of day that favourites come from.
    pub favourite_window_days: u32,
    /// The most product types with a favourite brand.
    pub favourite_types: usize,
    /// The least share of a favourite brand in its type.
    pub min_brand_share: f64,
    /// What fills the list; `None` leaves it short.
    pub fill: Option<Popularity>,
}

impl Default for LegacyParams {
    fn default() -> Self {
        Self {
            cycles: CycleParams::default(),
            rules: RuleParams::default(),
            rule_window_days: 182,
            recent_days: 14,
            favourite_window_days: 364,
            favourite_types: 10,
            min_brand_share: 0.5,
            fill: Some(Popularity::default()),
        }
    }
}

impl Legacy {
    /// The engine with default settings.
    pub fn new(attributes: ItemAttributes) -> Self {
        Self { attributes, params: LegacyParams::default() }
    }

    /// As [`Recommender::score`], with reasons.
    ///
    /// # Errors
    /// `T0407` when an index is out of range or a product lacks attributes, `T0405` when a setting is.
    pub fn score_with_reasons(
        &self,
        history: &Purchases,
        eligibility: &Eligibility,
        as_of: i32,
        customers: &[u32],
    ) -> Result<Vec<Vec<ScoredPromotion>>> {
        recommender::check(history, eligibility, customers)?;
        let products = history.products();
        let (types, brands) = (&self.attributes.product_types, &self.attributes.brands);
        if types.len() != products || brands.len() != products {
            return Err(Error::data(
                "T0407",
                format!(
                    "{} product types and {} brands for {products} products",
                    types.len(),
                    brands.len()
                ),
            ));
        }
        let learnt = Learnt::new(self, history, eligibility, as_of)?;
        let row = |tiers: &mut Tiers, customer: &u32| {
            learnt.due(tiers, history, eligibility, *customer);
            learnt.goes_with(tiers, history, *customer);
            learnt.favourites(tiers, history, *customer);
            learnt.popular(tiers);
            tiers.take()
        };
        let fresh = || Tiers::new(eligibility.promotions());
        Ok(customers.par_iter().map_init(fresh, row).collect())
    }

    /// The rules with one consequent that the engine would use as of a day.
    ///
    /// # Errors
    /// `T0405` for settings out of range, `T0407` when a product has no type.
    pub fn rules(&self, history: &Purchases, as_of: i32) -> Result<Vec<Rule>> {
        let params = &self.params;
        let types = &self.attributes.product_types;
        let orders = association_rules::orders(history, as_of, params.rule_window_days, types)?;
        let mut settings = params.rules.clone();
        for _ in 0..MAX_SUPPORT_DOUBLINGS {
            match association_rules::rules(&orders, &settings) {
                Err(error) if error.code() == association_rules::TOO_MANY => {
                    settings.min_support = (settings.min_support * 2.0).min(1.0);
                }
                Err(error) => return Err(error),
                Ok(mut rules) => {
                    rules.retain(|rule| rule.consequent.len() == 1);
                    return Ok(rules);
                }
            }
        }
        Ok(Vec::new())
    }
}

impl Recommender for Legacy {
    fn name(&self) -> &'static str {
        "legacy"
    }

    fn score(
        &self,
        history: &Purchases,
        eligibility: &Eligibility,
        as_of: i32,
        customers: &[u32],
    ) -> Result<Scores> {
        let scored = self.score_with_reasons(history, eligibility, as_of, customers)?;
        let plain = |list: Vec<ScoredPromotion>| {
            list.iter().map(|one| (one.promotion, one.score)).collect()
        };
        Ok(scored.into_iter().map(plain).collect())
    }
}

/// What all customers share as of one day.
struct Learnt<'a> {
    engine: &'a Legacy,
    as_of: i32,
    cycles: PurchaseCycles,
    /// By the first type of the antecedent, as the rules are sorted.
    rules: Vec<Rule>,
    /// `(product type, brand, promotion)`, sorted and distinct.
    holds: Vec<(u32, u32, u32)>,
    /// `(product type, promotion)`, sorted and distinct.
    holds_type: Vec<(u32, u32)>,
    /// Promotion, buyers and share of customers.
    popular: Vec<(u32, u32, f64)>,
}

impl<'a> Learnt<'a> {
    fn new(
        engine: &'a Legacy,
        history: &Purchases,
        eligibility: &Eligibility,
        as_of: i32,
    ) -> Result<Self> {
        let attributes = &engine.attributes;
        let mut holds = Vec::new();
        for promotion in 0..eligibility.promotions() as u32 {
            holds.extend(eligibility.products_of(promotion).iter().map(|product| {
                let product = *product as usize;
                (attributes.product_types[product], attributes.brands[product], promotion)
            }));
        }
        holds.par_sort_unstable();
        holds.dedup();
        let mut holds_type: Vec<(u32, u32)> =
            holds.iter().map(|(kind, _, promotion)| (*kind, *promotion)).collect();
        holds_type.par_sort_unstable();
        holds_type.dedup();
        let buyers = match &engine.params.fill {
            Some(popularity) => popularity.buyers(history, eligibility, as_of),
            None => Vec::new(),
        };
        let share = 1.0 / history.customers().max(1) as f64;
        let popular = (0..)
            .zip(buyers)
            .filter(|(_, buyers)| *buyers > 0)
            .map(|(promotion, buyers)| (promotion, buyers, f64::from(buyers) * share))
            .collect();
        let cycles = PurchaseCycles::new(history, as_of, engine.params.cycles.clone());
        let rules = engine.rules(history, as_of)?;
        Ok(Self { engine, as_of, cycles, rules, holds, holds_type, popular })
    }

    fn due(
        &self,
        tiers: &mut Tiers,
        history: &Purchases,
        eligibility: &Eligibility,
        customer: u32,
    ) {
        for due in self.cycles.due(history, customer) {
            for promotion in eligibility.promotions_of(due.product) {
                tiers.add(Reason::Due, *promotion, due.score, due.product);
            }
        }
    }

    fn goes_with(&self, tiers: &mut Tiers, history: &Purchases, customer: u32) {
        let types = &self.engine.attributes.product_types;
        let recent = history.window(customer, self.as_of, self.engine.params.recent_days);
        let distinct = |lines: &[crate::Purchase]| {
            let mut of: Vec<u32> = lines.iter().map(|line| types[line.product as usize]).collect();
            of.sort_unstable();
            of.dedup();
            of
        };
        let bought = distinct(recent);
        let mut called: Vec<(u32, f64)> = Vec::new();
        for order in recent.chunk_by(|a, b| (a.day, a.order) == (b.day, b.order)) {
            let order = distinct(order);
            for first in &order {
                let from = self.rules.partition_point(|rule| rule.antecedent[0] < *first);
                for rule in
                    self.rules[from..].iter().take_while(|rule| rule.antecedent[0] == *first)
                {
                    let inside =
                        rule.antecedent.iter().all(|item| order.binary_search(item).is_ok());
                    if inside && bought.binary_search(&rule.consequent[0]).is_err() {
                        called.push((rule.consequent[0], rule.confidence));
                    }
                }
            }
        }
        called.sort_unstable_by(|a, b| a.0.cmp(&b.0).then(b.1.total_cmp(&a.1)));
        called.dedup_by_key(|(kind, _)| *kind);
        for (kind, confidence) in called {
            let from = self.holds_type.partition_point(|(other, _)| *other < kind);
            for (_, promotion) in
                self.holds_type[from..].iter().take_while(|(other, _)| *other == kind)
            {
                tiers.add(Reason::GoesWith, *promotion, confidence, kind);
            }
        }
    }

    fn favourites(&self, tiers: &mut Tiers, history: &Purchases, customer: u32) {
        let (attributes, params) = (&self.engine.attributes, &self.engine.params);
        let favourites = favourite_brand::favourites(
            history.window(customer, self.as_of, params.favourite_window_days),
            &attributes.product_types,
            &attributes.brands,
            params.favourite_types,
            params.min_brand_share,
        );
        for favourite in favourites {
            let key = (favourite.product_type, favourite.brand);
            let from = self.holds.partition_point(|(kind, brand, _)| (*kind, *brand) < key);
            for (_, _, promotion) in
                self.holds[from..].iter().take_while(|(kind, brand, _)| (*kind, *brand) == key)
            {
                let amount = favourite.type_share * favourite.brand_share;
                tiers.add(Reason::FavouriteBrand, *promotion, amount, favourite.brand);
            }
        }
    }

    fn popular(&self, tiers: &mut Tiers) {
        for (promotion, buyers, share) in &self.popular {
            tiers.add(Reason::Popular, *promotion, *share, *buyers);
        }
    }
}

/// The standing of one promotion while a customer is scored.
#[derive(Clone, Copy)]
struct Standing {
    reason: Reason,
    sum: f64,
    /// The largest amount so far and what it came from.
    largest: f64,
    evidence: u32,
}

/// Standings of all promotions, emptied in the time of what was touched.
struct Tiers {
    standings: Vec<Option<Standing>>,
    touched: Vec<u32>,
}

impl Tiers {
    fn new(promotions: usize) -> Self {
        Self { standings: vec![None; promotions], touched: Vec::new() }
    }

    /// Counts an amount above zero; a promotion that already stands in a higher tier stays as it is.
    fn add(&mut self, reason: Reason, promotion: u32, amount: f64, evidence: u32) {
        match &mut self.standings[promotion as usize] {
            Some(standing) if standing.reason == reason => {
                standing.sum += amount;
                if amount > standing.largest {
                    (standing.largest, standing.evidence) = (amount, evidence);
                }
            }
            Some(_) => {}
            empty => {
                *empty = Some(Standing { reason, sum: amount, largest: amount, evidence });
                self.touched.push(promotion);
            }
        }
    }

    /// Best first, ties by promotion, leaving nothing.
    fn take(&mut self) -> Vec<ScoredPromotion> {
        let take = |promotion: u32| {
            let standing = self.standings[promotion as usize].take()?;
            let tier = f64::from(standing.reason as u8);
            let score = tier + standing.sum / (1.0 + standing.sum);
            Some(ScoredPromotion {
                promotion,
                score,
                reason: standing.reason,
                evidence: standing.evidence,
            })
        };
        let mut list: Vec<ScoredPromotion> = self.touched.drain(..).filter_map(take).collect();
        list.sort_unstable_by(|a, b| {
            b.score.total_cmp(&a.score).then(a.promotion.cmp(&b.promotion))
        });
        list
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::conformance;

    fn attributes(products: u32) -> ItemAttributes {
        ItemAttributes {
            product_types: (0..products).map(|product| product / 2).collect(),
            brands: (0..products).map(|product| product % 3).collect(),
        }
    }

    #[test]
    fn conforms() {
        let mut engine = Legacy::new(attributes(40));
        conformance::check(&engine);
        engine.params.fill = None;
        engine.params.rules.max_itemsets = 30;
        conformance::check(&engine);
    }

    #[test]
    fn due_before_rules_before_brands_before_the_popular() {
        // Types: 0 = products 0, 1; 1 = products 2, 3; 2 = 4, 5; 3 = 6, 7. Brands: product % 3.
        let mut lines = Vec::new();
        for day in [60, 70, 80, 90] {
            lines.push((0, day, 0)); // every ten days: due at 100
        }
        lines.extend([(0, 95, 4), (0, 94, 4)]); // recent, not due; brand 1 in type 2
        for customer in 1..6 {
            lines.extend([(customer, 50, 4), (customer, 50, 2)]); // type 2 goes with type 1
            lines.push((customer, 96, 6));
        }
        let history = conformance::history(6, 8, &lines);
        let eligibility =
            Eligibility::new(8, &[vec![6], vec![4], vec![3], vec![0], vec![5], vec![0, 3]])
                .unwrap();
        let engine = Legacy::new(attributes(8));
        let scored = engine.score_with_reasons(&history, &eligibility, 100, &[0]).unwrap();
        let brief: Vec<_> =
            scored[0].iter().map(|one| (one.promotion, one.reason.code(), one.evidence)).collect();
        assert_eq!(
            brief,
            [
                (3, "due", 0),
                (5, "due", 0),
                (2, "goes_with", 1),
                (1, "favourite_brand", 1),
                (0, "popular", 5),
            ]
        );
        assert!(scored[0].iter().all(|one| one.score.floor() == f64::from(one.reason as u8)));
        let short = Legacy::new(attributes(7));
        assert_eq!(short.score(&history, &eligibility, 100, &[0]).unwrap_err().code(), "T0407");
    }
}
