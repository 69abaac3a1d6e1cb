//! How long do recommenders take to learn from millions of interactions?
//!
//!     recommender_speed MODEL INTERACTIONS THREADS
//!
//! INTERACTIONS holds two numbers of 32 bits for each customer and product, as `bench/implicit_anchor.py` makes them.
//! Prints one line of JSON as that does: seconds and CPU seconds of the fit, or of the three best new products of every
//! customer, and what must be the same.
#![expect(clippy::print_stdout, reason = "an example prints its figures")]
#![expect(clippy::disallowed_methods, reason = "timing is what this example is for")]
#![expect(clippy::unwrap_used, reason = "a file that cannot be read ends the measurement")]

use std::time::Instant;

use tercet_models::{
    Als, Attributes, Ease, Fitted, ItemToItem, Purchase, Purchases, Query, Recommender, Row, Seen,
    Solver, Training, Wanted,
};

/// Clock ticks in a second, as Linux counts the time of a process.
const TICKS_PER_SECOND: f64 = 100.0;

const PRODUCTS: usize = 20_000;
const BEST: usize = 3;
/// Customers asked for at a time.
const BATCH: usize = 8_192;
/// Products of the model that has a matrix of them.
const EASE_PRODUCTS: usize = 3_400;

/// What all threads of this process took so far.
fn cpu_seconds() -> f64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap();
    let (_, fields) = stat.rsplit_once(')').unwrap();
    let ticks = fields.split_whitespace().skip(11).take(2).filter_map(|n| n.parse::<f64>().ok());
    ticks.sum::<f64>() / TICKS_PER_SECOND
}

fn history(file: &str) -> Purchases {
    let bytes = std::fs::read(file).unwrap();
    let numbers = bytes.as_chunks().0.iter().map(|four| u32::from_le_bytes(*four));
    let numbers: Vec<u32> = numbers.collect();
    let line = |[customer, product]: &[u32; 2]| {
        (*customer, Purchase { day: 0, order: 0, product: *product, spend_minor: 0 })
    };
    let lines: Vec<(u32, Purchase)> = numbers.as_chunks().0.iter().map(line).collect();
    let customers = lines.last().map_or(0, |(customer, _)| *customer as usize + 1);
    Purchases::new(customers, PRODUCTS, lines).unwrap()
}

/// The sum of all likenesses that were kept.
fn likeness(fitted: &dyn Fitted) -> f64 {
    let mut row = Row::new(PRODUCTS);
    let of_product = |product: u32| {
        fitted.similar(product, &mut row);
        let sum = row.iter().map(|(_, likeness)| likeness).sum::<f64>();
        row.clear();
        sum
    };
    (0..PRODUCTS as u32).map(of_product).sum()
}

/// The settings that implicit gets, too.
fn als(solver: Solver) -> Als {
    Als {
        factors: 64,
        iterations: 3,
        solver,
        regularisation: 0.01,
        regularisation_power: 0.0,
        confidence: 9.0,
        ..Als::default()
    }
}

/// The mean score of the best new products of every customer.
fn score(fitted: &dyn Fitted, history: &Purchases) -> f64 {
    let wanted = Wanted { k: BEST, seen: Seen::Drop, among: None };
    let (mut sum, mut count) = (0.0, 0);
    for from in (0..history.customers()).step_by(BATCH) {
        let batch = from..(from + BATCH).min(history.customers());
        let queries: Vec<_> =
            batch.map(|customer| Query::of(history, customer as u32, i32::MAX)).collect();
        for (_, score) in fitted.recommend(&queries, &wanted).iter().flatten() {
            sum += score;
            count += 1;
        }
    }
    sum / f64::from(count)
}

fn main() {
    let words: Vec<String> = std::env::args().collect();
    let threads = words[3].parse().unwrap();
    rayon::ThreadPoolBuilder::new().num_threads(threads).build_global().unwrap();
    let history = history(&words[2]);
    let training = Training {
        history: &history,
        as_of: i32::MAX,
        products: &Attributes::none(PRODUCTS),
        customers: &Attributes::none(history.customers()),
    };
    let item_knn = ItemToItem { lines_max: usize::MAX, ..ItemToItem::default() };
    let ease = Ease { max_products: Some(EASE_PRODUCTS), ..Ease::default() };
    let gradients = als(Solver::ConjugateGradient);
    let estimator: &dyn Recommender = match words[1].as_str() {
        "item-knn" => &item_knn,
        "ease" => &ease,
        "als-cg" | "als-top-3" => &gradients,
        "als-cholesky" => &als(Solver::Cholesky),
        other => panic!("there is no model {other}"),
    };
    let (mut start, mut cpu) = (Instant::now(), cpu_seconds());
    let fitted = estimator.fit(&training).unwrap();
    let mut taken = (start.elapsed().as_secs_f64(), cpu_seconds() - cpu);
    let same = match words[1].as_str() {
        "item-knn" | "ease" => ("likeness", likeness(&*fitted)),
        ranked => {
            (start, cpu) = (Instant::now(), cpu_seconds());
            let score = score(&*fitted, &history);
            if ranked == "als-top-3" {
                taken = (start.elapsed().as_secs_f64(), cpu_seconds() - cpu);
            }
            ("score", score)
        }
    };
    println!(
        "{{\"seconds\":{:.3},\"cpu_seconds\":{:.2},\"{}\":{}}}",
        taken.0, taken.1, same.0, same.1
    );
}
