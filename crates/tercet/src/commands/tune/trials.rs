//! Which settings were tried already, and where is that kept?

use serde::{Deserialize, Serialize};
use serde_json::Value;
use tercet_engine::Store;
use tercet_models::search::Tried;
use tercet_types::{Error, Result};

use crate::pipeline::Cost;

/// Digits of a study's fingerprint.
const STUDY_DIGITS: usize = 16;

/// Settings that were tried.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Trial {
    /// Its number, from 1.
    pub(super) trial: usize,
    /// The settings.
    pub(super) settings: Value,
    /// What they came to on the validation part; none where they could not be judged.
    pub(super) value: Option<f64>,
    /// What that cost.
    pub(super) cost: Option<Cost>,
    /// Why they could not be judged.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) failed: Option<String>,
}

impl Trial {
    pub(super) fn tried(&self) -> Tried {
        Tried { settings: self.settings.clone(), value: self.value }
    }

    /// CPU seconds to fit and to rank.
    pub(super) fn cpu_seconds(&self) -> Option<f64> {
        let cost = self.cost.as_ref()?;
        Some(
            cost.fit_cpu_seconds.unwrap_or(cost.fit_seconds)
                + cost.rank_cpu_seconds.unwrap_or(cost.rank_seconds),
        )
    }
}

/// A line of the file.
#[derive(Serialize, Deserialize)]
struct Kept {
    /// The fingerprint of all that makes trials comparable.
    study: String,
    #[serde(flatten)]
    trial: Trial,
}

/// The trials of one study, in a file that may hold those of others.
pub(super) struct Trials<'a> {
    store: &'a Store,
    file: &'a str,
    study: String,
    /// The whole file, so that it is written whole.
    text: String,
    trials: Vec<Trial>,
}

impl<'a> Trials<'a> {
    /// The trials of a study that are kept already.
    ///
    /// # Errors
    /// `T1095` naming a line that is no trial.
    pub(super) fn read(
        store: &'a Store,
        file: &'a str,
        place: &str,
        study: &Value,
    ) -> Result<Self> {
        let bytes = store.get_if_there(file)?.unwrap_or_default();
        let text = String::from_utf8_lossy(&bytes).into_owned();
        let digest = blake3::hash(study.to_string().as_bytes()).to_hex();
        let study = digest[..STUDY_DIGITS].to_owned();
        let mut trials = Vec::new();
        for (number, line) in (1..).zip(text.lines()) {
            let kept: Kept = serde_json::from_str(line).map_err(|cause| {
                Error::data("T1095", format!("{place}: line {number} is no trial"))
                    .hint("name another file with --trials")
                    .cause(cause)
            })?;
            if kept.study == study {
                trials.push(kept.trial);
            }
        }
        Ok(Self { store, file, study, text, trials })
    }

    /// The trials, in the order in which they were made.
    pub(super) fn all(&self) -> &[Trial] {
        &self.trials
    }

    /// The trial with the largest value; the earlier of equal ones.
    pub(super) fn best(&self) -> Option<&Trial> {
        let judged = self.trials.iter().filter(|trial| trial.value.is_some());
        judged.reduce(|best, trial| if trial.value > best.value { trial } else { best })
    }

    /// Keeps a trial: the file is written anew, whole, so that a broken call leaves no half of a line.
    pub(super) fn keep(&mut self, trial: Trial) -> Result<()> {
        let kept = Kept { study: self.study.clone(), trial: trial.clone() };
        let line = serde_json::to_string(&kept)
            .map_err(|cause| Error::internal("T1095", "a trial cannot be written").cause(cause))?;
        self.text.push_str(&line);
        self.text.push('\n');
        self.store.put(self.file, self.text.clone().into_bytes())?;
        self.trials.push(trial);
        Ok(())
    }
}
