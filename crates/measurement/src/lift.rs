//! What did the offers bring: in all, week by week, and to whom?
//!
//! Units are customers in the arm they were logged in first, whatever reached them afterwards. Their weeks are
//! added up once ([`Tally`]), part by part and in any order, to sums that are the same bit for bit; every figure
//! ([`Lift`]) is a statistic of these sums.

mod metric;
mod report;
mod tally;

pub use metric::{Kind, METRICS, Metric, Number, Role, WEEK_NUMBERS};
pub use report::{Lift, LiftAsk, MetricLift, SegmentLift, WeekLift, WeekLook, lift};
pub use tally::{Horizon, Tally, UnitRow, WeekRow, pooled_cap};
