//! How is a problem turned into a plan?

mod desk;
mod dual;
mod greedy;

use tercet_types::Result;

use crate::plan::Plan;
use crate::problem::Problem;

pub use dual::Dual;
pub use greedy::Greedy;

/// A way to fill the slots.
pub trait Solver {
    /// The name in reports.
    fn name(&self) -> &'static str;

    /// A plan that breaks no rule; the same problem gives the same plan on any number of threads.
    ///
    /// # Errors
    /// `T0602` (config) and `T0603` (internal) for a problem that is not well formed.
    fn solve(&self, problem: &Problem<'_>) -> Result<Plan>;
}
