//! What does a program print, how long does it take and how much memory?

use std::process::{Command, Stdio};
use std::time::Duration;

use serde_json::Value;

use super::Failure;
use crate::ci::clock;

/// Between two looks at a program's memory.
const LOOK_EVERY: Duration = Duration::from_millis(20);

/// Clock ticks in a second, as Linux counts the time of a process.
const TICKS_PER_SECOND: f64 = 100.0;

/// What a program took.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Taken {
    pub(crate) seconds: f64,
    /// Seconds of all cores, up to the last look.
    pub(crate) cpu_seconds: f64,
    pub(crate) peak_mb: f64,
}

/// Runs a program to its end, its messages shown and its output thrown away.
pub(crate) fn taken(command: &mut Command) -> Result<Taken, Failure> {
    let name = command.get_program().to_string_lossy().into_owned();
    let clock = clock();
    let mut child = command
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .spawn()
        .map_err(|cause| format!("{name}: {cause}"))?;
    let (mut peak_kib, mut cpu_seconds) = (0.0_f64, 0.0_f64);
    loop {
        peak_kib = peak_kib.max(peak_memory_kib(child.id()));
        cpu_seconds = cpu_seconds.max(cpu_seconds_of(child.id()));
        match child.try_wait() {
            Ok(Some(status)) if status.success() => {
                let seconds = clock.elapsed().as_secs_f64();
                return Ok(Taken { seconds, cpu_seconds, peak_mb: peak_kib * 1_024.0 / 1e6 });
            }
            Ok(Some(status)) => return Err(format!("{name}: {status}")),
            Ok(None) => std::thread::park_timeout(LOOK_EVERY),
            Err(cause) => return Err(format!("{name}: {cause}")),
        }
    }
}

/// Runs a program that prints JSON as its last line.
pub(crate) fn printed(command: &mut Command) -> Result<Value, Failure> {
    let text = said(command)?;
    let line = text.lines().rfind(|line| !line.trim().is_empty()).unwrap_or_default();
    let name = command.get_program().to_string_lossy();
    serde_json::from_str(line).map_err(|cause| format!("{name}: '{line}' is no JSON: {cause}"))
}

/// Runs a program, its messages shown, and gives what it prints.
pub(crate) fn said(command: &mut Command) -> Result<String, Failure> {
    let name = command.get_program().to_string_lossy().into_owned();
    let output = command
        .stdin(Stdio::null())
        .stderr(Stdio::inherit())
        .output()
        .map_err(|cause| format!("{name}: {cause}"))?;
    if !output.status.success() {
        return Err(format!("{name}: {}", output.status));
    }
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

/// A number of a JSON object.
pub(crate) fn number_of(value: &Value, key: &str) -> Result<f64, Failure> {
    value[key].as_f64().ok_or_else(|| format!("'{key}' is not a number in {value}"))
}

/// The time a process had of all cores so far, seconds, as Linux counts it; 0 elsewhere.
fn cpu_seconds_of(process: u32) -> f64 {
    let stat = std::fs::read_to_string(format!("/proc/{process}/stat")).unwrap_or_default();
    // Behind the name, which may hold anything: state is field 3, user and system time are 14 and 15.
    let fields = stat.rsplit_once(')').map(|(_, fields)| fields).unwrap_or_default();
    let ticks = fields.split_whitespace().skip(11).take(2).filter_map(|n| n.parse::<f64>().ok());
    ticks.sum::<f64>() / TICKS_PER_SECOND
}

/// The most memory a process held so far, KiB, as Linux tells it; 0 elsewhere.
fn peak_memory_kib(process: u32) -> f64 {
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap_or_default();
    line.trim().trim_end_matches(" kB").parse().unwrap_or(0.0)
}
