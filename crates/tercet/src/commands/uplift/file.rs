//! How is what was learnt of a trial kept, and applied to a table?

use clap::Args;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value as Json, json};
use tercet_engine::Frame;
use tercet_measurement::uplift::arm_to_send;
use tercet_models::uplift::UpliftModel;
use tercet_types::{Error, Result};

use super::features::matrix_of;
use super::fit::FitArguments;
use super::judge::{Advice, Judgement};
use super::table::{Table, engine, folder_of, typed};
use super::trial::Read;
use crate::commands::{FormatFlag, Shared};
use crate::config::Environment;
use crate::output::{Format, print, rows, thousands};

/// What a model file is called inside.
const FORMAT: &str = "tercet-uplift-file";
const VERSION: u32 = 1;

/// What was learnt of a trial.
#[derive(Serialize, Deserialize)]
pub(super) struct UpliftFile {
    format: String,
    version: u32,
    treatment: String,
    outcome: String,
    key: Option<String>,
    /// Control first.
    arms: Vec<String>,
    margin: f64,
    cost: f64,
    advice: Advice,
    model: Json,
}

impl UpliftFile {
    pub(super) fn new(
        trial: &Read,
        verb: &FitArguments,
        judgement: &Judgement,
        model: &UpliftModel,
    ) -> Result<Self> {
        Ok(Self {
            format: FORMAT.to_owned(),
            version: VERSION,
            treatment: verb.treatment.clone(),
            outcome: verb.outcome.clone(),
            key: verb.key.clone(),
            arms: trial.arms.clone(),
            margin: verb.margin,
            cost: verb.cost,
            advice: judgement.advice.clone(),
            model: model.to_json()?,
        })
    }

    pub(super) fn to_bytes(&self) -> Result<Vec<u8>> {
        serde_json::to_vec(self).map_err(|cause| {
            Error::internal("T1070", "the model could not be written").cause(cause)
        })
    }

    fn read(bytes: &[u8], place: &str) -> Result<(Self, UpliftModel)> {
        let other = || {
            Error::data("T1070", format!("{place}: not a model of uplift"))
                .hint("make one with 'tercet uplift fit --model FILE'")
        };
        let file: Self = serde_json::from_slice(bytes).map_err(|cause| other().cause(cause))?;
        if file.format != FORMAT || file.version != VERSION {
            return Err(other());
        }
        let model = UpliftModel::from_json(file.model.clone())?;
        if model.arms() + 1 != file.arms.len() {
            return Err(other());
        }
        Ok((file, model))
    }

    /// The number of the arm that a row gets, by what is predicted of it.
    fn choice(&self, uplift: &[f64]) -> usize {
        match &self.advice {
            Advice::ToNobody => 0,
            Advice::ToAll { arm } => usize::from(*arm),
            Advice::ByUplift { lines } => {
                let net = uplift.iter().map(|uplift| uplift * self.margin - self.cost);
                usize::from(arm_to_send(&net.collect::<Vec<f64>>(), lines))
            }
        }
    }
}

/// `tercet uplift apply`
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  tercet uplift apply --model uplift.json --data customers.csv > uplift.csv\n  tercet uplift apply --model uplift.json --data s3://bucket/customers/ --key customer_id --out uplift.parquet"
)]
pub(crate) struct ApplyArguments {
    /// The model that 'tercet uplift fit' kept
    #[arg(long, value_name = "FILE")]
    model: String,
    /// The table: CSV, JSON Lines or Parquet; a file, a folder, a glob or a URL
    #[arg(long, value_name = "PLACE")]
    data: String,
    /// The column that names the row in the result [default: as in the trial, else the number of the row]
    #[arg(long, value_name = "COLUMN")]
    key: Option<String>,
    /// Where to write the result: a .csv or .parquet file [default: printed as CSV]
    #[arg(long, value_name = "FILE")]
    out: Option<String>,
    #[command(flatten)]
    format: FormatFlag,
}

/// What a result can be written as, by the ending of the file.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(in crate::commands) enum Ending {
    Csv,
    Parquet,
}

impl Ending {
    pub(in crate::commands) fn of(out: &str) -> Result<Self> {
        match out.rsplit_once('.').map(|(_, ending)| ending) {
            Some("csv") => Ok(Self::Csv),
            Some("parquet") => Ok(Self::Parquet),
            _ => Err(Error::config("T1068", format!("{out}: it ends neither in .csv nor in .parquet"))
                .hint("the ending says what is written: name such a file, or take --format json and redirect it")),
        }
    }
}

/// True when two places are one file.
pub(in crate::commands) fn is_same_place(one: &str, other: &str) -> bool {
    let whole = |place: &str| std::fs::canonicalize(place).ok();
    one == other || whole(one).is_some_and(|path| whole(other) == Some(path))
}

/// Says of every row what each arm adds, what to expect whatever the arm, and what to send.
///
/// # Errors
/// `T1068` for a result that has no place; `T1070` for a file that is no model; `T1061`, `T1062` for a table without
/// the features.
pub(super) fn apply(
    verb: &ApplyArguments,
    shared: &Shared,
    environment: &Environment,
) -> Result<()> {
    if let Some(out) = &verb.out {
        for input in [&verb.data, &verb.model] {
            if is_same_place(out, input) {
                return Err(Error::config("T1068", format!("{out}: this is what is read"))
                    .hint("name another file with --out"));
            }
        }
    }
    let ending = verb.out.as_deref().map(Ending::of).transpose()?;
    let engine = engine(environment)?;
    let (store, name) = folder_of(&engine, &verb.model)?;
    let (file, model) = UpliftFile::read(&store.get(&name).map_err(typed)?, &verb.model)?;
    let table = Table::read(&engine, &verb.data)?;
    let matrix = matrix_of(&table, model.schema())?;
    let key = verb.key.as_ref().or(file.key.as_ref());
    let key_name = key.map_or("row", String::as_str);
    let keys: Vec<String> = match key {
        Some(name) => table.cells(name)?.into_iter().map(Option::unwrap_or_default).collect(),
        None => (1..=table.rows()).map(|row| row.to_string()).collect(),
    };
    let (uplift, expected) = (model.predict(&matrix)?, model.expected(&matrix)?);
    let arms = model.arms();
    let send: Vec<&str> =
        uplift.chunks_exact(arms).map(|row| file.arms[file.choice(row)].as_str()).collect();
    let named: Vec<String> = file.arms[1..].iter().map(|arm| format!("uplift {arm}")).collect();
    let mut header = vec![key_name];
    header.extend(named.iter().map(String::as_str));
    header.extend(["expected outcome", "send"]);
    let said = |place: &str| {
        shared.progress().say(&format!("{place}: {} rows", thousands(table.rows())));
    };
    if let Some(out) = verb.out.as_ref().filter(|_| ending == Some(Ending::Parquet)) {
        let mut columns = vec![(key_name, keys.into())];
        for (arm, name) in named.iter().enumerate() {
            let of_arm: Vec<f64> = uplift.iter().skip(arm).step_by(arms).copied().collect();
            columns.push((name.as_str(), of_arm.into()));
        }
        let send: Vec<String> = send.into_iter().map(str::to_owned).collect();
        columns.extend([("expected outcome", expected.into()), ("send", send.into())]);
        let (store, name) = folder_of(&engine, out)?;
        store.put_table(&name, &Frame::of(columns)?)?;
        said(out);
        return Ok(());
    }
    let line = |(row, key): (usize, String)| {
        let mut line = vec![key];
        line.extend(uplift[row * arms..(row + 1) * arms].iter().map(f64::to_string));
        line.extend([expected[row].to_string(), send[row].to_owned()]);
        line
    };
    if verb.out.is_none() && verb.format.format == Format::Json {
        let object = |(row, key): (usize, String)| {
            let of_row = &uplift[row * arms..(row + 1) * arms];
            let numbers = of_row.iter().chain([&expected[row]]).map(|number| json!(number));
            let cells = [json!(key)].into_iter().chain(numbers).chain([json!(send[row])]);
            header.iter().map(|name| (*name).to_owned()).zip(cells).collect::<Map<_, _>>().into()
        };
        let objects: Vec<Json> = keys.into_iter().enumerate().map(object).collect();
        return print(format!("{:#}", Json::from(objects)));
    }
    let lines: Vec<Vec<String>> = keys.into_iter().enumerate().map(line).collect();
    let Some(out) = &verb.out else {
        return print(rows(Format::Csv, &header, &lines));
    };
    let (store, name) = folder_of(&engine, out)?;
    store.put(&name, (rows(Format::Csv, &header, &lines) + "\n").into_bytes())?;
    said(out);
    Ok(())
}
