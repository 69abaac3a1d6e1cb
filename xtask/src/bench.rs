//! How long does a weekly run take, and how much memory?
//!
//! Figures to read, never a test: machines differ. The runs happen in a temporary folder.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitCode, Stdio};

use crate::ci::{clock, variables_of_this_package};

/// Mondays of the replay: the first starts from nothing, the others show a weekly step.
const REPLAY: [&str; 4] = ["--from", "2017-08-14", "--to", "2017-08-28"];

/// Builds the binary that ships, then prints time and peak memory of the demo's run and of a replay.
pub(crate) fn run(root: &Path) -> ExitCode {
    let mut build = Command::new("cargo");
    for name in variables_of_this_package() {
        build.env_remove(name);
    }
    let built = build
        .args(["build", "--release", "--locked", "--package", "tercet"])
        .current_dir(root)
        .status();
    if !built.is_ok_and(|status| status.success()) {
        return ExitCode::FAILURE;
    }
    let binary = target(root).join("release/tercet");
    let folder = std::env::temp_dir().join(format!("tercet-bench-{}", std::process::id()));
    let shop = folder.join("shop");
    let shop = shop.to_string_lossy().into_owned();
    let measured = [
        measure(&binary, "init", &["init", &shop, "--example", "complete-journey", "--quiet"]),
        measure(&binary, "weekly run", &["run", "--project", &shop]),
        measure(
            &binary,
            "replay of three Mondays, five engines",
            &[&["backtest", "--project", &shop, "--format", "csv"][..], &REPLAY].concat(),
        ),
    ];
    // A folder that stays behind is no failure of the benchmark.
    let _ = std::fs::remove_dir_all(&folder);
    if measured.iter().all(|fine| *fine) { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// Runs one command, its progress shown, and prints what it took.
fn measure(binary: &Path, name: &str, arguments: &[&str]) -> bool {
    let clock = clock();
    let child = Command::new(binary).args(arguments).stdout(Stdio::null()).spawn();
    let Ok(mut child) = child else {
        eprintln!("{}: does not start", binary.display());
        return false;
    };
    let mut peak_kib = 0;
    let fine = loop {
        peak_kib = peak_kib.max(peak_memory_kib(&child));
        match child.try_wait() {
            Ok(Some(status)) => break status.success(),
            Ok(None) => std::thread::park_timeout(std::time::Duration::from_millis(20)),
            Err(_) => break false,
        }
    };
    println!("{name}: {:.1} s, peak {} MB", clock.elapsed().as_secs_f64(), peak_kib / 1000);
    fine
}

/// The most memory a process held so far, as Linux tells it; 0 elsewhere.
fn peak_memory_kib(child: &Child) -> u64 {
    let status =
        std::fs::read_to_string(format!("/proc/{}/status", child.id())).unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap_or_default();
    line.trim().trim_end_matches(" kB").parse().unwrap_or(0)
}

/// Where cargo builds.
#[expect(clippy::disallowed_methods, reason = "cargo's own variable says where it builds")]
pub(crate) fn target(root: &Path) -> PathBuf {
    std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root.join("target"), PathBuf::from)
}
