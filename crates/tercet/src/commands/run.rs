//! How is one week decided?

use clap::Args;
use tercet_types::{Date, Result};

use super::{Project, Shared, value};
use crate::config::Environment;
use crate::output::print;
use crate::pipeline::{
    Outcome, Selection, Stage, apply_retention, complete_runs, exclusively, identity_of, parts_of,
    stage_path, weekly_run,
};

/// `tercet run`
#[derive(Debug, Args)]
#[command(after_help = "\
The same command resumes a run that was broken off, and does nothing when the run is complete.

Examples:
  tercet run
  tercet run --as-of 2017-09-04 --seed 7
  tercet run --select allocation+      run allocation again, and all after it
  tercet run --dry-run                 check the data and say what would happen")]
pub(crate) struct RunArguments {
    /// The first day the offers hold for; only what lies before it is known [default: as configured]
    #[arg(long, value_name = "YYYY-MM-DD", value_parser = value::<Date>)]
    pub(crate) as_of: Option<Date>,
    /// Seed of all randomness [default: as configured]
    #[arg(long, value_name = "NUMBER")]
    pub(crate) seed: Option<u64>,
    /// Who decides: tercet, legacy, personal-decayed, personal, popular, or champion for the best of the weeks just
    /// past [default: as configured]
    #[arg(long, value_name = "NAME")]
    pub(crate) engine: Option<String>,
    /// Run a stage again (`scoring`), or a stage and all after it (`scoring+`)
    #[arg(long, value_name = "STAGE[+]", value_parser = value::<Selection>)]
    pub(crate) select: Option<Selection>,
    /// Say what would be done; write nothing
    #[arg(long)]
    pub(crate) dry_run: bool,
}

/// Runs one week, or resumes it.
pub(crate) fn run(verb: &RunArguments, shared: &Shared, environment: &Environment) -> Result<()> {
    let project = Project::open(shared, environment)?;
    let (outcome, report) = run_project(&project, verb, shared)?;
    if let Some(outcome) = outcome {
        let manifest = outcome.manifest;
        print(format!("{}  {}", manifest.run_id, manifest.summary))?;
        shared.progress().say(&format!("report: {report}"));
    }
    Ok(())
}

/// Runs one week of an opened project; the outcome (none for a dry run) and the place of its report.
pub(crate) fn run_project(
    project: &Project,
    verb: &RunArguments,
    shared: &Shared,
) -> Result<(Option<Outcome>, String)> {
    let progress = shared.progress();
    let as_of = project.as_of(verb.as_of);
    let seed = verb.seed.unwrap_or(project.config.run.seed);
    let engine = verb.engine.as_deref().unwrap_or(&project.config.run.engine);
    if verb.dry_run {
        let identity = identity_of(project, as_of, engine, seed)?;
        let run_id = identity.run_id()?;
        let known = complete_runs(&project.store)?.iter().any(|run| run.run_id == run_id);
        let sources = crate::pipeline::sources_of(project)?;
        let parts = parts_of(project, &identity.inputs);
        let health = tercet_sources::check(&project.engine, &sources, as_of, parts)?;
        let stops = health.tables.iter().flat_map(|table| {
            let stops =
                table.checks.iter().filter(|check| check.status == tercet_sources::Policy::Stop);
            stops.map(move |check| format!("{} {}: {}", table.table, check.check, check.detail))
        });
        let failing: Vec<String> = stops.collect();
        print(format!("run {run_id} {}", if known { "is complete" } else { "would be made" }))?;
        print(format!(
            "files read: {}; earlier runs looked at: {}",
            identity.inputs.len(),
            identity.history.len()
        ))?;
        for line in failing {
            print(format!("would stop: {line}"))?;
        }
        if !project.config.delivery.publish_to.is_empty() {
            print(format!("would publish to {}", project.config.delivery.publish_to))?;
        }
        return Ok((None, String::new()));
    }
    let outcome = exclusively(&project.folder, || {
        let outcome = weekly_run(project, as_of, engine, seed, verb.select, &progress)?;
        if outcome.was_complete {
            progress.say("this run is complete: nothing to do (see --select to run a stage again)");
        }
        for gone in
            apply_retention(&project.store, &project.config.retention, &project.config.rules)?
        {
            progress.say(&format!(
                "{gone} deleted: [retention] keeps {}",
                project.config.retention.keep_runs
            ));
        }
        Ok(outcome)
    })?;
    let path = stage_path(&outcome.manifest.run_id, Stage::Delivery, "report.html");
    Ok((Some(outcome), project.store.place_of(&path)))
}
