//! How long does the referee take on a backtest of usual size?
#![expect(clippy::print_stdout, reason = "an example prints its figures")]
#![expect(clippy::disallowed_methods, reason = "timing is what this example is for")]

use std::collections::BTreeMap;
use std::time::Instant;

use tercet_measurement::offline::{
    Bootstrap, Breadth, CustomerWeek, EngineSlates, Purchase, Scope, Week, WeekPromotion, referee,
};

const WEEKS: u32 = 3;
const CUSTOMERS: u32 = 2_500;
const PROMOTIONS: u32 = 1_000;
const PRODUCTS: u32 = 20_000;

/// Numbers below `bound`, scattered and ascending.
fn scattered(key: u32, count: u32, bound: u32) -> Vec<u32> {
    let number = |k: u32| (key.wrapping_mul(2_654_435_761) ^ k.wrapping_mul(40_503)) % bound;
    let mut numbers: Vec<u32> = (0..count).map(number).collect();
    numbers.sort_unstable();
    numbers.dedup();
    numbers
}

fn week(at: u32) -> Week {
    let promotion = |p: u32| {
        let (count, breadth) =
            if p.is_multiple_of(5) { (2_000, Breadth::Broad) } else { (40, Breadth::Narrow) };
        WeekPromotion { products: scattered(p + at, count, PRODUCTS), breadth }
    };
    let customer = |c: u32| CustomerWeek {
        customer: c,
        purchases: scattered(c * 7 + at, c % 60, PRODUCTS)
            .into_iter()
            .map(|product| Purchase { product, spend_minor: i64::from(product % 900) })
            .collect(),
        bought_before: scattered(c * 7, 400, PRODUCTS),
        redeemed: (c.is_multiple_of(2)).then(|| vec![c % PROMOTIONS]),
        segment: if c.is_multiple_of(3) { "both" } else { "transaction_only" }.to_owned(),
    };
    Week {
        name: format!("week {at}"),
        promotions: (0..PROMOTIONS).map(promotion).collect(),
        customers: (0..CUSTOMERS).map(customer).collect(),
    }
}

fn main() -> tercet_types::Result<()> {
    let weeks: Vec<Week> = (0..WEEKS).map(week).collect();
    let names = ["popular", "personal", "personal-decayed", "legacy", "tercet"];
    let engine = |(at, name): (u32, &str)| EngineSlates {
        name: name.to_owned(),
        slates: BTreeMap::from(Scope::ALL.map(|scope| {
            // Multiples of 5 are broad; of each scope three neighbours of a start per customer.
            let step = if scope == Scope::Broad { 5 } else { 1 };
            let offset = u32::from(scope == Scope::Narrow);
            let slate = |c: u32| {
                let start = (c * 13 + at * 31) % 190 * 5;
                [0, 1, 2].map(|place| Some(start + offset + place * step))
            };
            (scope, (0..WEEKS).map(|_| (0..CUSTOMERS).map(slate).collect()).collect())
        })),
    };
    let engines: Vec<EngineSlates> = (0..).zip(names).map(engine).collect();
    let pairs: Vec<_> = names[..4].iter().map(|name| ("tercet", *name)).collect();
    let start = Instant::now();
    let summary = referee(&weeks, &engines, &pairs, Bootstrap::default())?;
    let took = start.elapsed();
    println!(
        "{WEEKS} weeks x {CUSTOMERS} customers x {} engines x {} scopes x {} draws: {took:?}",
        engines.len(),
        summary.denominators.len(),
        summary.draws
    );
    Ok(())
}
