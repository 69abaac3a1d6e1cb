//! What would another policy have brought?

mod tables;

use clap::Args;
use serde::Serialize;
use tercet_measurement::estimate::{Estimate, LEVEL};
use tercet_types::{Currency, Date, Error, Result};

use super::{FormatFlag, Project, Shared, value};
use crate::config::Environment;
use crate::output::{Format, heading, marked, print, rows, thousands};
use crate::pipeline::{Evaluated, Evaluation, Judged, Policy, PolicyAsked, Reward, View, evaluate};

/// `tercet evaluate-policy`
#[derive(Debug, Args)]
#[command(after_help = "\
Judges policies by what was done under another one, and how likely that was. From the logs of a project's runs,
which draw a share of slots ([exploration]), or from any table with propensities (--log). Policies are 'planned'
(the plan without draws), 'uniform' (every slot drawn), 'nothing' (no offers), or a table; --run takes the plan of
another run. Control customers are no rounds: 'tercet lift' compares with them.

A table has customer_id, slot, promotion_id, and may have as_of and probability. With --log it has the log's column
of actions and 'probability', and may have those of --position and --key, and 'expected', the reward that a model
expects of the action.

Examples:
  tercet evaluate-policy
  tercet evaluate-policy --reward margin --policy planned --run 2026-02-16-legacy-1f3c88a0
  tercet evaluate-policy --policy mine.csv --from 2026-02-16 --format json
  tercet evaluate-policy --log clicks.parquet --action item_id --reward click --propensity propensity_score \\
    --position position --policy bts.csv")]
pub(crate) struct EvaluateArguments {
    /// A policy: planned, uniform, nothing, or a table's file; may be given several times
    #[arg(long = "policy", value_name = "NAME|FILE")]
    policies: Vec<String>,
    /// A run whose plan is a policy, for its Monday; may be given several times
    #[arg(long = "run", value_name = "RUN", conflicts_with = "log")]
    runs: Vec<String>,
    /// What counts: revenue, margin, redemption or order; with --log, the column of rewards
    #[arg(long, value_name = "NAME")]
    reward: Option<String>,
    /// The first Monday [default: that of the oldest run]
    #[arg(long, value_name = "YYYY-MM-DD", value_parser = value::<Date>, conflicts_with = "log")]
    from: Option<Date>,
    /// The last Monday [default: that of the newest run whose week is over]
    #[arg(long, value_name = "YYYY-MM-DD", value_parser = value::<Date>, conflicts_with = "log")]
    to: Option<Date>,
    /// Judge by this table in place of a project's runs: CSV, JSON Lines or Parquet
    #[arg(long, value_name = "FILE")]
    log: Option<String>,
    /// The column that says what was done
    #[arg(long, value_name = "COLUMN", default_value = "action")]
    action: String,
    /// The column that says how likely it was
    #[arg(long, value_name = "COLUMN", default_value = "propensity")]
    propensity: String,
    /// The column of positions, each of which has a policy of its own
    #[arg(long, value_name = "COLUMN", requires = "log")]
    position: Option<String>,
    /// The column that names the round, where the policy is another in each
    #[arg(long, value_name = "COLUMN", requires = "log")]
    key: Option<String>,
    /// The column of customers, whose rounds hang together
    #[arg(long, value_name = "COLUMN", requires = "log")]
    unit: Option<String>,
    /// Share of intervals that hold the truth
    #[arg(long, default_value_t = LEVEL, value_name = "SHARE")]
    level: f64,
    #[command(flatten)]
    format: FormatFlag,
}

/// What is printed as JSON.
#[derive(Debug, Serialize)]
struct Printed<'a> {
    version: &'static str,
    level: f64,
    #[serde(skip_serializing_if = "Option::is_none")]
    currency: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    evaluation: Option<&'a Evaluation>,
    policies: &'a [Evaluated],
}

/// Judges the policies and prints what they would have brought.
pub(crate) fn evaluate_policy(
    verb: &EvaluateArguments,
    shared: &Shared,
    environment: &Environment,
) -> Result<()> {
    if !(verb.level > 0.0 && verb.level < 1.0) {
        return Err(Error::config("T1055", format!("--level {}", verb.level))
            .hint("give a level between 0 and 1, such as 0.95"));
    }
    if verb.log.is_some() {
        let judged = tables::judge(verb, environment)?;
        return show(verb, None, None, &judged);
    }
    let reward: Reward = verb.reward.as_deref().unwrap_or(Reward::Revenue.name()).parse()?;
    let project = Project::open(shared, environment)?;
    let asked = PolicyAsked { from: verb.from, to: verb.to, reward, level: verb.level };
    let mut policies = tables::policies(&project, &verb.policies)?;
    policies.extend(verb.runs.iter().cloned().map(Policy::Run));
    if policies.is_empty() {
        policies = vec![Policy::Planned, Policy::Uniform, Policy::Nothing];
    }
    let evaluation = evaluate(&project, &asked, &policies, &shared.progress())?;
    let currency = Currency::new(&project.config.project.currency)?;
    show(verb, Some(&evaluation), Some(currency), &evaluation.policies)
}

fn show(
    verb: &EvaluateArguments,
    evaluation: Option<&Evaluation>,
    currency: Option<Currency>,
    policies: &[Evaluated],
) -> Result<()> {
    match verb.format.format {
        Format::Json => {
            let printed = Printed {
                version: env!("CARGO_PKG_VERSION"),
                level: verb.level,
                currency: currency.as_ref().map(Currency::code),
                evaluation,
                policies: if evaluation.is_some() { &[] } else { policies },
            };
            print(serde_json::to_string_pretty(&printed).map_err(|cause| {
                Error::internal("T1005", "the results could not be written as JSON").cause(cause)
            })?)
        }
        Format::Csv => print(rows(Format::Csv, &CSV, &csv_lines(policies))),
        Format::Table => print_tables(verb, evaluation, currency, policies),
    }
}

fn print_tables(
    verb: &EvaluateArguments,
    evaluation: Option<&Evaluation>,
    currency: Option<Currency>,
    policies: &[Evaluated],
) -> Result<()> {
    let money = currency.filter(|_| evaluation.is_some_and(|of| of.reward.is_money()));
    let scale = money.map_or(1.0, |currency| currency.minor_per_major() as f64);
    if let Some(found) = evaluation {
        let unit = money.map_or_else(String::new, |currency| format!(", {}", currency.code()));
        print(format!(
            "{}{unit} per customer and week; {} customers' weeks of {} runs",
            found.reward.name(),
            thousands(found.rounds),
            found.runs.len()
        ))?;
        let left_out = found.left_out;
        print(format!(
            "left out: {} in control, {} of whom nothing could be drawn, {} refused by a limit",
            thousands(left_out.control),
            thousands(left_out.certain),
            thousands(left_out.unusable)
        ))?;
    }
    let percent = format!("{} %", (100.0 * verb.level * 1e6).round() / 1e6);
    for policy in policies {
        print(format!("\n{}  {} rounds", heading(&policy.policy), thousands(policy.rounds)))?;
        if policy.unsupported > 0 {
            print(format!(
                "{} in {} rounds the log could not have done what this policy would do; they are left out",
                marked("support:", false),
                thousands(policy.unsupported)
            ))?;
        }
        for view in &policy.views {
            if let (Judged::Refused { refused }, Judged::Refused { .. }) =
                (&view.logged, &view.weights)
            {
                let names: Vec<&str> = view.values.iter().map(|facts| facts.estimator).collect();
                print(format!("{} by {}: {}", view.of, names.join(", "), refused.words()))?;
                continue;
            }
            let header = [view.of, "value", &percent, "over logged", &percent, "lambda"];
            let mut lines = vec![logged_line(&view.logged, scale)];
            lines.extend(view.values.iter().map(|facts| {
                let mut line = vec![facts.estimator.to_owned()];
                line.extend(cells(&facts.value, scale, false));
                line.extend(match &facts.value {
                    Judged::Estimate(_) => cells(&facts.over_logged, scale, true),
                    Judged::Refused { .. } => <[String; 2]>::default(),
                });
                line.push(facts.lambda.map_or_else(String::new, |lambda| lambda.to_string()));
                line
            }));
            print(rows(Format::Table, &header, &lines))?;
            print(weights_line(view))?;
        }
    }
    Ok(())
}

fn logged_line(logged: &Judged<Estimate>, scale: f64) -> Vec<String> {
    let mut line = vec!["as logged".to_owned()];
    line.extend(cells(logged, scale, false));
    line.extend(<[String; 3]>::default());
    line
}

/// A value and its interval; or nothing, and the reason.
fn cells(found: &Judged<Estimate>, scale: f64, signed: bool) -> [String; 2] {
    let number = |value: f64| match signed {
        true => format!("{:+.4}", value / scale),
        false => format!("{:.4}", value / scale),
    };
    match found {
        Judged::Estimate(found) => {
            [number(found.value), format!("{} to {}", number(found.low), number(found.high))]
        }
        Judged::Refused { refused } => [String::new(), refused.words().to_owned()],
    }
}

fn weights_line(view: &View) -> String {
    match &view.weights {
        Judged::Estimate(facts) => format!(
            "weights: mean {:.4} ± {:.4}{}; {} effective of {} rounds; largest {:.2}, q99 {:.2}; {:.1} % are zero",
            facts.mean,
            facts.mean_error,
            if facts.are_fair { "" } else { " (not 1)" },
            thousands(facts.effective_rounds.round()),
            thousands(facts.rounds),
            facts.max,
            facts.q99,
            100.0 * facts.zero_share
        ),
        Judged::Refused { refused } => format!("weights: {}", refused.words()),
    }
}

const CSV: [&str; 16] = [
    "policy",
    "of",
    "estimator",
    "value",
    "low",
    "high",
    "std_error",
    "refused",
    "over_logged",
    "over_logged_low",
    "over_logged_high",
    "lambda",
    "rounds",
    "effective_rounds",
    "weight_max",
    "weight_mean",
];

fn csv_lines(policies: &[Evaluated]) -> Vec<Vec<String>> {
    let mut lines = Vec::new();
    for policy in policies {
        for view in &policy.views {
            let weights = match &view.weights {
                Judged::Estimate(facts) => [
                    facts.rounds.to_string(),
                    facts.effective_rounds.to_string(),
                    facts.max.to_string(),
                    facts.mean.to_string(),
                ],
                Judged::Refused { .. } => <[String; 4]>::default(),
            };
            for facts in &view.values {
                let mut line =
                    vec![policy.policy.clone(), view.of.to_owned(), facts.estimator.to_owned()];
                match &facts.value {
                    Judged::Estimate(found) => line.extend(
                        [found.value, found.low, found.high, found.std_error]
                            .map(|number| number.to_string())
                            .into_iter()
                            .chain([String::new()]),
                    ),
                    Judged::Refused { refused } => {
                        line.extend(<[String; 4]>::default());
                        line.push(refused.words().to_owned());
                    }
                }
                line.extend(match &facts.over_logged {
                    Judged::Estimate(found) => {
                        [found.value, found.low, found.high].map(|number| number.to_string())
                    }
                    Judged::Refused { .. } => <[String; 3]>::default(),
                });
                line.push(facts.lambda.map_or_else(String::new, |lambda| lambda.to_string()));
                line.extend(weights.clone());
                lines.push(line);
            }
        }
    }
    lines
}
