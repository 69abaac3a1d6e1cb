//! Does the binary do what a person who types its verbs is told it does?
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::allow_attributes,
    reason = "a failed test should stop at once"
)]

mod assignment;
mod champion;
mod cli;
mod compare;
mod customer_value;
mod demo;
mod evaluate;
mod evaluate_policy;
mod exploration;
mod faults;
mod lift;
mod offer_values;
mod recommend;
mod s3;
mod scopes;
mod simulate;
mod support;
mod tune;
mod uplift;
mod weekly_run;
