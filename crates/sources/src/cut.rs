//! How is a shop that does not fit into memory cut into parts that do?
//!
//! Every row of a customer comes into one part, and with it the rows of all visitors that ever logged in
//! as this customer, and of the other customers these visitors logged in as: nothing that is asked of one
//! customer looks into another part. The rows are spread as the shop wrote them, with their places, so that
//! a part is read, checked and quarantined by the same code as a whole.

use std::collections::hash_map::Entry;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::{Mutex, OnceLock, PoisonError};

use tercet_engine::{Engine, FILE_COLUMN, Frame, InputFile, PARTS_MAX, Parts, ROW_COLUMN};
use tercet_types::tables::{TableSchema, sources as tables};
use tercet_types::{Error, Result};

use crate::expression::{fill, ident};
use crate::mapping::{self, Statement};
use crate::raw::{self, Raw};
use crate::spec::{SourceSpec, Sources};
use crate::table::Seen;

/// The canonical tables whose rows belong to a customer: a part has its own.
pub const BY_CUSTOMER: [&str; 5] =
    ["customers", "transactions", "interactions", "exposures", "redemptions"];

/// What a part may come to, unpacked, bytes: what a thread works on takes some six times that while it is checked and
/// prepared, and each part plans some seventy statements.
const PART_BYTES: u64 = 128 << 20;

/// How many times larger rows are in memory than in files of columns, or in compressed ones, about.
const PACKED: u64 = 20;

/// A shop that comes to no more is read in one part: everything is learned from everybody.
const WHOLE_BYTES: u64 = 512 << 20;

/// The column with a row's number, in the files of parts.
const NUMBER: &str = "_number";

/// The functions of SQL from a customer, and from a visitor, to the id whose part their rows come into.
const CUSTOMER_ROOT: &str = "_customer_root";
const VISITOR_ROOT: &str = "_visitor_root";

/// In how many parts to read a shop of these files.
pub fn parts_for(files: &[InputFile]) -> usize {
    let unpacked = |file: &InputFile| {
        let packed = [".parquet", ".gz", ".zst"].iter().any(|end| file.path.ends_with(end));
        if packed { file.bytes.saturating_mul(PACKED) } else { file.bytes }
    };
    let bytes: u64 = files.iter().map(unpacked).sum();
    match bytes {
        ..=WHOLE_BYTES => 1,
        bytes => (bytes.div_ceil(PART_BYTES) as usize).min(PARTS_MAX),
    }
}

/// The sources by customer, spread over parts.
pub(crate) struct Cut {
    parts: usize,
    /// By the number of the source.
    sources: BTreeMap<usize, Spread>,
    /// Sources that could not be read.
    failures: Mutex<BTreeMap<usize, Error>>,
}

/// A source that is spread.
struct Spread {
    /// How a part of it is read.
    raw: Raw,
    rows: Parts,
    /// The statement that reads a part: the same for all.
    statement: OnceLock<Statement>,
}

impl Cut {
    /// Spreads the sources by customer over `parts`; nothing for one part.
    ///
    /// # Errors
    /// `T0210` for too many parts. What is wrong with a source is told by [`Cut::open`].
    pub(crate) fn new(
        engine: &Engine,
        sources: &Sources,
        parts: usize,
        seen: &mut Seen,
    ) -> Result<Option<Self>> {
        if parts == 1 {
            return Ok(None);
        }
        if !(1..=PARTS_MAX).contains(&parts) {
            return Err(Error::config("T0210", format!("a shop in {parts} parts"))
                .hint(format!("set [run] parts to a number from 1 to {PARTS_MAX}, or to 0")));
        }
        let (mut opened, mut failures) = (Vec::new(), BTreeMap::new());
        for (index, spec) in sources.specs.iter().enumerate() {
            let table = tables::ALL.iter().find(|table| table.name == spec.table);
            let Some(&schema) = table.filter(|table| BY_CUSTOMER.contains(&table.name)) else {
                continue;
            };
            let found = raw::open(engine, sources, index, spec, &mut seen.files, false)
                .and_then(|raw| Opened::new(engine, raw, schema, spec));
            match found {
                Ok(source) => opened.push((index, source)),
                Err(error) => {
                    failures.insert(index, error);
                }
            }
        }
        Links::of(engine, opened.iter().map(|(_, source)| source))?.register(engine);
        let mut spread = BTreeMap::new();
        for (index, source) in opened {
            let sql = source.statement();
            match engine.spread(&source.raw.label, &sql, &BTreeMap::new(), parts) {
                Ok(rows) => {
                    let from = ident(&raw::table_of(index));
                    let raw = source.raw.of_numbers(from, NUMBER);
                    spread.insert(index, Spread { raw, rows, statement: OnceLock::new() });
                }
                Err(error) => {
                    failures.insert(index, error);
                }
            }
        }
        Links::default().register(engine);
        Ok(Some(Self { parts, sources: spread, failures: Mutex::new(failures) }))
    }

    pub(crate) fn parts(&self) -> usize {
        self.parts
    }

    /// True when a source could not be read: the first part tells which.
    pub(crate) fn has_failures(&self) -> bool {
        !self.failures.lock().unwrap_or_else(PoisonError::into_inner).is_empty()
    }

    /// Makes a part of source number `index` readable.
    ///
    /// # Errors
    /// What kept the source from being spread; `T0905` for a part that cannot be read.
    pub(crate) fn open(&self, engine: &Engine, index: usize, part: usize) -> Result<Raw> {
        let failure = {
            let mut failures = self.failures.lock().unwrap_or_else(PoisonError::into_inner);
            failures.remove(&index)
        };
        if let Some(failure) = failure {
            return Err(failure);
        }
        let spread = self.spread(index)?;
        engine.open_part(&raw::table_of(index), &spread.rows, part)?;
        Ok(spread.raw.clone())
    }

    /// The statement that reads a part of source number `index`: made once.
    ///
    /// # Errors
    /// Those of `make`.
    pub(crate) fn statement(
        &self,
        index: usize,
        make: impl FnOnce() -> Result<Statement>,
    ) -> Result<Statement> {
        let known = &self.spread(index)?.statement;
        match known.get() {
            Some(statement) => Ok(statement.clone()),
            None => make().map(|statement| known.get_or_init(|| statement).clone()),
        }
    }

    fn spread(&self, index: usize) -> Result<&Spread> {
        let spread = self.sources.get(&index);
        spread.ok_or_else(|| Error::internal("T0209", format!("source {index} was not spread")))
    }
}

/// A source by customer that can be read.
struct Opened {
    raw: Raw,
    /// SQL of the customer's id.
    customer: Option<String>,
    /// SQL of the visitor's id, for browsing.
    visitor: Option<String>,
}

impl Opened {
    fn new(engine: &Engine, raw: Raw, schema: &TableSchema, spec: &SourceSpec) -> Result<Self> {
        let mapping = mapping::resolve(&raw, spec, schema)?;
        let text = |column| mapping::text_of(engine, &raw, schema.name, &mapping, column);
        let customer = text("customer_id")?;
        let visitor = if schema.name == "interactions" { text("visitor_id")? } else { None };
        Ok(Self { raw, customer, visitor })
    }

    /// The rows with their numbers, and the key of their part.
    fn statement(&self) -> String {
        let raw = &self.raw;
        let columns: Vec<String> = raw.columns.iter().map(|column| ident(&column.name)).collect();
        let null = "cast(null as varchar)";
        let customer = self.customer.as_deref().unwrap_or(null);
        let visitor = self.visitor.as_deref().unwrap_or(null);
        // File and row follow from the number, but for a query that has its own.
        let (shown, places) = match raw.files.is_empty() {
            false => (String::new(), String::new()),
            true => (
                format!(", {FILE_COLUMN}, {ROW_COLUMN}"),
                format!(", {} as {FILE_COLUMN}, {} as {ROW_COLUMN}", raw.file, raw.row),
            ),
        };
        format!(
            "select {}, {NUMBER}{}, \
             coalesce({CUSTOMER_ROOT}(_customer), {VISITOR_ROOT}(_visitor)) as _key from \
             (select {}, {} as {NUMBER}{}, {customer} as _customer, {visitor} as _visitor from {})",
            columns.join(", "),
            shown,
            columns.join(", "),
            raw.number,
            places,
            raw.from,
        )
    }
}

/// Which ids have to come into the part of another id.
#[derive(Debug, Default, PartialEq, Eq)]
struct Links {
    /// Visitors, each with the root of the customers it logged in as.
    of_visitors: HashMap<String, String>,
    /// Customers who share a visitor with a smaller one, each with the smallest: their root.
    of_customers: HashMap<String, String>,
}

impl Links {
    fn of<'a>(engine: &Engine, sources: impl Iterator<Item = &'a Opened>) -> Result<Self> {
        let mut log_ins = LogIns::default();
        for source in sources {
            let (Some(customer), Some(visitor)) = (&source.customer, &source.visitor) else {
                continue;
            };
            let places =
                [("visitor", visitor.as_str()), ("customer", customer), ("from", &source.raw.from)];
            let sql = fill(include_str!("../sql/log_ins.sql"), &places);
            let label = &source.raw.label;
            let found = engine.fold_pieces(label, &sql, |own: &mut LogIns, rows| own.add(&rows))?;
            found.into_iter().for_each(|other| log_ins.absorb(other));
        }
        Ok(log_ins.links())
    }

    /// Makes them known to the statements that spread the sources, in place of others.
    fn register(self, engine: &Engine) {
        for (name, roots) in [(VISITOR_ROOT, self.of_visitors), (CUSTOMER_ROOT, self.of_customers)]
        {
            engine.add_text_function(name, move |id| {
                roots.get(id).map_or(id, String::as_str).to_owned()
            });
        }
    }
}

/// Visitors and the customers they logged in as, each pair once: events are many times as many.
#[derive(Default)]
struct LogIns {
    /// Any one of a visitor's customers.
    first: HashMap<String, String>,
    /// Its other ones.
    others: BTreeSet<(String, String)>,
}

impl LogIns {
    fn add(&mut self, rows: &Frame) -> Result<()> {
        let (visitors, of_visitors) = rows.codes("visitor")?;
        let (customers, of_customers) = rows.codes("customer")?;
        let mut both: Vec<(u32, u32)> =
            visitors.into_iter().zip(customers).filter_map(|(v, c)| v.zip(c)).collect();
        both.dedup();
        for (visitor, customer) in both {
            let (visitor, customer) =
                (&of_visitors[visitor as usize], &of_customers[customer as usize]);
            if self.first.get(visitor) != Some(customer) {
                self.insert(visitor.clone(), customer.clone());
            }
        }
        Ok(())
    }

    fn insert(&mut self, visitor: String, customer: String) {
        match self.first.entry(visitor) {
            Entry::Vacant(free) => {
                free.insert(customer);
            }
            Entry::Occupied(known) => {
                if *known.get() != customer {
                    self.others.insert((known.key().clone(), customer));
                }
            }
        }
    }

    fn absorb(&mut self, other: Self) {
        if self.first.is_empty() {
            *self = other;
            return;
        }
        let pairs = other.first.into_iter().chain(other.others);
        pairs.for_each(|(visitor, customer)| self.insert(visitor, customer));
    }

    fn links(self) -> Links {
        let Self { first: mut of_visitors, others } = self;
        let mut above: BTreeMap<&str, &str> = BTreeMap::new();
        for (visitor, other) in &others {
            let one = of_visitors.get(visitor).unwrap_or(other);
            let (one, other) = (root(&above, one), root(&above, other));
            if one != other {
                above.insert(one.max(other), one.min(other));
            }
        }
        let under_root = |id: &str| (id.to_owned(), root(&above, id).to_owned());
        let of_customers: HashMap<String, String> = above.keys().map(|id| under_root(id)).collect();
        if !of_customers.is_empty() {
            for customer in of_visitors.values_mut() {
                if let Some(root) = of_customers.get(customer) {
                    customer.clone_from(root);
                }
            }
        }
        Links { of_visitors, of_customers }
    }
}

/// The root of an id: roots are smaller than what stands under them, so that the search ends.
fn root<'a>(above: &BTreeMap<&'a str, &'a str>, id: &'a str) -> &'a str {
    let mut id = id;
    while let Some(up) = above.get(id) {
        id = up;
    }
    id
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_met_on_a_device_comes_together() {
        let check =
            |pairs: &[(&str, &str)], visitors: &[(&str, &str)], customers: &[(&str, &str)]| {
                let own = |(a, b): &(&str, &str)| ((*a).to_owned(), (*b).to_owned());
                let expect = Links {
                    of_visitors: visitors.iter().map(own).collect(),
                    of_customers: customers.iter().map(own).collect(),
                };
                // Whoever was seen first, and by which thread.
                for turned in 0..pairs.len().max(1) {
                    let mut threads = [LogIns::default(), LogIns::default()];
                    for at in 0..pairs.len() {
                        let (visitor, customer) = own(&pairs[(at + turned) % pairs.len()]);
                        threads[at % 2].insert(visitor, customer);
                    }
                    let [mut log_ins, other] = threads;
                    log_ins.absorb(other);
                    assert_eq!(log_ins.links(), expect);
                }
            };
        check(&[], &[], &[]);
        check(&[("v1", "c1"), ("v2", "c1")], &[("v1", "c1"), ("v2", "c1")], &[]);
        check(
            &[("v1", "c2"), ("v1", "c3"), ("v2", "c3"), ("v2", "c1")],
            &[("v1", "c1"), ("v2", "c1")],
            &[("c2", "c1"), ("c3", "c1")],
        );
        // The visitor c9 of customer c1 has the name of another customer: they need not meet.
        check(&[("c9", "c1"), ("v1", "c9")], &[("c9", "c1"), ("v1", "c9")], &[]);
        check(
            &[("v1", "c1"), ("v1", "c4"), ("v2", "c2"), ("v2", "c3"), ("v3", "c3"), ("v3", "c4")],
            &[("v1", "c1"), ("v2", "c1"), ("v3", "c1")],
            &[("c2", "c1"), ("c3", "c1"), ("c4", "c1")],
        );
    }

    #[test]
    fn small_shops_are_one_part() {
        let file = |path: &str, bytes: u64| InputFile {
            path: path.to_owned(),
            bytes,
            fingerprint: String::new(),
        };
        let check = |files: &[InputFile], expect: usize| assert_eq!(parts_for(files), expect);
        check(&[], 1);
        check(&[file("a.csv", 120 << 20)], 1);
        check(&[file("a.csv", 512 << 20)], 1);
        check(&[file("a.csv", 1 << 30)], 8);
        check(&[file("a.csv", 1_100 << 20)], 9);
        check(&[file("a.csv.gz", 64 << 20)], 10);
        check(&[file("a.parquet", 1 << 30), file("b.parquet", 1 << 30)], 320);
        check(&[file("a.csv", u64::MAX)], PARTS_MAX);
    }
}
