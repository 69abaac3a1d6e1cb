//! Which products would have been ranked best, over everything that could have been?
//!
//! Lists and truths in, figures out; no estimator is known here. [`Histories`] holds what customers took up,
//! [`Split`] says what is learnt from and what is judged ([`Fold`]), [`Referee`] holds ranked lists against the
//! truth of a fold by the [`Metric`]s, and [`compare`] puts models beside each other: means with bootstrap
//! intervals, and paired tests. Rankings are judged over all products, never over a drawn sample of them (Krichene
//! and Rendle 2020, doi:10.1145/3394486.3403226).

mod comparison;
mod fold;
mod history;
mod metric;
mod redraws;
mod referee;
mod scores;
mod split;

pub use comparison::{Ask, Comparison, Figure, ModelFigures, Paired, compare};
pub use fold::{Fold, Role};
pub use history::{Histories, Line, Part};
pub use metric::{Metric, PER_CUSTOMER};
pub use redraws::{Redrawn, Redraws};
pub use referee::Referee;
pub use scores::Scores;
pub use split::{Split, Stage, is_drawn};
