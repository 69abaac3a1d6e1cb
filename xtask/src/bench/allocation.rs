//! How long does the plan of a large shop take, in how much memory, and how close does it come to its bound?
//!
//! `scale`, an example of the allocation: 100 promotions with a cap each and one budget, a process for each size, so
//! that the peak of memory is that size's.

use std::process::Command;

use super::process::{number_of, printed};
use super::record::{Goal, Record};
use super::{Bench, Failure};

/// From so many customers on a plan must come within [`GAP_MAX_PERCENT`] of its bound.
const GAP_FROM_CUSTOMERS: u32 = 100_000;

const GAP_MAX_PERCENT: f64 = 0.1;

/// The size that time and memory are promised for.
const PROMISED_CUSTOMERS: u32 = 5_000_000;

pub(crate) fn run(bench: &Bench) -> Result<Vec<Record>, Failure> {
    let scale = bench.example("tercet-allocation", "scale")?;
    let sizes: &[u32] = bench.size(&[50_000, 500_000, PROMISED_CUSTOMERS], &[10_000, 100_000]);
    let (mut records, mut points) = (Vec::new(), Vec::new());
    for &customers in sizes {
        let (mut seconds, mut peaks, mut gaps, mut above) =
            <(Vec<_>, Vec<_>, Vec<_>, Vec<_>)>::default();
        for _ in 0..bench.size(3, 1) {
            let mut command = Command::new(&scale);
            let found = printed(command.args(["--json", &customers.to_string()]))?;
            seconds.push(number_of(&found, "solve_s")?);
            peaks.push(number_of(&found, "peak_mb")?);
            gaps.push(number_of(&found, "gap_percent")?);
            above.push(number_of(&found, "above_greedy_percent")?);
        }
        let name = |what: &str| format!("allocation: {customers} customers × 100, {what}");
        let time = Record::new(name("time"), "s", &seconds);
        points.push((f64::from(customers), time.middle()));
        let memory = Record::new(name("memory"), "MB", &peaks);
        let gap = Record::new(name("gap to the bound"), "%", &gaps);
        if customers == PROMISED_CUSTOMERS {
            records.push(time.goal(Goal::AtMost(15.0)));
            records.push(memory.goal(Goal::AtMost(4_000.0)));
        } else {
            records.extend([time, memory]);
        }
        let is_held = customers >= GAP_FROM_CUSTOMERS;
        records.push(if is_held { gap.goal(Goal::AtMost(GAP_MAX_PERCENT)) } else { gap });
        let above = Record::new(name("above greedy"), "%", &above);
        records.push(above.goal(Goal::AtLeast(20.0)));
    }
    records.push(Record::growth("allocation: growth with customers", &points));
    Ok(records)
}
