//! Does the binary do what a person who types its verbs is told it does?
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::allow_attributes,
    reason = "a failed test should stop at once"
)]

mod assignment;
mod cli;
mod compare;
mod demo;
mod evaluate_policy;
mod exploration;
mod faults;
mod lift;
mod s3;
mod scopes;
mod simulate;
mod support;
mod uplift;
mod weekly_run;
