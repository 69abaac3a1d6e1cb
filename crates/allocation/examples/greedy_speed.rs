//! How long does greedy take on a shop of usual size?
#![expect(clippy::print_stdout, reason = "an example prints its figures")]
#![expect(clippy::disallowed_methods, reason = "timing is what this example is for")]

use std::time::Instant;

use tercet_allocation::solve::{Greedy, Solver};
use tercet_allocation::{
    Candidate, Customer, Problem, Promotion, SharedProducts, Slot, verify_all,
};

const CUSTOMERS: usize = 2_500;
const PROMOTIONS: u32 = 1_000;
const PRODUCTS: u32 = 20_000;

/// A number below `bound`, scattered.
fn scatter(key: u64, bound: u64) -> u64 {
    let mixed = (key ^ (key >> 31)).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    ((mixed ^ (mixed >> 29)).wrapping_mul(0xBF58_476D_1CE4_E5B9) >> 20) % bound
}

fn products(key: u64, count: u64) -> Vec<u32> {
    let mut list: Vec<u32> =
        (0..count).map(|k| scatter(key * 100_003 + k, u64::from(PRODUCTS)) as u32).collect();
    list.sort_unstable();
    list.dedup();
    list
}

fn main() -> tercet_types::Result<()> {
    let eligible: Vec<Vec<u32>> = (0..u64::from(PROMOTIONS))
        .map(|p| products(p, if p.is_multiple_of(5) { 2_000 } else { 40 }))
        .collect();
    let expected: Vec<Vec<(u32, f32)>> = (0..CUSTOMERS as u64)
        .map(|c| {
            let spend = |p: u32| (p, 1.0 + scatter(c + u64::from(p), 500) as f32);
            products(c + 5_000, 120).into_iter().map(spend).collect()
        })
        .collect();
    let overlap = SharedProducts::new(eligible, &expected, None)?;
    let mut problem = Problem {
        slots: (0..3).map(|at| Slot { name: at.to_string(), channel: None }).collect(),
        promotions: vec![Promotion::default(); PROMOTIONS as usize],
        min_value_minor: Some(1),
        overlap: &overlap,
        ..Problem::default()
    };
    for c in 0..CUSTOMERS {
        let candidate = |promotion: u32| Candidate {
            promotion,
            slots: 1 + scatter(u64::from(promotion), 7) as u8,
            value_minor: overlap.union_minor(c, &[promotion]) as i64,
            expected_cost_minor: 10,
            margin_loss_minor: 0,
            excluded: None,
        };
        let order = scatter(c as u64, u64::MAX);
        let customer = Customer { max_offers: 3, order, ..Customer::default() };
        problem.customers.push(
            customer,
            &(0..PROMOTIONS).map(candidate).collect::<Vec<_>>(),
            &[],
        )?;
    }
    for (name, cap) in [("without caps", None), ("with a cap of 20 each", Some(20))] {
        problem.promotions.iter_mut().for_each(|promotion| promotion.cap = cap);
        let start = Instant::now();
        let plan = Greedy.solve(&problem)?;
        let solved = start.elapsed();
        verify_all(&problem, &plan)?;
        let all = start.elapsed();
        println!(
            "{CUSTOMERS} customers x {PROMOTIONS} candidates {name}: solved in {solved:?}, verified \
             after {all:?}, {} offers, value {:.0}",
            plan.offers().count(),
            plan.total_value_minor
        );
    }
    Ok(())
}
