//! How many order lines does the simulator make in a second on one core, and in how much memory?

use super::record::{Goal, Record};
use super::shop::{World, cores, growth_sizes, simulate};
use super::{Bench, Failure};

/// Repeats of every size.
const REPEATS: usize = 3;

pub(crate) fn run(bench: &Bench) -> Result<Vec<Record>, Failure> {
    let threads = cores();
    let (mut rates, mut peaks, mut seconds, mut lines) = (Vec::new(), Vec::new(), Vec::new(), 0.0);
    for _ in 0..bench.size(REPEATS, 1) {
        let (shop, taken) = simulate(bench, World::Grocery, bench.size(200_000, 10_000), threads)?;
        lines = shop.lines;
        rates.push(lines / taken.cpu_seconds);
        peaks.push(taken.peak_mb);
        seconds.push(taken.seconds);
    }
    seconds.sort_by(f64::total_cmp);
    let how = format!(
        "{lines:.0} lines with their browsing, written as Parquet, {threads} threads in {:.1} s",
        seconds[seconds.len() / 2]
    );
    let (mut points, mut peak_mb) = (Vec::new(), f64::NAN);
    for customers in growth_sizes(bench) {
        let (_, taken) = simulate(bench, World::PhotoGift, customers, threads)?;
        points.push((f64::from(customers), taken.seconds));
        peak_mb = taken.peak_mb.max(peak_mb);
    }
    Ok(vec![
        Record::new("simulator: lines per second of a core", "lines/s", &rates)
            .goal(Goal::AtLeast(1e6))
            .note(how),
        Record::new("simulator: memory", "MB", &peaks).goal(Goal::AtMost(2_000.0)),
        Record::new("simulator: memory, photo gifts", "MB", &[peak_mb]).goal(Goal::AtMost(2_000.0)),
        Record::growth("simulator: growth with customers, photo gifts", &points),
    ])
}
