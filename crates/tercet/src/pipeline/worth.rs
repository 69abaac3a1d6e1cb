//! What is each offer worth to each customer, by the engine that decides?

use std::collections::BTreeMap;

use tercet_engine::{Engine, Frame};
use tercet_features::{PAIR_FEATURES, Pairs, category_pairs};
use tercet_models::legacy::{ItemAttributes, Legacy};
use tercet_models::{CustomerKnn, PersonalFrequency, Popularity, Recommender};
use tercet_scoring::{
    Bonus, CustomerFacts, Prediction, Route, RouteRules, Value, route, spend_per_response_minor,
    visit_index, worth,
};
use tercet_types::segment::Behaviour;
use tercet_types::{Error, Result};

use super::learn::Models;
use super::shop::Shop;
use super::week::Week;
use crate::config::Config;

/// The engines that can decide, the product's own first.
pub(crate) const ENGINES: [&str; 5] =
    ["tercet", "personal-decayed", "legacy", "personal", "popular"];

/// `value_kind` of amounts.
pub(crate) const ORDER_VALUE: &str = "order_value";

/// `value_kind` of engines that rank without amounts: their score in millionths.
pub(crate) const RANK_SCORE: &str = "rank_score";

/// Scores become integers at this scale.
pub(super) const SCORE_SCALE: f64 = 1e6;

/// Checks the name of an engine.
///
/// # Errors
/// `T1015` for a name that is not one.
pub(crate) fn known_engine(name: &str) -> Result<&'static str> {
    ENGINES.into_iter().find(|known| *known == name).ok_or_else(|| {
        Error::config("T1015", format!("there is no engine '{name}'"))
            .hint(format!("the engines are {}", ENGINES.join(", ")))
    })
}

/// Pairs with their values, sorted by customer, then promotion.
#[derive(Clone, Debug, Default)]
pub(crate) struct Scored {
    /// The customer of each pair.
    pub(crate) customer_ix: Vec<i32>,
    /// The promotion of each pair.
    pub(crate) promotion_ix: Vec<i32>,
    /// The value of each pair.
    pub(crate) values: Vec<Value>,
    /// The route of each customer.
    pub(crate) routes: BTreeMap<i32, Route>,
    /// What the values are: [`ORDER_VALUE`] or [`RANK_SCORE`].
    pub(crate) value_kind: &'static str,
}

/// The route of every customer of the week.
pub(crate) fn routes_of(week: &Week, config: &Config) -> BTreeMap<i32, Route> {
    let rules = RouteRules {
        recency_max_days: config.routes.recency_max_days,
        frequency_min_orders: config.routes.frequency_min_orders,
    };
    week.customers
        .iter()
        .map(|(ix, customer)| {
            let facts = CustomerFacts {
                behaviour: Behaviour::from_name(&customer.behaviour).unwrap_or(Behaviour::Neither),
                recency_days: customer.recency_days,
                orders: customer.orders,
            };
            (*ix, route(&facts, &rules))
        })
        .collect()
}

/// Recent browsing of customers in promotions' categories, against what browsing customers do.
pub(crate) struct Visits {
    /// Decayed visits by customer and promotion.
    of_pair: BTreeMap<(i32, i32), f64>,
    of_customer: BTreeMap<i32, f64>,
    of_promotion: BTreeMap<i32, f64>,
    all: f64,
}

/// `category_pairs` counts in millionths.
const MICRO: f64 = 1e6;

impl Visits {
    /// Reads the browsing before the week's Monday.
    pub(crate) fn read(
        engine: &Engine,
        week: &Week,
        config: &Config,
        promotions: &[i32],
    ) -> Result<Self> {
        let frame = category_pairs(engine, week.as_of, &config.features, promotions)?;
        let (customers, offers) = (frame.i32("customer_ix")?, frame.i32("promotion_ix")?);
        let events = frame.i64("events_micro")?;
        let totals =
            engine.query(include_str!("../../sql/visits_of_customers.sql"), &BTreeMap::new())?;
        let of_customer: BTreeMap<i32, f64> = totals
            .i32("customer_ix")?
            .into_iter()
            .zip(totals.i64("events_micro")?)
            .map(|(customer, micro)| (customer, micro as f64 / MICRO))
            .collect();
        let mut visits = Self {
            of_pair: BTreeMap::new(),
            all: of_customer.values().sum(),
            of_customer,
            of_promotion: BTreeMap::new(),
        };
        for ((customer, promotion), micro) in customers.into_iter().zip(offers).zip(events) {
            if micro > 0 {
                let events = micro as f64 / MICRO;
                visits.of_pair.insert((customer, promotion), events);
                *visits.of_promotion.entry(promotion).or_insert(0.0) += events;
            }
        }
        Ok(visits)
    }

    /// Decayed visits of the customer to the promotion's categories.
    pub(crate) fn of(&self, customer: i32, promotion: i32) -> f64 {
        self.of_pair.get(&(customer, promotion)).copied().unwrap_or(0.0)
    }

    fn index(&self, customer: i32, promotion: i32) -> f64 {
        let total = self.of_customer.get(&customer).copied().unwrap_or(0.0);
        let share = self.of_promotion.get(&promotion).copied().unwrap_or(0.0) / self.all.max(1e-9);
        visit_index(self.of(customer, promotion), total, share)
    }
}

/// Values of all pairs by the order-value models and the segment routes.
pub(crate) fn tercet_scores(
    week: &Week,
    config: &Config,
    pairs: &Pairs,
    models: Option<&Models>,
    visits: &Visits,
) -> Result<Scored> {
    let routes = routes_of(week, config);
    let predictions = match models {
        Some(models) => models.predict(pairs)?,
        None => vec![Prediction::default(); pairs.rows()],
    };
    let scale = spend_per_response_minor(&sums_by_promotion(pairs, &predictions));
    let bonus = Bonus {
        response_minor: config.model.response_weight * scale,
        discovery_minor: config.model.discovery_weight * scale,
        visit_weight: config.routes.visit_weight,
    };
    let mut values = Vec::with_capacity(pairs.rows());
    for ((customer, promotion), prediction) in
        pairs.customer_ix.iter().zip(&pairs.promotion_ix).zip(&predictions)
    {
        let route = match routes.get(customer).copied().unwrap_or(Route::Popular) {
            // Without a model, routes that need one fall back to what they have left.
            Route::Model if models.is_none() => Route::Popular,
            Route::Blend if models.is_none() => Route::Browsing,
            route => route,
        };
        let base = week.promotions.get(promotion).map(|p| p.base).unwrap_or_default();
        let index = visits.index(*customer, *promotion);
        values.push(worth(route, prediction, &base, index, &bonus));
    }
    Ok(Scored {
        customer_ix: pairs.customer_ix.clone(),
        promotion_ix: pairs.promotion_ix.clone(),
        values,
        routes,
        value_kind: ORDER_VALUE,
    })
}

fn sums_by_promotion(pairs: &Pairs, predictions: &[Prediction]) -> Vec<(f64, f64)> {
    let mut sums: BTreeMap<i32, (f64, f64)> = BTreeMap::new();
    for (promotion, prediction) in pairs.promotion_ix.iter().zip(predictions) {
        let sum = sums.entry(*promotion).or_default();
        sum.0 += prediction.spend_minor;
        sum.1 += prediction.response_rate;
    }
    sums.into_values().collect()
}

/// Values that a table from outside gives: pairs it does not name are worth nothing.
pub(crate) fn outside_scores(
    shop: &Shop,
    week: &Week,
    config: &Config,
    table: &Frame,
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
    let mut scored =
        Scored { routes: routes_of(week, config), value_kind: ORDER_VALUE, ..Scored::default() };
    for customer in week.customers.keys() {
        for promotion in &candidates {
            let base = week.promotions[promotion].base;
            let value_minor = given.get(&(*customer, *promotion)).copied().unwrap_or(0.0).max(0.0);
            scored.customer_ix.push(*customer);
            scored.promotion_ix.push(*promotion);
            scored.values.push(Value {
                value_minor,
                expected_cost_minor: base.buyer_rate * base.discount_minor,
                response_rate: base.buyer_rate,
                discovery_rate: 0.0,
            });
        }
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
    let legacy;
    let recommender: &dyn Recommender = match engine {
        "popular" => &Popularity::default(),
        "personal" => &PersonalFrequency::default(),
        "personal-decayed" => &CustomerKnn::default(),
        _ => {
            let attributes = ItemAttributes {
                product_types: shop.product_types.clone(),
                brands: shop.brands.clone(),
            };
            legacy = Legacy::new(attributes);
            &legacy
        }
    };
    let lists = recommender.score(&shop.history, &eligibility, week.as_of.days(), &asked)?;
    let candidates = week.candidates();
    let mut scored =
        Scored { routes: routes_of(week, config), value_kind: RANK_SCORE, ..Scored::default() };
    for (customer, list) in customers.iter().zip(lists) {
        let given: BTreeMap<u32, f64> = list.into_iter().collect();
        for promotion in &candidates {
            let base = week.promotions[promotion].base;
            scored.customer_ix.push(*customer);
            scored.promotion_ix.push(*promotion);
            scored.values.push(Value {
                value_minor: given.get(&(*promotion as u32)).copied().unwrap_or(0.0) * SCORE_SCALE,
                expected_cost_minor: base.buyer_rate * base.discount_minor,
                response_rate: base.buyer_rate,
                discovery_rate: 0.0,
            });
        }
    }
    Ok(scored)
}

/// Columns of the pair features that reasons and slot predicates read.
pub(crate) struct PairView<'a> {
    pairs: &'a Pairs,
    days: usize,
    age: usize,
    interval: usize,
    category: usize,
    neighbours: usize,
}

impl<'a> PairView<'a> {
    /// A view of pairs made by the features stage.
    ///
    /// # Errors
    /// `T0504` when a feature that reasons need is not among them.
    pub(crate) fn new(pairs: &'a Pairs) -> Result<Self> {
        let place = |name: &str| {
            PAIR_FEATURES.iter().position(|feature| feature.name == name).ok_or_else(|| {
                Error::internal("T0504", format!("there is no pair feature '{name}' for reasons"))
            })
        };
        Ok(Self {
            pairs,
            days: place("own_days")?,
            age: place("own_age_days")?,
            interval: place("own_interval_days")?,
            category: place("category_affinity")?,
            neighbours: place("neighbour_products")?,
        })
    }

    fn value(&self, row: usize, place: usize) -> Option<f64> {
        Some(f64::from(self.pairs.row(row)[place])).filter(|value| value.is_finite())
    }

    /// Days on which the customer bought an eligible product.
    pub(crate) fn own_days(&self, row: usize) -> i64 {
        self.value(row, self.days).unwrap_or(0.0) as i64
    }

    /// Days since the last of them.
    pub(crate) fn age_days(&self, row: usize) -> Option<f64> {
        self.value(row, self.age)
    }

    /// Days between them.
    pub(crate) fn interval_days(&self, row: usize) -> Option<f64> {
        self.value(row, self.interval)
    }

    /// True when the customer buys in the promotion's categories.
    pub(crate) fn buys_category(&self, row: usize) -> bool {
        self.value(row, self.category).is_some_and(|lines| lines > 0.0)
    }

    /// True when customers alike buy eligible products.
    pub(crate) fn similar_buy(&self, row: usize) -> bool {
        self.value(row, self.neighbours).is_some_and(|lines| lines >= 0.05)
    }
}
