//! Who gets which three?
//!
//! Pure: a [`Problem`] of flat arrays in, a [`Plan`] out. A [`solve::Solver`] fills the slots, and
//! [`verify_all`] holds every rule of [`constraints`] against the result, whoever made it.

mod certificate;
pub mod constraints;
mod ledger;
mod overlap;
mod plan;
mod problem;
pub mod solve;
mod verify;
mod why;

pub use certificate::{Certificate, Certified, Limit, ShadowPrice};
pub use constraints::RuleId;
pub use overlap::{CountedProducts, NoOverlap, Overlap, SharedProducts};
pub use plan::{Cell, Placed, Plan, UnplacedPin};
pub use problem::{Candidate, Customer, MAX_CHANNELS, MAX_SLOTS, Problem, Promotion, Slot};
pub use verify::verify_all;
pub use why::{WhyNot, why_not};
