//! What do we know about a customer, a product, a promotion and a pair, as of a date?
//!
//! Every feature is a statement in `sql/<entity>/<feature>.sql` over the canonical tables registered in an
//! [`Engine`](tercet_engine::Engine); only the sums over promotions' products are folded here (`cross.rs`). Only rows dated before the as-of date count; sums are of integers, so that
//! results are the same, bit for bit, on any number of threads.
//!
//! ```text
//! index ──▶ build_master(as_of) ──▶ PairSource::new(as_of, …)   features of the week to decide, by blocks of customers
//!                              └──▶ training_pairs(monday, …)   one past week to learn from
//! ```
#![cfg_attr(
    test,
    allow(
        clippy::unwrap_used,
        clippy::allow_attributes,
        reason = "a failed test should stop at once"
    )
)]

mod answers;
mod as_of;
mod bought;
mod by_customer;
mod cross;
mod history;
mod index;
mod looked;
mod master;
mod outcomes;
mod pair_block;
mod pair_features;
mod pair_source;
mod pairs;
mod profile;
mod promotion_buyers;
mod quintiles;
mod settings;
mod shop_sums;
mod sorted;
mod statement;
mod training;
mod units;

pub use answers::{
    ANSWER_CUSTOMER_FACTS, ANSWER_PROMOTION_FACTS, AnswerFacts, AnsweredPairs, CustomerAnswers,
    answered_pairs, given_pairs,
};
pub use index::{
    COLUMNS_READ, CUSTOMER_TABLES, Indexes, index, index_again, index_customers, index_shop,
    index_types,
};
pub use master::{
    MasterCounts, MasterFacts, MasterPart, MasterPlan, Masters, SHOP_TABLES, build_master,
};
pub use outcomes::{Attribution, FirstSales, OutcomeAsk, Outcomes, outcomes, spent_before};
pub use pair_block::{ModelColumns, Offered, PairBlock};
pub use pair_features::{
    CROSS_FEATURES, CUSTOMER_FEATURES, FeatureKind, MODEL_FEATURES, PAIR_FEATURES,
    PROMOTION_FEATURES, PairFeature, PairSide, Topic,
};
pub use pair_source::{PairPart, PairSource, forget_days};
pub use pairs::Pairs;
pub use profile::profile_columns;
pub use settings::{
    LifecycleSettings, PairSettings, ProductSettings, ProfileSettings, PromotionSettings,
    RfmSettings, Settings,
};
pub use training::{Sampling, TrainingPairs, labels, training_pairs};
pub use units::{
    PlanOf, UnitsAsk, keep_assigned_here, register_everybody, register_offers, register_units,
    sent_in_run,
};
