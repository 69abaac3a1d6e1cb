//! Which promotions suit each customer by rhythm, by rule and by brand?

use std::collections::BTreeMap;

use rayon::prelude::*;
use tercet_types::{Error, Result};

use super::favourite_brand;
use crate::promotion_ranker::{self, PromotionRanker, Scores};
use crate::recommenders::{Cycles, PurchaseCycles, Rule, RuleParams, called, orders, single};
use crate::setting::check_setting;
use crate::{Eligibility, Popularity, Purchases};

/// What is known of every product; both arrays have one entry per product.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ItemAttributes {
    /// The index of the product's type (the level rules are learnt on).
    pub product_types: Vec<u32>,
    /// The index of the product's brand.
    pub brands: Vec<u32>,
}

impl ItemAttributes {
    fn check(&self, products: usize) -> Result<()> {
        let (types, brands) = (self.product_types.len(), self.brands.len());
        if (types, brands) == (products, products) {
            return Ok(());
        }
        Err(Error::data(
            "T0407",
            format!("{types} product types and {brands} brands for {products} products"),
        ))
    }

    fn type_of(&self, product: u32) -> &[u32] {
        std::slice::from_ref(&self.product_types[product as usize])
    }
}

/// All reasons; the later wins a tie.
const REASONS: [Reason; 4] =
    [Reason::Popular, Reason::FavouriteBrand, Reason::GoesWith, Reason::Due];

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

/// The statistical engine: what is due, what goes with recent orders, favourite brands and (when `fill`
/// is set) what is popular, added up.
///
/// A promotion scores the sum of four parts, each the sum over what it covers:
/// - `due`: the due scores of its eligible products ([`Cycles`]), so about how much of what the
///   customer needs in a week it holds;
/// - `goes_with`: over its product types that are the single consequent of a rule whose antecedent lies
///   within one recent order and that were not bought in the recent days themselves, `rule_weight` × the
///   best confidence of such a rule × the promotion's share in the type;
/// - `favourite_brand`: over the favourites it holds, `brand_weight` × type share × brand share × the
///   promotion's share in the brand's products of the type;
/// - `popular`: `popular_weight` × the share of customers who bought into it.
///
/// A promotion's share is that of its eligible products in the lines that all customers bought within
/// `favourite_window_days`: one of ten flavours is not worth what all ten are.
/// Its reason is the part that gave most.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Legacy {
    /// What is known of every product.
    pub attributes: ItemAttributes,
    /// The settings.
    pub params: LegacyParams,
}

/// The settings of [`Legacy`].
///
/// The defaults of the weights and of [`PurchaseCycles`] were chosen by hit rate, captured spend and
/// discovery on narrow promotions among some forty variants, on the Mondays of 14, 21 and 28 August 2017
/// of The Complete Journey. No later week was looked at.
#[derive(Clone, Debug, PartialEq)]
pub struct LegacyParams {
    /// When a product is due.
    pub cycles: PurchaseCycles,
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
    /// What a rule's confidence counts beside a due score, `>= 0`.
    pub rule_weight: f64,
    /// What a favourite's shares count beside a due score, `>= 0`.
    pub brand_weight: f64,
    /// What the share of all customers counts beside a due score, `>= 0`.
    pub popular_weight: f64,
    /// What fills the list; `None` leaves it short.
    pub fill: Option<Popularity>,
}

impl Default for LegacyParams {
    fn default() -> Self {
        Self {
            cycles: PurchaseCycles::default(),
            rules: RuleParams::default(),
            rule_window_days: 182,
            recent_days: 14,
            favourite_window_days: 364,
            favourite_types: 10,
            min_brand_share: 0.5,
            rule_weight: 0.05,
            brand_weight: 0.2,
            popular_weight: 0.2,
            fill: Some(Popularity::default()),
        }
    }
}

impl LegacyParams {
    fn check(&self) -> Result<()> {
        for (name, weight) in [
            ("rule_weight", self.rule_weight),
            ("brand_weight", self.brand_weight),
            ("popular_weight", self.popular_weight),
        ] {
            check_setting("legacy", name, weight, 0.0..=f64::MAX)?;
        }
        Ok(())
    }
}

impl Legacy {
    /// The engine with default settings.
    pub fn new(attributes: ItemAttributes) -> Self {
        Self { attributes, params: LegacyParams::default() }
    }

    /// As [`PromotionRanker::score`], with reasons.
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
        promotion_ranker::check(history, eligibility, customers)?;
        self.params.check()?;
        self.attributes.check(history.products())?;
        let learnt = Learnt::new(self, history, eligibility, as_of)?;
        let row = |standings: &mut Standings, customer: &u32| {
            learnt.due(standings, history, eligibility, *customer);
            learnt.goes_with(standings, history, *customer);
            learnt.favourites(standings, history, *customer);
            learnt.popular(standings);
            standings.take()
        };
        let fresh = || Standings::new(eligibility.promotions());
        Ok(customers.par_iter().map_init(fresh, row).collect())
    }

    /// The rules with one consequent that the engine would use as of a day.
    ///
    /// # Errors
    /// `T0405` for settings out of range, `T0407` when a product has no type.
    pub fn rules(&self, history: &Purchases, as_of: i32) -> Result<Vec<Rule>> {
        self.attributes.check(history.products())?;
        let of_type = |product: u32| self.attributes.type_of(product);
        let orders = orders(history, as_of, self.params.rule_window_days, &of_type);
        single(&orders, &self.params.rules)
    }
}

impl PromotionRanker for Legacy {
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
    cycles: Cycles,
    /// By the first type of the antecedent, as the rules are sorted.
    rules: Vec<Rule>,
    /// Promotions and their shares by product type and brand, sorted.
    holds: Vec<Held<(u32, u32)>>,
    /// Promotions and their shares by product type, sorted.
    holds_type: Vec<Held<u32>>,
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
        let sold = lines_sold(history, as_of, engine.params.favourite_window_days);
        let (types, brands) = (&attributes.product_types, &attributes.brands);
        let holds = held(eligibility, &sold, |product| (types[product], brands[product]));
        let holds_type = held(eligibility, &sold, |product| types[product]);
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
        let cycles = Cycles::new(history, as_of, engine.params.cycles.clone())?;
        let rules = engine.rules(history, as_of)?;
        Ok(Self { engine, as_of, cycles, rules, holds, holds_type, popular })
    }

    fn due(
        &self,
        standings: &mut Standings,
        history: &Purchases,
        eligibility: &Eligibility,
        customer: u32,
    ) {
        for due in self.cycles.due(history, customer) {
            for promotion in eligibility.promotions_of(due.product) {
                standings.add(Reason::Due, *promotion, due.score, due.product);
            }
        }
    }

    fn goes_with(&self, standings: &mut Standings, history: &Purchases, customer: u32) {
        let recent = history.window(customer, self.as_of, self.engine.params.recent_days);
        let of_type = |product: u32| self.engine.attributes.type_of(product);
        let called = called(&self.rules, recent, &of_type);
        let weight = self.engine.params.rule_weight;
        for (kind, confidence) in called {
            for held in held_by(&self.holds_type, kind) {
                let amount = weight * confidence * held.share;
                standings.add(Reason::GoesWith, held.promotion, amount, kind);
            }
        }
    }

    fn favourites(&self, standings: &mut Standings, history: &Purchases, customer: u32) {
        let (attributes, params) = (&self.engine.attributes, &self.engine.params);
        let favourites = favourite_brand::favourites(
            history.window(customer, self.as_of, params.favourite_window_days),
            &attributes.product_types,
            &attributes.brands,
            params.favourite_types,
            params.min_brand_share,
        );
        for favourite in favourites {
            let both = favourite.type_share * favourite.brand_share;
            for held in held_by(&self.holds, (favourite.product_type, favourite.brand)) {
                let amount = params.brand_weight * both * held.share;
                standings.add(Reason::FavouriteBrand, held.promotion, amount, favourite.brand);
            }
        }
    }

    fn popular(&self, standings: &mut Standings) {
        let weight = self.engine.params.popular_weight;
        for (promotion, buyers, share) in &self.popular {
            standings.add(Reason::Popular, *promotion, weight * share, *buyers);
        }
    }
}

/// What a promotion holds of one group of products.
#[derive(Clone, Copy)]
struct Held<K> {
    key: K,
    promotion: u32,
    /// The share of its products in the lines sold of the group, `(0, 1]`.
    share: f64,
}

/// Every group that a promotion holds sold products of, by group and promotion.
fn held<K: Copy + Ord + Send>(
    eligibility: &Eligibility,
    sold: &[u32],
    key_of: impl Fn(usize) -> K,
) -> Vec<Held<K>> {
    let mut totals: BTreeMap<K, u64> = BTreeMap::new();
    for (product, lines) in sold.iter().enumerate() {
        *totals.entry(key_of(product)).or_insert(0) += u64::from(*lines);
    }
    let mut parts: Vec<(K, u32, u64)> = Vec::new();
    for promotion in 0..eligibility.promotions() as u32 {
        parts.extend(eligibility.products_of(promotion).iter().map(|product| {
            let product = *product as usize;
            (key_of(product), promotion, u64::from(sold[product]))
        }));
    }
    parts.par_sort_unstable();
    let same = |a: &(K, u32, u64), b: &(K, u32, u64)| (a.0, a.1) == (b.0, b.1);
    let sum = |parts: &[(K, u32, u64)]| {
        let (key, promotion, _) = parts[0];
        let lines: u64 = parts.iter().map(|(_, _, lines)| lines).sum();
        let share = lines as f64 / totals[&key].max(1) as f64;
        (lines > 0).then_some(Held { key, promotion, share })
    };
    parts.chunk_by(same).filter_map(sum).collect()
}

/// The promotions that hold one group.
fn held_by<K: Copy + Ord>(held: &[Held<K>], key: K) -> impl Iterator<Item = &Held<K>> {
    let from = held.partition_point(|other| other.key < key);
    held[from..].iter().take_while(move |other| other.key == key)
}

/// Lines of every product that all customers bought in the window; returns do not count.
fn lines_sold(history: &Purchases, as_of: i32, window_days: u32) -> Vec<u32> {
    let count = |mut sold: Vec<u32>, customer: u32| {
        for line in history.window(customer, as_of, window_days) {
            sold[line.product as usize] += u32::from(line.spend_minor >= 0);
        }
        sold
    };
    let none = || vec![0; history.products()];
    let add = |a: Vec<u32>, b: Vec<u32>| a.into_iter().zip(b).map(|(a, b)| a + b).collect();
    history.all_customers().with_min_len(256).fold(none, count).reduce(none, add)
}

/// What the parts have given one promotion while a customer is scored, by [`Reason`].
#[derive(Clone, Copy, Default)]
struct Standing {
    sums: [f64; REASONS.len()],
    /// The largest amount so far and what it came from.
    largest: [(f64, u32); REASONS.len()],
}

/// Standings of all promotions, emptied in the time of what was touched.
struct Standings {
    standings: Vec<Option<Standing>>,
    touched: Vec<u32>,
}

impl Standings {
    fn new(promotions: usize) -> Self {
        Self { standings: vec![None; promotions], touched: Vec::new() }
    }

    /// Counts an amount; zero leaves no trace.
    fn add(&mut self, reason: Reason, promotion: u32, amount: f64, evidence: u32) {
        if amount <= 0.0 {
            return;
        }
        let place = &mut self.standings[promotion as usize];
        if place.is_none() {
            self.touched.push(promotion);
        }
        let standing = place.get_or_insert_default();
        standing.sums[reason as usize] += amount;
        let largest = &mut standing.largest[reason as usize];
        if amount > largest.0 {
            *largest = (amount, evidence);
        }
    }

    /// Best first, ties by promotion, leaving nothing.
    fn take(&mut self) -> Vec<ScoredPromotion> {
        let take = |promotion: u32| {
            let Standing { sums, largest } = self.standings[promotion as usize].take()?;
            let most = |a: &&Reason, b: &&Reason| sums[**a as usize].total_cmp(&sums[**b as usize]);
            let reason = *REASONS.iter().max_by(most)?;
            Some(ScoredPromotion {
                promotion,
                score: sums.iter().sum(),
                reason,
                evidence: largest[reason as usize].1,
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
        conformance::check_promotion_ranker(&engine);
        engine.params.fill = None;
        engine.params.rules.max_itemsets = 30;
        conformance::check_promotion_ranker(&engine);
    }

    #[test]
    fn parts_add_up_and_the_largest_is_the_reason() {
        // Types: 0 = products 0, 1; 1 = products 2, 3; 2 = 4, 5; 3 = 6, 7. Brands: product % 3.
        let mut lines = Vec::new();
        for day in [60, 70, 80, 90] {
            lines.push((0, day, 0)); // every ten days: due at 100
        }
        lines.extend([(0, 95, 4), (0, 94, 4)]); // recent; brand 1 in type 2
        for customer in 1..6 {
            lines.extend([(customer, 50, 4), (customer, 50, 2)]); // type 2 goes with type 1
            lines.push((customer, 96, 6));
        }
        let history = conformance::history(6, 8, &lines);
        let eligibility =
            Eligibility::new(8, &[vec![6], vec![4], vec![2], vec![0], vec![5], vec![0, 2]])
                .unwrap();
        let list = |change: &dyn Fn(&mut LegacyParams)| {
            let mut engine = Legacy::new(attributes(8));
            change(&mut engine.params);
            engine.score_with_reasons(&history, &eligibility, 100, &[0]).unwrap().remove(0)
        };
        let check = |change: &dyn Fn(&mut LegacyParams), expect: &[(u32, &str, u32)]| {
            let brief: Vec<_> = list(change)
                .iter()
                .map(|one| (one.promotion, one.reason.code(), one.evidence))
                .collect();
            assert_eq!(brief, expect);
        };
        let (due, due_too, late) = ((3, "due", 0), (5, "due", 0), (1, "due", 4));
        let (goes, popular) = ((2, "goes_with", 1), (0, "popular", 5));
        let rules = |weight: f64| move |params: &mut LegacyParams| params.rule_weight = weight;
        check(&rules(0.05), &[due_too, due, late, popular, goes]);
        check(&rules(0.5), &[due_too, due, goes, late, popular]);
        check(&|params| params.fill = None, &[due_too, due, late, goes]);
        // Nothing is due so early: brands and what is popular are left.
        check(
            &|params| (params.rule_weight, params.cycles.lapsed_after) = (0.0, 0.01),
            &[
                popular,
                (3, "favourite_brand", 0),
                (5, "favourite_brand", 0),
                (1, "favourite_brand", 1),
            ],
        );
        // A promotion's score is the sum of what each part alone gives it.
        let part = |keep: Reason| {
            list(&|params| {
                let weight = |reason, weight| if reason == keep { weight } else { 0.0 };
                params.rule_weight = weight(Reason::GoesWith, params.rule_weight);
                params.brand_weight = weight(Reason::FavouriteBrand, params.brand_weight);
                params.popular_weight = weight(Reason::Popular, params.popular_weight);
                if keep != Reason::Due {
                    params.cycles.lapsed_after = f64::MIN_POSITIVE;
                }
            })
        };
        let parts: Vec<ScoredPromotion> = REASONS.into_iter().flat_map(part).collect();
        for whole in list(&|_| ()) {
            let of = parts.iter().filter(|part| part.promotion == whole.promotion);
            let sum: f64 = of.map(|part| part.score).sum();
            assert!((whole.score - sum).abs() < 1e-12, "{whole:?}: {sum}");
        }
    }

    #[test]
    fn wrong_settings_and_attributes_are_refused() {
        let history = conformance::history(1, 8, &[(0, 90, 0)]);
        let eligibility = Eligibility::new(8, &[vec![0]]).unwrap();
        let code =
            |engine: &Legacy| engine.score(&history, &eligibility, 100, &[0]).unwrap_err().code();
        assert_eq!(code(&Legacy::new(attributes(7))), "T0407");
        let mut wrong = Legacy::new(attributes(8));
        wrong.params.brand_weight = -1.0;
        assert_eq!(code(&wrong), "T0405");
        let mut wrong = Legacy::new(attributes(8));
        wrong.params.cycles.single_weight = 2.0;
        assert_eq!(code(&wrong), "T0405");
    }
}
