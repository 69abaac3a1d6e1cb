//! How many order lines does the simulator make in a second on one core, and in how much memory?

use super::record::{Goal, Record};
use super::shop::{cores, simulate};
use super::{Bench, Failure};

/// Repeats of every size.
const REPEATS: usize = 3;

pub(crate) fn run(bench: &Bench) -> Result<Vec<Record>, Failure> {
    let sizes: &[u32] = bench.size(&[2_000, 20_000, 200_000], &[1_000, 10_000]);
    let threads = cores();
    let (mut points, mut rates, mut peaks, mut lines) = (Vec::new(), Vec::new(), Vec::new(), 0.0);
    for &customers in sizes {
        rates.clear();
        peaks.clear();
        let mut seconds = Vec::new();
        for _ in 0..bench.size(REPEATS, 1) {
            let (shop, taken) = simulate(bench, customers, threads)?;
            lines = shop.lines;
            rates.push(lines / taken.cpu_seconds);
            peaks.push(taken.peak_mb);
            seconds.push(taken.seconds);
        }
        seconds.sort_by(f64::total_cmp);
        points.push((f64::from(customers), seconds[seconds.len() / 2]));
    }
    let how = format!(
        "{lines:.0} lines with their browsing, written as Parquet, {threads} threads in {:.1} s",
        points.last().map_or(f64::NAN, |point: &(f64, f64)| point.1)
    );
    Ok(vec![
        Record::new("simulator: lines per second of a core", "lines/s", &rates)
            .goal(Goal::AtLeast(1e6))
            .note(how),
        Record::new("simulator: memory", "MB", &peaks).goal(Goal::AtMost(2_000.0)),
        Record::growth("simulator: growth with customers", &points),
    ])
}
