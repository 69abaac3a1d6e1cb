//! Did it work, and how sure are we?
//!
//! Pure: integer-indexed arrays in, numbers out; no I/O, no clock, no randomness of its own.
//! [`assignment`] says who is held out, [`srm`] whether the arms came out as planned, [`Sums`] (exact, of
//! integers), [`Moments`] and [`estimate`] how large an effect is and how sure, [`off_policy`] what another policy
//! would have brought, [`offline`] is the referee of the backtest, and [`ranking`] that of recommenders.

pub mod assignment;
mod chi2;
pub mod estimate;
mod found;
mod holm;
pub mod lift;
mod moments;
mod normal;
pub mod off_policy;
pub mod offline;
pub mod power;
pub mod ranking;
pub mod sequential;
pub mod srm;
mod student;
mod sums;
pub mod uplift;

pub use found::Found;
pub use moments::{Moments, PairMoments};
pub use sums::{Sums, UNITS_MAX, VALUE_MAX};
