//! What does tercet do, shown on real data?

use std::path::PathBuf;

use clap::Args;
use tercet_types::{Currency, Error, Money, Result};

use super::init::write_example;
use super::run::{RunArguments, run_project};
use super::{Project, Shared};
use crate::config::Environment;
use crate::examples::example;
use crate::output::Format;
use crate::output::{heading, print, rows};
use crate::pipeline::{Stage, files_of};

/// `tercet demo`
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  tercet demo\n  tercet demo --dir /tmp/demo")]
pub(crate) struct DemoArguments {
    /// The folder of the demo's project
    #[arg(long, default_value = "tercet-demo", value_name = "DIR")]
    dir: PathBuf,
}

/// The example that the demo runs on.
const EXAMPLE: &str = "complete-journey";

/// Makes the example project, runs its week and shows some customers' offers.
pub(crate) fn demo(verb: &DemoArguments, shared: &Shared, environment: &Environment) -> Result<()> {
    let progress = shared.progress();
    let chosen = example(EXAMPLE)
        .ok_or_else(|| Error::internal("T1010", "the demo's example is missing"))?;
    progress.say(&heading(&format!("tercet demo: {}", chosen.about)));
    write_example(chosen, &verb.dir)?;
    progress.say(&format!("project in {}\n", verb.dir.display()));
    let project = Project::open_at(&verb.dir, environment)?;
    let arguments =
        RunArguments { as_of: None, seed: None, engine: None, select: None, dry_run: false };
    let (outcome, report) = run_project(&project, &arguments, shared)?;
    let Some(outcome) = outcome else { return Ok(()) };
    let run = outcome.manifest;
    print(format!("\n{}", heading(&run.summary)))?;
    for (name, table) in [
        ("offers", Stage::Delivery),
        ("customer_master", Stage::Features),
        ("promotion_master", Stage::Features),
    ] {
        let files = files_of(&project.store, &run.run_id, table, name)?;
        project.engine.mount_parts(&project.store, &files, name)?;
    }
    let found = project
        .engine
        .query(include_str!("../../sql/demo_offers.sql"), &std::collections::BTreeMap::new())?;
    let currency = Currency::new(&project.config.project.currency)?;
    let (segments, customers) = (found.text("behaviour")?, found.text("customer_id")?);
    let (on, values) = (found.text_or_null("promotion_on")?, found.i64("value_minor")?);
    let (codes, reasons) = (found.text_or_null("code")?, found.text("reasons")?);
    let mut at = 0;
    while at < found.rows() {
        let end = at + customers[at..].iter().take_while(|id| **id == customers[at]).count();
        print(format!("\nCustomer {} ({})", customers[at], segments[at].replace('_', " ")))?;
        let lines: Vec<Vec<String>> = (at..end)
            .map(|row| {
                vec![
                    tercet_delivery::reasons::titled(on[row].as_deref().unwrap_or_default()),
                    codes[row].clone().unwrap_or_default(),
                    Money::new(values[row], currency).to_string(),
                    reasons[row].clone(),
                ]
            })
            .collect();
        print(rows(Format::Table, &["offer on", "code", "value", "why"], &lines))?;
        at = end;
    }
    let folder = verb.dir.display();
    print(format!("\nreport:   {report}"))?;
    print(format!(
        "next:     tercet explain --project {folder} --customer {}\n          tercet backtest --project {folder} --from 2017-09-04 --to 2017-09-18",
        customers.first().map_or("ID", String::as_str)
    ))
}
