//! Which estimators of customer × product scores are there?
//!
//! One a file, each behind [`Recommender`](crate::Recommender), each with its source and a line in the conformance
//! suite. Sequence models (recurrent, attention) have their place beside these: a file that fits on
//! [`Training`](crate::Training) and answers a [`Query`](crate::Query), whose lines are in order.

mod customer_knn;
mod decayed_frequency;
mod personal_frequency;
mod popularity;

pub use customer_knn::CustomerKnn;
pub use decayed_frequency::{DecayedFrequency, Normalisation, Weight};
pub use personal_frequency::PersonalFrequency;
pub use popularity::Popularity;
