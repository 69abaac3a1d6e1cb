//! How does a stage run SQL over named tables?

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use datafusion::arrow::array::AsArray;
use datafusion::arrow::datatypes::DataType;
use datafusion::execution::memory_pool::FairSpillPool;
use datafusion::execution::runtime_env::RuntimeEnvBuilder;
use datafusion::logical_expr::{ColumnarValue, Volatility, create_udf};
use datafusion::prelude::{DataFrame, SQLOptions, SessionConfig, SessionContext};
use datafusion::scalar::ScalarValue;
use object_store::ObjectStore;
use tercet_types::{Date, Error, Result};
use tokio::runtime::Runtime;

use crate::failure::query_failure;
use crate::udf::of_runs;
use crate::{Frame, Location, Store};

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
            let texts = arrays[0].as_string_view();
            let mapped = of_runs(texts.iter(), |text, mapped| mapped.append_value(function(text)))?;
            Ok(ColumnarValue::Array(mapped))
        };
        self.context.register_udf(create_udf(
            name,
            vec![DataType::Utf8View],
            DataType::Utf8View,
            Volatility::Immutable,
            Arc::new(body),
        ));
    }
}

/// Threads that could not be started.
pub(crate) fn started(cause: std::io::Error) -> Error {
    Error::unavailable("T0912", "the engine's threads could not be started").cause(cause)
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
