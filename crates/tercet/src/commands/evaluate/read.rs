//! Who took up what, when, by any table of a shop or of a study?

use std::collections::HashMap;

use tercet_engine::Engine;
use tercet_measurement::ranking::{Histories, Part};
use tercet_models::uplift::row_key;
use tercet_types::{Error, Result};

use super::arguments::{DataArguments, DataFormat, Holds, required};
use super::described::Described;
use super::lines::{Entry, Names, Orders, lines, part};
use super::lists::{baskets, is_list, is_nested, products, unbracketed};
use super::when::moment;
use crate::commands::uplift::table::Table;
use crate::pipeline::Ground;

/// Minor units of what a value column counts in.
const MINOR_UNITS: f64 = 100.0;

/// What a time may be.
const TIMES: &str = "a time is a date, a timestamp, seconds or milliseconds since 1970 and before 2200, or the number \
                     of a day, at most 100,000";

/// What was read.
pub(in crate::commands) struct Data {
    pub(in crate::commands) ground: Ground,
    /// Ids by index, ascending.
    pub(in crate::commands) customer_ids: Vec<String>,
    /// The same of products.
    pub(in crate::commands) product_ids: Vec<String>,
    /// What is known of products.
    pub(in crate::commands) products: Described,
    /// The same of customers.
    pub(in crate::commands) customers: Described,
    /// Whether what is judged stands in a table of its own.
    pub(super) has_test: bool,
    /// Whether days are known; else orders are counted back from the customer's last.
    pub(super) has_days: bool,
    /// Whether orders are known.
    pub(super) has_orders: bool,
    /// Whether what was paid is known.
    pub(super) has_values: bool,
    /// Whether lines say where they belong.
    pub(super) has_parts: bool,
}

/// What is collected of the tables.
#[derive(Default)]
struct Collected {
    customers: Names,
    products: Names,
    entries: Vec<Entry>,
    has_days: bool,
    has_values: bool,
    has_parts: bool,
    orders: Option<Orders>,
    /// Columns that are not used though they are called as usual, and why.
    not_used: Vec<String>,
}

/// Reads the tables.
///
/// # Errors
/// `T1061`, `T1062`, `T1072`, `T1091` and `T1092`, each naming the column, and the row where it is one.
pub(in crate::commands) fn read(engine: &Engine, ask: &DataArguments) -> Result<Data> {
    let mut collected = Collected::default();
    let table = Table::read(engine, &ask.data)?;
    let product = required(ask.column(&table, Holds::Product)?, &table, Holds::Product)?;
    let first = table.cells(&product)?.into_iter().flatten().next().unwrap_or_default();
    let format = ask.format.unwrap_or_else(|| told(&first));
    if format == DataFormat::Interactions || (format == DataFormat::Baskets && !is_list(&first)) {
        collected.interactions(&table, ask, &product, format)?;
    } else {
        let customer = ask.column(&table, Holds::Customer)?;
        let target = ask.column(&table, Holds::Target)?;
        let columns = [customer, Some(product), target];
        collected.listed(&table, columns, [Part::Train; 2], "row ")?;
        let numbered = format == DataFormat::Baskets;
        collected.orders = Some(if numbered { Orders::Numbered } else { Orders::Each });
    }
    if let Some(place) = &ask.test {
        let table = Table::read(engine, place)?;
        let find = |holds| required(ask.column_beside(&table, holds), &table, holds);
        let columns = [None, Some(find(Holds::Product)?), Some(find(Holds::Target)?)];
        collected.listed(&table, columns, [Part::Query, Part::Test], "test row ")?;
        collected.has_parts = true;
    }
    let of_products = beside(engine, ask, ask.attributes.as_ref(), Holds::Product)?;
    if let Some((table, column)) = &of_products {
        // Products that nobody took up yet are of the catalogue too.
        let names = table.cells(column)?.into_iter().flatten();
        names.for_each(|name| _ = collected.products.number(&name));
    }
    let of_customers = beside(engine, ask, ask.customer_attributes.as_ref(), Holds::Customer)?;
    let (customers, customer_places) = collected.customers.sorted();
    let (products, product_places) = collected.products.sorted();
    let entries = collected.entries.into_iter().map(|entry| Entry {
        customer: customer_places[entry.customer as usize],
        product: product_places[entry.product as usize],
        ..entry
    });
    let orders = collected.orders.unwrap_or(Orders::Each);
    let lines = lines(entries.collect(), collected.has_days, orders);
    let keys = |names: &[String]| names.iter().map(|name| row_key(name)).collect::<Vec<u64>>();
    let known_products = attributes(of_products, &products)?;
    let known_customers = attributes(of_customers, &customers)?;
    let ground = Ground {
        histories: Histories::new(keys(&customers), keys(&products), lines)?,
        products: known_products.attributes.clone(),
        customers: known_customers.attributes.clone(),
        remarks: collected.not_used.into(),
    };
    Ok(Data {
        ground,
        customer_ids: customers,
        product_ids: products,
        products: known_products,
        customers: known_customers,
        has_test: ask.test.is_some(),
        has_days: collected.has_days,
        has_orders: orders != Orders::Each,
        has_values: collected.has_values,
        has_parts: collected.has_parts,
    })
}

/// What a table is, by the first cell of its products.
fn told(first: &str) -> DataFormat {
    match (is_list(first), is_nested(first)) {
        (true, true) => DataFormat::Baskets,
        (true, false) => DataFormat::Sequences,
        (false, _) => DataFormat::Interactions,
    }
}

fn missing(column: &str, row: usize) -> Error {
    Error::data("T1092", format!("column '{column}': row {row} holds nothing"))
        .hint("leave these rows out: nobody knows what they are of")
}

impl Collected {
    /// Rows of one product each.
    fn interactions(
        &mut self,
        table: &Table,
        ask: &DataArguments,
        product: &str,
        format: DataFormat,
    ) -> Result<()> {
        let optional = |holds| -> Result<_> {
            let Some(name) = ask.column(table, holds)? else { return Ok(None) };
            let cells = table.cells(&name)?;
            Ok(Some((name, cells)))
        };
        let customer = required(ask.column(table, Holds::Customer)?, table, Holds::Customer)?;
        let (customers, products) = (table.cells(&customer)?, table.cells(product)?);
        let (times, orders) = (optional(Holds::Time)?, optional(Holds::Order)?);
        let places = self.readable(table, ask, Holds::Position, |name| table.numbers(name))?;
        let values = self.readable(table, ask, Holds::Value, |name| table.numbers(name))?;
        let parts = self.readable(table, ask, Holds::Part, |name| {
            let cells = table.cells(name)?.into_iter().enumerate();
            cells.map(|(at, cell)| part(cell.as_deref(), name, table.row(at))).collect()
        })?;
        if format == DataFormat::Baskets && orders.is_none() && times.is_none() {
            return Err(Error::data("T1091", "which column holds the order?")
                .hint("baskets need --order, or --time where what came at one moment is one"));
        }
        let mut order_names = Names::default();
        for at in 0..table.rows() {
            let row = table.row(at);
            let cell = |column: &str, cells: &[Option<String>]| {
                cells[at].clone().ok_or_else(|| missing(column, row))
            };
            let when = match &times {
                None => (0, 0),
                Some((column, cells)) => {
                    let text = cell(column, cells)?;
                    moment(&text).ok_or_else(|| {
                        Error::data("T1092", format!("column '{column}': row {row} holds {text}"))
                            .hint(TIMES)
                    })?
                }
            };
            let order = match &orders {
                None => None,
                Some((column, cells)) => Some(order_names.number(&cell(column, cells)?)),
            };
            self.entries.push(Entry {
                customer: self.customers.number(&cell(&customer, &customers)?),
                moment: when,
                place: places.as_ref().map_or(0, |places| places[at] as i64),
                order,
                product: self.products.number(&cell(product, &products)?),
                spend_minor: values.as_ref().map_or(0, |v| (v[at] * MINOR_UNITS).round() as i64),
                part: parts.as_ref().map_or(Part::Train, |parts: &Vec<Part>| parts[at]),
            });
        }
        self.has_days = times.is_some();
        self.has_values = values.is_some();
        self.has_parts = parts.is_some();
        self.orders = Some(match (&orders, format) {
            (Some(_), _) => Orders::Numbered,
            (None, DataFormat::Baskets) => Orders::ByMoment,
            (None, _) => Orders::Each,
        });
        Ok(())
    }

    /// What every row of a column holds, where there is one; a column that no flag named and that cannot be read is
    /// not used.
    fn readable<T>(
        &mut self,
        table: &Table,
        ask: &DataArguments,
        holds: Holds,
        cells: impl FnOnce(&str) -> Result<Vec<T>>,
    ) -> Result<Option<Vec<T>>> {
        let Some(name) = ask.column(table, holds)? else { return Ok(None) };
        match cells(&name) {
            Err(error)
                if ask.named(holds).is_none() && matches!(error.code(), "T1062" | "T1092") =>
            {
                self.not_used.push(format!("not used as {}: {error}", holds.flag()));
                Ok(None)
            }
            told => told.map(Some),
        }
    }

    /// Rows of a customer, a list and, where there is one, what came last; `parts` says where lists and targets belong.
    fn listed(
        &mut self,
        table: &Table,
        columns: [Option<String>; 3],
        parts: [Part; 2],
        nobody: &str,
    ) -> Result<()> {
        let cells = |column: &Option<String>| column.as_ref().map(|c| table.cells(c)).transpose();
        let [customer, list, target] = &columns;
        let (customers, lists, targets) = (cells(customer)?, cells(list)?, cells(target)?);
        // A customer of several rows goes on where its last row ended.
        let mut places: HashMap<u32, i64> = HashMap::new();
        for at in 0..table.rows() {
            let name = match (customer, &customers) {
                (Some(column), Some(cells)) => {
                    cells[at].clone().ok_or_else(|| missing(column, table.row(at)))?
                }
                _ => format!("{nobody}{}", table.row(at)),
            };
            let customer = self.customers.number(&name);
            let of = |cells: &Option<Vec<Option<String>>>| {
                cells.as_ref().and_then(|cells| cells[at].clone())
            };
            let place = places.entry(customer).or_default();
            let mut add = |names: &mut Names, entries: &mut Vec<Entry>, basket: &[String], part| {
                for product in basket {
                    entries.push(Entry {
                        customer,
                        moment: (0, 0),
                        place: *place,
                        order: Some(*place as u32),
                        product: names.number(product),
                        spend_minor: 0,
                        part,
                    });
                }
                *place += i64::from(!basket.is_empty());
            };
            for basket in of(&lists).iter().flat_map(|cell| baskets(cell)) {
                add(&mut self.products, &mut self.entries, &basket, parts[0]);
            }
            // What came last is one basket, or one product.
            match (of(&targets), target) {
                (Some(cell), _) => {
                    let basket = products(unbracketed(&cell));
                    add(&mut self.products, &mut self.entries, &basket, parts[1]);
                }
                (None, Some(column)) => return Err(missing(column, table.row(at))),
                (None, None) => (),
            }
        }
        Ok(())
    }
}

/// A table beside the data, and the column that says whom or what each row is of.
fn beside(
    engine: &Engine,
    ask: &DataArguments,
    place: Option<&String>,
    holds: Holds,
) -> Result<Option<(Table, String)>> {
    let Some(place) = place else { return Ok(None) };
    let table = Table::read(engine, place)?;
    let column = required(ask.column_beside(&table, holds), &table, holds)?;
    Ok(Some((table, column)))
}

/// Every other column of the table as a kind of attribute; a cell in brackets, or parted by `|`, has several values,
/// and the rows of one name have theirs together.
fn attributes(beside: Option<(Table, String)>, names: &[String]) -> Result<Described> {
    let mut found = Described::none(names.len());
    let Some((table, of)) = beside else { return Ok(found) };
    let rows = table.cells(&of)?;
    let rows: Vec<Option<usize>> =
        rows.iter().map(|name| names.binary_search(name.as_ref()?).ok()).collect();
    for column in table.columns().iter().filter(|column| **column != of) {
        let mut lists: Vec<Vec<String>> = vec![Vec::new(); names.len()];
        for (row, cell) in rows.iter().zip(table.cells(column)?) {
            let (Some(row), Some(cell)) = (row, cell) else { continue };
            let values = if is_list(&cell) {
                products(unbracketed(&cell))
            } else {
                cell.split('|').map(|value| value.trim().to_owned()).collect()
            };
            let known = &mut lists[*row];
            known.extend(values);
            known.sort_unstable();
            known.dedup();
        }
        found = found.with(column, &lists)?;
    }
    Ok(found)
}
