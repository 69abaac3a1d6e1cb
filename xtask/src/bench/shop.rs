//! Which made-up shops do the benchmarks read, and where do they lie?
//!
//! `tercet simulate` makes them below the target folder, where they stay until they are simulated again: 26 weeks,
//! 20,000 products, 300 promotions, seed 1; some 250 order lines a customer.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

use super::process::{Taken, taken};
use super::{Bench, Failure};

/// A shop on disk.
pub(crate) struct Shop {
    folder: PathBuf,
    /// Order lines.
    pub(crate) lines: f64,
}

impl Shop {
    /// The folder of the tables.
    pub(crate) fn data(&self) -> PathBuf {
        self.folder.join("data")
    }
}

/// The shop of so many customers: the one that is there, else a new one.
pub(crate) fn shop(bench: &Bench, customers: u32) -> Result<Shop, Failure> {
    match open(&folder_of(bench, customers)) {
        Some(shop) => Ok(shop),
        None => simulate(bench, customers, cores()).map(|(shop, _)| shop),
    }
}

/// Makes the shop of so many customers anew, and says what that took.
pub(crate) fn simulate(
    bench: &Bench,
    customers: u32,
    threads: usize,
) -> Result<(Shop, Taken), Failure> {
    let folder = folder_of(bench, customers);
    if folder.exists() {
        fs::remove_dir_all(&folder).map_err(|cause| format!("{}: {cause}", folder.display()))?;
    }
    let mut command = Command::new(bench.tercet()?);
    command.args(["simulate", "--quiet", "--seed", "1", "--weeks", "26", "--products", "20000"]);
    command.args(["--promotions", "300", "--customers", &customers.to_string()]);
    command.args(["--threads", &threads.to_string(), "--out"]).arg(&folder);
    let taken = taken(&mut command)?;
    let shop = open(&folder);
    let shop = shop.ok_or_else(|| format!("{}: no simulation.json", folder.display()))?;
    Ok((shop, taken))
}

/// Cores there are.
pub(crate) fn cores() -> usize {
    std::thread::available_parallelism().map_or(1, std::num::NonZero::get)
}

fn folder_of(bench: &Bench, customers: u32) -> PathBuf {
    bench.target().join("bench-shops").join(customers.to_string())
}

/// A shop that is there and whole: its manifest is written last.
fn open(folder: &Path) -> Option<Shop> {
    let text = fs::read_to_string(folder.join("simulation.json")).ok()?;
    let manifest: Value = serde_json::from_str(&text).ok()?;
    let files = manifest["files"].as_array()?;
    let of_lines = files.iter().filter(|file| {
        file["path"].as_str().is_some_and(|path| path.starts_with("data/transactions/"))
    });
    let lines = of_lines.filter_map(|file| file["rows"].as_f64()).sum();
    Some(Shop { folder: folder.to_path_buf(), lines })
}
