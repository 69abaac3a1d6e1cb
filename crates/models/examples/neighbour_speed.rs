//! What does a customer cost whose neighbours, and whose due products, are asked for?
//!
//! A shop of few products and sparse orders: 3,000 products of 200 types in 6 departments, about 40 lines a
//! customer, 78 promotions of 30 products. Prints the time per customer on one thread, by lenders.
#![expect(clippy::print_stdout, reason = "an example prints its figures")]
#![expect(clippy::disallowed_methods, reason = "timing is what this example is for")]

use std::time::{Duration, Instant};

use tercet_models::{Due, Eligibility, NeighbourParams, Neighbours, Purchase, Purchases};
use tercet_types::{Error, Result};

const CUSTOMERS: u32 = 60_000;
const PRODUCTS: u32 = 3_000;
const TYPES: u32 = 200;
const DEPARTMENTS: u32 = 6;
const ORDERS: u32 = 6;
const LINES: u32 = 7;
const DAYS: u32 = 182;
const PROMOTIONS: u32 = 78;
const ELIGIBLE: u32 = 30;
const ASKED: u32 = 4_096;

/// Numbers below `bound`, by a congruential generator.
fn draws(seed: u64) -> impl FnMut(u32) -> u32 {
    let mut state = seed;
    move |bound| {
        state =
            state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        ((state >> 33) as u32) % bound
    }
}

/// Customers who buy mostly in two departments, of which some products are bought much more.
fn history() -> Result<Purchases> {
    let mut draw = draws(1);
    let mut lines = Vec::new();
    for customer in 0..CUSTOMERS {
        let homes = [draw(DEPARTMENTS), draw(DEPARTMENTS)];
        for order in 0..ORDERS {
            let day = draw(DAYS) as i32;
            for _ in 0..LINES {
                let any = draw(DEPARTMENTS);
                let department = [homes[0], homes[0], homes[1], any][draw(4) as usize];
                let of_department = PRODUCTS / DEPARTMENTS;
                let skewed = draw(of_department).min(draw(of_department)).min(draw(of_department));
                let product = department * of_department + skewed;
                lines.push((customer, Purchase { day, order, product, spend_minor: 900 }));
            }
        }
    }
    Purchases::new(CUSTOMERS as usize, PRODUCTS as usize, lines)
}

fn each(took: Duration) -> f64 {
    took.as_secs_f64() * 1e6 / f64::from(ASKED)
}

fn main() -> Result<()> {
    let history = history()?;
    let types: Vec<u32> = (0..PRODUCTS).map(|product| product * TYPES / PRODUCTS).collect();
    let mut draw = draws(2);
    let lists: Vec<Vec<u32>> = (0..PROMOTIONS)
        .map(|_| {
            let first = draw(PRODUCTS - ELIGIBLE);
            (first..first + ELIGIBLE).collect()
        })
        .collect();
    let eligibility = Eligibility::new(PRODUCTS as usize, &lists)?;
    let asked: Vec<u32> = (0..ASKED).map(|at| at * (CUSTOMERS / ASKED)).collect();
    let thread = rayon::ThreadPoolBuilder::new().num_threads(1).build();
    let thread = thread
        .map_err(|cause| Error::internal("T0407", "no thread could be started").cause(cause))?;
    thread.install(|| {
        for lenders_max in [1_024, 4_096, 16_384, CUSTOMERS as usize] {
            let params = NeighbourParams { lenders_max, ..NeighbourParams::default() };
            let start = Instant::now();
            let neighbours = Neighbours::new(&history, &eligibility, &types, DAYS as i32, &params)?;
            let made = start.elapsed();
            let start = Instant::now();
            neighbours.features(&history, &asked, Some)?;
            let each = each(start.elapsed());
            println!("neighbours among {lenders_max}: made in {made:.1?}, {each:.1} µs a customer");
        }
        let start = Instant::now();
        let due = Due::new(&history, &eligibility, DAYS as i32)?;
        let made = start.elapsed();
        let start = Instant::now();
        due.features(&history, &asked)?;
        println!("due: made in {made:.1?}, {:.1} µs a customer", each(start.elapsed()));
        Ok(())
    })
}
