//! What would another policy have brought, judged on what this one did and how likely that was?
//!
//! A log with propensities says more than it did: each [`Round`] weighs by how much likelier the policy in
//! question would have done the same. [`WeighedLog`] adds rounds up to moments, merges with other parts of the
//! log, and gives the value of the policy by each [`Estimator`] with its interval, what the weights look like
//! ([`WeightFacts`]), or the [`Refusal`] that says why not.
//!
//! ```
//! use tercet_measurement::off_policy::{Estimator, Round, WeighedLog};
//! // Two promotions were drawn alike; the first sells in three rounds of four, the second in one.
//! let mut log = WeighedLog::default();
//! for n in 0..400 {
//!     let is_first = n % 2 == 0;
//!     let sells = if is_first { n % 8 != 0 } else { n % 8 == 1 };
//!     let always_first = if is_first { 1.0 } else { 0.0 };
//!     log.add(Round::new(0.5, always_first, f64::from(u8::from(sells)))?);
//! }
//! let value = log.value(Estimator::Ips, 0.95)?;
//! assert!((value.value - 0.75).abs() < 1e-12 && value.low < 0.75);
//! assert_eq!(log.value(Estimator::Dr, 0.95).unwrap_err().words(), "no reward was predicted");
//! # Ok::<(), tercet_measurement::off_policy::Refusal>(())
//! ```

mod columns;
mod estimator;
mod log;
mod model;
mod refusal;
mod round;
mod shrinkage;
mod weights;

pub use estimator::Estimator;
pub use log::WeighedLog;
pub use model::FoldedLine;
pub use refusal::Refusal;
pub use round::{Choice, Predicted, Round, check_policy, rounds};
pub use shrinkage::{LAMBDAS, Shrunk};
pub use weights::{GUARD_ERRORS, WeightFacts};
