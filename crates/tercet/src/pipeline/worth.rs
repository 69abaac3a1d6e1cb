//! What is each offer worth to each customer, by the engine that decides?

mod engines;
mod valuer;
mod visits;

use std::collections::BTreeMap;

use tercet_scoring::{CustomerFacts, Route, RouteRules, Value, route};
use tercet_types::segment::Behaviour;

pub(crate) use self::engines::{OWN_ENGINE, baseline_scores, known_engine, outside_scores};
pub(super) use self::valuer::Valuer;
pub(crate) use self::valuer::tercet_scores;
pub(crate) use self::visits::Visits;
use super::aside::Responses;
use super::week::{KnownCustomer, Week};
use crate::config::Config;

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
