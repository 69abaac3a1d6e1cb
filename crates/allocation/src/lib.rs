//! Who gets which three?
//!
//! Pure: a [`Problem`] of rows of candidates in, a [`Plan`] out. A [`solve::Solver`] fills the slots, and
//! [`verify_all`] holds every rule of [`constraints`] against the result, whoever made it.
//!
//! ```
//! use tercet_allocation::solve::Dual;
//! use tercet_allocation::{Candidate, Customer, Problem, Promotion, Slot, verify_all};
//!
//! let slot = |name: &str| Slot { name: name.to_owned(), channel: None };
//! let mut problem = Problem {
//!     slots: vec![slot("regular"), slot("new")],
//!     promotions: vec![Promotion { cap: Some(1), ..Promotion::default() }, Promotion::default()],
//!     ..Problem::default()
//! };
//! let offer = |promotion: u32, value_minor: i64| Candidate {
//!     promotion,
//!     slots: 0b11,
//!     value_minor,
//!     expected_cost_minor: 10,
//!     margin_loss_minor: 0,
//!     excluded: None,
//! };
//! for (order, value_minor) in [(7, 300), (3, 200)] {
//!     let customer = Customer { order, max_offers: 2, ..Customer::default() };
//!     problem.customers.push(customer, &[offer(0, value_minor), offer(1, 50)], &[])?;
//! }
//! let solved = Dual::default().solve_with_certificate(&problem)?;
//! verify_all(&problem, &solved.plan)?;
//! // The scarce offer goes where it is worth most, and no plan is worth more than the bound.
//! assert_eq!(solved.plan.total_value_minor, 400.0);
//! assert!(solved.certificate.gap() < 0.001);
//! # Ok::<(), tercet_types::Error>(())
//! ```

mod certificate;
pub mod constraints;
mod contacts;
mod customers;
mod explore;
mod ledger;
mod overlap;
mod plan;
mod problem;
mod rows;
mod shared_limits;
pub mod solve;
mod verify;
mod why;

pub use certificate::{Certificate, Certified, Limit, ShadowPrice};
pub use constraints::RuleId;
pub use contacts::ContactRules;
pub use customers::{Candidate, Customer, Customers, MAX_GROUPS};
pub use explore::{
    Exploration, Explored, Law, MAX_DRAWN_SLOTS, Opening, Openings, Propensities, Reserve, Slate,
};
pub use overlap::{CountedProducts, NoOverlap, Overlap, SharedProducts};
pub use plan::{Chosen, Origin, Placed, Plan, UnplacedPin};
pub use problem::{
    Budget, Floor, MAX_CHANNELS, MAX_SLOTS, Measure, Problem, Promotion, Slot, check_slots,
};
pub use rows::{MAX_PROMOTIONS, Row};
pub use shared_limits::LimitPart;
pub use verify::verify_all;
pub use why::{Reasons, WhyNot};
