//! What happened in a run, and is it whole?
//!
//! A stage is done when its `stage.json` is there; a run is there when its `manifest.json` is. Both
//! are written last and only once, so that a reader sees all of it or nothing.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use tercet_engine::{FileFact, InputFile, Store};
use tercet_types::{Date, Error, Result};

use crate::output::Progress;

/// The stages, in the order of the data.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Stage {
    /// Reads, checks and prepares the shop's data.
    Sources,
    /// What is known about customers, products, promotions and pairs.
    Features,
    /// Learns from past weeks.
    Models,
    /// What each offer is worth to each customer, and why.
    Scoring,
    /// Who gets which.
    Allocation,
    /// What leaves the house.
    Delivery,
}

impl Stage {
    /// All stages in order.
    pub(crate) const ALL: [Self; 6] = [
        Self::Sources,
        Self::Features,
        Self::Models,
        Self::Scoring,
        Self::Allocation,
        Self::Delivery,
    ];

    /// The name of the stage and of its folder.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Sources => "sources",
            Self::Features => "features",
            Self::Models => "models",
            Self::Scoring => "scoring",
            Self::Allocation => "allocation",
            Self::Delivery => "delivery",
        }
    }
}

/// What `--select` names: `scoring` is one stage, `scoring+` the stage and all after it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Selection {
    stage: Stage,
    onwards: bool,
}

impl Selection {
    /// True when `stage` is to be run again.
    pub(crate) fn contains(self, stage: Stage) -> bool {
        stage == self.stage || (self.onwards && stage > self.stage)
    }
}

impl std::str::FromStr for Selection {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let (name, onwards) = text.strip_suffix('+').map_or((text, false), |name| (name, true));
        let stage = Stage::ALL.into_iter().find(|stage| stage.name() == name).ok_or_else(|| {
            let names: Vec<&str> = Stage::ALL.iter().map(|stage| stage.name()).collect();
            Error::config("T1004", format!("'{name}' is not a stage")).hint(format!(
                "the stages are {}; 'allocation+' means allocation and all after it",
                names.join(", ")
            ))
        })?;
        Ok(Self { stage, onwards })
    }
}

/// `stage.json`: what a finished stage wrote, and from what.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct StageManifest {
    /// The stage.
    pub(crate) stage: Stage,
    /// Fingerprint of everything the stage read: the manifests of the stages before it.
    pub(crate) inputs: String,
    /// What it wrote.
    pub(crate) files: Vec<FileFact>,
    /// Paths of what it wrote beside the outcome: pages for people, which hold timings. They stand here
    /// without size and hash, so that equal runs have equal manifests.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) pages: Vec<String>,
    /// One line on what happened.
    pub(crate) summary: String,
}

/// `manifest.json`: a complete run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct RunManifest {
    /// The run.
    pub(crate) run_id: String,
    /// The first day its offers hold for.
    pub(crate) as_of: Date,
    /// Who decided.
    pub(crate) engine: String,
    /// Seed of all randomness.
    pub(crate) seed: u64,
    /// Version of the binary.
    pub(crate) tercet_version: String,
    /// Fingerprint of the configuration.
    pub(crate) config_blake3: String,
    /// The shop's files.
    pub(crate) inputs: Vec<InputFile>,
    /// The earlier run whose log of assignment was taken over.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) assignments: Option<String>,
    /// Earlier runs that the contact rules looked at.
    pub(crate) history: Vec<String>,
    /// Earlier runs whose draws said what offers bring.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) tried: Vec<String>,
    /// The stages.
    pub(crate) stages: Vec<StageManifest>,
    /// One sentence on the outcome.
    pub(crate) summary: String,
}

/// The path of a run's manifest.
pub(crate) fn manifest_path(run_id: &str) -> String {
    format!("{run_id}/manifest.json")
}

/// The path of a file of a stage.
pub(crate) fn stage_path(run_id: &str, stage: Stage, file: &str) -> String {
    format!("{run_id}/{}/{file}", stage.name())
}

/// The files of a table of a stage: one, or those of its parts in their order.
pub(crate) fn files_of(
    store: &Store,
    run_id: &str,
    stage: Stage,
    table: &str,
) -> Result<Vec<String>> {
    let mut parts = store.list(&stage_path(run_id, stage, table))?;
    parts.retain(|path| path.ends_with(".parquet"));
    Ok(match parts.is_empty() {
        true => vec![stage_path(run_id, stage, &Part::WHOLE.file(table))],
        false => parts,
    })
}

/// One of the parts that a run's customers are divided into, or all of them where they are not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Part {
    /// Its place.
    pub(crate) at: usize,
    /// The number of parts.
    pub(crate) of: usize,
}

impl Part {
    /// All customers.
    pub(crate) const WHOLE: Self = Self { at: 0, of: 1 };

    /// The parts of so many.
    pub(crate) fn all(of: usize) -> impl Iterator<Item = Self> {
        (0..of).map(move |at| Self { at, of })
    }

    /// The file of the part's rows of a table, below the stage.
    pub(crate) fn file(self, table: &str) -> String {
        self.named(table, "parquet")
    }

    /// The same with another ending.
    pub(crate) fn named(self, table: &str, ending: &str) -> String {
        match self.of {
            1 => format!("{table}.{ending}"),
            _ => format!("{table}/part-{:04}.{ending}", self.at),
        }
    }
}

/// All complete runs, oldest as-of date first; then by id.
pub(crate) fn complete_runs(store: &Store) -> Result<Vec<RunManifest>> {
    let mut runs = Vec::new();
    for run_id in store.folders("")? {
        if let Some(bytes) = store.get_if_there(&manifest_path(&run_id))? {
            runs.push(parse::<RunManifest>(&bytes, &manifest_path(&run_id))?);
        }
    }
    runs.sort_by(|a, b| (a.as_of, &a.run_id).cmp(&(b.as_of, &b.run_id)));
    Ok(runs)
}

/// The runs of an engine in the weeks asked for, one for each Monday; of several the last by its id, which is said.
///
/// # Errors
/// `T1047` when the first week lies after the last.
pub(crate) fn runs_by_week<'a>(
    runs: &'a [RunManifest],
    engine: &str,
    (from, to): (Option<Date>, Option<Date>),
    progress: &Progress,
) -> Result<BTreeMap<Date, &'a RunManifest>> {
    if let (Some(from), Some(to)) = (from, to)
        && from > to
    {
        return Err(Error::config("T1047", format!("--from {from} lies after --to {to}"))
            .hint("--from is the first Monday, --to the last; both may be left out"));
    }
    let mut by_week: BTreeMap<Date, &RunManifest> = BTreeMap::new();
    let asked = |run: &&RunManifest| {
        run.engine == engine
            && from.is_none_or(|from| run.as_of >= from)
            && to.is_none_or(|to| run.as_of <= to)
    };
    for run in runs.iter().filter(asked) {
        if let Some(other) = by_week.insert(run.as_of, run) {
            progress.say(&format!(
                "warning: two runs of {}: {} is read and {} is not; delete the folder of the one whose offers were not sent",
                run.as_of, run.run_id, other.run_id
            ));
        }
    }
    Ok(by_week)
}

/// The complete run of that id; without one, the run of the newest as-of date.
///
/// # Errors
/// `T1013` when there is none.
pub(crate) fn chosen_run(store: &Store, run_id: Option<&str>) -> Result<RunManifest> {
    let mut runs = complete_runs(store)?;
    let found = match run_id {
        Some(id) => runs.into_iter().find(|run| run.run_id == id),
        None => runs.pop(),
    };
    found.ok_or_else(|| match run_id {
        Some(id) => Error::not_found("T1013", format!("there is no complete run '{id}'"))
            .hint("'tercet runs' lists those that are there"),
        None => Error::not_found("T1013", "this project has no complete run")
            .hint("start one with 'tercet run'; one that was broken off resumes"),
    })
}

/// The JSON bytes of a manifest: ordered keys, a closing line end.
pub(crate) fn to_json(value: &impl Serialize) -> Result<Vec<u8>> {
    let mut bytes = serde_json::to_vec_pretty(value).map_err(|cause| {
        Error::internal("T1005", "a manifest could not be written").cause(cause)
    })?;
    bytes.push(b'\n');
    Ok(bytes)
}

/// Reads a JSON file of a run.
pub(crate) fn parse<T: serde::de::DeserializeOwned>(bytes: &[u8], path: &str) -> Result<T> {
    serde_json::from_slice(bytes).map_err(|cause| {
        Error::data("T1006", format!("{path}: not a manifest of this version"))
            .hint("delete the run's folder and run again")
            .cause(cause)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn selections() {
        let check = |text: &str, expect: &str| {
            let selected: Selection = text.parse().unwrap();
            let names: Vec<_> =
                Stage::ALL.into_iter().filter(|s| selected.contains(*s)).map(Stage::name).collect();
            assert_eq!(names.join(" "), expect);
        };
        check("scoring", "scoring");
        check("scoring+", "scoring allocation delivery");
        check("sources+", "sources features models scoring allocation delivery");
        assert_eq!("score".parse::<Selection>().unwrap_err().code(), "T1004");
    }
}
