//! Which engine would have picked better, judged on weeks that already happened?
//!
//! The caller replays each [`Week`] with every engine and hands over the [`Slate`]s;
//! [`referee`] computes the metrics of [`metrics`], their paired bootstrap intervals
//! ([`bootstrap`]) and the [`Summary`].
//!
//! Every engine is judged on the same customers, the same candidates and the same bootstrap draws.

pub mod bootstrap;
mod index;
pub mod metrics;
mod outcome;
mod referee;
mod summary;
mod week;

pub use bootstrap::{Bootstrap, Interval};
pub use metrics::Metric;
pub use referee::{EngineSlates, referee};
pub use summary::{Breakdown, Denominators, PairedInterval, PerMetric, PerScope, Summary};
pub use week::{Breadth, CustomerWeek, Purchase, SLATE_LEN, Scope, Slate, Week, WeekPromotion};
