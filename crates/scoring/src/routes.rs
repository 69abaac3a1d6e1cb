//! Which way of valuing offers serves this customer?
//!
//! The routes of a shop that sees purchases, browsing, or both: transaction-only customers by RFM
//! thresholds and the model, browsing-only customers by the categories they browsed, customers with
//! both by recency of category visits combined with RFM and the model.

use tercet_types::segment::Behaviour;

/// The way a customer's offers are valued.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Route {
    /// The model's order value: the customer buys often and recently enough to be predicted.
    Model,
    /// What sells: the customer bought too little or too long ago.
    Popular,
    /// Categories browsed, on top of what sells.
    Browsing,
    /// The model's order value, moved by recent category visits.
    Blend,
}

impl Route {
    /// All routes.
    pub const ALL: [Self; 4] = [Self::Model, Self::Popular, Self::Browsing, Self::Blend];

    /// The name in tables and reports.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Model => "rfm_and_model",
            Self::Popular => "what_sells",
            Self::Browsing => "browsed_categories",
            Self::Blend => "visits_and_model",
        }
    }
}

/// What routing looks at.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct CustomerFacts {
    /// The behaviour segment.
    pub behaviour: Behaviour,
    /// Days since the last order; `None` for customers who never ordered.
    pub recency_days: Option<i64>,
    /// Orders so far.
    pub orders: i64,
}

/// The RFM thresholds of the routes.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct RouteRules {
    /// Customers whose last order is older are served by what sells, days.
    pub recency_max_days: i64,
    /// Customers with fewer orders are served by what sells.
    pub frequency_min_orders: i64,
}

/// The route of a customer.
///
/// ```
/// use tercet_scoring::{CustomerFacts, Route, RouteRules, route};
/// use tercet_types::segment::Behaviour;
/// let rules = RouteRules { recency_max_days: 90, frequency_min_orders: 2 };
/// let lapsed = CustomerFacts { behaviour: Behaviour::TransactionOnly, recency_days: Some(200), orders: 9 };
/// assert_eq!(route(&lapsed, &rules), Route::Popular);
/// ```
pub fn route(customer: &CustomerFacts, rules: &RouteRules) -> Route {
    let known = customer.orders >= rules.frequency_min_orders
        && customer.recency_days.is_some_and(|days| days <= rules.recency_max_days);
    match (customer.behaviour, known) {
        (Behaviour::BrowsingOnly, _) => Route::Browsing,
        (Behaviour::Both, true) => Route::Blend,
        // Too little bought to be predicted, but the browsing is there.
        (Behaviour::Both, false) => Route::Browsing,
        (Behaviour::TransactionOnly, true) => Route::Model,
        (Behaviour::TransactionOnly | Behaviour::Neither, _) => Route::Popular,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_customer_has_one_route() {
        use Behaviour::{Both, BrowsingOnly, Neither, TransactionOnly};
        let rules = RouteRules { recency_max_days: 90, frequency_min_orders: 2 };
        let check = |behaviour, recency_days, orders, expect: Route| {
            let facts = CustomerFacts { behaviour, recency_days, orders };
            assert_eq!(route(&facts, &rules), expect, "{facts:?}");
        };
        check(TransactionOnly, Some(3), 5, Route::Model);
        check(TransactionOnly, Some(90), 2, Route::Model);
        check(TransactionOnly, Some(91), 5, Route::Popular);
        check(TransactionOnly, Some(3), 1, Route::Popular);
        check(BrowsingOnly, None, 0, Route::Browsing);
        check(Both, Some(3), 5, Route::Blend);
        check(Both, Some(300), 5, Route::Browsing);
        check(Neither, None, 0, Route::Popular);
    }
}
