//! What does a run hang on, before it starts?

use tercet_engine::InputFile;
use tercet_sources::{InputSpec, SourceSpec, Sources};
use tercet_types::{Date, Error, Result};

use super::arms::run_taken_over;
use super::history::runs_looked_at;
use super::manifest::to_json;
use super::off_policy::runs_that_drew;
use super::runner::Identity;
use crate::commands::Project;

/// The sources of a project, as the sources stage wants them.
///
/// # Errors
/// `T1014` when pseudonyms are configured and their key is not in the environment.
pub(crate) fn sources_of(project: &Project) -> Result<Sources> {
    let config = &project.config;
    let specs = config
        .sources
        .iter()
        .map(|(name, spec)| {
            let table = if spec.table.is_empty() { name.clone() } else { spec.table.clone() };
            SourceSpec { table, ..spec.clone() }
        })
        .collect();
    Ok(Sources {
        base: project.folder.clone(),
        specs,
        inputs: config.inputs.clone(),
        time_zone: config.project.time_zone.clone(),
        contract: config.contract.clone(),
        prepare: config.prepare.clone(),
        pseudonym_key: pseudonym_key(project)?,
        ..Sources::default()
    })
}

/// In how many parts a project's customers are read: as configured, or by the size of its files.
pub(crate) fn parts_of(project: &Project, files: &[InputFile]) -> usize {
    match project.config.run.parts {
        0 => tercet_sources::parts_for(files),
        parts => parts,
    }
}

/// The key of pseudonyms, when they are configured.
pub(crate) fn pseudonym_key(project: &Project) -> Result<Option<[u8; 32]>> {
    let variable = &project.config.project.pseudonym_key_env;
    if variable.is_empty() {
        return Ok(None);
    }
    project.key(variable)?.map(Some).ok_or_else(|| {
        Error::config("T1014", format!("the key of pseudonyms is not in the environment: {variable}"))
            .hint(format!("set {variable} to 64 hexadecimal digits and keep them: other digits are other customers"))
    })
}

/// The key of assignment: secret from the environment, or else derived from the project's name.
pub(crate) fn assignment_key(project: &Project) -> Result<[u8; 16]> {
    let configured = project.key(&project.config.rules.assignment_key_env)?;
    Ok(configured.unwrap_or_else(|| {
        let digest = blake3::derive_key(
            "tercet 2026 assignment of a project",
            project.config.project.name.as_bytes(),
        );
        let mut key = [0; 16];
        key.copy_from_slice(&digest[..16]);
        key
    }))
}

/// All that decides a run's outcome.
pub(crate) fn identity_of(
    project: &Project,
    as_of: Date,
    engine: &str,
    seed: u64,
) -> Result<Identity> {
    let mut sources = sources_of(project)?;
    let scores = &project.config.model.external_scores;
    if !scores.is_empty() {
        let input = InputSpec { path: scores.clone(), ..InputSpec::default() };
        sources.inputs.insert("[model] external_scores".to_owned(), input);
    }
    let mut keys = blake3::Hasher::new();
    keys.update(&assignment_key(project)?);
    keys.update(&sources.pseudonym_key.unwrap_or_default());
    // What has no part in the outcome has no part in the identity.
    let mut config = project.config.clone();
    config.run.threads = 0;
    config.run.memory_mb = 0;
    config.lift = Default::default();
    Ok(Identity {
        tercet_version: env!("CARGO_PKG_VERSION"),
        as_of,
        engine: engine.to_owned(),
        decider: engine.to_owned(),
        seed,
        config_blake3: blake3::hash(&to_json(&config)?).to_hex().to_string(),
        keys_blake3: keys.finalize().to_hex().to_string(),
        inputs: tercet_sources::input_files(&project.engine, &sources)?,
        assignments: run_taken_over(&project.store, as_of, engine)?,
        history: runs_looked_at(&project.store, &project.config.rules, as_of, engine)?,
        tried: runs_that_drew(project, as_of)?,
    })
}
