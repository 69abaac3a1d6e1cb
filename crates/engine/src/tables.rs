//! How are tables kept in memory between statements, and read back?

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::{Arc, MutexGuard, PoisonError};

use bytes::Bytes;
use datafusion::arrow::array::{
    ArrayData, ArrayRef, AsArray, MutableArrayData, RecordBatch, RecordBatchReader, UInt64Array,
    make_array,
};
use datafusion::arrow::compute::{cast, take_record_batch};
use datafusion::arrow::datatypes::{DataType, Int64Type, Schema, SchemaRef};
use datafusion::arrow::error::ArrowError;
use datafusion::common::Column;
use datafusion::datasource::MemTable;
use datafusion::parquet::arrow::ProjectionMask;
use datafusion::parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use datafusion::prelude::{Expr, col};
use tercet_types::tables::TableSchema;
use tercet_types::{Error, Result};

use crate::attach::ColumnInfo;
use crate::failure::query_failure;
use crate::pieces::in_file_order;
use crate::{Engine, Frame, Store, Value};

/// Rows of a piece of a table in memory.
const PIECE_ROWS: usize = 8_192;

impl Engine {
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
    // Rows that stood together and still do are copied as one.
    let together = |a: &(i64, usize, usize), b: &(i64, usize, usize)| a.1 == b.1 && a.2 + 1 == b.2;
    let runs: Vec<(usize, Range<usize>)> =
        places.chunk_by(together).map(|run| (run[0].1, run[0].2..run[0].2 + run.len())).collect();
    let columns = (0..batches[0].num_columns()).map(|column| {
        let data: Vec<ArrayData> =
            batches.iter().map(|batch| batch.column(column).to_data()).collect();
        let mut copied = MutableArrayData::new(data.iter().collect(), false, places.len());
        runs.iter().try_for_each(|(at, rows)| copied.try_extend(*at, rows.start, rows.end))?;
        Ok(make_array(copied.freeze()))
    });
    let columns = columns.collect::<std::result::Result<_, ArrowError>>().map_err(fail)?;
    let sorted = RecordBatch::try_new(batches[0].schema(), columns).map_err(fail)?;
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
    use crate::EngineOptions;

    #[test]
    fn rows_come_in_the_order_of_their_numbers() {
        let engine = Engine::new(EngineOptions::default()).unwrap();
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
}
