//! Did it work, and how sure are we?
//!
//! Pure: integer-indexed arrays in, numbers out; no I/O, no clock, no randomness of its own.
//! [`assignment`] says who is held out, [`srm`] whether the arms came out as planned, and
//! [`offline`] is the referee of the backtest.

pub mod assignment;
pub mod offline;
pub mod srm;
