//! How does data get in, checked, and nothing is lost?
#![cfg_attr(
    test,
    allow(
        clippy::unwrap_used,
        clippy::expect_used,
        clippy::allow_attributes,
        reason = "a failed test should stop at once"
    )
)]

mod health;
mod options;
mod run;
mod spec;

pub use health::{CheckOutcome, Health, TableHealth};
pub use options::{ContractOptions, NoiseRule, Policy, PrepareOptions};
pub use run::{CHECKS, Loaded, check, load};
pub use spec::{Format, InputSpec, SourceSpec, Sources};
