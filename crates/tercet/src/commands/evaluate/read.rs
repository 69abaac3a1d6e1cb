//! Who took up what, when, by any table of a shop or of a study?

use std::collections::HashMap;

use tercet_engine::Engine;
use tercet_measurement::ranking::{Histories, Part};
use tercet_models::uplift::row_key;
use tercet_models::{Purchases, PurchasesBuilder};
use tercet_types::{Error, Result};

use super::arguments::{DataArguments, DataFormat, Holds, required};
use super::described::Described;
use super::lines::{Entries, Entry, Names, Orders, part};
use super::lists::{baskets, is_list, is_nested, products, unbracketed};
use super::when::Times;
use crate::commands::uplift::table::{Pieces, Table};
use crate::pipeline::{Ground, purchase};

/// Minor units of what a value column counts in.
const MINOR_UNITS: f64 = 100.0;

/// What was read.
pub(in crate::commands) struct Data {
    pub(in crate::commands) ground: Ground,
    /// Ids of products by index, ascending.
    pub(in crate::commands) product_ids: Vec<String>,
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

/// What customers took up before a day that is asked for.
pub(in crate::commands) struct Known {
    pub(in crate::commands) history: Purchases,
    /// Ids by index, ascending.
    pub(in crate::commands) customer_ids: Vec<String>,
    /// The same of products.
    pub(in crate::commands) product_ids: Vec<String>,
    /// What is known of products.
    pub(in crate::commands) products: Described,
    /// The same of customers.
    pub(in crate::commands) customers: Described,
    /// What of the table was passed over, and how it was taken.
    pub(in crate::commands) remarks: Vec<String>,
}

/// What is collected of the tables.
#[derive(Default)]
struct Collected {
    customers: Names,
    products: Names,
    entries: Entries,
    has_days: bool,
    has_values: bool,
    has_parts: bool,
    orders: Option<Orders>,
    /// How times are read, and columns that are not used though they are called as usual, and why.
    remarks: Vec<String>,
}

/// Collected rows of numbered customers and products.
struct Numbered {
    customer_ids: Vec<String>,
    product_ids: Vec<String>,
    products: Described,
    customers: Described,
    /// Of the numbers above.
    rows: Collected,
    orders: Orders,
}

/// Reads the tables, to be cut and judged.
///
/// # Errors
/// `T1061`, `T1062`, `T1072`, `T1091` and `T1092`, each naming the column, and the row where it is one.
pub(in crate::commands) fn read(engine: &Engine, ask: &DataArguments) -> Result<Data> {
    let Numbered { customer_ids, product_ids, products, customers, rows, orders } =
        numbered(engine, ask)?;
    let mut lines = Vec::with_capacity(rows.entries.len());
    let add = |customer, line| lines.push((customer, line));
    rows.entries.lines(customer_ids.len(), rows.has_days, orders, add);
    let keys = |names: &[String]| names.iter().map(|name| row_key(name)).collect::<Vec<u64>>();
    let ground = Ground {
        histories: Histories::new(keys(&customer_ids), keys(&product_ids), lines)?,
        products: products.attributes.clone(),
        customers: customers.attributes.clone(),
        remarks: rows.remarks.into(),
    };
    Ok(Data {
        ground,
        product_ids,
        has_test: ask.test.is_some(),
        has_days: rows.has_days,
        has_orders: orders != Orders::Each,
        has_values: rows.has_values,
        has_parts: rows.has_parts,
    })
}

/// Reads the tables, to be learnt from whole: beside the history, memory holds a few numbers of each line.
///
/// # Errors
/// As [`read`].
pub(in crate::commands) fn read_known(engine: &Engine, ask: &DataArguments) -> Result<Known> {
    let Numbered { customer_ids, product_ids, products, customers, rows, orders } =
        numbered(engine, ask)?;
    let mut history =
        PurchasesBuilder::new(customer_ids.len(), product_ids.len(), rows.entries.len());
    let mut refused = None;
    rows.entries.lines(customer_ids.len(), rows.has_days, orders, |customer, line| {
        if let Err(error) = history.push(customer, purchase(&line)) {
            refused.get_or_insert(error);
        }
    });
    match refused {
        Some(error) => Err(error),
        None => Ok(Known {
            history: history.finish(),
            customer_ids,
            product_ids,
            products,
            customers,
            remarks: rows.remarks,
        }),
    }
}

/// Collects the rows of the tables.
fn numbered(engine: &Engine, ask: &DataArguments) -> Result<Numbered> {
    let mut rows = Collected::default();
    let table = Pieces::open(engine, "data", &ask.data)?;
    let head = table.head();
    let product = required(ask.column(head, Holds::Product)?, head, Holds::Product)?;
    let first = head.cells(&product)?.into_iter().flatten().next().unwrap_or_default();
    let format = ask.format.unwrap_or_else(|| told(&first));
    if format == DataFormat::Interactions || (format == DataFormat::Baskets && !is_list(&first)) {
        rows.interactions(&table, ask, &product, format)?;
    } else {
        let customer = ask.column(head, Holds::Customer)?;
        let target = ask.column(head, Holds::Target)?;
        let columns = [customer, Some(product), target];
        rows.listed(&table, columns, [Part::Train; 2], "row ")?;
        let is_numbered = format == DataFormat::Baskets;
        rows.orders = Some(if is_numbered { Orders::Numbered } else { Orders::Each });
    }
    if let Some(place) = &ask.test {
        let table = Pieces::open(engine, "test", place)?;
        let head = table.head();
        let find = |holds| required(ask.column_beside(head, holds), head, holds);
        let columns = [None, Some(find(Holds::Product)?), Some(find(Holds::Target)?)];
        rows.listed(&table, columns, [Part::Query, Part::Test], "test row ")?;
        rows.has_parts = true;
    }
    if u32::try_from(rows.entries.len()).is_err() {
        return Err(Error::data("T1092", format!("{}: more than {} lines", ask.data, u32::MAX))
            .hint("leave out what is old, or a part of the customers"));
    }
    let of_products = beside(engine, ask, ask.attributes.as_ref(), Holds::Product)?;
    if let Some((table, column)) = &of_products {
        // Products that nobody took up yet are of the catalogue too.
        let names = table.cells(column)?.into_iter().flatten();
        names.for_each(|name| _ = rows.products.number(&name));
    }
    let of_customers = beside(engine, ask, ask.customer_attributes.as_ref(), Holds::Customer)?;
    let (customer_ids, customer_places) = std::mem::take(&mut rows.customers).sorted();
    let (product_ids, product_places) = std::mem::take(&mut rows.products).sorted();
    rows.entries.renumber(&customer_places, &product_places);
    Ok(Numbered {
        products: attributes(of_products, &product_ids)?,
        customers: attributes(of_customers, &customer_ids)?,
        customer_ids,
        product_ids,
        orders: rows.orders.unwrap_or(Orders::Each),
        rows,
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

/// A column that a flag named, or one that is only called as usual: that is not used where it cannot be read.
struct Doubtful {
    column: Option<String>,
    holds: Holds,
    is_named: bool,
    refused: Option<Error>,
}

impl Doubtful {
    fn new(table: &Table, ask: &DataArguments, holds: Holds) -> Result<Self> {
        let column = ask.column(table, holds)?;
        Ok(Self { column, holds, is_named: ask.named(holds).is_some(), refused: None })
    }

    /// What the rows of a piece hold; none where there is no such column, or no longer.
    fn read<T>(&mut self, cells: impl FnOnce(&str) -> Result<Vec<T>>) -> Result<Option<Vec<T>>> {
        let Some(column) = self.column.as_ref().filter(|_| self.refused.is_none()) else {
            return Ok(None);
        };
        match cells(column) {
            Err(error) if !self.is_named && matches!(error.code(), "T1062" | "T1092") => {
                self.refused = Some(error);
                Ok(None)
            }
            told => told.map(Some),
        }
    }

    /// Says whether the column was used, once all was read.
    fn settle(self, remarks: &mut Vec<String>) -> bool {
        let Some(error) = self.refused else { return self.column.is_some() };
        remarks.push(format!("not used as {}: {error}", self.holds.flag()));
        false
    }
}

impl Collected {
    /// Rows of one product each.
    fn interactions(
        &mut self,
        table: &Pieces<'_>,
        ask: &DataArguments,
        product: &str,
        format: DataFormat,
    ) -> Result<()> {
        let head = table.head();
        let customer = required(ask.column(head, Holds::Customer)?, head, Holds::Customer)?;
        let product = product.to_owned();
        let (time, order) = (ask.column(head, Holds::Time)?, ask.column(head, Holds::Order)?);
        let mut places = Doubtful::new(head, ask, Holds::Position)?;
        let mut values = Doubtful::new(head, ask, Holds::Value)?;
        let mut parts = Doubtful::new(head, ask, Holds::Part)?;
        if format == DataFormat::Baskets && order.is_none() && time.is_none() {
            return Err(Error::data("T1091", "which column holds the order?")
                .hint("baskets need --order, or --time where what came at one moment is one"));
        }
        let doubtful = [&places, &values, &parts].map(|column| column.column.clone());
        let known = [Some(&customer), Some(&product), time.as_ref(), order.as_ref()];
        let columns: Vec<&String> =
            known.into_iter().chain(doubtful.iter().map(Option::as_ref)).flatten().collect();
        let mut times = Times::default();
        table.each(&columns, |piece| {
            let optional = |name: &Option<String>| -> Result<_> {
                let Some(name) = name else { return Ok(None) };
                Ok(Some((name.clone(), piece.cells(name)?)))
            };
            let (customers, products) = (piece.cells(&customer)?, piece.cells(&product)?);
            let (moments, orders) = (optional(&time)?, optional(&order)?);
            let places = places.read(|name| piece.numbers(name))?;
            let values = values.read(|name| piece.numbers(name))?;
            let parts = parts.read(|name| {
                let cells = piece.cells(name)?.into_iter().enumerate();
                cells.map(|(at, cell)| part(cell.as_deref(), name, piece.row(at))).collect()
            })?;
            for at in 0..piece.rows() {
                let row = piece.row(at);
                let moment = match &moments {
                    None => (0, 0),
                    Some((name, cells)) => times.read(cell(name, cells, at, row)?, name, row)?,
                };
                let order = match &orders {
                    None => 0,
                    Some((name, cells)) => row_key(cell(name, cells, at, row)?),
                };
                self.entries.push(Entry {
                    customer: self.customers.number(cell(&customer, &customers, at, row)?),
                    moment,
                    place: places.as_ref().map_or(0, |places| places[at] as i64),
                    order,
                    product: self.products.number(cell(&product, &products, at, row)?),
                    spend_minor: values
                        .as_ref()
                        .map_or(0, |values| (values[at] * MINOR_UNITS).round() as i64),
                    part: parts.as_ref().map_or(Part::Train, |parts: &Vec<Part>| parts[at]),
                });
            }
            Ok(())
        })?;
        if !places.settle(&mut self.remarks) {
            self.entries.forget_places();
        }
        self.has_values = values.settle(&mut self.remarks);
        if !self.has_values {
            self.entries.forget_spends();
        }
        self.has_parts = parts.settle(&mut self.remarks);
        if !self.has_parts {
            self.entries.forget_parts();
        }
        self.has_days = time.is_some();
        self.remarks.extend(time.and_then(|column| times.said(&column)));
        self.orders = Some(match (order, format) {
            (Some(_), _) => Orders::Numbered,
            (None, DataFormat::Baskets) => Orders::ByMoment,
            (None, _) => Orders::Each,
        });
        Ok(())
    }

    /// Rows of a customer, a list and, where there is one, what came last; `parts` says where lists and targets belong.
    fn listed(
        &mut self,
        table: &Pieces<'_>,
        columns: [Option<String>; 3],
        parts: [Part; 2],
        nobody: &str,
    ) -> Result<()> {
        let [customer, list, target] = &columns;
        // A customer of several rows goes on where its last row ended.
        let mut places: HashMap<u32, i64> = HashMap::new();
        let wanted: Vec<&String> = columns.iter().flatten().collect();
        table.each(&wanted, |piece| {
            let cells =
                |column: &Option<String>| column.as_ref().map(|c| piece.cells(c)).transpose();
            let (customers, lists, targets) = (cells(customer)?, cells(list)?, cells(target)?);
            for at in 0..piece.rows() {
                let row = piece.row(at);
                let customer = match (customer, &customers) {
                    (Some(column), Some(cells)) => {
                        self.customers.number(cell(column, cells, at, row)?)
                    }
                    _ => self.customers.number(&format!("{nobody}{row}")),
                };
                let of = |cells: &Option<Vec<Option<String>>>| {
                    cells.as_ref().and_then(|cells| cells[at].clone())
                };
                let place = places.entry(customer).or_default();
                let mut add = |basket: &[String], part| {
                    for product in basket {
                        self.entries.push(Entry {
                            customer,
                            place: *place,
                            order: *place as u64,
                            product: self.products.number(product),
                            part,
                            ..Entry::default()
                        });
                    }
                    *place += i64::from(!basket.is_empty());
                };
                for basket in of(&lists).iter().flat_map(|cell| baskets(cell)) {
                    add(&basket, parts[0]);
                }
                // What came last is one basket, or one product.
                match (of(&targets), target) {
                    (Some(cell), _) => add(&products(unbracketed(&cell)), parts[1]),
                    (None, Some(column)) => return Err(missing(column, row)),
                    (None, None) => (),
                }
            }
            Ok(())
        })
    }
}

/// A cell that must hold something.
fn cell<'a>(column: &str, cells: &'a [Option<String>], at: usize, row: usize) -> Result<&'a str> {
    cells[at].as_deref().ok_or_else(|| missing(column, row))
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
