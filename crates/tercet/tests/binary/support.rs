//! How does a test get a project of its own, type verbs at it and read what came out?

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::Value as Json;
use tercet_engine::{Engine, EngineOptions, Frame, Location};

/// The binary under test.
pub(crate) const TERCET: &str = env!("CARGO_BIN_EXE_tercet");

/// The Monday that the starter project decides for.
pub(crate) const MONDAY: &str = "2026-02-16";

/// What a verb gave back.
#[derive(Debug)]
pub(crate) struct Output {
    pub code: i32,
    pub stdout: String,
    pub stderr: String,
}

impl Output {
    /// The output of a verb that must succeed.
    #[track_caller]
    pub(crate) fn fine(self) -> Self {
        assert_eq!(self.code, 0, "{}\n{}", self.stdout, self.stderr);
        self
    }

    /// Asserts a refusal: exit code, error code, a hint, and what else stderr says.
    #[track_caller]
    pub(crate) fn refused(&self, exit: i32, code: &str, words: &[&str]) {
        let stderr = &self.stderr;
        assert_eq!(self.code, exit, "{}\n{stderr}", self.stdout);
        assert!(stderr.contains(&format!("error[{code}]")), "{code} is not in: {stderr}");
        assert!(stderr.contains("hint: "), "no hint in: {stderr}");
        for word in words {
            assert!(stderr.contains(word), "'{word}' is not in: {stderr}");
        }
    }

    /// Standard output, read as JSON.
    #[track_caller]
    pub(crate) fn json(&self) -> Json {
        serde_json::from_str(&self.stdout).unwrap_or_else(|e| panic!("{e}: {}", self.stdout))
    }

    /// Standard output, read as the rows of a CSV file without quoted commas; the header comes first.
    pub(crate) fn lines(&self) -> Vec<Vec<String>> {
        self.stdout.lines().map(|line| line.split(',').map(str::to_owned).collect()).collect()
    }
}

/// A command that sees nothing of the caller's settings, keys or terminal.
pub(crate) fn command(program: &str) -> Command {
    let mut command = Command::new(program);
    command.env_clear().env("PATH", "/usr/local/bin:/usr/bin:/bin").env("NO_COLOR", "1");
    command.stdin(Stdio::null());
    command
}

/// Runs a command to its end.
pub(crate) fn finish(command: &mut Command) -> Output {
    let done = command.output().unwrap();
    Output {
        code: done.status.code().unwrap_or(-1),
        stdout: String::from_utf8(done.stdout).unwrap(),
        stderr: String::from_utf8(done.stderr).unwrap(),
    }
}

/// Runs the binary in no project.
pub(crate) fn run(arguments: &[&str]) -> Output {
    finish(command(TERCET).args(arguments))
}

/// One offer, as `offers.parquet` holds it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Offer {
    pub customer_id: String,
    pub slot: i32,
    pub promotion_id: String,
    pub code: Option<String>,
    pub value_minor: i64,
}

/// One row of the decision log.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Decision {
    pub customer_id: String,
    pub slot: i32,
    pub arm: String,
    pub promotion_id: Option<String>,
    pub value_kind: String,
    pub expected_cost_minor: i64,
    pub empty_reason: Option<String>,
    pub is_forced: bool,
}

/// A project in a temporary folder.
pub(crate) struct Project {
    folder: tempfile::TempDir,
    name: &'static str,
}

/// The starter project.
pub(crate) fn project() -> Project {
    let project = at(tempfile::tempdir().unwrap(), "shop");
    run(&["init", project.path().to_str().unwrap()]).fine();
    project
}

/// A project that lies in a folder already.
pub(crate) fn at(folder: tempfile::TempDir, name: &'static str) -> Project {
    Project { folder, name }
}

impl Project {
    /// The project's folder.
    pub(crate) fn path(&self) -> PathBuf {
        self.folder.path().join(self.name)
    }

    /// A command of the binary on this project.
    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = command(TERCET);
        command.arg("--project").arg(self.path()).args(arguments);
        command
    }

    /// Types a verb.
    pub(crate) fn run(&self, arguments: &[&str]) -> Output {
        finish(&mut self.command(arguments))
    }

    /// Types `run` with these flags and returns the id of the run.
    #[track_caller]
    pub(crate) fn weekly(&self, flags: &[&str]) -> String {
        let done = self.run(&[&["--quiet", "run"], flags].concat()).fine();
        done.stdout.split_whitespace().next().unwrap().to_owned()
    }

    /// Types a verb with variables in its environment.
    pub(crate) fn run_with(&self, variables: &[(&str, &str)], arguments: &[&str]) -> Output {
        finish(self.command(arguments).envs(variables.iter().copied()))
    }

    /// Writes a table of a run anew, such as `allocation/decisions`.
    pub(crate) fn rewrite(&self, run: &str, table: &str, rows: &Frame) {
        let engine = Engine::new(EngineOptions::default()).unwrap();
        let store = engine.store(&Location::new("runs", &self.path()).unwrap()).unwrap();
        store.put_table(&format!("{run}/{table}.parquet"), rows).unwrap();
    }

    /// Writes a file below the project's folder.
    pub(crate) fn file(&self, name: &str, content: impl AsRef<[u8]>) {
        let path = self.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, content).unwrap();
    }

    /// Reads a file below the project's folder.
    #[track_caller]
    pub(crate) fn text(&self, name: &str) -> String {
        let path = self.path().join(name);
        std::fs::read_to_string(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display()))
    }

    /// Rewrites the lines of a CSV file: `edit` gets the header and each line's cells and may change,
    /// drop (by emptying) or add cells.
    pub(crate) fn edit(&self, name: &str, edit: impl Fn(usize, &mut Vec<String>)) {
        let mut text = String::new();
        for (row, line) in self.text(name).lines().enumerate() {
            let mut cells: Vec<String> = line.split(',').map(str::to_owned).collect();
            edit(row, &mut cells);
            if !cells.is_empty() {
                text.push_str(&cells.join(","));
                text.push('\n');
            }
        }
        self.file(name, text);
    }

    /// Adds lines to a file.
    pub(crate) fn append(&self, name: &str, lines: &str) {
        self.file(name, self.text(name) + lines);
    }

    /// Sets a key of `tercet.toml`, for example `rules.holdout_rate`.
    pub(crate) fn set(&self, key: &str, value: impl Into<toml::Value>) {
        let mut table: toml::Table = toml::from_str(&self.text("tercet.toml")).unwrap();
        let mut keys: Vec<&str> = key.split('.').collect();
        let last = keys.pop().unwrap();
        let mut target = &mut table;
        for key in keys {
            let entry = target.entry(key).or_insert_with(|| toml::Table::new().into());
            target = entry.as_table_mut().unwrap();
        }
        target.insert(last.to_owned(), value.into());
        self.file("tercet.toml", toml::to_string(&table).unwrap());
    }

    /// Maps a further source onto a canonical table: `data/<table>.csv`.
    pub(crate) fn source(&self, table: &str, content: &str) {
        let path = format!("data/{table}.csv");
        self.file(&path, content);
        self.set(&format!("sources.{table}.path"), path);
    }

    /// Ids of the complete runs, the newest as-of date first.
    #[track_caller]
    pub(crate) fn runs(&self) -> Vec<String> {
        let listed = self.run(&["runs", "--format", "json"]).fine().json();
        let rows = listed.as_array().unwrap().iter();
        rows.map(|row| row["run"].as_str().unwrap().to_owned()).collect()
    }

    /// A Parquet file of a run.
    #[track_caller]
    pub(crate) fn table(&self, run: &str, file: &str) -> Frame {
        let engine = Engine::new(EngineOptions::default()).unwrap();
        let store = engine.store(&Location::new("runs", &self.path()).unwrap()).unwrap();
        let mut paths = store.list(&format!("{run}/{file}")).unwrap();
        paths.retain(|path| path.ends_with(".parquet"));
        if paths.is_empty() {
            paths.push(format!("{run}/{file}.parquet"));
        }
        engine.load_parts(&store, &paths, "read").unwrap()
    }

    /// The offers of a run.
    #[track_caller]
    pub(crate) fn offers(&self, run: &str) -> Vec<Offer> {
        let found = self.table(run, "delivery/offers");
        let (customers, slots) = (found.text("customer_id").unwrap(), found.i32("slot").unwrap());
        let promotions = found.text("promotion_id").unwrap();
        let codes = found.text_or_null("code").unwrap();
        let values = found.i64("value_minor").unwrap();
        let mut offers: Vec<Offer> = (0..found.rows())
            .map(|row| Offer {
                customer_id: customers[row].clone(),
                slot: slots[row],
                promotion_id: promotions[row].clone(),
                code: codes[row].clone(),
                value_minor: values[row],
            })
            .collect();
        offers.sort_by(|a, b| (&a.customer_id, a.slot).cmp(&(&b.customer_id, b.slot)));
        offers
    }

    /// The decision log of a run.
    #[track_caller]
    pub(crate) fn decisions(&self, run: &str) -> Vec<Decision> {
        let found = self.table(run, "allocation/decisions");
        let text = |name: &str| found.text(name).unwrap();
        let or_null = |name: &str| found.text_or_null(name).unwrap();
        let (customers, arms, kinds) = (text("customer_id"), text("arm"), text("value_kind"));
        let (promotions, empties) = (or_null("promotion_id"), or_null("empty_reason"));
        let (slots, costs) =
            (found.i32("slot").unwrap(), found.i64("expected_cost_minor").unwrap());
        let forced = found.bool_or_null("is_forced").unwrap();
        (0..found.rows())
            .map(|row| Decision {
                customer_id: customers[row].clone(),
                slot: slots[row],
                arm: arms[row].clone(),
                promotion_id: promotions[row].clone(),
                value_kind: kinds[row].clone(),
                expected_cost_minor: costs[row],
                empty_reason: empties[row].clone(),
                is_forced: forced[row] == Some(true),
            })
            .collect()
    }

    /// Customers with an offer in a run.
    #[track_caller]
    pub(crate) fn reached(&self, run: &str) -> BTreeSet<String> {
        self.offers(run).into_iter().map(|offer| offer.customer_id).collect()
    }

    /// All files below the project's folder.
    pub(crate) fn files(&self) -> BTreeMap<String, Vec<u8>> {
        files(&self.path())
    }

    /// The files of the runs that must be equal wherever inputs and seed are: all but the page, which holds
    /// timings and is named by the manifests without its fingerprint.
    pub(crate) fn outcome(&self) -> BTreeMap<String, Vec<u8>> {
        let mut found = files(&self.path().join("runs"));
        found.retain(|name, _| !name.ends_with("/delivery/report.html"));
        found
    }
}

/// Paths of the files below a folder, relative to it, sorted.
pub(crate) fn names(folder: &Path) -> Vec<String> {
    let mut found = Vec::new();
    let mut open: Vec<PathBuf> = vec![folder.to_owned()];
    while let Some(next) = open.pop() {
        let Ok(entries) = std::fs::read_dir(&next) else { continue };
        for entry in entries.flatten() {
            let path = entry.path();
            if path.is_dir() {
                open.push(path);
            } else {
                found.push(path.strip_prefix(folder).unwrap().to_str().unwrap().to_owned());
            }
        }
    }
    found.sort_unstable();
    found
}

/// Files below a folder with their content, by path.
pub(crate) fn files(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let read = |name: String| Some((name.clone(), std::fs::read(folder.join(name)).ok()?));
    names(folder).into_iter().filter_map(read).collect()
}

/// Counts by key.
pub(crate) fn counts<K: Ord>(keys: impl Iterator<Item = K>) -> BTreeMap<K, usize> {
    let mut counts = BTreeMap::new();
    for key in keys {
        *counts.entry(key).or_insert(0) += 1;
    }
    counts
}
