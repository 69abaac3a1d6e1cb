//! What does the past say about the future?
//!
//! Pure estimators, one per file, each with its source: arrays in, arrays out.
//! No I/O, no clock, no randomness that the caller did not seed; the same bits on any number of threads.
//!
//! - [`gbdt`]: the gradient-boosted tree ensemble and its file format.
//! - [`calibration`], [`quality`]: how far predictions can be trusted.
//! - [`uplift`]: what a treatment adds for each customer, learnt from a trial.
//! - [`neighbour_features`]: what the customers alike buy, per customer and promotion.
//! - [`due_features`]: what a customer is about to need again, per customer and promotion.
//! - [`Recommender`]: customer × promotion scores from [`Purchases`] and [`Eligibility`] alone:
//!   [`Popularity`], [`PersonalFrequency`], [`DecayedFrequency`], [`CustomerKnn`] and [`legacy::Legacy`].

#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, reason = "a failed test panics"))]

pub mod calibration;
#[cfg(test)]
mod conformance;
mod customer_knn;
mod decayed_frequency;
mod due;
mod eligibility;
pub mod gbdt;
pub mod legacy;
mod likeness;
mod neighbours;
mod personal_frequency;
mod popularity;
mod purchases;
pub mod quality;
mod recommender;
mod type_pairs;
pub mod uplift;

pub use customer_knn::CustomerKnn;
pub use decayed_frequency::{DecayedFrequency, Normalisation, Weight};
pub use due::{DUE_FEATURES, Due, DueFeatures, due_features};
pub use eligibility::Eligibility;
pub use neighbours::{
    NeighbourFeature, NeighbourFeatures, NeighbourParams, Neighbours, neighbour_features,
};
pub use personal_frequency::PersonalFrequency;
pub use popularity::Popularity;
pub use purchases::{Purchase, Purchases};
pub use recommender::{Recommender, Scores};
