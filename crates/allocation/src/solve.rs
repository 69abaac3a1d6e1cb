//! How is a problem turned into a plan?

mod assembly;
mod desk;
mod dual;
mod greedy;
mod picks;
mod pins;
mod seats;

use rayon::prelude::*;
use tercet_types::Result;

use crate::plan::Plan;
use crate::problem::Problem;

pub use dual::{Dual, Phase};
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

/// Customers in the order of their hash.
fn hash_order(problem: &Problem<'_>) -> Vec<u32> {
    let customers = problem.customers.iter().map(|customer| customer.order);
    let mut keys: Vec<(u64, u32)> = customers.zip(0..).collect();
    keys.par_sort_unstable();
    keys.into_iter().map(|(_, at)| at).collect()
}
