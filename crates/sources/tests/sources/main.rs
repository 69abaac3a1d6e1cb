//! Do real files, good and bad, become the tables that they should?
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::allow_attributes,
    reason = "a failed test should stop at once"
)]

mod faults;
mod formats;
mod mapping;
mod parts;
mod preparation;
mod shop;
