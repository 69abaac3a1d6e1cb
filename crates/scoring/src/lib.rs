//! What is an offer worth to a customer, and why?
//!
//! Pure: predictions and facts in, values, routes and reason codes out; `quickscorer` turns a tree ensemble into
//! predictions of all pairs. Who gets what is decided in `tercet-allocation`.

pub mod quickscorer;
mod reasons;
mod routes;
mod value;

pub use reasons::{Drivers, PairFacts, REASONS_MAX, reason_codes};
pub use routes::{CustomerFacts, Route, RouteRules, route};
pub use value::{
    Base, Bonus, Brought, Prediction, Rates, Value, incremental, spend_per_response_minor,
    visit_index, worth,
};
