//! How do the programs we compare with get here?
//!
//! `bench/requirements.txt` names them with their versions. They are installed into a virtual environment
//! below the target folder, which is made anew when the list changes, and which may be deleted at any time.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::Failure;

/// The list of what is installed, from the root.
const REQUIREMENTS: &str = "bench/requirements.txt";

/// The interpreter of the environment, which is made where it is missing or out of date.
pub(crate) fn install(root: &Path, target: &Path) -> Result<PathBuf, Failure> {
    let wanted = fs::read_to_string(root.join(REQUIREMENTS))
        .map_err(|cause| format!("{REQUIREMENTS}: {cause}"))?;
    let folder = target.join("bench-python");
    let (python, installed) = (folder.join("bin/python"), folder.join("installed.txt"));
    if python.exists() && fs::read_to_string(&installed).is_ok_and(|list| list == wanted) {
        return Ok(python);
    }
    eprintln!("   installing the anchors into {}", folder.display());
    let make = ["-m", "venv", "--clear"];
    step(Command::new("python3").args(make).arg(&folder)).map_err(|what| {
        format!("no virtual environment ({what}): install python3 with its venv module")
    })?;
    let pip = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--only-binary"];
    step(Command::new(&python).args(pip).args([":all:", "-r", REQUIREMENTS]).current_dir(root))
        .map_err(|what| {
            format!("the anchors were not installed ({what}): see what pip says above; they need the package index")
        })?;
    fs::write(&installed, wanted).map_err(|cause| format!("{}: {cause}", installed.display()))?;
    Ok(python)
}

/// Runs a command to its end.
fn step(command: &mut Command) -> Result<(), Failure> {
    match command.status() {
        Ok(status) if status.success() => Ok(()),
        Ok(status) => Err(status.to_string()),
        Err(cause) => Err(cause.to_string()),
    }
}
