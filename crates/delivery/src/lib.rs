//! How does the offer reach the person?
//!
//! Rows in, rows, bytes and pages out: this crate reads no file, no clock and no store. The binary
//! hands it the decisions of a run and writes what it returns.
//!
//! - [`offers::publish`]: decisions become offers, with codes and reasons in words.
//! - [`csv`], [`json_lines`]: offers become a file for a coupon system or a mail provider.
//! - [`report`]: a run or a backtest becomes one self-contained HTML page.
#![cfg_attr(
    test,
    allow(
        clippy::unwrap_used,
        clippy::expect_used,
        clippy::allow_attributes,
        reason = "a test may fail loudly"
    )
)]

pub mod codes;
pub mod csv;
pub mod format;
pub mod json_lines;
pub mod offers;
pub mod reasons;
pub mod report;
