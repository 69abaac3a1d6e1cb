//! How long do prices take on a large shop, how close do they come, and what is greedy worth?
//!
//! `cargo run --release -p tercet-allocation --example dual_speed -- 50000 500000`: customers, 50,000 when
//! none are given. The instance is synthetic: every promotion may reach one customer in a hundred, good
//! customers are good for every promotion, and the budget pays for a third of what caps allow.
#![expect(clippy::print_stdout, reason = "an example prints its figures")]
#![expect(clippy::disallowed_methods, reason = "timing is what this example is for")]

use std::time::Instant;

use tercet_allocation::solve::{Dual, Greedy, Solver};
use tercet_allocation::{Candidate, Customer, NoOverlap, Problem, Promotion, Slot, verify_all};

const PROMOTIONS: u32 = 100;

/// A number within 0 and 1, scattered.
fn scatter(key: u64) -> f64 {
    let mixed = (key ^ (key >> 31)).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    let mixed = (mixed ^ (mixed >> 29)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    ((mixed ^ (mixed >> 32)) >> 11) as f64 / (1_u64 << 53) as f64
}

fn problem(customers: usize) -> Problem<'static> {
    let mut candidates = Vec::with_capacity(customers * PROMOTIONS as usize);
    let mut list = Vec::with_capacity(customers);
    for customer in 0..customers as u64 {
        let start = candidates.len();
        let spends = 200.0 / (0.05 + scatter(customer * 7 + 1));
        candidates.extend((0..PROMOTIONS).map(|promotion| {
            let pair = customer * 1_000 + u64::from(promotion);
            let appeal = 0.3 + scatter(u64::from(promotion) + 77);
            let taste = scatter(pair + 1_000_003);
            let value_minor = (spends * appeal * taste * taste) as i64;
            let expected_cost_minor = 1 + (spends * 0.2 * scatter(pair + 2_000_003)) as i64;
            // Every third promotion for the first slot, the next for the second …
            let slots = 1 << (promotion % 3);
            Candidate {
                promotion,
                slots,
                value_minor,
                expected_cost_minor,
                response_rate: 0.1,
                excluded: None,
            }
        }));
        list.push(Customer {
            max_offers: 3,
            candidates: start..candidates.len(),
            order: (scatter(customer + 9) * u64::MAX as f64) as u64,
            ..Customer::default()
        });
    }
    let cap = customers as u64 / 100;
    let costs: i64 = candidates.iter().map(|candidate| candidate.expected_cost_minor).sum();
    let mean_cost = costs as f64 / candidates.len().max(1) as f64;
    let offers = cap as f64 * f64::from(PROMOTIONS);
    Problem {
        slots: (0..3).map(|at| Slot { name: at.to_string(), channel: None }).collect(),
        promotions: vec![Promotion { cap: Some(cap), ..Promotion::default() }; PROMOTIONS as usize],
        customers: list,
        candidates,
        total_budget_minor: Some((mean_cost * offers / 3.0) as i64),
        offers_max: None,
        min_value_minor: Some(1),
        overlap: &NoOverlap,
    }
}

/// The most memory the process has had, MB, where the system tells.
fn peak_mb() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kb = peak.and_then(|peak| peak.trim().trim_end_matches("kB").trim().parse::<u64>().ok());
    kb.unwrap_or(0) / 1_000
}

fn main() -> tercet_types::Result<()> {
    let mut sizes: Vec<usize> = std::env::args().skip(1).filter_map(|n| n.parse().ok()).collect();
    if sizes.is_empty() {
        sizes.push(50_000);
    }
    for customers in sizes {
        let problem = problem(customers);
        let made = peak_mb();
        let start = Instant::now();
        let greedy = Greedy.solve(&problem)?;
        let greedy_seconds = start.elapsed().as_secs_f64();
        drop(greedy);
        let start = Instant::now();
        let solved = Dual.solve_with_certificate(&problem)?;
        let seconds = start.elapsed().as_secs_f64();
        verify_all(&problem, &solved.plan)?;
        let certificate = solved.certificate;
        println!(
            "synthetic, {customers} customers x {PROMOTIONS} promotions: {seconds:.1} s with its bound and \
             greedy's plan ({greedy_seconds:.1} s), value {:.0}, bound {:.0}, gap {:.4} %, greedy {:.0} \
             ({:.1} % below), {} limits with a price, peak {} MB ({made} MB of them the problem)",
            certificate.value_minor,
            certificate.bound_minor,
            100.0 * certificate.gap(),
            certificate.greedy_minor,
            100.0 * (1.0 - certificate.greedy_minor / certificate.value_minor),
            certificate.prices.len(),
            peak_mb()
        );
    }
    Ok(())
}
