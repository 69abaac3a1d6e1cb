//! How long does a plan for so many customers take, how close does it come, and how much memory is it?
//!
//! `cargo run --release -p tercet-allocation --example scale -- [--json] [--promotions 100] [--seed 1] [--margin] 50000 5000000`
#![expect(clippy::print_stdout, reason = "an example prints its figures")]
#![expect(clippy::disallowed_methods, reason = "timing is what this example is for")]

mod scarce;

use std::time::Instant;

use tercet_allocation::solve::{Dual, Phase};
use tercet_allocation::verify_all;

/// The allocator of the program, so that its plans are what is measured.
#[cfg(not(target_env = "msvc"))]
#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

/// The most memory the process has had, MB, where the system tells.
fn peak_mb() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kb = peak.and_then(|peak| peak.trim().trim_end_matches("kB").trim().parse::<u64>().ok());
    kb.unwrap_or(0) / 1_000
}

/// Seconds of processor time of all threads so far, where the system tells: what a busy machine does not change
/// much.
fn processor_seconds() -> f64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let after_name = stat.rsplit(')').next().unwrap_or_default();
    let ticks =
        after_name.split_whitespace().skip(11).take(2).filter_map(|n| n.parse::<f64>().ok());
    ticks.sum::<f64>() / 100.0
}

fn main() -> tercet_types::Result<()> {
    let (mut sizes, mut is_json) = (Vec::new(), false);
    let mut shop = Shop { promotions: 100, seed: 1, with_margin: false };
    let mut words = std::env::args().skip(1);
    while let Some(word) = words.next() {
        let mut number = |or: u64| words.next().and_then(|word| word.parse().ok()).unwrap_or(or);
        match word.as_str() {
            "--json" => is_json = true,
            "--margin" => shop.with_margin = true,
            "--promotions" => shop.promotions = number(100) as u32,
            "--seed" => shop.seed = number(1),
            size => sizes.extend(size.parse::<usize>()),
        }
    }
    if sizes.is_empty() {
        sizes.push(50_000);
    }
    for customers in sizes {
        measure(customers, shop, is_json)?;
    }
    Ok(())
}

/// The scarce shop, but for how many customers it has.
#[derive(Clone, Copy)]
struct Shop {
    promotions: u32,
    seed: u64,
    with_margin: bool,
}

fn measure(customers: usize, shop: Shop, is_json: bool) -> tercet_types::Result<()> {
    let Shop { promotions, seed, with_margin } = shop;
    let start = Instant::now();
    let problem = scarce::problem(seed, customers, promotions, with_margin)?;
    let filled = start.elapsed().as_secs_f64();
    let pairs = problem.customers.candidates();
    let (start, mut last) = (Instant::now(), (0.0, processor_seconds()));
    let start_processor = last.1;
    let mut phases: Vec<(&str, f64, f64)> = Vec::new();
    let solved = Dual::default().solve_watched(&problem, &mut |phase| {
        let name = match phase {
            Phase::Prices => "prices",
            Phase::Offers => "offers",
            Phase::Greedy => "greedy",
            Phase::Bound => "bound",
        };
        let now = (start.elapsed().as_secs_f64(), processor_seconds());
        phases.push((name, now.0 - last.0, now.1 - last.1));
        last = now;
    })?;
    let seconds = start.elapsed().as_secs_f64();
    let processor = processor_seconds() - start_processor;
    let peak = peak_mb();
    let start = Instant::now();
    verify_all(&problem, &solved.plan)?;
    let verified = start.elapsed().as_secs_f64();
    let certificate = &solved.certificate;
    let bytes = problem.customers.candidate_bytes() as f64 / pairs.max(1) as f64;
    let offers = solved.plan.offers().count();
    let threads = rayon::current_num_threads();
    let (value, bound, greedy) =
        (certificate.value_minor, certificate.bound_minor, certificate.greedy_minor);
    let (gap, above) = (100.0 * certificate.gap(), 100.0 * (value / greedy - 1.0));
    if is_json {
        let phases: Vec<String> = phases
            .iter()
            .map(|(name, seconds, cpu)| {
                format!("\"{name}_s\":{seconds:.3},\"{name}_cpu_s\":{cpu:.2}")
            })
            .collect();
        println!(
            "{{\"customers\":{customers},\"promotions\":{promotions},\"pairs\":{pairs},\"seed\":{seed},\
             \"threads\":{threads},\"solve_s\":{seconds:.3},\"solve_cpu_s\":{processor:.2},{},\"fill_s\":{filled:.3},\
             \"verify_s\":{verified:.3},\"value\":{value:.0},\"bound\":{bound:.0},\"gap_percent\":{gap:.4},\
             \"greedy\":{greedy:.0},\"above_greedy_percent\":{above:.1},\"offers\":{offers},\
             \"passes\":{},\"bytes_per_pair\":{bytes:.2},\"peak_mb\":{peak}}}",
            phases.join(","),
            certificate.passes
        );
    } else {
        let phases: Vec<String> = phases
            .iter()
            .map(|(name, seconds, cpu)| format!("{name} {seconds:.2} of {cpu:.2} processor"))
            .collect();
        println!(
            "{customers} customers x {promotions} promotions, {pairs} pairs of {bytes:.2} bytes (filled in \
             {filled:.1} s): solved in {seconds:.2} s, {processor:.1} s of processor time, on {threads} threads ({}), verified in \
             {verified:.1} s; {offers} offers, value {value:.0}, bound {bound:.0}, gap {gap:.4} %, \
             {above:.1} % above greedy, {} passes, peak {peak} MB",
            phases.join(", "),
            certificate.passes
        );
    }
    Ok(())
}
