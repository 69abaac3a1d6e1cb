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
    place: &'a str,
    study: String,
    /// The whole file as it was last seen, so that it is written whole.
    text: String,
    /// The lines that this call wrote.
    own: Vec<String>,
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
        place: &'a str,
        study: &Value,
    ) -> Result<Self> {
        let digest = blake3::hash(study.to_string().as_bytes()).to_hex();
        let study = digest[..STUDY_DIGITS].to_owned();
        let (text, own, trials) = (String::new(), Vec::new(), Vec::new());
        let mut read = Self { store, file, place, study, text, own, trials };
        read.refresh()?;
        Ok(read)
    }

    /// Reads the file again: other calls may have added to it.
    fn refresh(&mut self) -> Result<()> {
        let bytes = self.store.get_if_there(self.file)?.unwrap_or_default();
        self.text = String::from_utf8_lossy(&bytes).into_owned();
        if !self.text.is_empty() && !self.text.ends_with('\n') {
            self.text.push('\n');
        }
        // A call that read before this one wrote, and wrote after it, has taken these out.
        for line in &self.own {
            if !self.text.lines().any(|kept| kept == line) {
                self.text.push_str(line);
                self.text.push('\n');
            }
        }
        self.trials.clear();
        for (number, line) in (1..).zip(self.text.lines()) {
            let kept: Kept = serde_json::from_str(line).map_err(|cause| {
                Error::data("T1095", format!("{}: line {number} is no trial", self.place))
                    .hint("name another file with --trials")
                    .cause(cause)
            })?;
            if kept.study == self.study {
                self.trials.push(kept.trial);
            }
        }
        Ok(())
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

    /// Keeps a trial beside those that others kept meanwhile, with the next free number: the file is written anew,
    /// whole, so that a broken call leaves no half of a line.
    pub(super) fn keep(&mut self, trial: Trial) -> Result<()> {
        self.refresh()?;
        let trial = Trial { trial: self.trials.len() + 1, ..trial };
        let kept = Kept { study: self.study.clone(), trial: trial.clone() };
        let line = serde_json::to_string(&kept)
            .map_err(|cause| Error::internal("T1095", "a trial cannot be written").cause(cause))?;
        self.text.push_str(&line);
        self.text.push('\n');
        self.own.push(line);
        self.store.put(self.file, self.text.clone().into_bytes())?;
        self.trials.push(trial);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use tercet_engine::{Engine, EngineOptions, Location};

    use super::*;

    fn trial(value: f64) -> Trial {
        Trial { trial: 0, settings: json!({}), value: Some(value), cost: None, failed: None }
    }

    #[test]
    fn calls_at_once_keep_each_others_trials() {
        let folder = tempfile::tempdir().unwrap();
        let engine = Engine::new(EngineOptions::default()).unwrap();
        let store = engine.store(&Location::new(".", folder.path()).unwrap()).unwrap();
        let read = |study: &str| Trials::read(&store, "t.jsonl", "t.jsonl", &json!(study)).unwrap();
        let (mut one, mut other, mut third) = (read("one"), read("one"), read("two"));
        one.keep(trial(0.1)).unwrap();
        let early = store.get("t.jsonl").unwrap();
        other.keep(trial(0.2)).unwrap();
        third.keep(trial(0.3)).unwrap();
        one.keep(trial(0.4)).unwrap();
        let kept = |study: &str| -> Vec<(usize, Option<f64>)> {
            read(study).all().iter().map(|trial| (trial.trial, trial.value)).collect()
        };
        assert_eq!(kept("one"), [(1, Some(0.1)), (2, Some(0.2)), (3, Some(0.4))]);
        assert_eq!(kept("two"), [(1, Some(0.3))]);
        assert_eq!(one.best().unwrap().value, Some(0.4));
        // What another call overwrote comes back with the next trial.
        store.put("t.jsonl", early).unwrap();
        third.keep(trial(0.5)).unwrap();
        assert_eq!(kept("two"), [(1, Some(0.3)), (2, Some(0.5))]);
        assert_eq!(kept("one"), [(1, Some(0.1))]);
    }
}
