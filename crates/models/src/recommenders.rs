//! Which estimators of customer × product scores are there?
//!
//! One a file, each behind [`Recommender`](crate::Recommender), each with its source and a line in the conformance
//! suite. Sequence models (recurrent, attention) have their place beside these: a file that fits on
//! [`Training`](crate::Training) and answers a [`Query`](crate::Query), whose lines are in order.

mod association_rules;
mod customer_knn;
mod decayed_frequency;
mod lenders;
mod personal_frequency;
mod popularity;
mod purchase_cycles;
mod tifu_knn;
mod up_cf;

pub use association_rules::{AssociationRules, Rule, RuleParams, rules};
pub(crate) use association_rules::{called, orders, single};
pub use customer_knn::CustomerKnn;
pub use decayed_frequency::{DecayedFrequency, Normalisation, Weight};
pub use personal_frequency::PersonalFrequency;
pub use popularity::Popularity;
pub use purchase_cycles::{Cycles, DueProduct, PurchaseCycles};
pub use tifu_knn::TifuKnn;
pub use up_cf::UpCf;
