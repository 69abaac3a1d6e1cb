//! Which verbs are there, and what do they share?

mod backtest;
mod check;
mod compare;
mod customer_value;
mod demo;
mod evaluate;
mod evaluate_policy;
mod explain;
mod init;
mod lift;
mod offers;
mod power;
mod project;
mod recommend;
pub(crate) use project::Project;
mod run;
mod runs;
mod simulate;
pub(crate) use simulate::raw;
mod tune;
mod uplift;

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};
use tercet_types::Result;

use crate::config::Environment;
use crate::output::{Format, Progress};

/// Three offers for every customer, every week: why these, and what they brought.
#[derive(Debug, Parser)]
#[command(name = "tercet", version, max_term_width = 100, disable_help_subcommand = true)]
#[command(
    after_help = "Start with 'tercet demo', or make your own project with 'tercet init DIR'."
)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    verb: Verb,
    #[command(flatten)]
    shared: Shared,
}

/// Flags of all verbs.
#[derive(Debug, Args)]
pub(crate) struct Shared {
    /// The project's folder: where tercet.toml is
    #[arg(long, global = true, default_value = ".", value_name = "DIR")]
    project: PathBuf,
    /// Say nothing but results and errors
    #[arg(long, short, global = true)]
    quiet: bool,
}

impl Shared {
    fn progress(&self) -> Progress {
        Progress::new(self.quiet)
    }
}

/// Reads a flag's value and keeps the hint of its error, which the flag parser would drop.
fn value<T: std::str::FromStr<Err = tercet_types::Error>>(text: &str) -> Result<T, String> {
    text.parse().map_err(|error: tercet_types::Error| match error.hint_text() {
        Some(hint) => format!("{error} (hint: {hint})"),
        None => error.to_string(),
    })
}

/// The form of results.
#[derive(Debug, Args)]
pub(crate) struct FormatFlag {
    /// How results are printed
    #[arg(long, value_enum, default_value = "table")]
    format: Format,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// Run the whole weekly run on real grocery data and show what happened
    Demo(demo::DemoArguments),
    /// Make a project that runs: tercet.toml, slots and rules, commented
    Init(init::InitArguments),
    /// Check every source against its contract; nothing is written
    Check(check::CheckArguments),
    /// Decide one week: three offers for every customer
    Run(run::RunArguments),
    /// Replay past Mondays with only what was known then, and compare engines
    Backtest(backtest::BacktestArguments),
    /// List the runs of a project
    Runs(runs::RunsArguments),
    /// Show the offers of a customer, or of all
    Offers(offers::OffersArguments),
    /// Explain a customer's offers: why these three, why not others
    Explain(explain::ExplainArguments),
    /// What offers brought: treated customers against the control group, with intervals
    Lift(lift::LiftArguments),
    /// Which recommender ranks best what customers took up next, by any table of a shop or a study
    Evaluate(Box<evaluate::EvaluateArguments>),
    /// What customers would take up next, or who a product is for, by any recommender
    // Where no table is named, the project's own purchases stand in.
    #[command(mut_arg("data", |data| data.required(false)))]
    Recommend(Box<recommend::RecommendArguments>),
    /// Which products are like which, by any recommender that knows it
    #[command(mut_arg("data", |data| data.required(false)))]
    Similar(Box<recommend::SimilarArguments>),
    /// Find the settings of a recommender that rank best, by what was held back to choose them
    Tune(Box<tune::TuneArguments>),
    /// What other policies would have brought: from logs with propensities, with intervals
    EvaluatePolicy(evaluate_policy::EvaluateArguments),
    /// The smallest effect that a campaign could show, by its weeks and its control group
    Power(power::PowerArguments),
    /// Make a shop whose truth is known: simulated data, and the project that reads them
    Simulate(simulate::SimulateArguments),
    /// Run engines against each other in simulated weeks: what each truly brings, and what is measured
    Compare(compare::CompareArguments),
    /// Find whom a treatment changes, by any table of a trial
    Uplift(uplift::UpliftArguments),
    /// What each customer will still buy and be worth, by any table of purchases
    CustomerValue(customer_value::CustomerValueArguments),
}

/// Runs the verb that was typed.
pub(crate) fn run(arguments: &Arguments, environment: &Environment) -> Result<()> {
    let shared = &arguments.shared;
    match &arguments.verb {
        Verb::Demo(verb) => demo::demo(verb, shared, environment),
        Verb::Init(verb) => init::init(verb, shared),
        Verb::Check(verb) => check::check(verb, shared, environment),
        Verb::Run(verb) => run::run(verb, shared, environment),
        Verb::Backtest(verb) => backtest::backtest(verb, shared, environment),
        Verb::Runs(verb) => runs::runs(verb, shared, environment),
        Verb::Offers(verb) => offers::offers(verb, shared, environment),
        Verb::Explain(verb) => explain::explain(verb, shared, environment),
        Verb::Lift(verb) => lift::lift(verb, shared, environment),
        Verb::Evaluate(verb) => evaluate::evaluate(verb, shared, environment),
        Verb::Recommend(verb) => recommend::recommend(verb, shared, environment),
        Verb::Similar(verb) => recommend::similar(verb, shared, environment),
        Verb::Tune(verb) => tune::tune(verb, shared, environment),
        Verb::EvaluatePolicy(verb) => evaluate_policy::evaluate_policy(verb, shared, environment),
        Verb::Power(verb) => power::power(verb, shared, environment),
        Verb::Simulate(verb) => simulate::simulate(verb, shared, environment),
        Verb::Compare(verb) => compare::compare(verb, shared, environment),
        Verb::Uplift(verb) => uplift::uplift(verb, shared, environment),
        Verb::CustomerValue(verb) => customer_value::customer_value(verb, shared, environment),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_command_line_is_consistent() {
        Arguments::command().debug_assert();
    }
}
