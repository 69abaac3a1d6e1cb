//! What are offers worth by an engine that is not the product's own: one that ranks, or a table from outside?

use std::collections::BTreeMap;

use tercet_engine::Frame;
use tercet_models::legacy::{ItemAttributes, Legacy};
use tercet_models::registry::{ESTIMATORS, estimator_named};
use tercet_models::{
    Attributes, CustomerKnn, Fitted, PersonalFrequency, Popularity, Promoted, PromotionRanker,
    Recommender, Training,
};
use tercet_scoring::{Base, Value};
use tercet_types::{Error, Result};

use super::{ORDER_VALUE, RANK_SCORE, SCORE_SCALE, Scored, routes_of};
use crate::config::Config;
use crate::pipeline::shop::Shop;
use crate::pipeline::week::Week;

/// The engine that predicts what customers buy.
pub(crate) const OWN_ENGINE: &str = "tercet";

/// The engines that can decide beside the recommenders, the product's own first.
const ENGINES: [&str; 5] = [OWN_ENGINE, "personal-decayed", "legacy", "personal", "popular"];

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
