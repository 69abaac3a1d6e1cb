//! How long does BG/NBD take to be fitted on a million customers?
//!
//!     customer_value_speed HISTORIES THREADS
//!
//! HISTORIES holds three numbers of 64 bits per customer: frequency, recency and age. Prints one line of JSON as
//! `bench/customer_value_anchor.py` does: seconds and CPU seconds of the fit, the parameters and the log-likelihood.
#![expect(clippy::print_stdout, reason = "an example prints its figures")]
#![expect(clippy::disallowed_methods, reason = "timing is what this example is for")]
#![expect(clippy::unwrap_used, reason = "a file that cannot be read ends the measurement")]

use std::time::Instant;

use tercet_models::customer_value::{BgNbd, CustomerHistory};

/// Clock ticks in a second, as Linux counts the time of a process.
const TICKS_PER_SECOND: f64 = 100.0;

/// What all threads of this process took so far.
fn cpu_seconds() -> f64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap();
    let (_, fields) = stat.rsplit_once(')').unwrap();
    let ticks = fields.split_whitespace().skip(11).take(2).filter_map(|n| n.parse::<f64>().ok());
    ticks.sum::<f64>() / TICKS_PER_SECOND
}

fn main() {
    let words: Vec<String> = std::env::args().collect();
    let threads = words[2].parse().unwrap();
    rayon::ThreadPoolBuilder::new().num_threads(threads).build_global().unwrap();
    let bytes = std::fs::read(&words[1]).unwrap();
    let numbers: Vec<f64> =
        bytes.as_chunks().0.iter().map(|eight| f64::from_le_bytes(*eight)).collect();
    let customer = |row: &[f64; 3]| CustomerHistory {
        frequency: row[0] as u32,
        recency: row[1],
        age: row[2],
        mean_value: 0.0,
    };
    let customers: Vec<CustomerHistory> = numbers.as_chunks().0.iter().map(customer).collect();
    let (start, cpu) = (Instant::now(), cpu_seconds());
    let fit = BgNbd::fit(&customers).unwrap();
    let (seconds, cpu_seconds) = (start.elapsed().as_secs_f64(), cpu_seconds() - cpu);
    let BgNbd { r, alpha, a, b } = fit.model;
    println!(
        "{{\"seconds\":{seconds:.3},\"cpu_seconds\":{cpu_seconds:.2},\"parameters\":[{r},{alpha},{a},{b}],\"log_likelihood\":{}}}",
        fit.log_likelihood
    );
}
