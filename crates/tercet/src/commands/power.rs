//! How small an effect could a campaign show?

use clap::Args;
use tercet_measurement::power::Detectable;
use tercet_types::{Currency, Date, Error, Result};

use super::{FormatFlag, Project, Shared, value};
use crate::config::Environment;
use crate::output::{Format, heading, print, rows, thousands};
use crate::pipeline::{Answer, Planned, PowerAsk, exclusively, plan};

/// `tercet power`
#[derive(Debug, Args)]
#[command(after_help = "\
A campaign that could only show an effect larger than anybody hopes for is not worth its control group. The
table says, from what the shop's own customers spent, the smallest effect per customer that would be found
with the chance --power: by the plain difference, and less what customers spent before (CUPED), which is how
'tercet lift' reads it.

Examples:
  tercet power
  tercet power --weeks 4,8,12 --holdout 0.02,0.05,0.1 --outcome margin
  tercet power --as-of 2017-09-04 --power 0.9 --format json")]
pub(crate) struct PowerArguments {
    /// The first day of the campaign; what lies before it is looked at [default: as configured]
    #[arg(long, value_name = "YYYY-MM-DD", value_parser = value::<Date>)]
    as_of: Option<Date>,
    /// Weeks that the campaign may run, separated by commas
    #[arg(long, value_delimiter = ',', default_value = "4,6,10", value_name = "WEEKS")]
    weeks: Vec<u32>,
    /// Shares of the customers that may be held out, separated by commas
    #[arg(long, value_delimiter = ',', default_value = "0.02,0.05,0.1,0.2", value_name = "SHARES")]
    holdout: Vec<f64>,
    /// What the effect is on
    #[arg(long, value_enum, default_value_t = Outcome::Margin)]
    outcome: Outcome,
    /// The chance to find the effect when it is there
    #[arg(long, default_value_t = tercet_measurement::power::POWER, value_name = "SHARE")]
    power: f64,
    #[command(flatten)]
    format: FormatFlag,
}

/// What an effect is on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum Outcome {
    /// Margin after discounts
    Margin,
    /// What is paid, less returns
    Revenue,
}

impl Outcome {
    const fn column(self) -> &'static str {
        match self {
            Self::Margin => "margin_minor",
            Self::Revenue => "revenue_minor",
        }
    }
}

/// Prints the smallest effects.
pub(crate) fn power(
    verb: &PowerArguments,
    shared: &Shared,
    environment: &Environment,
) -> Result<()> {
    let project = Project::open(shared, environment)?;
    if verb.weeks.is_empty() || verb.weeks.contains(&0) {
        return Err(Error::config("T1043", "a campaign without weeks")
            .hint("give --weeks as numbers from 1 on, for example --weeks 4,8"));
    }
    let is_share = |share: &f64| *share > 0.0 && *share < 1.0;
    if !verb.holdout.iter().all(is_share) || !(0.5..1.0).contains(&verb.power) {
        return Err(Error::config("T1043", "a share that is none")
            .hint("give --holdout shares between 0 and 1, and --power from 0.5 to below 1, for example 0.8"));
    }
    let ask = PowerAsk {
        as_of: project.as_of(verb.as_of),
        weeks: verb.weeks.clone(),
        holdouts: verb.holdout.clone(),
        outcome: verb.outcome.column(),
        power: verb.power,
    };
    let planned = exclusively(&project.folder, || plan(&project, &ask, &shared.progress()))?;
    let currency = Currency::new(&project.config.project.currency)?;
    match verb.format.format {
        Format::Json => {
            let printed = serde_json::json!({
                "version": env!("CARGO_PKG_VERSION"),
                "as_of": ask.as_of,
                "outcome": ask.outcome,
                "level": project.config.lift.level,
                "power": ask.power,
                "covariate_weeks": project.config.lift.covariate_weeks,
                "plans": planned,
            });
            print(format!("{printed:#}"))
        }
        format => {
            if format == Format::Table {
                let customers = planned.first().map_or(0, |plan| plan.customers);
                print(heading(&format!(
                    "The smallest effect on {} that {} customers would show, with a chance of {:.0} %",
                    ask.outcome.trim_end_matches("_minor"),
                    thousands(customers),
                    100.0 * ask.power,
                )))?;
            }
            let lines: Vec<Vec<String>> =
                planned.iter().map(|plan| line(plan, currency, format)).collect();
            print(rows(format, &HEADER, &lines))?;
            let left_out: Vec<String> = ask
                .weeks
                .iter()
                .filter(|weeks| !planned.iter().any(|plan| plan.weeks == **weeks))
                .map(u32::to_string)
                .collect();
            if !left_out.is_empty() {
                shared.progress().say(&format!(
                    "left out, for the past is too short: campaigns of {} weeks, each with {} weeks before it",
                    left_out.join(", "),
                    project.config.lift.covariate_weeks
                ));
            }
            Ok(())
        }
    }
}

const HEADER: [&str; 8] = [
    "weeks",
    "held out",
    "a customer's",
    "smallest effect",
    "relative",
    "less what was spent before",
    "relative",
    "explained",
];

fn line(plan: &Planned, currency: Currency, format: Format) -> Vec<String> {
    let scale = currency.minor_per_major() as f64;
    let amount = |minor: f64| match format {
        Format::Table => format!("{:.2}", minor / scale),
        _ => minor.to_string(),
    };
    let percent = |share: f64| match format {
        Format::Table => format!("{:.1} %", 100.0 * share),
        _ => share.to_string(),
    };
    let effect =
        |of: &Detectable| [amount(of.absolute), of.relative.map_or_else(String::new, percent)];
    let mut line = vec![plan.weeks.to_string(), percent(plan.holdout), amount(plan.mean_minor)];
    match &plan.answer {
        Answer::Estimate(power) => {
            line.extend(effect(&power.plain));
            line.extend(effect(&power.adjusted));
            line.push(percent(power.explained));
        }
        Answer::Refused { refused } => {
            line.push(refused.words().to_owned());
            line.resize(HEADER.len(), String::new());
        }
    }
    line
}
