//! How long does it take to read, check and prepare a shop, and which part of it?
//!
//! `cargo run --release -p tercet-sources --example read_speed -- FOLDER AS_OF [PARTS] [MEMORY_MB]` reads the
//! data of a simulated shop (`tercet simulate --out FOLDER`).
#![allow(
    clippy::print_stdout,
    clippy::unwrap_used,
    clippy::disallowed_methods,
    clippy::allow_attributes,
    reason = "a program that measures has nobody to tell but its user"
)]

use std::collections::BTreeMap;
use std::time::Instant;

use tercet_engine::{Engine, EngineOptions};
use tercet_sources::{PartRows, Reading, SourceSpec, Sources, input_files, parts_for};
use tercet_types::Date;

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [folder, as_of, rest @ ..] = arguments.as_slice() else {
        println!("usage: read_speed FOLDER AS_OF [PARTS] [MEMORY_MB]");
        return;
    };
    let number = |at: usize| rest.get(at).map(|text| text.parse::<usize>().unwrap());
    let as_of: Date = as_of.parse().unwrap();
    let spec = |table: &str, path: String| SourceSpec {
        table: table.to_owned(),
        path: Some(path),
        ..SourceSpec::default()
    };
    let mut specs: Vec<SourceSpec> =
        ["customers", "transactions", "interactions", "exposures", "redemptions"]
            .map(|table| spec(table, format!("data/{table}/")))
            .to_vec();
    specs[2].columns = BTreeMap::from([(
        "visitor_id".to_owned(),
        "'v' || cast(visitor_id as varchar)".to_owned(),
    )]);
    for table in ["products", "promotions", "promotion_products"] {
        specs.push(spec(table, format!("data/{table}.parquet")));
    }
    let base = std::path::Path::new(folder).canonicalize().unwrap();
    let sources = Sources { base, specs, ..Sources::default() };
    let options =
        EngineOptions { memory_bytes: number(1).unwrap_or(1024) << 20, ..EngineOptions::default() };
    let engine = Engine::new(options).unwrap();
    let start = Instant::now();
    let files = input_files(&engine, &sources).unwrap();
    let parts = number(0).unwrap_or_else(|| parts_for(&files));
    println!("{:8.1} s  {} files fingerprinted", start.elapsed().as_secs_f64(), files.len());
    let start = Instant::now();
    let mut reading = Reading::open(&engine, &sources, as_of, parts).unwrap();
    println!("{:8.1} s  spread over {parts} parts", start.elapsed().as_secs_f64());
    let parts_start = Instant::now();
    let leave = |_: &Engine, part: usize, _: PartRows| Ok(part);
    reading
        .each_part(leave, |part| {
            println!("{:8.1} s  part {part} is there", parts_start.elapsed().as_secs_f64());
            Ok(())
        })
        .unwrap();
    println!("{:8.1} s  all parts", parts_start.elapsed().as_secs_f64());
    let loaded = reading.finish().unwrap();
    for table in &loaded.health.tables {
        println!("{:>12} rows of {}", table.rows_out, table.table);
    }
}
