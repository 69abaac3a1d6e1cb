//! How many pairs of customer and promotion does one core make the features of in a second?
//!
//! A made-up shop: 20,000 customers (or as many as the first argument says) with sixty lines each, 2,000 products of
//! 200 types, and 100 promotions on 20 products each: every promotion on its own, and ten on the same. A line says
//! the case, the cross groups, the share of customers and groups with a row, and for reading the lines of a part and
//! for its blocks the seconds of the best repeat and pairs a second. One thread; what models add is left out.
#![expect(clippy::print_stdout, reason = "an example prints its figures")]
#![expect(clippy::disallowed_methods, reason = "timing is what this example is for")]
#![expect(clippy::unwrap_used, reason = "a shop that cannot be made ends the measurement")]

#[path = "../tests/support/mod.rs"]
mod support;

use std::collections::BTreeMap;
use std::time::Instant;

use support::{Numbers, Shop, day};
use tercet_features::{PairSource, Settings, build_master, index};

const PRODUCTS: u64 = 2_000;
const PROMOTIONS: u64 = 100;
const LINES: u64 = 60;
const REPEATS: usize = 3;
const BLOCK: usize = 4096;

fn shop(customers: u64, promotions_on_the_same: u64) -> Shop {
    let mut numbers = Numbers(11);
    let mut shop = Shop::default();
    for product in 0..PRODUCTS {
        let kind = product % 200;
        shop.products.push(format!(
            "p{product}|d{}|k{}|t{kind}|b{}|m{}|100|||",
            kind / 50,
            kind / 5,
            product % 7,
            product % 150
        ));
    }
    let start = day("2017-01-02");
    for customer in 0..customers {
        for line in 0..LINES {
            let on = start.plus_days(numbers.below(210) as i32);
            // Of what is popular, and of what this customer likes.
            let liked = (customer * 37 + numbers.below(40)) % PRODUCTS;
            let most = numbers.below(PRODUCTS) + 1;
            let popular = numbers.below(most);
            let product = if line % 3 == 0 { popular } else { liked };
            let amount = 100 + numbers.below(900);
            shop.transactions.push(format!(
                "o{customer}-{on}|c{customer}|p{product}|{on}T10:00:00|1|{amount}||"
            ));
        }
    }
    for promotion in 0..PROMOTIONS {
        shop.promotions.push(format!("r{promotion}|2017-07-01|2017-09-01|percent|0.1|"));
        let first = promotion / promotions_on_the_same * 20;
        for product in first..first + 20 {
            shop.promotion_products.push(format!("r{promotion}|product|p{product}"));
        }
    }
    shop
}

/// The least of some repeats, in seconds, and what came out last.
fn best<T>(mut work: impl FnMut() -> T) -> (f64, T) {
    let mut timed = || {
        let clock = Instant::now();
        let made = work();
        (clock.elapsed().as_secs_f64(), made)
    };
    let (mut least, mut made) = timed();
    for _ in 1..REPEATS {
        let again = timed();
        (least, made) = (least.min(again.0), again.1);
    }
    (least, made)
}

fn measure(customers: u64, promotions_on_the_same: u64) {
    let engine = shop(customers, promotions_on_the_same).engine(1);
    let (as_of, settings) = (day("2017-07-31"), Settings::default());
    index(&engine).unwrap();
    build_master(&engine, as_of, &settings).unwrap();
    let numbers = |sql: &str| engine.query(sql, &BTreeMap::new()).unwrap().i32("ix").unwrap();
    let known = numbers("select customer_ix as ix from customer_master order by ix");
    let promotions = numbers("select promotion_ix as ix from promotion_candidates order by ix");
    let source = PairSource::new(&engine, as_of, &settings, &promotions).unwrap();
    let (reading, part) = best(|| source.part(&engine, &known).unwrap());
    let (folding, rows) = best(|| {
        let firsts = (0..known.len()).step_by(BLOCK);
        let blocks = firsts.map(|first| part.block(first..(first + BLOCK).min(known.len()), None));
        blocks.map(|block| block.groups.len()).sum::<usize>()
    });
    let pairs = (known.len() * promotions.len()) as f64;
    let groups = source.offered().groups();
    println!(
        "{} customers x {} promotions\t{groups}\t{:.2}\t{reading:.3}\t{:.0}\t{folding:.3}\t{:.0}",
        known.len(),
        promotions.len(),
        rows as f64 / (known.len() * groups) as f64,
        pairs / reading,
        pairs / folding
    );
}

fn main() {
    let customers = std::env::args().nth(1).map_or(20_000, |count| count.parse().unwrap());
    println!("case\tgroups\tshare with a row\tread s\tread pairs/s\tfold s\tfold pairs/s");
    let one = rayon::ThreadPoolBuilder::new().num_threads(1).build().unwrap();
    one.install(|| [1, 10].into_iter().for_each(|same| measure(customers, same)));
}
