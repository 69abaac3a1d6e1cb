//! Which estimators of customer × product scores are there?
//!
//! One a file, each behind [`Recommender`](crate::Recommender), each with its source and a line in the conformance
//! suite. Sequence models (recurrent, attention) have their place beside these: a file that fits on
//! [`Training`](crate::Training) and answers a [`Query`](crate::Query), whose lines are in order.

mod als;
mod association_rules;
mod blend;
mod customer_knn;
mod decayed_frequency;
mod decayed_popularity;
mod ease;
mod everybody;
mod item_to_item;
mod lenders;
mod new_products;
mod newly_launched;
mod personal_frequency;
mod popularity;
mod purchase_cycles;
mod session_knn;
mod tifu_knn;
mod trending;
mod up_cf;

pub use als::{Als, Solver};
pub use association_rules::{AssociationRules, Rule, RuleParams, rules};
pub(crate) use association_rules::{called, orders, single};
pub use blend::{Blend, HeldBack, Members};
pub use customer_knn::CustomerKnn;
pub use decayed_frequency::{DecayedFrequency, Normalisation, Weight};
pub use decayed_popularity::DecayedPopularity;
pub use ease::Ease;
pub use item_to_item::{ItemToItem, Kept, Measure};
pub use new_products::NewProducts;
pub use newly_launched::NewlyLaunched;
pub use personal_frequency::{PersonalFrequency, Ties};
pub use popularity::{Counted, Popularity};
pub use purchase_cycles::{Cycles, DueProduct, PurchaseCycles};
pub use session_knn::SessionKnn;
pub use tifu_knn::TifuKnn;
pub use trending::Trending;
pub use up_cf::UpCf;
