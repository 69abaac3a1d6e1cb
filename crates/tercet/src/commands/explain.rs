//! Why these three, and why not others?

use std::collections::BTreeMap;

use clap::Args;
use tercet_delivery::reasons;
use tercet_engine::{Value, params};
use tercet_types::{Currency, Error, Money, Result};

use super::{FormatFlag, Project, Shared};
use crate::config::Environment;
use crate::output::{Format, heading, print, rows};
use crate::pipeline::{RunManifest, Stage, chosen_run, rule_words, stage_path};

/// `tercet explain`
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  tercet explain --customer 1228\n  tercet explain --customer 1228 --others 20 --format json"
)]
pub(crate) struct ExplainArguments {
    /// The customer
    #[arg(long, value_name = "ID")]
    customer: String,
    /// How many offers that were not made are shown
    #[arg(long, default_value_t = 8, value_name = "NUMBER")]
    others: usize,
    /// The run [default: the one of the newest as-of date]
    #[arg(long, value_name = "RUN")]
    run: Option<String>,
    #[command(flatten)]
    format: FormatFlag,
}

/// Prints what is known of a customer, the offers with their reasons, and the best of the rest with
/// what kept them out.
pub(crate) fn explain(
    verb: &ExplainArguments,
    shared: &Shared,
    environment: &Environment,
) -> Result<()> {
    let project = Project::open(shared, environment)?;
    let run = chosen_run(&project.store, verb.run.as_deref())?;
    let customer = project.customer_id(&verb.customer)?;
    for (stage, table) in [
        (Stage::Features, "customer_master"),
        (Stage::Features, "promotion_master"),
        (Stage::Allocation, "decisions"),
        (Stage::Allocation, "candidates"),
    ] {
        project.engine.load(
            &project.store,
            &stage_path(&run.run_id, stage, &format!("{table}.parquet")),
            table,
        )?;
    }
    let values = params([("customer", Value::Text(customer))]);
    let currency = Currency::new(&project.config.project.currency)?;
    let about = about(&project, &values, verb, &run)?;
    let decided = decided(&project, &values, currency)?;
    let others = others(&project, &values, verb.others, currency)?;
    const MADE: [&str; 4] = ["slot", "promotion", "value", "why"];
    const NOT_MADE: [&str; 3] = ["promotion", "value", "why not"];
    if verb.format.format == Format::Json {
        let objects = |header: &[&str], lines: &[Vec<String>]| -> serde_json::Value {
            serde_json::from_str(&rows(Format::Json, header, lines)).unwrap_or_default()
        };
        let all = serde_json::json!({
            "run_id": run.run_id,
            "customer_id": verb.customer,
            "about": about.iter().cloned().collect::<BTreeMap<String, String>>(),
            "offers": objects(&MADE, &decided),
            "others": objects(&NOT_MADE, &others),
        });
        return print(format!("{all:#}"));
    }
    if verb.format.format == Format::Csv {
        return print(rows(Format::Csv, &MADE, &decided));
    }
    print(heading(&format!("Customer {} in run {}", verb.customer, run.run_id)))?;
    for (name, value) in &about {
        print(format!("  {name:<12} {value}"))?;
    }
    print(format!("\n{}\n{}", heading("What was decided"), rows(Format::Table, &MADE, &decided)))?;
    print(format!(
        "\n{}\n{}",
        heading("The best of the rest"),
        rows(Format::Table, &NOT_MADE, &others)
    ))
}

type Parameters = BTreeMap<String, Value>;

/// What is known of the customer, line by line.
fn about(
    project: &Project,
    values: &Parameters,
    verb: &ExplainArguments,
    run: &RunManifest,
) -> Result<Vec<(String, String)>> {
    let found = project.engine.query(include_str!("../../sql/explain_customer.sql"), values)?;
    if found.rows() == 0 {
        return Err(Error::not_found(
            "T1012",
            format!("customer '{}' is not known to run {}", verb.customer, run.run_id),
        )
        .hint("check the id; 'tercet offers' lists the customers with offers"));
    }
    let text = |name: &str| -> Result<String> {
        Ok(found.text_or_null(name)?[0].clone().unwrap_or_default())
    };
    let mut lines = vec![
        ("segment".to_owned(), text("behaviour")?.replace('_', " ")),
        ("lifecycle".to_owned(), text("lifecycle")?),
        ("arm".to_owned(), text("arm")?),
    ];
    let rfm = text("rfm_segment")?;
    if !rfm.is_empty() {
        lines.insert(
            1,
            ("rfm".to_owned(), format!("{} ({})", rfm.replace('_', " "), text("rfm_scores")?)),
        );
        lines.push((
            "orders".to_owned(),
            match text("recency_days")?.as_str() {
                "1" => format!("{}, the last yesterday", text("frequency")?),
                days => format!("{}, the last {days} days ago", text("frequency")?),
            },
        ));
    }
    Ok(lines)
}

fn decided(project: &Project, values: &Parameters, currency: Currency) -> Result<Vec<Vec<String>>> {
    let found = project.engine.query(include_str!("../../sql/explain_decisions.sql"), values)?;
    let (slots, promotions) = (found.text("slot_name")?, found.text_or_null("promotion_id")?);
    let (on, amounts) = (found.text_or_null("promotion_on")?, found.i64("value_minor")?);
    let (kinds, empties) = (found.text("value_kind")?, found.text_or_null("empty_reason")?);
    let codes = found.text_or_null("reason_codes")?;
    Ok((0..found.rows())
        .map(|row| match &promotions[row] {
            Some(promotion) => vec![
                slots[row].clone(),
                named(promotion, on[row].as_deref()),
                worth(amounts[row], &kinds[row], currency),
                reasons::in_words(codes[row].as_deref(), currency),
            ],
            None => vec![
                slots[row].clone(),
                "—".to_owned(),
                String::new(),
                rule_words(empties[row].as_deref().unwrap_or("slot_kind")),
            ],
        })
        .collect())
}

fn others(
    project: &Project,
    values: &Parameters,
    most: usize,
    currency: Currency,
) -> Result<Vec<Vec<String>>> {
    let found = project.engine.query(include_str!("../../sql/explain_others.sql"), values)?;
    let (promotions, on) = (found.text("promotion_id")?, found.text_or_null("promotion_on")?);
    let (amounts, rules) = (found.i64("value_minor")?, found.text_or_null("rule")?);
    let kinds = found.text("value_kind")?;
    Ok((0..found.rows().min(most))
        .map(|row| {
            let why = match rules[row].as_deref() {
                Some(rule) => rule_words(rule),
                None => "the offers above bring more, or cover the same products".to_owned(),
            };
            vec![
                named(&promotions[row], on[row].as_deref()),
                worth(amounts[row], &kinds[row], currency),
                why,
            ]
        })
        .collect())
}

fn named(promotion: &str, on: Option<&str>) -> String {
    on.map_or_else(|| promotion.to_owned(), |on| format!("{promotion} · {}", reasons::polite(on)))
}

/// An amount, or the score of an engine that ranks without amounts.
fn worth(minor: i64, kind: &str, currency: Currency) -> String {
    if kind == "order_value" {
        Money::new(minor, currency).to_string()
    } else {
        format!("score {:.3}", minor as f64 / 1e6)
    }
}
