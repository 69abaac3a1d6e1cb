//! Which offers did a customer get?

use clap::Args;
use tercet_engine::{Value, params};
use tercet_types::{Currency, Error, Money, Result};

use super::project::Project;
use super::{FormatFlag, Shared};
use crate::config::Environment;
use crate::output::{print, rows};
use crate::pipeline::{Stage, chosen_run, files_of};

/// `tercet offers`
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  tercet offers --customer 1228\n  tercet offers --format csv > offers.csv"
)]
pub(crate) struct OffersArguments {
    /// The customer [default: all]
    #[arg(long, value_name = "ID")]
    customer: Option<String>,
    /// The run [default: the one of the newest as-of date]
    #[arg(long, value_name = "RUN")]
    run: Option<String>,
    #[command(flatten)]
    format: FormatFlag,
}

/// Prints the offers of a complete run.
pub(crate) fn offers(
    verb: &OffersArguments,
    shared: &Shared,
    environment: &Environment,
) -> Result<()> {
    let project = Project::open(shared, environment)?;
    let run = chosen_run(&project.store, verb.run.as_deref())?;
    let customer = verb.customer.as_deref().map(|id| project.customer_id(id)).transpose()?;
    let files = match &verb.customer {
        Some(customer) => {
            vec![project.file_of(&run.run_id, Stage::Delivery, "offers", customer)?]
        }
        None => files_of(&project.store, &run.run_id, Stage::Delivery, "offers")?,
    };
    project.engine.mount_parts(&project.store, &files, "offers")?;
    let found = project.engine.query(
        include_str!("../../sql/offers_of_customer.sql"),
        &params([("customer", Value::Text(customer.unwrap_or_default()))]),
    )?;
    if found.rows() == 0
        && let Some(id) = &verb.customer
    {
        return Err(Error::not_found(
            "T1012",
            format!("customer '{id}' has no offers in run {}", run.run_id),
        )
        .hint(format!("'tercet explain --customer {id}' tells why")));
    }
    let currency = Currency::new(&project.config.project.currency)?;
    let (ids, slots) = (found.text("customer_id")?, found.i32("slot")?);
    let (promotions, codes) = (found.text("promotion_id")?, found.text_or_null("code")?);
    let (from, to) = (found.date("valid_from")?, found.date("valid_to")?);
    let (values, reasons) = (found.i64("value_minor")?, found.text("reasons")?);
    let lines: Vec<Vec<String>> = (0..found.rows())
        .map(|row| {
            vec![
                ids[row].clone(),
                slots[row].to_string(),
                promotions[row].clone(),
                codes[row].clone().unwrap_or_default(),
                format!("{} to {}", from[row], to[row]),
                Money::new(values[row], currency).to_string(),
                reasons[row].clone(),
            ]
        })
        .collect();
    shared.progress().say(&format!("run {} as of {}", run.run_id, run.as_of));
    print(rows(
        verb.format.format,
        &["customer", "slot", "promotion", "code", "valid", "value", "why"],
        &lines,
    ))
}
