//! Which runs does a project have?

use clap::Args;
use tercet_types::Result;

use super::project::Project;
use super::{FormatFlag, Shared};
use crate::config::Environment;
use crate::output::{print, rows};
use crate::pipeline::complete_runs;

/// `tercet runs`
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  tercet runs\n  tercet runs --format json")]
pub(crate) struct RunsArguments {
    #[command(flatten)]
    format: FormatFlag,
}

/// Lists complete runs, the newest as-of date first.
pub(crate) fn runs(verb: &RunsArguments, shared: &Shared, environment: &Environment) -> Result<()> {
    let project = Project::open(shared, environment)?;
    let lines: Vec<Vec<String>> = complete_runs(&project.store)?
        .into_iter()
        .rev()
        .map(|run| {
            vec![run.run_id, run.as_of.to_string(), run.engine, run.seed.to_string(), run.summary]
        })
        .collect();
    if lines.is_empty() {
        shared.progress().say("no runs yet: start one with 'tercet run'");
    }
    print(rows(verb.format.format, &["run", "as of", "engine", "seed", "outcome"], &lines))
}
