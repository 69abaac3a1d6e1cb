//! What would each customer take up next, who is a product for, and what is like it?

mod filter;
mod known;
mod write;

use clap::Args;
use tercet_models::{Fitted, Query, Seen, Training, Wanted, customers_for, similar_products, top};
use tercet_types::{Date, Error, Result};

use self::filter::FilterArguments;
use self::known::Known;
use self::write::Lists;
use super::evaluate::{DataArguments, Model, SeenFlag, settings_of};
use super::{Shared, value};
use crate::config::Environment;
use crate::output::{Format, thousands};

/// Customers or products that are answered for at a time.
const BATCH: usize = 4_096;

/// Where histories come from, what may be ranked, and where lists go.
#[derive(Debug, Args)]
struct ByArguments {
    #[command(flatten)]
    data: Option<DataArguments>,
    /// The day that is asked for: only what lies before it is known [default: of a table the day after its last line,
    /// of a project as configured]
    #[arg(long, value_name = "YYYY-MM-DD", value_parser = value::<Date>)]
    as_of: Option<Date>,
    /// Settings of the model: TOML or JSON with [recommenders.NAME] [default: as configured]
    #[arg(long, value_name = "FILE")]
    settings: Option<String>,
    #[command(flatten)]
    filter: FilterArguments,
    /// The most products of a list
    #[arg(short, value_name = "N", default_value_t = 10)]
    k: usize,
    /// Where lists go: a .csv or .parquet file, or a FOLDER/ of Parquet files for millions [default: printed]
    #[arg(long, value_name = "PLACE")]
    out: Option<String>,
    /// How lists are printed
    #[arg(id = "print", long = "print", value_enum, value_name = "HOW", default_value = "table")]
    format: Format,
}

/// `tercet recommend`
#[derive(Debug, Args)]
#[command(after_help = "\
Without --data the project's own purchases are read.

Examples:
  tercet recommend --for 1228
  tercet recommend --model item-to-item --seen drop --where category=CHEESE --out lists.parquet
  tercet recommend --for 1228 --products 1082185,995242,1029743         rank these again
  tercet recommend --for-product 1082185 --customers 500 --print csv    who is it for?
  tercet recommend --data orders.csv --model personal -k 3 --out lists/")]
pub(crate) struct RecommendArguments {
    #[command(flatten)]
    by: ByArguments,
    /// The estimator, or a section of the settings
    #[arg(long, value_name = "NAME", default_value = "up-cf")]
    model: String,
    /// The customers who are recommended something, separated by commas [default: all]
    #[arg(long = "for", value_name = "ID,ID", value_delimiter = ',')]
    asked: Vec<String>,
    /// Whether products bought before are ranked, and customers for what they bought before
    #[arg(long, value_enum, default_value = "keep")]
    seen: SeenFlag,
    /// Say who a product is for, instead of what customers are recommended
    #[arg(long, value_name = "ID", conflicts_with_all = ["products", "among", "with", "k"])]
    for_product: Option<String>,
    /// The most customers that the product is for
    #[arg(long, value_name = "N", default_value_t = 100, requires = "for_product")]
    customers: usize,
}

/// `tercet similar`
#[derive(Debug, Args)]
#[command(after_help = "\
Without --data the project's own purchases are read.

Examples:
  tercet similar --to 1082185
  tercet similar --to 1082185 --where brand=National --print json
  tercet similar --data sessions.parquet --out similar.parquet")]
pub(crate) struct SimilarArguments {
    #[command(flatten)]
    by: ByArguments,
    /// The estimator, or a section of the settings
    #[arg(long, value_name = "NAME", default_value = "item-to-item")]
    model: String,
    /// The products that others are to be like, separated by commas [default: all]
    #[arg(long = "to", value_name = "ID,ID", value_delimiter = ',')]
    asked: Vec<String>,
}

/// Fits, and ranks products for customers, or customers for a product.
///
/// # Errors
/// `T1086` for a customer, product or attribute that nobody knows, `T1088` for lists of everybody without a place to
/// go, `T1089` for a folder that holds lists already; those of the data and of the estimator.
pub(crate) fn recommend(
    verb: &RecommendArguments,
    shared: &Shared,
    environment: &Environment,
) -> Result<()> {
    let by = &verb.by;
    let known = Known::read(by, shared, environment)?;
    let customers = known.customers_named(&verb.asked)?;
    let product = verb.for_product.as_ref().map(|id| known.product_named(id)).transpose()?;
    let among = by.filter.among(&known)?;
    let sections = settings_of(known.engine(), by.settings.as_deref(), shared, environment)?;
    let model = Model::named(&verb.model, &sections)?;
    let id = |customer: u32| known.customer_ids[customer as usize].as_str();
    let everybody = verb.asked.is_empty() && product.is_none();
    let mut lists = Lists::new(&known, by, ["customer_id", "product_id"], everybody)?;
    with_fitted(&known, &model, shared, |fitted| {
        if let Some(product) = product {
            let has = |query: &Query<'_>| query.lines.iter().any(|line| line.product == product);
            let is_asked = |query: &Query<'_>| verb.seen.seen() == Seen::Keep || !has(query);
            let mut best: Vec<(u32, f64)> = Vec::new();
            for batch in customers.chunks(BATCH) {
                let (candidates, queries): (Vec<u32>, Vec<Query<'_>>) = batch
                    .iter()
                    .map(|customer| (*customer, known.query(*customer)))
                    .filter(|(_, query)| is_asked(query))
                    .unzip();
                let found = customers_for(fitted, &queries, product, verb.customers);
                let found = found.into_iter().map(|(at, score)| (candidates[at as usize], score));
                best = top(best.into_iter().chain(found), verb.customers);
            }
            for (rank, (customer, score)) in (1..).zip(best) {
                let of = known.product(product);
                lists.add(id(customer), rank, of.0, of.1, score)?;
            }
            return Ok(());
        }
        let wanted = Wanted { k: by.k, seen: verb.seen.seen(), among: among.as_deref() };
        let meter = shared.progress().count("customers", customers.len() as u64);
        for batch in customers.chunks(BATCH) {
            let queries: Vec<Query<'_>> = batch.iter().map(|c| known.query(*c)).collect();
            for (customer, list) in batch.iter().zip(fitted.recommend(&queries, &wanted)) {
                for (rank, (product, score)) in (1..).zip(list) {
                    let found = known.product(product);
                    lists.add(id(*customer), rank, found.0, found.1, score)?;
                }
            }
            meter.advance(batch.len() as u64);
        }
        Ok(())
    })?;
    lists.finish(shared)
}

/// Fits, and says what is like what.
///
/// # Errors
/// As [`recommend`], and `T1087` for an estimator that knows no likeness of products.
pub(crate) fn similar(
    verb: &SimilarArguments,
    shared: &Shared,
    environment: &Environment,
) -> Result<()> {
    let by = &verb.by;
    let known = Known::read(by, shared, environment)?;
    let products = known.products_named(&verb.asked)?;
    let among = by.filter.among(&known)?;
    let sections = settings_of(known.engine(), by.settings.as_deref(), shared, environment)?;
    let model = Model::named(&verb.model, &sections)?;
    let everybody = verb.asked.is_empty();
    let mut lists = Lists::new(&known, by, ["similar_to", "product_id"], everybody)?;
    with_fitted(&known, &model, shared, |fitted| {
        let wanted = Wanted { k: by.k, seen: Seen::Keep, among: among.as_deref() };
        for batch in products.chunks(BATCH) {
            let found = similar_products(fitted, batch, &wanted).ok_or_else(|| {
                Error::config("T1087", format!("'{}' knows no likeness of products", model.name))
                    .hint("take --model item-to-item")
            })?;
            for (of, list) in batch.iter().zip(found) {
                for (rank, (product, score)) in (1..).zip(list) {
                    let found = known.product(product);
                    lists.add(known.product(*of).0, rank, found.0, found.1, score)?;
                }
            }
        }
        Ok(())
    })?;
    lists.finish(shared)
}

/// Fits the model on all that is known, and hands what it learnt to `ask`.
fn with_fitted(
    known: &Known,
    model: &Model,
    shared: &Shared,
    ask: impl FnOnce(&dyn Fitted) -> Result<()>,
) -> Result<()> {
    let training = Training {
        history: &known.history,
        as_of: known.as_of,
        products: &known.products.attributes,
        customers: &known.customers.attributes,
    };
    let (fitted, _) = shared.progress().step(&model.name, || {
        let fitted = model.recommender.fit(&training)?;
        Ok((fitted, format!("learnt from {} lines", thousands(known.history.len()))))
    })?;
    ask(&*fitted)
}
