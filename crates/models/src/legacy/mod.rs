//! Which promotions does the statistical engine pick that every retailer starts from?
//!
//! Three parts, each usable alone, joined by [`Legacy`]: products that are due again
//! ([`PurchaseCycles`]), product types that go with what was bought lately
//! ([`association_rules::rules`]) and favourite brands in favourite product types
//! ([`favourite_brand::favourites`]).

pub mod association_rules;
mod engine;
pub mod favourite_brand;
mod fp_tree;
mod purchase_cycle;

pub use engine::{ItemAttributes, Legacy, LegacyParams, Reason, ScoredPromotion};
pub use purchase_cycle::{CycleParams, DueProduct, PurchaseCycles};
