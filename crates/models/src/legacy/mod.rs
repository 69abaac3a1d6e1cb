//! Which promotions does the statistical engine pick that every retailer starts from?
//!
//! Three parts, each usable alone, joined by [`Legacy`]: products that are due again
//! ([`PurchaseCycles`](crate::PurchaseCycles)), product types that go with what was bought lately
//! ([`rules`](crate::recommenders::rules)) and favourite brands in favourite product types
//! ([`favourite_brand::favourites`]).

mod engine;
pub mod favourite_brand;

pub use engine::{ItemAttributes, Legacy, LegacyParams, Reason, ScoredPromotion};
