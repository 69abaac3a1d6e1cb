//! What must pass before a change lands?
//!
//! One build serves all: the tests run the profile that ships, so DataFusion is compiled once. The
//! cheap checks come first, every step runs whatever the others said, the tests come last, and the last
//! line is the closing line of the test runner.

use std::ffi::OsString;
use std::io::{BufRead, BufReader, Read, Write};
use std::path::Path;
use std::process::{Command, ExitCode, Stdio};
use std::thread;

use crate::{codegen, deps, tidy, tools};

/// What a step found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Outcome {
    tests_passed: u64,
    tests_failed: u64,
    /// The step itself failed: it did not compile, or a check found something.
    failed: bool,
    /// The closing line of the test runner.
    closing: Option<String>,
}

/// Runs all steps; the last line of output is the test runner's closing line.
///
/// Where the runner has none for all tests (it did not start, or is `cargo test`), that line is
/// `N passed, N failed`. Steps that failed are named before it.
pub(crate) fn run(root: &Path) -> ExitCode {
    let mut total = Outcome::default();
    let mut failed = Vec::new();
    let mut step = |name: &str, work: &dyn Fn() -> Outcome| {
        eprintln!("== {name}");
        let clock = clock();
        let outcome = work();
        let verdict = if outcome.failed { "FAILED" } else { "ok" };
        eprintln!("== {name}: {verdict}, {:.1} s", clock.elapsed().as_secs_f64());
        total.tests_passed += outcome.tests_passed;
        total.tests_failed += outcome.tests_failed;
        total.closing = outcome.closing.filter(|line| line.starts_with("Summary ["));
        if outcome.failed {
            failed.push(name.to_owned());
            total.tests_failed += u64::from(outcome.tests_failed == 0);
        }
    };
    step("format", &|| cargo(root, &["fmt", "--all", "--", "--check"]));
    step("tidy", &|| findings(&tidy::check(root)));
    step("deps", &|| findings(&deps::check(root)));
    step("codegen", &|| findings(&codegen::check(root)));
    step("lints", &|| lints(root));
    step("doc tests", &|| {
        cargo(root, &["test", "--doc", "--workspace", "--release", "--locked", "--quiet"])
    });
    step("javascript", &|| javascript(root));
    step("tools", &|| Outcome { failed: !tools::install(root), ..Outcome::default() });
    step("tests", &|| tests(root));
    if !failed.is_empty() {
        println!("failed: {}", failed.join(", "));
    }
    match &total.closing {
        Some(line) => println!("{line}"),
        None => println!("{} passed, {} failed", total.tests_passed, total.tests_failed),
    }
    if failed.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// Runs the lints alone.
pub(crate) fn lint(root: &Path) -> ExitCode {
    if lints(root).failed { ExitCode::FAILURE } else { ExitCode::SUCCESS }
}

/// Clippy over all crates. It checks the SQL engine once more without making code: minutes on a clean
/// target, seconds after.
fn lints(root: &Path) -> Outcome {
    let clippy = ["clippy", "--workspace", "--all-targets", "--release", "--locked", "--quiet"];
    cargo(root, &[&clippy[..], &["--", "--deny", "warnings"]].concat())
}

/// All tests of the workspace: by cargo-nextest where it is installed, else by `cargo test`.
fn tests(root: &Path) -> Outcome {
    let nextest = Command::new("cargo")
        .args(["nextest", "--version"])
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .is_ok_and(|status| status.success());
    if nextest {
        return cargo(
            root,
            &["nextest", "run", "--workspace", "--cargo-profile", "release", "--locked"],
        );
    }
    eprintln!(
        "cargo-nextest is not installed: the same tests run by cargo test, one crate at a time"
    );
    cargo(
        root,
        &[
            "test",
            "--workspace",
            "--lib",
            "--bins",
            "--tests",
            "--release",
            "--locked",
            "--no-fail-fast",
        ],
    )
}

/// The tests of what runs in browsers, by Node's own runner: there is nothing to install beside Node.
fn javascript(root: &Path) -> Outcome {
    let arguments = ["--test", "--test-reporter=tap"];
    eprintln!("   node {} (in web)", arguments.join(" "));
    let mut command = Command::new("node");
    command.args(arguments).current_dir(root.join("web"));
    let outcome = watched("node", &mut command);
    if outcome.tests_passed + outcome.tests_failed == 0 {
        eprintln!("no test of JavaScript ran: Node.js 20 or newer has to be installed");
        return Outcome { failed: true, ..outcome };
    }
    outcome
}

fn findings(findings: &[String]) -> Outcome {
    for finding in findings {
        eprintln!("{finding}");
    }
    Outcome { failed: !findings.is_empty(), ..Outcome::default() }
}

/// Runs cargo, lets its output through, and counts the tests it speaks of.
fn cargo(root: &Path, arguments: &[&str]) -> Outcome {
    eprintln!("   cargo {}", arguments.join(" "));
    let mut command = Command::new("cargo");
    for name in variables_of_this_package() {
        command.env_remove(name);
    }
    command
        .args(arguments)
        .env(tools::S3_SERVER_VARIABLE, tools::s3_server(root))
        .current_dir(root);
    watched("cargo", &mut command)
}

/// Runs a command, lets its output through, and counts the tests it speaks of.
fn watched(name: &str, command: &mut Command) -> Outcome {
    let spawned =
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn();
    let mut child = match spawned {
        Ok(child) => child,
        Err(error) => {
            eprintln!("{name}: {error}");
            return Outcome { failed: true, ..Outcome::default() };
        }
    };
    let (stdout, stderr) = (child.stdout.take(), child.stderr.take());
    let (out, err) = thread::scope(|scope| {
        let out = scope.spawn(|| stdout.map_or_else(Outcome::default, pass_on));
        let err = scope.spawn(|| stderr.map_or_else(Outcome::default, pass_on));
        (out.join().unwrap_or_default(), err.join().unwrap_or_default())
    });
    let success = child.wait().is_ok_and(|status| status.success());
    Outcome {
        tests_passed: out.tests_passed + err.tests_passed,
        tests_failed: out.tests_failed + err.tests_failed,
        failed: !success,
        closing: err.closing.or(out.closing),
    }
}

/// Writes what is read to stderr, line by line, and adds up the summaries in it.
fn pass_on(stream: impl Read) -> Outcome {
    let mut total = Outcome::default();
    for line in BufReader::new(stream).split(b'\n') {
        let Ok(line) = line else { break };
        let line = String::from_utf8_lossy(&line);
        // Nobody reads on the other side any more: go on counting.
        let _ = writeln!(std::io::stderr(), "{line}");
        if let Some((passed, failed)) = summary(&line) {
            total.tests_passed += passed;
            total.tests_failed += failed;
            total.closing = Some(line.trim().to_owned());
        }
    }
    total
}

/// Passed and failed tests, where the line is a summary of nextest, of the standard harness, or one of the two
/// of Node.
fn summary(line: &str) -> Option<(u64, u64)> {
    let line = line.trim();
    if let Some(count) = line.strip_prefix("# pass ") {
        return Some((count.parse().ok()?, 0));
    }
    if let Some(count) = line.strip_prefix("# fail ") {
        return Some((0, count.parse().ok()?));
    }
    let counts = if line.starts_with("Summary [") {
        line.split_once(" run: ")?.1
    } else {
        line.strip_prefix("test result: ")?.split_once(". ")?.1
    };
    let (mut passed, mut failed) = (0, 0);
    for part in counts.split([',', ';', '(']) {
        let mut words = part.split_whitespace();
        let Some(number) = words.next().and_then(|word| word.parse::<u64>().ok()) else { continue };
        match words.next() {
            Some("passed") => passed += number,
            Some("failed" | "timed" | "exec") => failed += number,
            _ => {}
        }
    }
    Some((passed, failed))
}

/// What `cargo run` tells this program of its own package. Build scripts look at it (that of `ring` asks to
/// run again when it changes): handed on, it would have the SQL engine compiled anew after every change
/// between `cargo xtask` and plain `cargo`.
#[expect(clippy::disallowed_methods, reason = "the chores clean the environment they hand on")]
pub(crate) fn variables_of_this_package() -> Vec<OsString> {
    let prefixes = ["CARGO_MANIFEST_", "CARGO_PKG_", "CARGO_CRATE_", "CARGO_BIN_"];
    std::env::vars_os()
        .map(|(name, _)| name)
        .filter(|name| prefixes.iter().any(|prefix| name.to_string_lossy().starts_with(prefix)))
        .collect()
}

#[expect(clippy::disallowed_methods, reason = "the chores say how long they took")]
pub(crate) fn clock() -> std::time::Instant {
    std::time::Instant::now()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn summaries() {
        let check = |line: &str, expect: Option<(u64, u64)>| {
            assert_eq!(summary(line), expect, "{line}");
        };
        check("     Summary [   0.010s] 5 tests run: 5 passed, 0 skipped", Some((5, 0)));
        check(
            "     Summary [  31.2s] 9 tests run: 6 passed (1 slow), 2 failed, 1 timed out, 0 skipped",
            Some((6, 3)),
        );
        check("     Summary [   0.1s] 1 test run: 1 passed, 0 skipped", Some((1, 0)));
        check(
            "test result: ok. 3 passed; 0 failed; 0 ignored; 0 measured; 0 filtered out",
            Some((3, 0)),
        );
        check("test result: FAILED. 1 passed; 2 failed; 0 ignored; 0 measured", Some((1, 2)));
        check("        PASS [   0.004s] tercet-types date::tests::mondays", None);
        check("# pass 3", Some((3, 0)));
        check("# fail 1", Some((0, 1)));
        check("# tests 4", None);
        check("running 3 tests", None);
    }
}
