//! Which made-up shops do the benchmarks read, and where do they lie?
//!
//! `tercet simulate` makes them below the target folder, where they stay until they are simulated again: 26 weeks,
//! seed 1. The shop of groceries is the default world with 20,000 products and 300 promotions, some 250 order
//! lines a customer; that of photo gifts (`examples/worlds/photo-gift.toml`) has 3,000 products and 2,000 promotions,
//! of which 106 hold on the Monday decided for, some 40 lines and 100 browsing events a customer, and is the one that
//! is measured with millions of them.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

use super::process::{Taken, taken};
use super::{Bench, Failure};

/// What is sold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum World {
    Grocery,
    PhotoGift,
}

impl World {
    /// Products, and promotions in all weeks together.
    fn sizes(self) -> (u32, u32) {
        match self {
            Self::Grocery => (20_000, 300),
            Self::PhotoGift => (3_000, 2_000),
        }
    }
}

/// The largest shop, of photo gifts; it is measured where the disk has room for it.
pub(crate) const MOST_CUSTOMERS: u32 = 5_000_000;

/// What a customer of the photo gifts takes of the disk while it is simulated and a weekly run is made: the shop,
/// its parts and what the stages write.
const ROOM_BYTES_PER_CUSTOMER: u64 = 8_000;

/// A shop on disk.
pub(crate) struct Shop {
    folder: PathBuf,
    /// Order lines.
    pub(crate) lines: f64,
}

impl Shop {
    /// The project.
    pub(crate) fn folder(&self) -> &Path {
        &self.folder
    }

    /// The folder of the tables.
    pub(crate) fn data(&self) -> PathBuf {
        self.folder.join("data")
    }
}

/// The shop of so many customers: the one that is there, else a new one.
pub(crate) fn shop(bench: &Bench, world: World, customers: u32) -> Result<Shop, Failure> {
    match open(&folder_of(bench, world, customers), world) {
        Some(shop) => Ok(shop),
        None => simulate(bench, world, customers, cores()).map(|(shop, _)| shop),
    }
}

/// The sizes at which growth is looked at, of shops of photo gifts.
pub(crate) fn growth_sizes(bench: &Bench) -> Vec<u32> {
    let sizes: &[u32] = bench.size(&[50_000, 500_000, MOST_CUSTOMERS], &[2_000, 20_000]);
    sizes.iter().copied().filter(|customers| has_room(bench, *customers)).collect()
}

/// Whether the disk holds a shop of so many customers and a weekly run of it.
pub(crate) fn has_room(bench: &Bench, customers: u32) -> bool {
    let folder = folder_of(bench, World::PhotoGift, customers);
    let is_there = open(&folder, World::PhotoGift).is_some();
    let needed = u64::from(customers) * ROOM_BYTES_PER_CUSTOMER;
    is_there || free_bytes(&bench.target()).is_none_or(|free| free >= needed)
}

/// Makes the shop of so many customers anew, and says what that took.
pub(crate) fn simulate(
    bench: &Bench,
    world: World,
    customers: u32,
    threads: usize,
) -> Result<(Shop, Taken), Failure> {
    let folder = folder_of(bench, world, customers);
    if folder.exists() {
        fs::remove_dir_all(&folder).map_err(|cause| format!("{}: {cause}", folder.display()))?;
    }
    let mut command = Command::new(bench.tercet()?);
    command.args(["simulate", "--quiet", "--seed", "1", "--weeks", "26"]);
    let (products, promotions) = world.sizes();
    command.args(["--products", &products.to_string(), "--promotions", &promotions.to_string()]);
    if world == World::PhotoGift {
        command.arg("--world").arg(bench.root.join("examples/worlds/photo-gift.toml"));
    }
    command.args(["--customers", &customers.to_string()]);
    command.args(["--threads", &threads.to_string(), "--out"]).arg(&folder);
    let taken = taken(&mut command)?;
    let shop = open(&folder, world);
    let shop = shop.ok_or_else(|| format!("{}: no simulation.json", folder.display()))?;
    Ok((shop, taken))
}

/// Cores there are.
pub(crate) fn cores() -> usize {
    std::thread::available_parallelism().map_or(1, std::num::NonZero::get)
}

fn folder_of(bench: &Bench, world: World, customers: u32) -> PathBuf {
    let name = match world {
        World::Grocery => customers.to_string(),
        World::PhotoGift => format!("photo-gift-{customers}"),
    };
    bench.target().join("bench-shops").join(name)
}

/// What is free on the disk of a folder, as `df` tells it.
fn free_bytes(folder: &Path) -> Option<u64> {
    let output = Command::new("df").arg("-Pk").arg(folder).output().ok()?;
    free_of(&String::from_utf8_lossy(&output.stdout))
}

/// The fourth word of the second line: 1024-byte blocks that are free.
fn free_of(printed: &str) -> Option<u64> {
    let blocks = printed.lines().nth(1)?.split_whitespace().nth(3)?;
    blocks.parse::<u64>().ok()?.checked_mul(1_024)
}

/// A shop that is there and whole, and of today's size: its manifest is written last.
fn open(folder: &Path, world: World) -> Option<Shop> {
    let text = fs::read_to_string(folder.join("simulation.json")).ok()?;
    let manifest: Value = serde_json::from_str(&text).ok()?;
    let (products, promotions) = world.sizes();
    if manifest["products"] != products || manifest["promotions"] != promotions {
        return None;
    }
    let files = manifest["files"].as_array()?;
    let of_lines = files.iter().filter(|file| {
        file["path"].as_str().is_some_and(|path| path.starts_with("data/transactions/"))
    });
    let lines = of_lines.filter_map(|file| file["rows"].as_f64()).sum();
    Some(Shop { folder: folder.to_path_buf(), lines })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_free_is_read() {
        let check = |printed: &str, expect: Option<u64>| assert_eq!(free_of(printed), expect);
        let head = "Filesystem 1024-blocks Used Available Capacity Mounted on\n";
        check(&format!("{head}/dev/vda 263174212 42467328 52428800 45% /\n"), Some(53_687_091_200));
        check(&format!("{head}/dev/vda 263174212 42467328 - 45% /\n"), None);
        check(head, None);
    }
}
