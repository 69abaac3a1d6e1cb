//! What does the past say about the future?
//!
//! Pure estimators, one per file, each with its source: arrays in, arrays out.
//! No I/O, no clock, no randomness that the caller did not seed; the same bits on any number of threads.
//!
//! - [`gbdt`]: the gradient-boosted tree ensemble and its file format.
//! - [`LogLinear`]: how often something happens, when every fact multiplies how often.
//! - [`calibration`], [`quality`]: how far predictions can be trusted.
//! - [`uplift`]: what a treatment adds for each customer, learnt from a trial.
//! - [`customer_value`]: how often a customer will still buy, for how much, and what that is worth today.
//! - [`neighbour_features`]: what the customers alike buy, per customer and promotion.
//! - [`due_features`]: what a customer is about to need again, per customer and promotion.
//! - [`Recommender`]: customer × product scores; [`recommenders`] lists the estimators.
//! - [`PromotionRanker`]: customer × promotion scores from [`Purchases`] and [`Eligibility`] alone: [`legacy::Legacy`], and
//!   every recommender as [`Promoted`].

#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, reason = "a failed test panics"))]

mod attributes;
pub mod calibration;
#[cfg(test)]
mod conformance;
pub mod customer_value;
mod dense;
mod due;
mod eligibility;
pub mod gbdt;
pub mod legacy;
mod likeness;
mod log_linear;
mod neighbours;
mod pool;
mod promotion_ranker;
mod purchases;
pub mod quality;
mod recommender;
pub mod recommenders;
pub mod registry;
mod row;
pub mod search;
mod sequences;
mod setting;
mod type_pairs;
pub mod uplift;

pub use attributes::{Attributes, Kind};
pub use due::{DUE_FEATURES, Due, DueFeatures, due_features};
pub use eligibility::Eligibility;
pub use log_linear::LogLinear;
pub use neighbours::{
    NeighbourFeature, NeighbourFeatures, NeighbourParams, Neighbours, neighbour_features,
};
pub use promotion_ranker::{Promoted, PromotionRanker, Scores};
pub use purchases::{Purchase, Purchases, PurchasesBuilder};
pub use recommender::{
    Fitted, Query, Ranked, Recommender, Seen, Training, Wanted, customers_for, similar_products,
};
pub use recommenders::{
    Als, AssociationRules, Blend, Counted, CustomerKnn, DecayedFrequency, DecayedPopularity, Ease,
    HeldBack, ItemToItem, Kept, Measure, Members, NewProducts, NewlyLaunched, Normalisation,
    PersonalFrequency, Popularity, PurchaseCycles, SessionKnn, Solver, Ties, TifuKnn, Trending,
    UpCf, Weight,
};
pub use row::{Row, top};
