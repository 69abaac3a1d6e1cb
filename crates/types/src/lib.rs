//! Which nouns do all stages share?
//!
//! Ring 0: ids, money, dates, errors and the schemas of the tables that stages hand each other.
//! No I/O, no clock, no randomness.

mod date;
mod error;
pub mod mechanic;
mod money;
pub mod segment;
pub mod tables;

pub use date::{DAYS_PER_WEEK, Date};
pub use error::{Error, ErrorKind, Result};
pub use money::{Currency, Money, Rounding};
