//! What do draws cost: time, value, promotions left out, draws that a limit refuses?
//!
//! `cargo run --release -p tercet-allocation --example exploration -- 50000 1000000`
#![expect(clippy::print_stdout, reason = "an example prints its figures")]
#![expect(clippy::disallowed_methods, reason = "timing is what this example is for")]

mod scarce;

use std::time::Instant;

use rayon::prelude::*;
use tercet_allocation::solve::{Dual, Solver};
use tercet_allocation::{Exploration, Law, Limit, verify_all};

fn main() -> tercet_types::Result<()> {
    let sizes: Vec<usize> = std::env::args().skip(1).filter_map(|word| word.parse().ok()).collect();
    let sizes = if sizes.is_empty() { vec![50_000] } else { sizes };
    for customers in sizes {
        let mut problem = scarce::problem(1, customers, 100, false)?;
        let law = Law { epsilon: 0.02, measurement_share: 0.01 };
        let exploration = Exploration { law, limit_share: law.share(), seed: 7 };
        let start = Instant::now();
        let reserve = exploration.reserve(&problem)?;
        let reserved = start.elapsed().as_secs_f64();
        let alone = Dual::default().solve(&problem)?.total_value_minor;
        reserve.take_from(&mut problem);
        let plan = Dual::default().solve(&problem)?;
        verify_all(&problem, &plan)?;
        reserve.give_back(&mut problem);
        let keys: Vec<u64> = problem.customers.iter().map(|customer| !customer.order).collect();
        let start = Instant::now();
        let explored = exploration.explore(&problem, plan, &keys)?;
        let tossed = start.elapsed().as_secs_f64();
        verify_all(&problem, &explored.plan)?;
        let start = Instant::now();
        let least = (0..customers)
            .into_par_iter()
            .map(|customer| explored.propensities(&problem, customer).slate)
            .reduce(|| 1.0, f64::min);
        let logged = start.elapsed().as_secs_f64();
        let drawn: u32 = (0..customers).map(|at| explored.drawn(at).count_ones()).sum();
        let left_out = |is_of: fn(&Limit) -> bool| {
            explored.left_out.iter().flatten().filter(|limit| is_of(limit)).count()
        };
        println!(
            "{customers} customers, {} offers: room in {reserved:.2} s, draws in {tossed:.2} s, propensities in {logged:.2} s on \
             {} threads; {:.3} % of slots drawn, left out {} promotions by caps and {} by the budget, {} refused, empty slots {}; value {:.3} % below a plan \
             without draws, expected {:.3} %; the least likely slate {least:.2e}",
            explored.plan.offers().count(),
            rayon::current_num_threads(),
            100.0 * f64::from(drawn) / (customers * problem.slots.len()) as f64,
            left_out(|limit| matches!(limit, Limit::Cap(_))),
            left_out(|limit| *limit == Limit::TotalBudget),
            explored.refused,
            if explored.is_filled_only { "not drawn" } else { "drawn too" },
            100.0 * (1.0 - explored.plan.total_value_minor / alone),
            100.0 * explored.expected_cost(),
        );
    }
    Ok(())
}
