//! On which machine, and under which load, were the figures taken?

use std::fs;
use std::path::Path;
use std::process::Command;

use serde::{Deserialize, Serialize};

/// Instruction sets that the scorer's kernels ask for.
const FEATURES: &[&str] =
    &["avx2", "avx512f", "avx512bw", "avx512vl", "avx512_vbmi2", "avx512_vpopcntdq"];

/// The machine, the state of the sources, and the load before and after.
#[derive(Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Machine {
    processor: String,
    cores: usize,
    memory_mb: u64,
    features: Vec<String>,
    kernel: String,
    commit: String,
    load: Vec<String>,
}

impl Machine {
    /// What Linux and git tell; what they do not stays empty.
    pub(crate) fn here(root: &Path) -> Self {
        let info = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
        let flags = field(&info, "flags");
        let memory = fs::read_to_string("/proc/meminfo").unwrap_or_default();
        let kib = field(&memory, "MemTotal").trim_end_matches("kB").trim().to_owned();
        let git = |arguments: &[&str]| {
            let output = Command::new("git").args(arguments).current_dir(root).output();
            output.map(|o| String::from_utf8_lossy(&o.stdout).trim().to_owned()).unwrap_or_default()
        };
        let changed = !git(&["status", "--porcelain", "--", "crates", "xtask"]).is_empty();
        let commit = git(&["rev-parse", "--short", "HEAD"]);
        Self {
            processor: field(&info, "model name"),
            cores: std::thread::available_parallelism().map_or(1, std::num::NonZero::get),
            memory_mb: kib.parse::<u64>().map_or(0, |kib| kib * 1_024 / 1_000_000),
            features: FEATURES
                .iter()
                .filter(|name| flags.split_whitespace().any(|flag| flag == **name))
                .map(|name| (*name).to_owned())
                .collect(),
            kernel: fs::read_to_string("/proc/sys/kernel/osrelease")
                .unwrap_or_default()
                .trim()
                .to_owned(),
            commit: if changed { format!("{commit} with changes") } else { commit },
            load: vec![load()],
        }
    }

    /// Notes the load once more.
    pub(crate) fn finish(&mut self) {
        self.load.push(load());
    }

    /// The machine in lines of Markdown.
    pub(crate) fn page(&self) -> String {
        let Self { processor, cores, memory_mb, features, kernel, commit, load } = self;
        let at = |load: Option<&String>| load.map_or("–", String::as_str).to_owned();
        format!(
            "- {processor}, {cores} cores, {memory_mb} MB, {}\n- kernel {kernel}, commit {commit}\n\
             - load (1, 5, 15 minutes) before: {}; after: {}\n",
            features.join(" "),
            at(load.first()),
            at(load.last()),
        )
    }
}

/// The three load averages.
fn load() -> String {
    let text = fs::read_to_string("/proc/loadavg").unwrap_or_default();
    text.split_whitespace().take(3).collect::<Vec<_>>().join(" ")
}

/// The value of the first `name : value` line.
fn field(text: &str, name: &str) -> String {
    let line = text.lines().find_map(|line| {
        let (key, value) = line.split_once(':')?;
        (key.trim() == name).then(|| value.trim().to_owned())
    });
    line.unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_found_by_their_whole_name() {
        let text = "MemTotalHuge: 1 kB\nMemTotal:       24000 kB\nmodel name\t: Some CPU\n";
        assert_eq!(field(text, "MemTotal"), "24000 kB");
        assert_eq!(field(text, "model name"), "Some CPU");
        assert_eq!(field(text, "model"), "");
    }
}
