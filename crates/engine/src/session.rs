//! How does a stage run SQL over named tables?

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use datafusion::arrow::array::{
    ArrayRef, AsArray, RecordBatch, RecordBatchReader, StringBuilder, UInt64Array,
};
use datafusion::arrow::compute::{cast, interleave_record_batch, take_record_batch};
use datafusion::arrow::datatypes::{DataType, Int64Type, Schema, SchemaRef};
use datafusion::arrow::error::ArrowError;
use datafusion::common::Column;
use datafusion::datasource::MemTable;
use datafusion::execution::memory_pool::FairSpillPool;
use datafusion::execution::runtime_env::RuntimeEnvBuilder;
use datafusion::logical_expr::{ColumnarValue, Volatility, create_udf};
use datafusion::parquet::arrow::ProjectionMask;
use datafusion::parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use datafusion::prelude::{DataFrame, Expr, SQLOptions, SessionConfig, SessionContext, col};
use datafusion::scalar::ScalarValue;
use object_store::ObjectStore;
use tercet_types::tables::TableSchema;
use tercet_types::{Date, Error, Result};
use tokio::runtime::Runtime;

use crate::attach::ColumnInfo;
use crate::failure::query_failure;
use crate::pieces::in_file_order;
use crate::{Frame, Location, Store};

/// Rows of a piece of a table in memory.
const PIECE_ROWS: usize = 8_192;

/// Memory that a sort keeps free for merging what it spilled, bytes: DataFusion's own default.
const MERGE_BYTES_MAX: usize = 10 << 20;

/// A sort keeps at most one part in so many of each thread's memory free for merging.
const MERGE_SHARE: usize = 16;

/// How much of the machine the engine may use.
#[derive(Clone, Debug)]
pub struct EngineOptions {
    /// Threads, and partitions of a query; at least 1.
    pub threads: usize,
    /// Memory a query may hold before it spills to disk, bytes.
    pub memory_bytes: usize,
    /// Credentials and settings of object stores, as `object_store` names them (`aws_region` …).
    pub store_options: Vec<(String, String)>,
}

impl Default for EngineOptions {
    fn default() -> Self {
        Self { threads: 2, memory_bytes: 1 << 30, store_options: Vec::new() }
    }
}

/// A parameter of a query, written `$name` in SQL.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// A day.
    Date(Date),
    /// An integer.
    I64(i64),
    /// A double.
    F64(f64),
    /// Text.
    Text(String),
    /// A truth value.
    Bool(bool),
}

impl Value {
    fn scalar(&self) -> ScalarValue {
        match self {
            Self::Date(day) => ScalarValue::Date32(Some(day.days())),
            Self::I64(value) => ScalarValue::Int64(Some(*value)),
            Self::F64(value) => ScalarValue::Float64(Some(*value)),
            Self::Text(value) => ScalarValue::Utf8(Some(value.clone())),
            Self::Bool(value) => ScalarValue::Boolean(Some(*value)),
        }
    }
}

/// Parameters by name.
pub fn params<const N: usize>(pairs: [(&str, Value); N]) -> BTreeMap<String, Value> {
    pairs.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
}

/// Runs SQL over registered tables and files. All calls block until the result is there.
///
/// Identifiers are case-sensitive; statements that change anything are refused.
///
/// ```
/// use tercet_engine::{Engine, EngineOptions, Frame, Value, params};
/// let engine = Engine::new(EngineOptions::default()).unwrap();
/// let sales = Frame::of(vec![("amount_minor", vec![120_i64, 250].into())]).unwrap();
/// engine.register("sales", &sales).unwrap();
/// let total = engine
///     .query("select sum(amount_minor) as total from sales where amount_minor > $least",
///            &params([("least", Value::I64(200))]))
///     .unwrap();
/// assert_eq!(total.i64("total").unwrap(), [250]);
/// ```
pub struct Engine {
    pub(crate) runtime: Arc<Runtime>,
    pub(crate) context: SessionContext,
    pub(crate) options: EngineOptions,
    /// The clients of stores, by scheme and bucket: each keeps its connections.
    pub(crate) clients: Mutex<BTreeMap<String, Arc<dyn ObjectStore>>>,
    /// The tables that were lent, by name: read back as they came.
    pub(crate) lent: Mutex<BTreeMap<String, Frame>>,
}

impl Engine {
    /// An engine with its own threads.
    ///
    /// # Errors
    /// `T0912` when threads cannot be started.
    pub fn new(options: EngineOptions) -> Result<Self> {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(options.threads.max(1))
            .enable_all()
            .build()
            .map_err(started)?;
        let mut config = SessionConfig::new()
            .with_target_partitions(options.threads.max(1))
            .with_information_schema(false);
        config.options_mut().sql_parser.enable_ident_normalization = false;
        // One file stays one partition, so that row positions can be told.
        config.options_mut().optimizer.repartition_file_scans = false;
        let threads = options.threads.max(1);
        // Merging what a sort spilled must find room beside everything else that a query holds.
        config.options_mut().execution.sort_spill_reservation_bytes =
            MERGE_BYTES_MAX.min(options.memory_bytes / MERGE_SHARE / threads);
        let environment = RuntimeEnvBuilder::new()
            .with_memory_pool(Arc::new(FairSpillPool::new(options.memory_bytes)))
            .build_arc()
            .map_err(|failure| query_failure("starting the engine", failure))?;
        let context = SessionContext::new_with_config_rt(config, environment);
        crate::udf::register(&context);
        Ok(Self {
            runtime: Arc::new(runtime),
            context,
            options,
            clients: Mutex::default(),
            lent: Mutex::default(),
        })
    }

    /// Opens the store at a location; nothing is asked of it yet.
    ///
    /// # Errors
    /// `T0909` when no store speaks the URL's scheme, `T0917` for settings of an object store that
    /// cannot work.
    pub fn store(&self, location: &Location) -> Result<Store> {
        Store::new(Arc::clone(&self.runtime), self.object_store(location)?, location)
    }

    pub(crate) fn object_store(&self, location: &Location) -> Result<Arc<dyn ObjectStore>> {
        let key = location.url()[..url::Position::BeforePath].to_owned();
        let mut clients = self.clients.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(client) = clients.get(&key) {
            return Ok(Arc::clone(client));
        }
        let client = crate::client::client(location, &self.options.store_options)?;
        clients.insert(key, Arc::clone(&client));
        Ok(client)
    }

    /// The threads it works with.
    pub fn threads(&self) -> usize {
        self.options.threads.max(1)
    }

    pub(crate) fn plan(&self, sql: &str, values: &BTreeMap<String, Value>) -> Result<DataFrame> {
        let fail = |failure| query_failure("query", failure);
        let read_only = SQLOptions::new()
            .with_allow_ddl(false)
            .with_allow_dml(false)
            .with_allow_statements(false);
        let frame =
            self.runtime.block_on(self.context.sql_with_options(sql, read_only)).map_err(fail)?;
        // A parameter that the statement does not use is no error.
        let used: Vec<(&str, ScalarValue)> = values
            .iter()
            .filter(|(name, _)| sql.contains(&format!("${name}")))
            .map(|(name, value)| (name.as_str(), value.scalar()))
            .collect();
        if used.is_empty() { Ok(frame) } else { frame.with_param_values(used).map_err(fail) }
    }

    /// Runs one read-only statement and returns its rows.
    ///
    /// # Errors
    /// `T0901` for a statement that does not plan (unknown column, bad expression); `T0902`, `T0903`,
    /// `T0905`, `T0908` for what goes wrong while it runs.
    pub fn query(&self, sql: &str, values: &BTreeMap<String, Value>) -> Result<Frame> {
        let frame = self.plan(sql, values)?;
        let schema = Arc::new(frame.schema().as_arrow().clone());
        let batches = self
            .runtime
            .block_on(frame.collect())
            .map_err(|failure| query_failure("query", failure))?;
        // The rows know their types best: a literal column may be narrower than planned.
        let schema = batches.first().map_or(schema, |batch| batch.schema());
        Frame::from_batches(schema, &batches)
    }

    /// Runs a statement and keeps its result in memory as table `name`, replacing one of that name.
    /// Returns the number of rows.
    pub fn create(&self, name: &str, sql: &str, values: &BTreeMap<String, Value>) -> Result<usize> {
        let frame = self.plan(sql, values).map_err(|error| error.context(name))?;
        let planned = Arc::new(frame.schema().as_arrow().clone());
        let batches = self
            .runtime
            .block_on(frame.collect())
            .map_err(|failure| query_failure(name, failure))?;
        let schema = batches.first().map_or(planned, |batch| batch.schema());
        // What an aggregation gives are slices of one long batch.
        let owned = batches
            .into_iter()
            .map(|batch| copied(&batch, 0..batch.num_rows()))
            .collect::<std::result::Result<Vec<_>, _>>()
            .map_err(|cause| query_failure(name, cause.into()))?;
        self.keep(name, &schema, owned)
    }

    /// Registers a frame as table `name`, replacing one of that name.
    pub fn register(&self, name: &str, frame: &Frame) -> Result<()> {
        let batch = frame.batch();
        let pieces = (0..batch.num_rows())
            .step_by(PIECE_ROWS)
            .map(|start| copied(batch, start..(start + PIECE_ROWS).min(batch.num_rows())))
            .collect::<std::result::Result<Vec<_>, _>>()
            .map_err(|cause| query_failure(name, cause.into()))?;
        self.keep(name, &batch.schema(), pieces)?;
        Ok(())
    }

    /// Registers batches, each of which owns its memory: a sort counts the memory of every batch it
    /// holds, and a slice would count all of its parent's.
    fn keep(&self, name: &str, schema: &SchemaRef, batches: Vec<RecordBatch>) -> Result<usize> {
        let fail = |failure| query_failure(name, failure);
        // Batches of a union may differ in which columns cannot be null.
        let fields = schema.fields().iter().map(|field| field.as_ref().clone().with_nullable(true));
        let schema = Arc::new(Schema::new(fields.collect::<Vec<_>>()));
        let batches = batches
            .into_iter()
            .map(|batch| RecordBatch::try_new(Arc::clone(&schema), batch.columns().to_vec()))
            .collect::<std::result::Result<Vec<_>, _>>()
            .map_err(|cause| fail(cause.into()))?;
        let rows = batches.iter().map(RecordBatch::num_rows).sum();
        // Spread over partitions so that a query can use all threads.
        let step = batches.len().div_ceil(self.options.threads.max(1)).max(1);
        let mut parts: Vec<Vec<RecordBatch>> = batches.chunks(step).map(<[_]>::to_vec).collect();
        parts.resize(self.options.threads.max(1), Vec::new());
        let table = MemTable::try_new(schema, parts).map_err(fail)?;
        self.forget(name)?;
        self.context.register_table(name, Arc::new(table)).map_err(fail)?;
        Ok(rows)
    }

    /// The rows of table `name`, in the order in which they were registered.
    ///
    /// # Errors
    /// `T0901` when there is no table of that name.
    pub fn table(&self, name: &str) -> Result<Frame> {
        if let Some(frame) = self.lent().get(name) {
            return Ok(frame.clone());
        }
        let fail = |failure| query_failure(name, failure);
        let table = self.runtime.block_on(self.context.table(name)).map_err(fail)?;
        let schema = Arc::new(table.schema().as_arrow().clone());
        // Partition by partition: a plain collect would mix them as they come.
        let parts =
            self.runtime.block_on(in_file_order(table).collect_partitioned()).map_err(fail)?;
        let batches: Vec<RecordBatch> = parts.into_iter().flatten().collect();
        let schema = batches.first().map_or(schema, |batch| batch.schema());
        Frame::from_batches(schema, &batches)
    }

    /// Columns of table `name`, its rows in the order of the integers in column `by`, which has no nulls: one
    /// copy of the rows, where a query would sort them with all their columns.
    ///
    /// # Errors
    /// `T0901` when there is no such table or column.
    pub fn table_by(&self, name: &str, columns: &[&str], by: &str) -> Result<Frame> {
        let lent = self.lent().get(name).cloned();
        if let Some(frame) = lent
            && frame.i64(by)?.is_sorted()
        {
            return frame.only(columns);
        }
        let fail = |failure| query_failure(name, failure);
        let wanted: Vec<Expr> =
            columns.iter().map(|column| col(Column::from_name(*column))).collect();
        let parts = self.runtime.block_on(async {
            let table = self.context.table(name).await?;
            let table = if columns.contains(&by) {
                table.select(wanted)?
            } else {
                table.select([wanted, vec![col(Column::from_name(by))]].concat())?
            };
            table.collect_partitioned().await
        });
        let batches: Vec<RecordBatch> = parts.map_err(fail)?.into_iter().flatten().collect();
        match batches.is_empty() {
            true => self.table(name)?.only(columns),
            false => in_order(&batches, by).and_then(|frame| frame.only(columns)),
        }
    }

    /// Runs a statement and keeps its rows in memory as table `name`, in the order of the integers in column
    /// `by`. Returns the number of rows.
    pub fn create_by(
        &self,
        name: &str,
        sql: &str,
        values: &BTreeMap<String, Value>,
        by: &str,
    ) -> Result<usize> {
        let fail = |failure| query_failure(name, failure);
        let frame = self.plan(sql, values).map_err(|error| error.context(name))?;
        let planned = Arc::new(frame.schema().as_arrow().clone());
        let parts = self.runtime.block_on(frame.collect_partitioned()).map_err(fail)?;
        let batches: Vec<RecordBatch> = parts.into_iter().flatten().collect();
        let rows = match batches.is_empty() {
            true => Frame::from_batches(planned, &[])?,
            false => in_order(&batches, by)?,
        };
        self.lend(name, &rows)?;
        Ok(rows.rows())
    }

    /// Registers a frame as table `name` without copying it. What sorts or groups the table is told that every
    /// piece of it is as large as the whole: for tables that are scanned, joined to or looked up.
    pub fn lend(&self, name: &str, frame: &Frame) -> Result<()> {
        let batch = frame.batch();
        let pieces = (0..batch.num_rows()).step_by(PIECE_ROWS);
        let pieces = pieces.map(|from| batch.slice(from, PIECE_ROWS.min(batch.num_rows() - from)));
        self.keep(name, &batch.schema(), pieces.collect())?;
        self.lent().insert(name.to_owned(), frame.clone());
        Ok(())
    }

    fn lent(&self) -> MutexGuard<'_, BTreeMap<String, Frame>> {
        self.lent.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Forgets table `name`, if there is one.
    pub fn forget(&self, name: &str) -> Result<()> {
        self.lent().remove(name);
        self.context.deregister_table(name).map_err(|failure| query_failure(name, failure))?;
        Ok(())
    }

    /// True when there is a table of that name.
    pub fn has(&self, name: &str) -> bool {
        self.context.table_exist(name).unwrap_or(false)
    }

    /// The columns of table `name`.
    pub fn columns(&self, name: &str) -> Result<Vec<ColumnInfo>> {
        let table = self
            .runtime
            .block_on(self.context.table(name))
            .map_err(|failure| query_failure(name, failure))?;
        Ok(ColumnInfo::of_schema(table.schema().as_arrow()))
    }

    /// Reads a Parquet table of a store and registers it as `name`.
    pub fn load(&self, store: &Store, path: &str, name: &str) -> Result<Frame> {
        self.load_parts(store, &[path.to_owned()], name)
    }

    /// Reads a table that stands in several Parquet files of one schema, and registers it as `name`.
    ///
    /// # Errors
    /// Those of [`Store::get`]; `T0905` for a damaged file, or none.
    pub fn load_parts(&self, store: &Store, paths: &[String], name: &str) -> Result<Frame> {
        let (schema, batches) = read_parts(store, paths, name, None)?;
        let frame = Frame::from_batches(schema, &batches)?;
        self.register(name, &frame)?;
        Ok(frame)
    }

    /// As [`Self::load_parts`], for a table that queries alone read: no second copy of it is made. Returns the number
    /// of rows.
    ///
    /// # Errors
    /// As [`Self::load_parts`].
    pub fn mount_parts(&self, store: &Store, paths: &[String], name: &str) -> Result<usize> {
        let (schema, batches) = read_parts(store, paths, name, None)?;
        self.keep(name, &schema, batches)
    }

    /// As [`Self::mount_parts`], with those of the columns that are there: others are not read.
    ///
    /// # Errors
    /// As [`Self::load_parts`].
    pub fn mount_columns(
        &self,
        store: &Store,
        paths: &[String],
        name: &str,
        columns: &[&str],
    ) -> Result<usize> {
        let (schema, batches) = read_parts(store, paths, name, Some(columns))?;
        self.keep(name, &schema, batches)
    }

    /// An empty table with the columns of `table`, registered under its name: what a project lacks
    /// is there, without rows.
    pub fn register_empty(&self, table: &TableSchema) -> Result<()> {
        let schema = crate::frame::arrow_schema(table);
        self.register(table.name, &Frame::from_batches(schema, &[])?)
    }

    /// Adds a SQL function from text to integer, in place of one of that name: null for texts that have no number.
    /// Quicker than a join, above all where equal texts stand together.
    pub fn number_texts(&self, name: &str, numbers: impl IntoIterator<Item = (String, i32)>) {
        let numbers = numbers.into_iter().collect();
        self.context.register_udf(crate::udf::number_of::function(name, numbers));
    }

    /// Adds a SQL function from text to text, for example a keyed hash, in place of one of that name. Null gives null.
    pub fn add_text_function(
        &self,
        name: &str,
        function: impl Fn(&str) -> String + Send + Sync + 'static,
    ) {
        let body = move |arguments: &[ColumnarValue]| {
            let arrays = ColumnarValue::values_to_arrays(arguments)?;
            let texts = cast(&arrays[0], &DataType::Utf8)?;
            // Many texts are that of the row before: they need not be mapped again.
            let (mut last, mut known) = (None, None);
            let mut mapped = StringBuilder::new();
            for text in texts.as_string::<i32>() {
                if text != last {
                    (last, known) = (text, text.map(&function));
                }
                mapped.append_option(known.as_deref());
            }
            Ok(ColumnarValue::Array(Arc::new(mapped.finish()) as ArrayRef))
        };
        self.context.register_udf(create_udf(
            name,
            vec![DataType::Utf8],
            DataType::Utf8,
            Volatility::Immutable,
            Arc::new(body),
        ));
    }
}

/// Threads that could not be started.
pub(crate) fn started(cause: std::io::Error) -> Error {
    Error::unavailable("T0912", "the engine's threads could not be started").cause(cause)
}

impl Store {
    /// Columns of a Parquet file, in the order of the file, read on the calling thread.
    ///
    /// # Errors
    /// Those of [`Store::get`]; `T0905` for a damaged file.
    pub fn columns_of(&self, path: &str, columns: &[&str]) -> Result<Frame> {
        let (schema, batches) = read_parts(self, &[path.to_owned()], path, Some(columns))?;
        Frame::from_batches(schema, &batches)
    }
}

/// The rows of Parquet files of one schema, all columns or some, in batches that own their memory.
fn read_parts(
    store: &Store,
    paths: &[String],
    name: &str,
    columns: Option<&[&str]>,
) -> Result<(SchemaRef, Vec<RecordBatch>)> {
    let (mut schema, mut batches) = (None, Vec::new());
    for path in paths {
        let fail = |cause: String| {
            Error::data("T0905", format!("{path}: not a readable parquet file: {cause}"))
                .hint("delete the run's folder and run again")
        };
        let reader = ParquetRecordBatchReaderBuilder::try_new(Bytes::from(store.get(path)?))
            .map_err(|cause| fail(cause.to_string()))?
            .with_batch_size(PIECE_ROWS);
        let reader = match columns {
            Some(names) => {
                let mask = ProjectionMask::columns(reader.parquet_schema(), names.iter().copied());
                reader.with_projection(mask)
            }
            None => reader,
        };
        let reader = reader.build().map_err(|cause| fail(cause.to_string()))?;
        schema.get_or_insert_with(|| reader.schema());
        for batch in reader {
            batches.push(batch.map_err(|cause| fail(cause.to_string()))?);
        }
    }
    let schema = schema.ok_or_else(|| Error::data("T0905", format!("{name}: no files")))?;
    Ok((schema, batches))
}

/// The rows of batches in the order of the integers in a column.
fn in_order(batches: &[RecordBatch], by: &str) -> Result<Frame> {
    let fail = |cause: ArrowError| query_failure(by, cause.into());
    let mut places: Vec<(i64, usize, usize)> = Vec::new();
    for (at, batch) in batches.iter().enumerate() {
        let column = batch.column_by_name(by).ok_or_else(|| {
            Error::internal("T0910", format!("there is no column '{by}' to order by"))
        })?;
        let numbers = cast(column, &DataType::Int64).map_err(fail)?;
        let numbers = numbers.as_primitive::<Int64Type>().values();
        places.extend(numbers.iter().enumerate().map(|(row, number)| (*number, at, row)));
    }
    if !places.is_sorted() {
        // Stable, because it is quick on runs, and most tables are a few runs.
        places.sort();
    }
    let order: Vec<(usize, usize)> = places.into_iter().map(|(_, at, row)| (at, row)).collect();
    let sorted = interleave_record_batch(&batches.iter().collect::<Vec<_>>(), &order);
    let sorted = sorted.map_err(fail)?;
    Frame::from_batches(sorted.schema(), &[sorted])
}

/// Rows of a batch in memory of their own: text, too, which views share otherwise.
fn copied(batch: &RecordBatch, rows: Range<usize>) -> std::result::Result<RecordBatch, ArrowError> {
    let rows = UInt64Array::from_iter_values(rows.map(|row| row as u64));
    let batch = take_record_batch(batch, &rows)?;
    let columns = batch.columns().iter().map(|column| match column.data_type() {
        DataType::Utf8View => Arc::new(column.as_string_view().gc()) as ArrayRef,
        _ => Arc::clone(column),
    });
    RecordBatch::try_new(batch.schema(), columns.collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn engine() -> Engine {
        Engine::new(EngineOptions::default()).unwrap()
    }

    #[test]
    fn statements_that_change_something_are_refused() {
        for sql in [
            "create table x as select 1",
            "drop table y",
            "copy (select 1) to 'x.csv'",
            "set a.b = 1",
        ] {
            let error = engine().query(sql, &BTreeMap::new()).unwrap_err();
            assert_eq!(error.code(), "T0901", "{sql}");
        }
    }

    #[test]
    fn rows_come_in_the_order_of_their_numbers() {
        let engine = engine();
        let count = 50_000_i64;
        let numbers: Vec<i64> = (0..count).map(|row| row * 7_919 % count).collect();
        let words: Vec<String> = numbers.iter().map(|number| format!("w{number}")).collect();
        let frame = Frame::of(vec![("n", numbers.into()), ("word", words.into())]).unwrap();
        engine.register("t", &frame).unwrap();
        let sql = "select n, word from t where n % 3 = 0";
        assert_eq!(engine.create_by("u", sql, &BTreeMap::new(), "n").unwrap(), 16_667);
        for found in
            [engine.table("u").unwrap(), engine.table_by("t", &["n", "word"], "n").unwrap()]
        {
            let numbers = found.i64("n").unwrap();
            assert!(numbers.is_sorted());
            let words = found.text("word").unwrap();
            assert!(numbers.iter().zip(words).all(|(number, word)| word == format!("w{number}")));
        }
        assert_eq!(engine.table_by("t", &["word"], "n").unwrap().columns(), ["word"]);
        let none = "select n, word from t where n < 0";
        assert_eq!(engine.create_by("u", none, &BTreeMap::new(), "n").unwrap(), 0);
        assert_eq!(engine.table_by("u", &["word"], "n").unwrap().rows(), 0);
        assert_eq!(engine.table_by("t", &["word"], "m").unwrap_err().code(), "T0901");
    }

    #[test]
    fn tables_parameters_and_functions() {
        let engine = engine();
        engine.add_text_function("shout", |text| text.to_uppercase());
        let rows = engine
            .create(
                "t",
                "select shout('a') as x, $day as day",
                &params([("day", Value::Date(Date::from_days(9)))]),
            )
            .unwrap();
        assert_eq!(rows, 1);
        let frame = engine.query("select * from t", &BTreeMap::new()).unwrap();
        assert_eq!(frame.text("x").unwrap(), ["A"]);
        assert_eq!(frame.date("day").unwrap(), [Date::from_days(9)]);
        assert!(engine.table("t").unwrap().same_as(&frame));
        engine.forget("t").unwrap();
        assert!(!engine.has("t"));
        assert_eq!(engine.query("select * from t", &BTreeMap::new()).unwrap_err().code(), "T0901");
    }
}
