//! What is each offer worth to each customer, by the engine that decides?

use std::collections::BTreeMap;

use tercet_engine::{Engine, Frame};
use tercet_features::{CustomerAnswers, PairBlock};
use tercet_models::legacy::{ItemAttributes, Legacy};
use tercet_models::registry::{ESTIMATORS, estimator_named};
use tercet_models::{
    Attributes, CustomerKnn, Fitted, PersonalFrequency, Popularity, Promoted, PromotionRanker,
    Recommender, Training,
};
use tercet_scoring::{
    Base, Bonus, Brought, CustomerFacts, Prediction, Route, RouteRules, Value, incremental, route,
    spend_per_response_minor, visit_index, worth,
};
use tercet_types::segment::Behaviour;
use tercet_types::{Error, Result};

use super::aside::Responses;
use super::learn::Models;
use super::pairs::WeekPairs;
use super::predict::{Bringer, Predictor};
use super::shop::Shop;
use super::week::{KnownCustomer, Week};
use crate::config::Config;

/// The engines that can decide beside the recommenders, the product's own first.
const ENGINES: [&str; 5] = [OWN_ENGINE, "personal-decayed", "legacy", "personal", "popular"];

/// The engine that predicts what customers buy.
pub(crate) const OWN_ENGINE: &str = "tercet";

/// `value_kind` of amounts.
pub(crate) const ORDER_VALUE: &str = "order_value";

/// `value_kind` of what an offer is expected to bring, by the answers to earlier ones.
pub(crate) const INCREMENTAL_MARGIN: &str = "incremental_margin";

/// `value_kind` of engines that rank without amounts: their score in millionths.
pub(crate) const RANK_SCORE: &str = "rank_score";

/// All kinds of values.
pub(super) const VALUE_KINDS: [&str; 3] = [ORDER_VALUE, INCREMENTAL_MARGIN, RANK_SCORE];

/// Scores become integers at this scale.
pub(super) const SCORE_SCALE: f64 = 1e6;

/// Checks the name of an engine.
///
/// # Errors
/// `T1015` for a name that is not one.
pub(crate) fn known_engine(name: &str) -> Result<&'static str> {
    let recommenders = ESTIMATORS.iter().map(|estimator| estimator.name);
    let mut known = ENGINES.into_iter().chain(recommenders);
    known.find(|known| *known == name).ok_or_else(|| {
        let others: Vec<&str> = ESTIMATORS
            .iter()
            .map(|estimator| estimator.name)
            .filter(|name| !ENGINES.contains(name))
            .collect();
        Error::config("T1015", format!("there is no engine '{name}'")).hint(format!(
            "the engines are {}, and every recommender: {}",
            ENGINES.join(", "),
            others.join(", ")
        ))
    })
}

/// What every offer is worth to every customer: all customers with the same promotions, customer after customer.
///
/// A row is a pair; row `c * promotions + p` is that of the customer and the promotion at these places.
#[derive(Clone, Debug, Default)]
pub(crate) struct Scored {
    /// The customers, ascending.
    pub(crate) customers: Vec<i32>,
    /// The promotions, ascending.
    pub(crate) promotions: Vec<i32>,
    /// Whole minor units, or millionths of a rank's score.
    values_minor: Vec<i64>,
    /// Minor units, rounded up.
    costs_minor: Vec<i32>,
    /// Minor units, rounded up; only where it is known what offers bring. Elsewhere it is what they cost.
    losses_minor: Vec<i32>,
    response_rates: Vec<f32>,
    discovery_rates: Vec<f32>,
    /// The route of each customer.
    pub(crate) routes: BTreeMap<i32, Route>,
    /// What the values are: one of [`VALUE_KINDS`].
    pub(crate) value_kind: &'static str,
}

impl Scored {
    /// No customer yet with some promotions.
    pub(crate) fn new(promotions: Vec<i32>, value_kind: &'static str) -> Self {
        Self { promotions, value_kind, ..Self::default() }
    }

    /// Adds a customer, who stands after all others, with the values of all promotions in their order.
    pub(crate) fn push(&mut self, customer: i32, values: impl Iterator<Item = Value>) {
        self.customers.push(customer);
        for value in values {
            self.values_minor.push(value.value_minor.round_ties_even() as i64);
            self.costs_minor.push(value.expected_cost_minor.ceil() as i32);
            if self.value_kind == INCREMENTAL_MARGIN {
                self.losses_minor.push(value.margin_loss_minor.ceil() as i32);
            }
            self.response_rates.push(value.response_rate as f32);
            self.discovery_rates.push(value.discovery_rate as f32);
        }
        debug_assert_eq!(self.values_minor.len(), self.rows());
    }

    /// The number of pairs.
    pub(crate) fn rows(&self) -> usize {
        self.customers.len() * self.promotions.len()
    }

    /// The customer of a row.
    pub(crate) fn customer(&self, row: usize) -> i32 {
        self.customers[row / self.promotions.len()]
    }

    /// The promotion of a row.
    pub(crate) fn promotion(&self, row: usize) -> i32 {
        self.promotions[row % self.promotions.len()]
    }

    /// The value of a row, its amounts in whole minor units.
    pub(crate) fn value(&self, row: usize) -> Value {
        let cost_minor = self.costs_minor[row];
        let loss_minor = self.losses_minor.get(row).copied().unwrap_or(cost_minor);
        Value {
            value_minor: self.values_minor[row] as f64,
            expected_cost_minor: f64::from(cost_minor),
            margin_loss_minor: f64::from(loss_minor),
            response_rate: f64::from(self.response_rates[row]),
            discovery_rate: f64::from(self.discovery_rates[row]),
        }
    }

    /// How likely the offers are answered, without what they are worth.
    pub(super) fn into_responses(self) -> Responses {
        let (value_kind, promotions) = (self.value_kind, self.promotions.len());
        Responses { value_kind, promotions, rates: self.response_rates }
    }

    /// The same of some promotions only.
    pub(crate) fn of_promotions(&self, kept: impl Fn(i32) -> bool) -> Self {
        let places: Vec<usize> =
            (0..self.promotions.len()).filter(|place| kept(self.promotions[*place])).collect();
        let promotions = places.iter().map(|place| self.promotions[*place]).collect();
        let mut part = Self::new(promotions, self.value_kind);
        for (at, customer) in self.customers.iter().enumerate() {
            let first = at * self.promotions.len();
            part.push(*customer, places.iter().map(|place| self.value(first + place)));
        }
        part.routes.clone_from(&self.routes);
        part
    }
}

/// The route of every customer of the week.
pub(crate) fn routes_of(week: &Week, config: &Config) -> BTreeMap<i32, Route> {
    week.customers.iter().map(|(ix, customer)| (*ix, route_of(customer, config))).collect()
}

/// The route of a customer.
pub(super) fn route_of(customer: &KnownCustomer, config: &Config) -> Route {
    let rules = RouteRules {
        recency_max_days: config.routes.recency_max_days,
        frequency_min_orders: config.routes.frequency_min_orders,
    };
    let facts = CustomerFacts {
        behaviour: Behaviour::from_name(&customer.behaviour).unwrap_or(Behaviour::Neither),
        recency_days: customer.recency_days,
        orders: customer.orders,
    };
    route(&facts, &rules)
}

/// Recent browsing of customers in promotions' categories, against what browsing customers do.
pub(crate) struct Visits {
    /// Customer, category and decayed visits in millionths; sorted.
    of_category: Vec<(i32, i32, i64)>,
    /// Category and the place of a promotion on it; sorted.
    promotions_on: Vec<(i32, usize)>,
    promotions: Vec<i32>,
}

/// Visits are counted in millionths.
const MICRO: f64 = 1e6;

impl Visits {
    /// Reads the browsing before the week's Monday, of the customers that are registered.
    pub(crate) fn read(engine: &Engine, promotions: &[i32]) -> Result<Self> {
        let none = BTreeMap::new();
        let on = engine.query(include_str!("../../sql/promotion_categories.sql"), &none)?;
        let categories = on.i32("category_ix")?.into_iter();
        let promotions_on = categories.zip(on.i32("promotion_ix")?).filter_map(|(category, ix)| {
            promotions.binary_search(&ix).ok().map(|place| (category, place))
        });
        let seen = engine.query(include_str!("../../sql/visits_of_customers.sql"), &none)?;
        let (customers, categories) = (seen.i32("customer_ix")?, seen.i32("category_ix")?);
        let of_category = customers.into_iter().zip(categories).zip(seen.i64("events_micro")?);
        Ok(Self {
            of_category: of_category
                .map(|((customer, category), micro)| (customer, category, micro))
                .collect(),
            promotions_on: promotions_on.collect(),
            promotions: promotions.to_vec(),
        })
    }

    /// Decayed visits of the customer to all categories, and by promotion those to its categories.
    pub(crate) fn of_customer(&self, customer: i32) -> (f64, Vec<f64>) {
        let start = self.of_category.partition_point(|(known, ..)| *known < customer);
        let seen = self.of_category[start..].iter().take_while(|(known, ..)| *known == customer);
        let (mut all, mut micros) = (0, vec![0_i64; self.promotions.len()]);
        for (_, category, micro) in seen {
            all += micro;
            let from = self.promotions_on.partition_point(|(known, _)| known < category);
            let on = self.promotions_on[from..].iter().take_while(|(known, _)| known == category);
            on.for_each(|(_, place)| micros[*place] += micro);
        }
        (all as f64 / MICRO, micros.into_iter().map(|micro| micro as f64 / MICRO).collect())
    }

    /// Where a promotion stands among those of [`of_customer`](Self::of_customer).
    pub(crate) fn place(&self, promotion: i32) -> Option<usize> {
        self.promotions.binary_search(&promotion).ok()
    }

    /// The even share of visits of each promotion's categories.
    fn shares(&self) -> Vec<f64> {
        let (mut all, mut by_category) = (0, BTreeMap::new());
        for (_, category, micro) in &self.of_category {
            all += micro;
            *by_category.entry(*category).or_insert(0_i64) += micro;
        }
        let mut visits = vec![0_i64; self.promotions.len()];
        for (category, place) in &self.promotions_on {
            visits[*place] += by_category.get(category).copied().unwrap_or(0);
        }
        let all = f64::max(all as f64 / MICRO, 1e-9);
        visits.into_iter().map(|micro| micro as f64 / MICRO / all).collect()
    }
}

/// Values of all pairs by the order-value models and the segment routes.
pub(crate) fn tercet_scores(
    week: &Week,
    config: &Config,
    pairs: &WeekPairs<'_>,
    models: Option<&Models>,
    visits: &Visits,
) -> Result<Scored> {
    Valuer::new(week, config, pairs, models, visits)?.scores(week, pairs, visits)
}

/// Turns blocks of pairs into values.
pub(super) struct Valuer<'a> {
    config: &'a Config,
    predictor: Option<Predictor<'a>>,
    /// What offers bring, where earlier ones tell.
    bringer: Option<Bringer>,
    promotions: Vec<i32>,
    /// What is known of each promotion without knowing the customer, and its even share of visits.
    bases: Vec<Base>,
    shares: Vec<f64>,
    /// What beside the spend counts.
    bonus: Bonus,
}

impl<'a> Valuer<'a> {
    /// By customers who stand for all: what offers are worth to one hangs on what they are worth to others.
    pub(super) fn new(
        week: &Week,
        config: &'a Config,
        pairs: &'a WeekPairs<'_>,
        models: Option<&Models>,
        visits: &Visits,
    ) -> Result<Self> {
        let offered = pairs.offered();
        let answers = models.and_then(|models| models.answers.as_ref());
        let base = |ix: &i32| week.promotions.get(ix).map(|known| known.base).unwrap_or_default();
        let mut valuer = Self {
            config,
            predictor: models.map(|models| Predictor::new(models, offered)).transpose()?,
            bringer: None,
            promotions: offered.promotion_ix.clone(),
            bases: offered.promotion_ix.iter().map(base).collect(),
            shares: visits.shares(),
            bonus: Bonus::default(),
        };
        let sample = if valuer.predictor.is_some() { pairs.sample()? } else { None };
        let predictions =
            sample.as_ref().map_or_else(|| Ok(Vec::new()), |block| valuer.predictions(block))?;
        if let (Some(answers), Some(sample)) = (answers, &sample) {
            valuer.bringer = Some(Bringer::new(answers, offered, sample)?);
        }
        valuer.bonus = valuer.bonus_of(&predictions);
        Ok(valuer)
    }

    /// The values of the customers of `pairs`, with all promotions.
    pub(super) fn scores(
        &self,
        week: &Week,
        pairs: &WeekPairs<'_>,
        visits: &Visits,
    ) -> Result<Scored> {
        let Some(bringer) = &self.bringer else {
            let mut scored = Scored::new(self.promotions.clone(), ORDER_VALUE);
            scored.routes = routes_of(week, self.config);
            pairs.each(|block| self.block(block, visits, &mut scored))?;
            return Ok(scored);
        };
        let mut scored = Scored::new(self.promotions.clone(), INCREMENTAL_MARGIN);
        scored.routes = routes_of(week, self.config);
        let customers = CustomerAnswers::read(pairs.engine(), week.as_of, Some(bringer.means))?;
        pairs.each(|block| {
            let brought = bringer.block(block, &customers, pairs.customer_ids())?;
            self.incremental(block, &brought, &mut scored)
        })?;
        Ok(scored)
    }

    fn predictions(&self, block: &PairBlock) -> Result<Vec<Prediction>> {
        match &self.predictor {
            Some(predictor) => predictor.block(block),
            None => Ok(vec![Prediction::default(); block.len() * self.bases.len()]),
        }
    }

    fn bonus_of(&self, predictions: &[Prediction]) -> Bonus {
        let mut sums = vec![(0.0, 0.0); self.bases.len()];
        for customer in predictions.chunks_exact(self.bases.len().max(1)) {
            for (sum, prediction) in sums.iter_mut().zip(customer) {
                sum.0 += prediction.spend_minor;
                sum.1 += prediction.response_rate;
            }
        }
        let scale = spend_per_response_minor(&sums);
        Bonus {
            response_minor: self.config.model.response_weight * scale,
            discovery_minor: self.config.model.discovery_weight * scale,
            visit_weight: self.config.routes.visit_weight,
        }
    }

    /// Adds the customers of a block, by what offers bring to them; routes do not matter to that.
    fn incremental(
        &self,
        block: &PairBlock,
        brought: &[Brought],
        scored: &mut Scored,
    ) -> Result<()> {
        let predictions = self.predictions(block)?;
        let promotions = self.bases.len();
        for (at, customer) in block.customer_ix.iter().enumerate() {
            let pairs = at * promotions..(at + 1) * promotions;
            let values = predictions[pairs.clone()].iter().zip(&brought[pairs]).zip(&self.bases);
            scored.push(
                *customer,
                values.map(|((prediction, brought), base)| {
                    incremental(prediction, brought, base, &self.bonus)
                }),
            );
        }
        Ok(())
    }

    /// Adds the customers of a block.
    fn block(&self, block: &PairBlock, visits: &Visits, scored: &mut Scored) -> Result<()> {
        let predictions = self.predictions(block)?;
        let promotions = self.bases.len();
        for (at, customer) in block.customer_ix.iter().enumerate() {
            let route = match scored.routes.get(customer).copied().unwrap_or(Route::Popular) {
                // Without a model, routes that need one fall back to what they have left.
                Route::Model if self.predictor.is_none() => Route::Popular,
                Route::Blend if self.predictor.is_none() => Route::Browsing,
                route => route,
            };
            let (total, visited) = visits.of_customer(*customer);
            let predicted = &predictions[at * promotions..(at + 1) * promotions];
            let pairs = predicted.iter().zip(&self.bases);
            let values = pairs.zip(visited.into_iter().zip(&self.shares));
            scored.push(
                *customer,
                values.map(|((prediction, base), (visits, share))| {
                    let index = visit_index(visits, total, *share);
                    worth(route, prediction, base, index, &self.bonus)
                }),
            );
        }
        Ok(())
    }
}

/// Values that a table from outside gives the customers asked for: pairs it does not name are worth nothing.
pub(crate) fn outside_scores(
    shop: &Shop,
    week: &Week,
    config: &Config,
    table: &Frame,
    asked: &[i32],
) -> Result<Scored> {
    let missing = |name: &str| {
        Error::data("T0502", format!("[model] external_scores: column '{name}' is missing")).hint(
            "the table needs customer_id, promotion_id and value (in major units of the currency)",
        )
    };
    for name in ["customer_id", "promotion_id", "value"] {
        if !table.has(name) {
            return Err(missing(name));
        }
    }
    let (customers, promotions) = (table.text("customer_id")?, table.text("promotion_id")?);
    let per_major = tercet_types::Currency::new(&config.project.currency)?.minor_per_major() as f64;
    let mut given: BTreeMap<(i32, i32), f64> = BTreeMap::new();
    for ((customer, promotion), value) in customers.iter().zip(&promotions).zip(table.f64("value")?)
    {
        if !value.is_finite() {
            return Err(Error::data(
                "T0503",
                format!("[model] external_scores: the value of customer '{customer}' and promotion '{promotion}' is not a number"),
            )
            .hint("mend the row or leave it out"));
        }
        if let (Some(customer), Some(promotion)) =
            (shop.customer(customer), shop.promotion(promotion))
        {
            given.insert((customer, promotion), value * per_major);
        }
    }
    let candidates = week.candidates();
    let mut scored = Scored::new(candidates.clone(), ORDER_VALUE);
    scored.routes = routes_of(week, config);
    for customer in asked {
        let value = |promotion: &i32| {
            let value = given.get(&(*customer, *promotion)).copied().unwrap_or(0.0).max(0.0);
            ranked(value, &week.promotions[promotion].base)
        };
        scored.push(*customer, candidates.iter().map(value));
    }
    Ok(scored)
}

/// Scores of an engine that ranks by purchases alone, for the given customers and all candidates.
pub(crate) fn baseline_scores(
    engine: &str,
    shop: &Shop,
    week: &Week,
    config: &Config,
    customers: &[i32],
) -> Result<Scored> {
    let eligibility = week.eligibility(shop, |promotion| promotion.is_candidate)?;
    let asked: Vec<u32> = customers.iter().map(|ix| *ix as u32).collect();
    let (legacy, learnt);
    let ranker: &dyn PromotionRanker = match engine {
        "popular" => &Popularity::default(),
        "personal" => &PersonalFrequency::default(),
        "personal-decayed" => {
            &Promoted { recommender: CustomerKnn::default(), fill: Some(Popularity::default()) }
        }
        "legacy" => {
            let attributes = ItemAttributes {
                product_types: shop.product_types.clone(),
                brands: shop.brands.clone(),
            };
            legacy = Legacy::new(attributes);
            &legacy
        }
        name => {
            let settings = config.recommenders.get(name).cloned().unwrap_or_default();
            let estimator = estimator_named(name)?.build(&settings.into())?;
            let recommender = Informed { estimator, products: attributes(shop)? };
            learnt = Promoted { recommender, fill: Some(Popularity::default()) };
            &learnt
        }
    };
    let lists = ranker.score(&shop.history, &eligibility, week.as_of.days(), &asked)?;
    let candidates = week.candidates();
    let mut scored = Scored::new(candidates.clone(), RANK_SCORE);
    scored.routes = routes_of(week, config);
    for (customer, list) in customers.iter().zip(lists) {
        let given: BTreeMap<u32, f64> = list.into_iter().collect();
        let value = |promotion: &i32| {
            let score = given.get(&(*promotion as u32)).copied().unwrap_or(0.0);
            ranked(score * SCORE_SCALE, &week.promotions[promotion].base)
        };
        scored.push(*customer, candidates.iter().map(value));
    }
    Ok(scored)
}

/// A recommender that knows more of products than it is told.
struct Informed {
    estimator: Box<dyn Recommender>,
    products: Attributes,
}

impl Recommender for Informed {
    fn name(&self) -> &'static str {
        self.estimator.name()
    }

    fn fit<'a>(&'a self, training: &Training<'a>) -> Result<Box<dyn Fitted + 'a>> {
        self.estimator.fit(&Training { products: &self.products, ..*training })
    }
}

/// What is known of a shop's products.
fn attributes(shop: &Shop) -> Result<Attributes> {
    let one = |values: &[u32]| values.iter().map(|value| vec![*value]).collect::<Vec<_>>();
    Attributes::none(shop.history.products())
        .with("product_type", &one(&shop.product_types))?
        .with("brand", &one(&shop.brands))
}

/// A value that no model of ours says, with what an average customer does.
fn ranked(value_minor: f64, base: &Base) -> Value {
    let cost_minor = base.buyer_rate * base.discount_minor;
    Value {
        value_minor,
        expected_cost_minor: cost_minor,
        margin_loss_minor: cost_minor,
        response_rate: base.buyer_rate,
        discovery_rate: 0.0,
    }
}
