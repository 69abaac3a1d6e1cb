//! How are all customers scored with all promotions by a tree ensemble, without a row per pair?
//!
//! Every test of a tree looks at one feature, and every feature belongs to the customer, to the promotion or to
//! both (cross). A test that fails rules out the leaves of its left subtree: a bit mask. The leaf a row ends in
//! is the first one that no failing test rules out (Lucchese et al., "QuickScorer", SIGIR 2015,
//! doi:10.1145/2766462.2767733), so the order of tests does not matter and the tests of a tree can be split:
//! masks of promotions are made once a run, those of a customer once a customer, those of cross features once a
//! customer and group of promotions; groups of which nothing is known share one row. A pair costs one AND, one count of zeros and one look into the leaves per
//! tree. Values are compared side by side over customers, promotions or groups, as in Ye et al., "RapidScorer",
//! KDD 2018, doi:10.1145/3219819.3219857.
//!
//! Leaves are summed as integers: the same sums on every instruction set and any number of threads.

#[cfg(target_arch = "x86_64")]
mod avx2;
#[cfg(target_arch = "x86_64")]
mod avx512;
mod best;
mod compile;
mod fixed;
mod kernel;
mod portable;
mod score;
mod sides;
mod tree;

pub use best::{Entry, Lists};
pub use kernel::Kernel;
pub use score::{Promotions, Scorer};
pub use sides::{Cross, Place, Rows, Side, SomeRows};
pub use tree::TreeView;
