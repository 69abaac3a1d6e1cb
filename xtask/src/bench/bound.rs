//! Is the bound on a plan the optimum of the linear relaxation, and how long does HiGHS take for that?
//!
//! The scarce shop of the allocation's examples, which `bench/bound_vs_highs.py` makes number by number.

use std::process::Command;

use super::process::{number_of, printed};
use super::record::{Goal, Record};
use super::{Bench, Failure};

/// Shops: each seed is another, the last one with a budget of margin beside that of costs.
const SEEDS: u32 = 3;

pub(crate) fn run(bench: &Bench) -> Result<Vec<Record>, Failure> {
    let scale = bench.example("tercet-allocation", "scale")?;
    let customers: u32 = bench.size(2_000, 300);
    let (mut apart, mut ours, mut theirs) = (Vec::new(), Vec::new(), Vec::new());
    let mut pairs = 0.0;
    for seed in 1..=SEEDS {
        let is_last = seed == SEEDS;
        let (seed, customers) = (seed.to_string(), customers.to_string());
        let margin: &[&str] = if is_last { &["--margin"] } else { &[] };
        let ours_made = ["--json", "--seed", &seed, &customers];
        let found = printed(Command::new(&scale).args(ours_made).args(margin))?;
        let mut highs = Command::new(bench.python()?);
        highs.arg(bench.root.join("bench/bound_vs_highs.py")).args(margin);
        let other = printed(highs.args(["--customers", &customers, "--seed", &seed]))?;
        pairs = number_of(&found, "pairs")?;
        if pairs != number_of(&other, "pairs")? {
            return Err(format!("not the same problem: {found} and {other}"));
        }
        let optimum = number_of(&other, "optimum")?;
        apart.push((number_of(&found, "bound")? / optimum - 1.0).abs());
        ours.push(number_of(&found, "solve_s")?);
        theirs.push(number_of(&other, "seconds")?);
    }
    let how = format!("{customers} customers, {pairs} pairs; {SEEDS} shops");
    Ok(vec![
        Record::new("bound: relative distance from the linear optimum", "", &apart)
            .goal(Goal::AtMost(1e-4))
            .note(&how),
        Record::new("bound: time, with a plan of whole offers", "s", &ours)
            .beside("HiGHS, without", &theirs)
            .note(how),
    ])
}
