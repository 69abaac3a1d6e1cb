//! Why these three, and why not others?

use std::collections::BTreeMap;

use clap::Args;
use tercet_allocation::RuleId;
use tercet_delivery::reasons;
use tercet_engine::{Frame, Value, params};
use tercet_types::{Currency, Error, Money, Result};

use super::{FormatFlag, Project, Shared};
use crate::config::Environment;
use crate::output::{Format, heading, print, rows};
use crate::pipeline::{RunManifest, Stage, chosen_run, files_of, rule_words};

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
        (Stage::Sources, "promotions"),
        (Stage::Features, "customer_master"),
        (Stage::Features, "promotion_master"),
        (Stage::Allocation, "decisions"),
    ] {
        let file = project.file_of(&run.run_id, stage, table, &verb.customer)?;
        project.engine.mount_parts(&project.store, &[file], table)?;
    }
    let of_run = |table| files_of(&project.store, &run.run_id, Stage::Allocation, table);
    let are_kept = of_run("decisions")?.len() == 1;
    if are_kept {
        project.engine.mount_parts(&project.store, &of_run("candidates")?, "candidates")?;
    } else {
        project.engine.register("candidates", &no_candidates()?)?;
    }
    let values = params([("customer", Value::Text(customer))]);
    let currency = Currency::new(&project.config.project.currency)?;
    let about = about(&project, &values, verb, &run)?;
    let rest = Rest::read(&project, &values, &about)?;
    let decided = decided(&project, &values, &rest, currency)?;
    let others = rest.lines(verb.others, currency)?;
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
    let rest = match are_kept {
        true => rows(Format::Table, &NOT_MADE, &others),
        false => NOT_KEPT.to_owned(),
    };
    print(format!("\n{}\n{rest}", heading("The best of the rest")))
}

/// Said of a run whose customers come in parts.
const NOT_KEPT: &str =
    "  A run in several parts keeps what was decided, not what else could have been.";

/// The candidates of such a run.
fn no_candidates() -> Result<Frame> {
    let text = || Vec::<String>::new().into();
    let number = || Vec::<i32>::new().into();
    Frame::of(vec![
        ("customer_id", text()),
        ("promotion_id", text()),
        ("slots", number()),
        ("value_minor", Vec::<i64>::new().into()),
        ("rule", text()),
        ("rule_is_of_customer", Vec::<bool>::new().into()),
        ("rival_slot", number()),
        ("slot", number()),
    ])
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
    let test = text("experiment")?;
    if !test.is_empty() {
        let (arm, engine) = (text("experiment_arm")?, text("engine")?);
        lines.push(("engine test".to_owned(), format!("{test}: {arm}, decided by {engine}")));
    }
    let agreed = found.bool_or_null("are_agreed")?[0] == Some(true);
    for (name, column) in
        [(HOME_STORE, "home_store_id"), (if agreed { "agreed to" } else { "channels" }, "channels")]
    {
        let value = text(column)?;
        if !value.is_empty() {
            lines.push((name.to_owned(), value));
        }
    }
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

fn decided(
    project: &Project,
    values: &Parameters,
    rest: &Rest,
    currency: Currency,
) -> Result<Vec<Vec<String>>> {
    let found = project.engine.query(include_str!("../../sql/explain_decisions.sql"), values)?;
    let (slots, promotions) = (found.text("slot_name")?, found.text_or_null("promotion_id")?);
    let (on, amounts) = (found.text_or_null("promotion_on")?, found.i64("value_minor")?);
    let (kinds, empties) = (found.text("value_kind")?, found.text_or_null("empty_reason")?);
    let codes = found.text_or_null("reason_codes")?;
    let draws = Draws::read(&found)?;
    (0..found.rows())
        .map(|row| {
            let draw = draws.in_words(row, promotions[row].as_deref());
            Ok(match &promotions[row] {
                Some(promotion) => vec![
                    slots[row].clone(),
                    named(promotion, on[row].as_deref()),
                    worth(amounts[row], &kinds[row], currency),
                    match (draw, reasons::in_words(codes[row].as_deref(), currency)) {
                        (Some(draw), facts) if facts.is_empty() => draw,
                        (Some(draw), facts) => format!("{draw}; {facts}"),
                        (None, facts) => facts,
                    },
                ],
                None => vec![
                    slots[row].clone(),
                    "—".to_owned(),
                    String::new(),
                    match draw {
                        Some(draw) => draw,
                        None => rest.why_empty(
                            empties[row].as_deref().unwrap_or(RuleId::SlotKind.name()),
                        )?,
                    },
                ],
            })
        })
        .collect()
}

/// Which slots were drawn at random, and what was planned for them.
struct Draws {
    is_explored: Vec<Option<bool>>,
    propensities: Vec<f64>,
    planned: Vec<Option<String>>,
    planned_on: Vec<Option<String>>,
}

impl Draws {
    fn read(found: &Frame) -> Result<Self> {
        Ok(Self {
            is_explored: found.bool_or_null("is_explored")?,
            propensities: found.f64("propensity")?,
            planned: found.text_or_null("planned_promotion_id")?,
            planned_on: found.text_or_null("planned_on")?,
        })
    }

    /// What came of a draw; nothing where none was made.
    fn in_words(&self, row: usize, promotion: Option<&str>) -> Option<String> {
        if self.is_explored[row] != Some(true) {
            return None;
        }
        let what = match promotion {
            Some(_) => "drawn at random, to learn what other offers bring",
            None => "drawn at random, and nothing was left to draw",
        };
        let planned = self.planned[row].as_deref();
        let planned = match planned {
            Some(planned) if Some(planned) == promotion => "as was planned".to_owned(),
            Some(planned) => {
                format!("planned was {}", named(planned, self.planned_on[row].as_deref()))
            }
            None => "nothing was planned".to_owned(),
        };
        Some(format!("{what} ({planned}; likelihood {:.2} %)", 100.0 * self.propensities[row]))
    }
}

/// The candidates that were not offered, and what is needed to say why.
struct Rest {
    found: Frame,
    /// The slots' names, in order.
    slots: Vec<String>,
    home_store: Option<String>,
    promotions: Vec<String>,
    on: Vec<Option<String>>,
    values: Vec<i64>,
    kinds: Vec<String>,
    /// A rule, or how another offer won; nothing when the price of a limit stood in the way.
    rules: Vec<Option<String>>,
    /// The slots that take each one: bit `k` for slot `k`.
    open: Vec<i32>,
    rival_slots: Vec<Option<String>>,
    rivals: Vec<Option<String>>,
    rivals_on: Vec<Option<String>>,
}

impl Rest {
    fn read(project: &Project, values: &Parameters, about: &[(String, String)]) -> Result<Self> {
        let decisions =
            project.engine.query(include_str!("../../sql/explain_decisions.sql"), values)?;
        let found = project.engine.query(include_str!("../../sql/explain_others.sql"), values)?;
        let or_null = |name: &str| found.text_or_null(name);
        let home = about.iter().find(|(name, _)| name == HOME_STORE);
        Ok(Self {
            slots: decisions.text("slot_name")?,
            home_store: home.map(|(_, store)| store.clone()),
            promotions: found.text("promotion_id")?,
            on: or_null("promotion_on")?,
            values: found.i64("value_minor")?,
            kinds: found.text("value_kind")?,
            rules: or_null("rule")?,
            open: found.i32("slots")?,
            rival_slots: or_null("rival_slot")?,
            rivals: or_null("rival_id")?,
            rivals_on: or_null("rival_on")?,
            found,
        })
    }

    /// The first of them, line by line.
    fn lines(&self, most: usize, currency: Currency) -> Result<Vec<Vec<String>>> {
        (0..self.promotions.len().min(most))
            .map(|row| {
                Ok(vec![
                    named(&self.promotions[row], self.on[row].as_deref()),
                    worth(self.values[row], &self.kinds[row], currency),
                    self.why_not(row)?,
                ])
            })
            .collect()
    }

    /// True when a rule keeps every offer from the customer.
    fn is_blocked(&self) -> Result<bool> {
        Ok(self.found.bool_or_null("rule_is_of_customer")?.contains(&Some(true)))
    }

    /// Why a slot is empty.
    fn why_empty(&self, rule: &str) -> Result<String> {
        Ok(match RuleId::from_name(rule) {
            Some(RuleId::Audience) if self.is_blocked()? => OUTSIDE_THE_RUN.to_owned(),
            Some(RuleId::Audience) => {
                "the promotions for this slot are meant for other customers".to_owned()
            }
            _ => rule_words(rule),
        })
    }

    /// Why a candidate was not offered: the rule, or the offer that took its place.
    fn why_not(&self, row: usize) -> Result<String> {
        let Some(why) = self.rules[row].as_deref() else {
            return Ok("other customers make more of a limit that it shares".to_owned());
        };
        let rival = self.rivals[row].as_deref().map_or_else(String::new, |rival| {
            let slot = self.rival_slots[row].as_deref().unwrap_or_default();
            format!("{} (in '{slot}')", named(rival, self.rivals_on[row].as_deref()))
        });
        Ok(match why {
            "better_offer" => format!("{}{rival} is worth at least as much", self.fits(row)),
            "same_products" => {
                format!("it shares products with {rival} and adds too little beside it")
            }
            "same_group" => format!("it may not be combined with {rival}"),
            "drawn_offer" => format!("{}{rival} was drawn at random", self.fits(row)),
            "pinned_offer" => format!("{}{rival} is pinned", self.fits(row)),
            rule => match RuleId::from_name(rule) {
                Some(RuleId::Audience) if self.is_blocked()? => OUTSIDE_THE_RUN.to_owned(),
                Some(RuleId::Audience) => {
                    match self.found.text_or_null("audience")?[row].as_deref() {
                        Some(audience) => format!("it is meant for others: {audience}"),
                        None => "it is meant for other customers".to_owned(),
                    }
                }
                Some(RuleId::Store) => format!(
                    "it holds in {}; {}",
                    scope("store", self.found.text_or_null("store_scope")?[row].as_deref()),
                    match &self.home_store {
                        Some(store) => format!("the customer shops in {store}"),
                        None => "where the customer shops is not known".to_owned(),
                    }
                ),
                Some(RuleId::Channel) => {
                    match self.found.text_or_null("channel_scope")?[row].as_deref() {
                        Some(scoped) => format!(
                            "it holds in {}, where the customer does not meet it",
                            scope("channel", Some(scoped))
                        ),
                        None => {
                            "the customer has not agreed to the channel of its slots".to_owned()
                        }
                    }
                }
                Some(rule) => rule.words_of_offer().to_owned(),
                None => rule.replace('_', " "),
            },
        })
    }

    /// Which slots take a candidate, when not all do.
    fn fits(&self, row: usize) -> String {
        let named = (0..).zip(&self.slots).filter(|(at, _)| self.open[row] >> at & 1 == 1);
        let names: Vec<String> = named.map(|(_, name)| format!("'{name}'")).collect();
        if names.len() == self.slots.len() {
            return String::new();
        }
        match names.split_last() {
            Some((last, [])) => format!("only slot {last} takes it; "),
            Some((last, others)) => {
                format!("only slots {} and {last} take it; ", others.join(", "))
            }
            None => String::new(),
        }
    }
}

/// Stores or channels of a scope, in words.
fn scope(noun: &str, entries: Option<&str>) -> String {
    let entries: Vec<&str> = entries.unwrap_or_default().split('|').map(str::trim).collect();
    let plural = if entries.len() == 1 { "" } else { "s" };
    format!("{noun}{plural} {}", entries.join(", "))
}

const HOME_STORE: &str = "home store";

const OUTSIDE_THE_RUN: &str = "the customer is outside the audience of the run";

fn named(promotion: &str, on: Option<&str>) -> String {
    on.map_or_else(|| promotion.to_owned(), |on| format!("{promotion} · {}", reasons::polite(on)))
}

/// An amount, or the score of an engine that ranks without amounts.
fn worth(minor: i64, kind: &str, currency: Currency) -> String {
    if kind != "rank_score" {
        Money::new(minor, currency).to_string()
    } else {
        format!("score {:.3}", minor as f64 / 1e6)
    }
}
