//! What will each customer still buy, and what is that worth, by any table of purchases?

mod read;
mod said;

use clap::Args;
use tercet_models::customer_value::{
    BgNbd, CustomerHistory, GammaGamma, LifetimeValue, likeness_of_frequency_and_value,
};
use tercet_types::{Date, Error, Result};

use super::uplift::file::{Ending, is_same_place};
use super::uplift::table::{Table, engine, folder_of};
use super::{FormatFlag, Shared};
use crate::config::Environment;
use crate::output::{Format, print, rows, thousands};
use read::read;
use said::{CustomerValue, Customers, Said};

/// Weeks in which purchases to come are discounted together.
const STEP_WEEKS: f64 = 4.0;

const YEAR_WEEKS: f64 = 52.0;

/// `tercet customer-value`
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  tercet customer-value --data orders.csv\n  tercet customer-value --data orders.parquet --customer household_id --date ordered_at --value amount \\\n      --weeks 26 --discount 0.08 --out customers.parquet\n  tercet customer-value --data s3://bucket/orders/ --until 2017-09-30 --format json"
)]
pub(crate) struct CustomerValueArguments {
    /// The purchases: CSV, JSON Lines or Parquet; a file, a folder, a glob or a URL
    #[arg(long, value_name = "PLACE")]
    data: String,
    /// The column that names the customer
    #[arg(long, value_name = "COLUMN", default_value = "customer_id")]
    customer: String,
    /// The column with the day of the purchase
    #[arg(long, value_name = "COLUMN", default_value = "date")]
    date: String,
    /// The column with what was paid; purchases of a day are added up, returns are negative
    #[arg(long, value_name = "COLUMN", default_value = "value")]
    value: String,
    /// The last day that was observed; later purchases are left out [default: the last one in the table]
    #[arg(long, value_name = "DATE", value_parser = super::value::<Date>)]
    until: Option<Date>,
    /// How many weeks ahead purchases and their value are expected
    #[arg(long, value_name = "N", default_value_t = YEAR_WEEKS)]
    weeks: f64,
    /// The rate that values are discounted by, a year: with 0.1 what comes a year later counts 1 / 1.1
    #[arg(long, value_name = "SHARE", default_value_t = 0.1)]
    discount: f64,
    /// What one unit of value is worth: 0.3 for a margin of 30 %
    #[arg(long, value_name = "SHARE", default_value_t = 1.0)]
    margin: f64,
    /// Where to write the customers, as .csv or .parquet
    #[arg(long, value_name = "FILE")]
    out: Option<String>,
    #[command(flatten)]
    format: FormatFlag,
}

/// Fits both models, and says of every customer what to expect.
///
/// # Errors
/// `T1061`, `T1062`, `T1085` for a table that is none of purchases; `T0421` to `T0429` for purchases that the
/// models cannot be made of.
pub(crate) fn customer_value(
    verb: &CustomerValueArguments,
    shared: &Shared,
    environment: &Environment,
) -> Result<()> {
    let out = check(verb)?;
    let progress = shared.progress();
    let engine = engine(environment)?;
    let (known, _) = progress.step("read", || {
        let known = read(&Table::read(&engine, &verb.data)?, verb)?;
        let said = format!("{} customers, until {}", thousands(known.ids.len()), known.until);
        Ok((known, said))
    })?;
    let (fits, _) = progress.step("fit", || {
        // Gamma-Gamma is of values above 0: who came back for nothing says nothing of them.
        let paying = |one: &&CustomerHistory| one.frequency == 0 || one.mean_value > 0.0;
        let paying: Vec<CustomerHistory> = known.histories.iter().filter(paying).copied().collect();
        let fits = (BgNbd::fit(&known.histories)?, GammaGamma::fit(&paying)?);
        Ok((fits, format!("{} customers came back", thousands(known.repeat_buyers()))))
    })?;
    let lifetime = LifetimeValue {
        horizon: verb.weeks,
        step: STEP_WEEKS,
        discount: (1.0 + verb.discount).powf(1.0 / YEAR_WEEKS) - 1.0,
    };
    let customers = Customers::of(&known, (&fits.0.model, &fits.1.model), &lifetime, verb.margin)?;
    let said = Said {
        until: known.until,
        weeks: verb.weeks,
        discount: verb.discount,
        margin: verb.margin,
        customers: known.ids.len(),
        repeat_buyers: known.repeat_buyers(),
        customers_without_purchase: known.without_purchase,
        correlation_of_frequency_and_value: likeness_of_frequency_and_value(&known.histories),
        bg_nbd: (&fits.0).into(),
        gamma_gamma: (&fits.1).into(),
        by_customer: if verb.out.is_none() { customers.values() } else { Vec::new() },
    };
    if let Some((out, ending)) = out {
        let (store, name) = folder_of(&engine, out)?;
        match ending {
            Ending::Parquet => _ = store.put_table(&name, &customers.frame()?)?,
            Ending::Csv => {
                let lines = rows(Format::Csv, &CustomerValue::COLUMNS, &customers.lines());
                store.put(&name, (lines + "\n").into_bytes())?;
            }
        }
        progress.say(&format!("{out}: {} customers", thousands(known.ids.len())));
    }
    match verb.format.format {
        Format::Json => print(format!("{:#}", serde_json::json!(said))),
        Format::Table => print(said.page(&customers)),
        Format::Csv if verb.out.is_none() => {
            print(rows(Format::Csv, &CustomerValue::COLUMNS, &customers.lines()))
        }
        Format::Csv => print(said.parameters(Format::Csv)),
    }
}

/// Holds the flags against what they may be; the result's place, if it has one.
fn check(verb: &CustomerValueArguments) -> Result<Option<(&String, Ending)>> {
    let refuse = |what: String, hint| Err(Error::config("T1085", what).hint(hint));
    if !(verb.weeks.is_finite() && verb.weeks > 0.0) {
        return refuse(format!("--weeks is {}", verb.weeks), "give a number above 0, such as 52");
    }
    for (name, share) in [("discount", verb.discount), ("margin", verb.margin)] {
        if !(share.is_finite() && share >= 0.0) {
            return refuse(
                format!("--{name} is {share}"),
                "give a share of 0 or more, such as 0.1",
            );
        }
    }
    match &verb.out {
        Some(out) if is_same_place(out, &verb.data) => {
            refuse(format!("{out}: this is what is read"), "name another file with --out")
        }
        Some(out) => Ok(Some((out, Ending::of(out)?))),
        None => Ok(None),
    }
}
