//! Which chores keep the project in order?
//!
//! `cargo xtask tidy` reads the sources for rules no compiler knows, `cargo xtask deps` proves which
//! crate depends on what, `cargo xtask codegen` writes the reference pages from the code,
//! `cargo xtask tools` installs what the tests need beside cargo, and `cargo xtask test` (or `ci`, the
//! same) runs everything that must pass before a change lands. Plain std and the nouns: building the
//! chores costs seconds.

#![expect(clippy::print_stdout, reason = "the chores talk to whoever called them")]

mod bench;
mod calibrate;
mod ci;
mod codegen;
mod deps;
mod tidy;
mod tools;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

const USAGE: &str = "\
usage: cargo xtask <chore>

  test   format, tidy, deps, codegen, lints, all tests and doc tests: what must pass before a change lands
  ci     the same
  bench [--quick] [--only NAME]...
         figures beside other programs', in one run; fails when a goal is missed; writes bench/RESULTS.md
  calibrate [--quick] [--only NAME]
         whether intervals hold the truth as often as they say; fails when not; writes bench/CALIBRATION.md
  lint   clippy over all crates, in the profile that ships
  codegen [--check]
         the pages that are written from the code
  tidy   the rules for sources and pages that no compiler knows
  deps   which crate may depend on what
  tools  installs what the tests need beside cargo: an S3 server; 'test' does it by itself
";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let root = root();
    let (chore, rest) = (arguments.first().map(String::as_str), arguments.get(1));
    match (chore, rest.map(String::as_str)) {
        (Some("test" | "ci"), None) => ci::run(&root),
        (Some("bench"), _) => bench::run(&root, &arguments[1..]),
        (Some("calibrate"), _) => calibrate::run(&root, &arguments[1..]),
        (Some("lint"), None) => ci::lint(&root),
        (Some("codegen"), None) => report("codegen", &codegen::write(&root)),
        (Some("codegen"), Some("--check")) => report("codegen", &codegen::check(&root)),
        (Some("tidy"), None) => report("tidy", &tidy::check(&root)),
        (Some("tools"), None) => tools::run(&root),
        (Some("deps"), None) => report("deps", &deps::check(&root)),
        (Some("help" | "--help" | "-h"), None) => {
            println!("{USAGE}");
            ExitCode::SUCCESS
        }
        _ => {
            eprintln!("{USAGE}");
            ExitCode::from(2)
        }
    }
}

/// The root of the repository: the parent of this package, as Cargo says when it runs it. Where it was built
/// says less: clones may share a target folder.
#[expect(clippy::disallowed_methods, reason = "Cargo says by it in which clone it runs")]
fn root() -> PathBuf {
    let package = std::env::var_os("CARGO_MANIFEST_DIR")
        .map_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")), PathBuf::from);
    package.parent().map_or_else(|| package.clone(), Path::to_path_buf)
}

/// Prints the findings of a chore; success when there are none.
fn report(chore: &str, findings: &[String]) -> ExitCode {
    for finding in findings {
        eprintln!("{finding}");
    }
    if findings.is_empty() {
        println!("{chore}: nothing to mend");
        ExitCode::SUCCESS
    } else {
        println!("{chore}: {} to mend", findings.len());
        ExitCode::FAILURE
    }
}
