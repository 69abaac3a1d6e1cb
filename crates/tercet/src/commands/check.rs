//! Do the shop's data keep their contracts?

use clap::Args;
use tercet_sources::{Health, Policy};
use tercet_types::{Date, Error, Result};

use super::project::Project;
use super::{FormatFlag, Shared, value};
use crate::config::Environment;
use crate::output::{Format, print, rows, thousands};
use crate::pipeline::sources_of;

/// `tercet check`
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  tercet check\n  tercet check --project shop --as-of 2017-09-04 --format json"
)]
pub(crate) struct CheckArguments {
    /// The day the data are checked for [default: as configured]
    #[arg(long, value_name = "YYYY-MM-DD", value_parser = value::<Date>)]
    as_of: Option<Date>,
    #[command(flatten)]
    format: FormatFlag,
}

/// Checks every source; writes nothing.
///
/// # Errors
/// `T1023` when a check would stop a run, after all of them are printed.
pub(crate) fn check(
    verb: &CheckArguments,
    shared: &Shared,
    environment: &Environment,
) -> Result<()> {
    let project = Project::open(shared, environment)?;
    let as_of = project.as_of(verb.as_of);
    let sources = sources_of(&project)?;
    let (health, _) = shared.progress().step("check", || {
        let health = tercet_sources::check(&project.engine, &sources, as_of)?;
        let said = format!("{} tables as of {as_of}", health.tables.len());
        Ok((health, said))
    })?;
    if verb.format.format == Format::Json {
        print(format!("{:#}", serde_json::json!(health)))?;
        return verdict(&health);
    }
    let mut lines = Vec::new();
    for table in &health.tables {
        for check in &table.checks {
            lines.push(vec![
                table.table.clone(),
                check.check.to_string(),
                check.status.name().to_owned(),
                thousands(check.rows),
                check.detail.clone(),
            ]);
        }
    }
    print(rows(verb.format.format, &["table", "check", "status", "rows", "detail"], &lines))?;
    for note in &health.notes {
        shared.progress().say(note);
    }
    verdict(&health)
}

/// What stops a run stops a script that checks first.
fn verdict(health: &Health) -> Result<()> {
    let checks = health.tables.iter().flat_map(|table| &table.checks);
    match checks.filter(|check| check.status == Policy::Stop).count() {
        0 => Ok(()),
        stops => Err(Error::data("T1023", format!("{stops} checks would stop a run"))
            .hint("the lines with 'stop' above say what is wrong and where")),
    }
}
