//! Which programs do the tests need beside cargo, and how do they get here?
//!
//! One: an S3 server over a folder, which checks signatures and conditional writes as S3 does. It is
//! built once, by its own lock file and in a folder of its own, so that the features of its
//! dependencies never meet those of the workspace.

use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};

use crate::ci::{clock, variables_of_this_package};

/// The S3 server of the tests and its version.
const S3_SERVER: (&str, &str) = ("s3s-fs", "0.14.1");

/// The variable that tells the tests where the S3 server is.
pub(crate) const S3_SERVER_VARIABLE: &str = "TERCET_TEST_S3_SERVER";

/// Installs what is missing; says what it does.
pub(crate) fn run(root: &Path) -> ExitCode {
    if install(root) { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// True when everything is there, or has been installed now.
pub(crate) fn install(root: &Path) -> bool {
    let (name, version) = S3_SERVER;
    let program = s3_server(root);
    if program.is_file() && installed(root).contains(&format!("\"{name} {version} ")) {
        println!("tools: {name} {version} is there: {}", program.display());
        return true;
    }
    println!("tools: installing {name} {version}, the S3 server of the tests: two minutes, once");
    let clock = clock();
    let build = tools(root).join("build");
    let mut cargo = Command::new("cargo");
    for variable in variables_of_this_package() {
        cargo.env_remove(variable);
    }
    let done = cargo
        .args(["install", name, "--version", version, "--locked", "--features", "binary"])
        // Quick to build is worth more than quick to run: the tests move kilobytes.
        .args(["--debug", "--quiet", "--root"])
        .arg(folder(root))
        .env("CARGO_PROFILE_DEV_DEBUG", "0")
        .env("CARGO_TARGET_DIR", &build)
        // Outside the repository no file of it has a say.
        .current_dir(std::env::temp_dir())
        .stdin(Stdio::null())
        .status();
    // Its objects serve nobody again; what stays behind is no failure.
    let _ = std::fs::remove_dir_all(&build);
    let fine = done.is_ok_and(|status| status.success()) && program.is_file();
    let verdict = if fine { "installed" } else { "NOT installed" };
    println!("tools: {name} {version} {verdict}, {:.0} s", clock.elapsed().as_secs_f64());
    fine
}

/// Where the S3 server is, once it is installed. The tests look there too.
pub(crate) fn s3_server(root: &Path) -> PathBuf {
    folder(root).join("bin").join(S3_SERVER.0)
}

/// What cargo noted of the programs it installed there, with their versions.
fn installed(root: &Path) -> String {
    std::fs::read_to_string(folder(root).join(".crates.toml")).unwrap_or_default()
}

fn folder(root: &Path) -> PathBuf {
    tools(root).join("s3-server")
}

/// The folder of installed programs, below cargo's target folder: it outlives a clone where that does.
fn tools(root: &Path) -> PathBuf {
    let target = crate::bench::target(root);
    let target = if target.is_absolute() { target } else { root.join(target) };
    target.join("tools")
}
