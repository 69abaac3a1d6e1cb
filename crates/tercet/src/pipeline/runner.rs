//! In which order do stages run, and which can be skipped?

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use tercet_engine::{Engine, FileFact, Frame, InputFile, Store};
use tercet_types::{Date, ErrorKind, Result};

use super::manifest::{
    Part, RunManifest, Selection, Stage, StageManifest, files_of, manifest_path, parse, stage_path,
    to_json,
};
use crate::config::Config;
use crate::output::Progress;

/// Everything that decides what a run's outcome is. Equal identities give equal bytes in everything but
/// pages, which hold timings.
#[derive(Clone, Debug, serde::Serialize)]
pub(crate) struct Identity {
    /// Version of the binary.
    pub(crate) tercet_version: &'static str,
    /// The first day the offers hold for.
    pub(crate) as_of: Date,
    /// Who decides, as asked for.
    pub(crate) engine: String,
    /// The engine that does: the champion, where that is asked for. It hangs on all the others.
    #[serde(skip)]
    pub(crate) decider: String,
    /// Seed of all randomness.
    pub(crate) seed: u64,
    /// Fingerprint of the configuration.
    pub(crate) config_blake3: String,
    /// Fingerprint of the keys (assignment and pseudonyms), so that another key is another run.
    pub(crate) keys_blake3: String,
    /// The shop's files.
    pub(crate) inputs: Vec<InputFile>,
    /// The earlier run whose log of assignment is taken over.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) assignments: Option<String>,
    /// Earlier runs that the contact rules look at.
    pub(crate) history: Vec<String>,
    /// Earlier runs whose draws say what offers bring.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) tried: Vec<String>,
}

impl Identity {
    /// The run's id: the day, the engine, and eight digits of the fingerprint of all that it hangs on.
    pub(crate) fn run_id(&self) -> Result<String> {
        let digest = blake3::hash(&to_json(self)?).to_hex();
        Ok(format!("{}-{}-{}", self.as_of, self.engine, &digest.as_str()[..8]))
    }
}

/// What a stage works with.
pub(crate) struct StageContext<'a> {
    /// The engine; tables of earlier stages are registered when [`StageContext::need`] asks for them.
    pub(crate) engine: &'a Engine,
    /// Where runs are kept.
    pub(crate) store: &'a Store,
    /// The configuration.
    pub(crate) config: &'a Config,
    /// What the run hangs on.
    pub(crate) identity: &'a Identity,
    /// The run.
    pub(crate) run_id: &'a str,
    /// How far the stage is.
    pub(crate) progress: &'a Progress,
    stage: Stage,
    files: Vec<FileFact>,
    pages: Vec<String>,
}

impl StageContext<'_> {
    /// Makes the table of an earlier stage known to the engine, with all its parts.
    pub(crate) fn need(&self, stage: Stage, table: &str) -> Result<()> {
        if self.engine.has(table) { Ok(()) } else { self.mount(stage, table, Part::WHOLE) }
    }

    /// Registers a part of a table of an earlier stage, or all parts of one, in place of another.
    pub(crate) fn mount(&self, stage: Stage, table: &str, part: Part) -> Result<()> {
        self.engine.mount_parts(self.store, &self.paths(stage, table, part)?, table)?;
        Ok(())
    }

    /// As [`Self::mount`], with some of the columns.
    pub(crate) fn mount_columns(
        &self,
        stage: Stage,
        table: &str,
        part: Part,
        columns: &[&str],
    ) -> Result<()> {
        let paths = self.paths(stage, table, part)?;
        self.engine.mount_columns(self.store, &paths, table, columns)?;
        Ok(())
    }

    /// As [`Self::mount`], and returns the rows.
    pub(crate) fn load(&self, stage: Stage, table: &str, part: Part) -> Result<Frame> {
        self.engine.load_parts(self.store, &self.paths(stage, table, part)?, table)
    }

    fn paths(&self, stage: Stage, table: &str, part: Part) -> Result<Vec<String>> {
        match part {
            Part::WHOLE => files_of(self.store, self.run_id, stage, table),
            part => Ok(vec![stage_path(self.run_id, stage, &part.file(table))]),
        }
    }

    /// Keeps a part of a table until it is [taken back](Self::take_back): not part of what the stage leaves.
    pub(crate) fn put_aside(&self, table: &str, part: Part, frame: &Frame) -> Result<()> {
        self.store.put_table(&stage_path(self.run_id, self.stage, &part.file(table)), frame)?;
        Ok(())
    }

    /// Registers a part that was put aside, which is then gone.
    pub(crate) fn take_back(&self, table: &str, part: Part) -> Result<()> {
        self.mount(self.stage, table, part)?;
        self.store.delete(&stage_path(self.run_id, self.stage, &part.file(table)))
    }

    /// Keeps bytes until they are [taken back](Self::take_back_bytes): not part of what the stage leaves.
    pub(crate) fn put_bytes_aside(&self, file: &str, bytes: Vec<u8>) -> Result<()> {
        self.store.put(&stage_path(self.run_id, self.stage, file), bytes)?;
        Ok(())
    }

    /// The bytes that were put aside, which are then gone.
    pub(crate) fn take_back_bytes(&self, file: &str) -> Result<Vec<u8>> {
        let path = stage_path(self.run_id, self.stage, file);
        let bytes = self.store.get(&path)?;
        self.store.delete(&path)?;
        Ok(bytes)
    }

    /// Reads a file of an earlier stage.
    pub(crate) fn read(&self, stage: Stage, file: &str) -> Result<Vec<u8>> {
        self.store.get(&stage_path(self.run_id, stage, file))
    }

    /// Writes a table of this stage and registers it, so that the next stage sees just what a resumed
    /// run would read.
    pub(crate) fn write_table(&mut self, table: &str, frame: &Frame) -> Result<()> {
        self.write_part(table, Part::WHOLE, frame)?;
        self.engine.register(table, frame)
    }

    /// Writes one part of a table that is larger than memory: a file of its own, below the table's name.
    pub(crate) fn write_part(&mut self, table: &str, part: Part, frame: &Frame) -> Result<()> {
        let path = stage_path(self.run_id, self.stage, &part.file(table));
        self.files.push(self.store.put_table(&path, frame)?);
        Ok(())
    }

    /// The same stage with another engine, for a thread that works on some of its parts; what it
    /// [wrote](Self::written) is to be [booked](Self::book) here.
    pub(crate) fn beside<'b>(&'b self, engine: &'b Engine) -> StageContext<'b> {
        StageContext { engine, files: Vec::new(), pages: Vec::new(), ..*self }
    }

    /// The files it wrote.
    pub(crate) fn written(self) -> Vec<FileFact> {
        self.files
    }

    /// Adds files that are written to what the stage leaves.
    pub(crate) fn book(&mut self, files: Vec<FileFact>) {
        self.files.extend(files);
    }

    /// Writes another file of this stage.
    pub(crate) fn write(&mut self, file: &str, bytes: Vec<u8>) -> Result<()> {
        let path = stage_path(self.run_id, self.stage, file);
        self.files.push(self.store.put(&path, bytes)?);
        Ok(())
    }

    /// Writes a page for people. It may say how long the run took, so it is no part of the outcome: the
    /// manifests name it and vouch for nothing in it.
    pub(crate) fn write_page(&mut self, file: &str, bytes: Vec<u8>) -> Result<()> {
        let path = stage_path(self.run_id, self.stage, file);
        self.store.put(&path, bytes)?;
        self.pages.push(path);
        Ok(())
    }
}

/// What a run did.
pub(crate) struct Outcome {
    /// The manifest of the complete run.
    pub(crate) manifest: RunManifest,
    /// True when nothing had to be done.
    pub(crate) was_complete: bool,
}

/// The work of one stage: writes its files through the context and says one line.
pub(crate) type StageWork<'a> = dyn Fn(&mut StageContext<'_>) -> Result<String> + 'a;

/// Runs the stages of `identity`, skipping those that are done, and completes the run.
///
/// A stage is done when its manifest names the inputs that it would read now. `select` runs stages
/// again that are done. `timings` collects the seconds of the stages that worked. Nothing of the run is visible before its manifest is written, last.
#[expect(
    clippy::too_many_arguments,
    reason = "the runner stands between everything and the stages"
)]
pub(crate) fn run_stages(
    engine: &Engine,
    store: &Store,
    config: &Config,
    identity: &Identity,
    select: Option<Selection>,
    progress: &Progress,
    timings: &Mutex<Vec<(Stage, f64)>>,
    work: &BTreeMap<Stage, Box<StageWork<'_>>>,
) -> Result<Outcome> {
    let run_id = identity.run_id()?;
    store.delete_leftovers(&run_id)?;
    if select.is_none()
        && let Some(bytes) = store.get_if_there(&manifest_path(&run_id))?
    {
        let manifest = parse(&bytes, &manifest_path(&run_id))?;
        return Ok(Outcome { manifest, was_complete: true });
    }
    // From here on the run is not there for readers, until it is whole again.
    store.delete(&manifest_path(&run_id))?;
    let mut done: Vec<StageManifest> = Vec::new();
    for stage in Stage::ALL {
        let inputs = blake3::hash(&to_json(&(&identity, &done))?).to_hex().to_string();
        let record = stage_path(&run_id, stage, "stage.json");
        let chosen = select.is_some_and(|select| select.contains(stage));
        let found = match store.get_if_there(&record)? {
            Some(bytes) if !chosen => parse::<StageManifest>(&bytes, &record).ok(),
            _ => None,
        };
        if let Some(found) = found.filter(|found| found.inputs == inputs) {
            progress.say(&format!("{:<11} done before", stage.name()));
            done.push(found);
            continue;
        }
        // A stage that was broken off leaves files without a record: they go first, record before files.
        store.delete(&record)?;
        store.delete_all(&format!("{run_id}/{}", stage.name()))?;
        let (manifest, took) = progress.step(stage.name(), || {
            let mut context = StageContext {
                engine,
                store,
                config,
                identity,
                run_id: &run_id,
                progress,
                stage,
                files: Vec::new(),
                pages: Vec::new(),
            };
            let summary = match work.get(&stage) {
                Some(work) => work(&mut context).map_err(|error| name_stage(error, stage))?,
                None => String::new(),
            };
            let manifest = StageManifest {
                stage,
                inputs,
                files: context.files,
                pages: context.pages,
                summary: summary.clone(),
            };
            store.put(&record, to_json(&manifest)?)?;
            Ok((manifest, summary))
        })?;
        let mut timings = timings.lock().unwrap_or_else(PoisonError::into_inner);
        timings.push((stage, took.as_secs_f64()));
        done.push(manifest);
    }
    let manifest = RunManifest {
        run_id: run_id.clone(),
        as_of: identity.as_of,
        engine: identity.engine.clone(),
        seed: identity.seed,
        tercet_version: identity.tercet_version.to_owned(),
        config_blake3: identity.config_blake3.clone(),
        inputs: identity.inputs.clone(),
        assignments: identity.assignments.clone(),
        history: identity.history.clone(),
        tried: identity.tried.clone(),
        summary: done.last().map(|stage| stage.summary.clone()).unwrap_or_default(),
        stages: done,
    };
    store.create(&manifest_path(&run_id), to_json(&manifest)?)?;
    Ok(Outcome { manifest, was_complete: false })
}

/// Internal errors say in which stage they rose; the others name their place themselves.
fn name_stage(error: tercet_types::Error, stage: Stage) -> tercet_types::Error {
    if error.kind() == ErrorKind::Internal { error.context(stage.name()) } else { error }
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;

    use tercet_engine::{EngineOptions, Location};
    use tercet_types::Error;

    use super::*;

    /// Runs a toy pipeline in which the stage of that name fails; returns the stages that worked.
    fn attempt(
        folder: &std::path::Path,
        fail: Option<Stage>,
        select: Option<&str>,
    ) -> (Vec<&'static str>, bool) {
        let engine = Engine::new(EngineOptions::default()).unwrap();
        let store = engine.store(&Location::new("runs", folder).unwrap()).unwrap();
        let identity = Identity {
            tercet_version: "test",
            as_of: "2017-09-04".parse().unwrap(),
            engine: "tercet".into(),
            decider: "tercet".into(),
            seed: 7,
            config_blake3: String::new(),
            keys_blake3: String::new(),
            inputs: Vec::new(),
            assignments: None,
            history: Vec::new(),
            tried: Vec::new(),
        };
        let worked = RefCell::new(Vec::new());
        let mut work: BTreeMap<Stage, Box<StageWork<'_>>> = BTreeMap::new();
        for stage in Stage::ALL {
            let worked = &worked;
            work.insert(
                stage,
                Box::new(move |context| {
                    context.write("half.txt", b"half".to_vec())?;
                    if fail == Some(stage) {
                        return Err(Error::unavailable("T0908", "the disk is full"));
                    }
                    let frame = Frame::of(vec![("x", vec![stage as i64].into())])?;
                    context.write_table(&format!("{}_table", stage.name()), &frame)?;
                    worked.borrow_mut().push(stage.name());
                    Ok("fine".into())
                }),
            );
        }
        let select = select.map(|text| text.parse().unwrap());
        let result = run_stages(
            &engine,
            &store,
            &Config::default(),
            &identity,
            select,
            &Progress::silent(),
            &Mutex::default(),
            &work,
        );
        let complete = !super::super::complete_runs(&store).unwrap().is_empty();
        assert_eq!(result.is_ok(), complete);
        drop(work);
        (worked.into_inner(), complete)
    }

    fn files(folder: &std::path::Path) -> Vec<(String, Vec<u8>)> {
        let engine = Engine::new(EngineOptions::default()).unwrap();
        let store = engine.store(&Location::new("runs", folder).unwrap()).unwrap();
        store
            .list("")
            .unwrap()
            .into_iter()
            .map(|path| (path.clone(), store.get(&path).unwrap()))
            .collect()
    }

    #[test]
    fn a_broken_run_resumes_with_the_same_bytes_and_is_never_half_visible() {
        let (whole, broken) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let (worked, complete) = attempt(whole.path(), None, None);
        assert!(complete && worked.len() == 6);
        for stage in Stage::ALL {
            let (_, complete) = attempt(broken.path(), Some(stage), None);
            assert!(!complete, "{}", stage.name());
        }
        let (worked, complete) = attempt(broken.path(), None, None);
        assert!(complete);
        assert_eq!(worked, ["delivery"]);
        assert_eq!(files(whole.path()), files(broken.path()));
    }

    #[test]
    fn selected_stages_run_again_and_a_complete_run_does_not() {
        let folder = tempfile::tempdir().unwrap();
        attempt(folder.path(), None, None);
        assert_eq!(attempt(folder.path(), None, None).0, Vec::<&str>::new());
        assert_eq!(attempt(folder.path(), None, Some("scoring")).0, ["scoring"]);
        assert_eq!(attempt(folder.path(), None, Some("allocation+")).0, ["allocation", "delivery"]);
    }
}
