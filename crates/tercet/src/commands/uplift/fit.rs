//! How is a trial learnt from, and what is said of it?

use std::path::PathBuf;

use clap::Args;
use clap::builder::PossibleValuesParser;
use tercet_models::uplift::{
    LEARNERS, Propensity, Trial, UpliftLearner, UpliftSettings, cross_fit, fit as learn,
};
use tercet_types::{Error, Result};

use super::file::UpliftFile;
use super::table::{Table, engine, folder_of};
use super::trial::{Read, read};
use super::{judge, page, report};
use crate::commands::backtest::write_whole;
use crate::commands::{FormatFlag, Shared};
use crate::config::Environment;
use crate::output::{Format, print, thousands};

/// `tercet uplift fit`
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  tercet uplift fit --data trial.csv --treatment mailed --outcome bought --model uplift.json --report uplift.html\n  tercet uplift fit --data trial.parquet --treatment segment --control 'No E-Mail' --outcome visit \\\n      --ignore conversion,spend --learner r --splits 10 --format json\n  tercet uplift fit --data s3://bucket/trial/ --treatment offer --outcome bought --key customer_id \\\n      --margin 10 --cost 0.15 --kind promotion_type"
)]
pub(crate) struct FitArguments {
    /// The table of the trial: CSV, JSON Lines or Parquet; a file, a folder, a glob or a URL
    #[arg(long, value_name = "PLACE")]
    pub(super) data: String,
    /// The column that says which arm a row got
    #[arg(long, value_name = "COLUMN")]
    pub(super) treatment: String,
    /// The column that says what happened: 0 and 1, or an amount
    #[arg(long, value_name = "COLUMN")]
    pub(super) outcome: String,
    /// The arm that got nothing [default: the one called control, no, none, false or 0]
    #[arg(long, value_name = "ARM")]
    pub(super) control: Option<String>,
    /// The arms to hold against control [default: all]
    #[arg(long, value_name = "ARM,ARM", value_delimiter = ',')]
    pub(super) arms: Vec<String>,
    /// The column that names the customer: one row each; folds are drawn by it
    #[arg(long, value_name = "COLUMN")]
    pub(super) key: Option<String>,
    /// The column that says of which kind the row's arm is, such as its promotion type: arms of a kind are drawn towards
    /// each other as far as they differ by chance alone [default: all arms are of one kind]
    #[arg(long, value_name = "COLUMN")]
    pub(super) kind: Option<String>,
    /// The features: what was known before the treatment [default: all other columns]
    #[arg(long, value_name = "COLUMN,COLUMN", value_delimiter = ',')]
    pub(super) features: Vec<String>,
    /// Columns that are no features, such as further outcomes
    #[arg(long, value_name = "COLUMN,COLUMN", value_delimiter = ',', conflicts_with = "features")]
    pub(super) ignore: Vec<String>,
    /// Features that are categories, whatever they hold [default: those that hold no number]
    #[arg(long, value_name = "COLUMN,COLUMN", value_delimiter = ',')]
    pub(super) categories: Vec<String>,
    /// The column with the chance of treatment that each row had [default: the share of the arm]
    #[arg(long, value_name = "COLUMN")]
    pub(super) propensity: Option<String>,
    /// The planned sizes of the arms, control first, such as 1,9 [default: equal, or by --propensity]
    #[arg(long, value_name = "N,N", value_delimiter = ',')]
    pub(super) shares: Vec<f64>,
    /// Go on where the arms are not of the planned sizes
    #[arg(long)]
    pub(super) despite_ratio: bool,
    /// Allow outcomes below 0
    #[arg(long)]
    pub(super) negative: bool,
    /// How uplift is learnt
    #[arg(long, default_value = "dr", value_parser = PossibleValuesParser::new(["dr", "r", "x", "t", "s"]))]
    learner: String,
    /// What one unit of the outcome is worth
    #[arg(long, default_value_t = 1.0, value_name = "AMOUNT")]
    pub(super) margin: f64,
    /// What it costs to send to one customer
    #[arg(long, default_value_t = 0.0, value_name = "AMOUNT")]
    pub(super) cost: f64,
    /// Folds that take turns to be judged by what was learnt without them
    #[arg(long, default_value_t = 5, value_name = "N", value_parser = clap::value_parser!(u8).range(2..=50))]
    pub(super) splits: u8,
    /// Seed of the folds
    #[arg(long, default_value_t = 1, value_name = "N")]
    pub(super) seed: u64,
    /// Where to keep the model: a file, or a URL
    #[arg(long, value_name = "FILE")]
    model: Option<String>,
    /// Write the judgement here as an HTML page
    #[arg(long, value_name = "FILE")]
    report: Option<PathBuf>,
    #[command(flatten)]
    format: FormatFlag,
}

/// Learns, judges what was learnt on rows it was not learnt from, and keeps it.
///
/// # Errors
/// `T1060` to `T1069` for a table that is no trial, `T1071` for arms that are not of the planned sizes.
pub(super) fn fit(verb: &FitArguments, shared: &Shared, environment: &Environment) -> Result<()> {
    if !(verb.margin.is_finite() && verb.cost.is_finite()) {
        return Err(Error::config("T1068", "margin and cost are amounts")
            .hint("give numbers, such as --margin 10 --cost 0.15"));
    }
    let progress = shared.progress();
    let engine = engine(environment)?;
    let (trial, _) = progress.step("read", || {
        let trial = read(Table::read(&engine, &verb.data)?, verb)?;
        let (rows, features) = (thousands(trial.arm.len()), trial.schema.len());
        let said = format!("{rows} rows, {} arms, {features} features", trial.arms.len());
        Ok((trial, said))
    })?;
    let sample_ratio = judge::sample_ratio(&trial, verb)?;
    let learner = learner_of(&verb.learner)?;
    let judging =
        UpliftSettings { folds: verb.splits, seed: verb.seed, ..UpliftSettings::default() };
    let (crossed, _) = progress.step("judge", || {
        let crossed = cross_fit(learner, &trial.trial(), &trial.kinds, &trial.schema, &judging)?;
        Ok((crossed, format!("{} folds", verb.splits)))
    })?;
    let judgement = judge::judge(&trial, &crossed, sample_ratio, verb, learner.name())?;
    if let Some(path) = &verb.model {
        progress.step("learn", || {
            let model = learn(learner, &trial.trial(), &trial.kinds, &trial.schema, &judging)?;
            let file = UpliftFile::new(&trial, verb, &judgement, &model)?;
            let (store, name) = folder_of(&engine, path)?;
            store.put(&name, file.to_bytes()?)?;
            Ok(((), path.clone()))
        })?;
    }
    if let Some(path) = &verb.report {
        write_whole(path, report::report(&judgement, verb).html()?.as_bytes())?;
        progress.say(&format!("report: {}", path.display()));
    }
    match verb.format.format {
        Format::Json => print(format!("{:#}", serde_json::json!(judgement)))?,
        format => print(page::page(&judgement, format))?,
    }
    if let Some(path) = &verb.model {
        progress.say(&format!("next: tercet uplift apply --model {path} --data TABLE"));
    }
    Ok(())
}

fn learner_of(name: &str) -> Result<&'static dyn UpliftLearner> {
    LEARNERS.into_iter().find(|learner| learner.name() == name).ok_or_else(|| {
        Error::config("T1068", format!("there is no learner '{name}'"))
            .hint("the learners are dr, r, x, t and s")
    })
}

impl Read {
    /// The trial as learners see it.
    pub(super) fn trial(&self) -> Trial<'_> {
        Trial {
            matrix: &self.matrix,
            outcome: &self.outcome,
            arm: &self.arm,
            propensity: Propensity::Rows(&self.propensity),
            key: &self.key,
        }
    }
}
