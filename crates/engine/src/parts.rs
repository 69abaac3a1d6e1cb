//! How is a table that does not fit into memory cut into parts that do?

use std::collections::BTreeMap;
use std::fs::File;
use std::io::Write;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use datafusion::arrow::array::{ArrayRef, AsArray, RecordBatch, UInt32Array};
use datafusion::arrow::compute::{cast, concat_batches, take_record_batch};
use datafusion::arrow::datatypes::{DataType, Schema, SchemaRef};
use datafusion::error::{DataFusionError, Result as QueryResult};
use datafusion::execution::SendableRecordBatchStream;
use datafusion::parquet::arrow::ArrowWriter;
use datafusion::parquet::basic::Compression;
use datafusion::parquet::file::properties::{EnabledStatistics, WriterProperties};
use datafusion::physical_plan::execute_stream_partitioned;
use datafusion::prelude::ParquetReadOptions;
use futures::StreamExt;
use tempfile::TempDir;
use tercet_types::Result;
use tokio::task::JoinSet;

use crate::Engine;
use crate::failure::query_failure;
use crate::parquet_file::coded;
use crate::session::Value;

/// The most parts of a table: each has a writer in memory while the table is spread.
pub const PARTS_MAX: usize = 4_096;

/// Rows that are sorted by part at a time.
const SORTED_ROWS: usize = 1 << 18;

/// Rows that wait for their part's file: at most so many in one part, and in all parts together.
const WAITING_ROWS: usize = 1 << 13;
const WAITING_ROWS_OF_ALL: usize = 1 << 22;

/// A dictionary of texts that grows beyond this is given up: most of them come once.
const DICTIONARY_BYTES: usize = 64 << 10;

/// Rows of a row group: what a writer holds in memory, encoded. At most so many in one part, and in all together.
const GROUP_ROWS: usize = 1 << 17;
const GROUP_ROWS_OF_ALL: usize = 1 << 25;

/// A table spread over files on the local disk, one a part, which go when this is dropped.
#[derive(Debug)]
pub struct Parts {
    folder: TempDir,
    rows: Vec<u64>,
}

impl Parts {
    /// Rows of each part.
    pub fn rows(&self) -> &[u64] {
        &self.rows
    }

    fn file(&self, part: usize) -> PathBuf {
        self.folder.path().join(format!("{part:04}.parquet"))
    }
}

/// The part of a key: the same on every machine and in every version.
///
/// FNV-1a (Fowler, Noll, Vo: draft-eastlake-fnv) with the finaliser of MurmurHash3, because its low
/// digits alone are too regular.
pub fn part_of(key: &str, parts: usize) -> usize {
    let fnv = key.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    });
    let mut hash = (fnv ^ fnv >> 33).wrapping_mul(0xff51_afd7_ed55_8ccd);
    hash = (hash ^ hash >> 33).wrapping_mul(0xc4ce_b9fe_1a85_ec53);
    ((hash ^ hash >> 33) % parts.max(1) as u64) as usize
}

impl Engine {
    /// Runs a read-only statement and spreads its rows over `parts` files by the text in its last column,
    /// which is not kept: rows of equal texts are in one part, rows without a text in the first. Holds no
    /// more than a few thousand rows of each part. The order of rows within a part is not defined.
    ///
    /// # Errors
    /// Those of [`Engine::query`]; `T0903` and `T0908` when the temporary folder cannot be written.
    ///
    /// # Panics
    /// For no parts, or more than [`PARTS_MAX`].
    pub fn spread(
        &self,
        name: &str,
        sql: &str,
        values: &BTreeMap<String, Value>,
        parts: usize,
    ) -> Result<Parts> {
        assert!((1..=PARTS_MAX).contains(&parts), "{name}: {parts} parts");
        let fail = |failure| query_failure(name, failure);
        let frame = self.plan(sql, values).map_err(|error| error.context(name))?;
        let folder = tempfile::Builder::new()
            .prefix("tercet-")
            .tempdir()
            .map_err(|cause| fail(DataFusionError::IoError(cause)))?;
        let mut spread = Parts { folder, rows: vec![0; parts] };
        let written = self.runtime.block_on(async {
            let plan = frame.create_physical_plan().await?;
            let streams = execute_stream_partitioned(plan, self.context.task_ctx())?;
            let schema = streams.first().map(|stream| stream.schema());
            let schema = schema.ok_or_else(|| DataFusionError::Plan("no partition".to_owned()))?;
            let kept: Vec<usize> = (0..schema.fields().len().saturating_sub(1)).collect();
            let schema = Arc::new(schema.project(&kept)?);
            let buckets = (0..parts)
                .map(|part| Bucket::new(&schema, &spread.file(part), parts).map(Mutex::new))
                .collect::<QueryResult<Vec<_>>>()?;
            let buckets = Arc::new(buckets);
            // Dropped with its tasks when one of them fails: the others stop.
            let mut tasks = JoinSet::new();
            let mut work =
                streams.into_iter().map(|stream| empty_into(stream, Arc::clone(&buckets)));
            for task in work.by_ref().take(self.threads()) {
                tasks.spawn(task);
            }
            while let Some(emptied) = tasks.join_next().await {
                emptied.map_err(|cause| DataFusionError::External(cause.into()))??;
                if let Some(task) = work.next() {
                    tasks.spawn(task);
                }
            }
            drop(work);
            let held = || DataFusionError::Internal("a task holds on to the parts".to_owned());
            let buckets = Arc::into_inner(buckets).ok_or_else(held)?;
            buckets
                .into_iter()
                .map(|bucket| bucket.into_inner().unwrap_or_else(PoisonError::into_inner).close())
                .collect::<QueryResult<Vec<u64>>>()
        });
        spread.rows = written.map_err(fail)?;
        Ok(spread)
    }

    /// Makes a part readable as table `name`, replacing one of that name; its rows stay on the disk.
    pub fn open_part(&self, name: &str, parts: &Parts, part: usize) -> Result<()> {
        let fail = |failure| query_failure(name, failure);
        let path = parts.file(part).display().to_string();
        let table = self
            .runtime
            .block_on(self.context.read_parquet(path, ParquetReadOptions::default()))
            .map_err(fail)?;
        self.forget(name)?;
        self.context.register_table(name, table.into_view()).map_err(fail)?;
        Ok(())
    }
}

/// Empties a stream into the buckets of its rows.
async fn empty_into(
    mut stream: SendableRecordBatchStream,
    buckets: Arc<Vec<Mutex<Bucket>>>,
) -> QueryResult<()> {
    let schema = stream.schema();
    let (mut waiting, mut rows) = (Vec::new(), 0);
    while let Some(batch) = stream.next().await {
        let batch = batch?;
        rows += batch.num_rows();
        waiting.push(batch);
        if rows >= SORTED_ROWS {
            spread_rows(&concat_batches(&schema, &waiting)?, &buckets)?;
            waiting.clear();
            rows = 0;
        }
    }
    spread_rows(&concat_batches(&schema, &waiting)?, &buckets)
}

/// Sorts rows by their part, and gives each part its slice.
fn spread_rows(batch: &RecordBatch, buckets: &[Mutex<Bucket>]) -> QueryResult<()> {
    let Some(key) = batch.num_columns().checked_sub(1) else { return Ok(()) };
    let part_of_rows = parts_of(batch.column(key), buckets.len())?;
    let mut ends = vec![0_usize; buckets.len() + 1];
    for &part in &part_of_rows {
        ends[part as usize + 1] += 1;
    }
    for part in 0..buckets.len() {
        ends[part + 1] += ends[part];
    }
    let mut next = ends.clone();
    let mut order = vec![0_u32; part_of_rows.len()];
    for (row, &part) in (0_u32..).zip(&part_of_rows) {
        order[next[part as usize]] = row;
        next[part as usize] += 1;
    }
    let kept: Vec<usize> = (0..key).collect();
    let sorted = take_record_batch(&batch.project(&kept)?, &UInt32Array::from(order))?;
    for (part, bucket) in buckets.iter().enumerate() {
        let (from, to) = (ends[part], ends[part + 1]);
        if from < to {
            let mut bucket = bucket.lock().unwrap_or_else(PoisonError::into_inner);
            bucket.push(sorted.slice(from, to - from))?;
        }
    }
    Ok(())
}

fn parts_of(keys: &ArrayRef, parts: usize) -> QueryResult<Vec<u32>> {
    let texts = cast(keys, &DataType::Utf8View)?;
    // Many keys are that of the row before.
    let (mut last, mut part) = (None, 0);
    let of_rows = texts.as_string_view().iter().map(|key| {
        if key != last {
            (last, part) = (key, key.map_or(0, |key| part_of(key, parts)) as u32);
        }
        part
    });
    Ok(of_rows.collect())
}

/// The rows of one part on their way to its file.
struct Bucket {
    schema: SchemaRef,
    waiting: Vec<RecordBatch>,
    waiting_rows: usize,
    waiting_most: usize,
    rows: u64,
    writer: ArrowWriter<Appended>,
}

/// A file that is open only while something is added to it: there may be more parts than a process may have files.
struct Appended(PathBuf);

impl Write for Appended {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        File::options().append(true).open(&self.0)?.write(bytes)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl Bucket {
    fn new(schema: &SchemaRef, path: &std::path::Path, parts: usize) -> QueryResult<Self> {
        File::create_new(path)?;
        let writer = ArrowWriter::try_new(
            Appended(path.to_owned()),
            Arc::clone(schema),
            Some(properties(schema, parts)),
        )?;
        let schema = Arc::clone(schema);
        let waiting_most = WAITING_ROWS.min(WAITING_ROWS_OF_ALL / parts);
        Ok(Self { schema, waiting: Vec::new(), waiting_rows: 0, waiting_most, rows: 0, writer })
    }

    fn push(&mut self, rows: RecordBatch) -> QueryResult<()> {
        self.waiting_rows += rows.num_rows();
        self.waiting.push(rows);
        if self.waiting_rows >= self.waiting_most { self.write() } else { Ok(()) }
    }

    fn write(&mut self) -> QueryResult<()> {
        self.writer.write(&concat_batches(&self.schema, &self.waiting)?)?;
        self.rows += self.waiting_rows as u64;
        self.waiting_rows = 0;
        self.waiting.clear();
        Ok(())
    }

    fn close(mut self) -> QueryResult<u64> {
        self.write()?;
        self.writer.close()?;
        Ok(self.rows)
    }
}

/// Files that are written once and read once: what is quick to write is chosen over what is small.
fn properties(schema: &Schema, parts: usize) -> WriterProperties {
    let builder = WriterProperties::builder()
        .set_compression(Compression::LZ4_RAW)
        .set_statistics_enabled(EnabledStatistics::None)
        .set_max_row_group_row_count(Some(GROUP_ROWS.min(GROUP_ROWS_OF_ALL / parts)))
        .set_dictionary_page_size_limit(DICTIONARY_BYTES);
    coded(builder, schema).build()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{ColumnData, EngineOptions, Frame};

    #[test]
    fn rows_of_one_key_are_in_one_part_and_none_is_lost() {
        let engine = Engine::new(EngineOptions::default()).unwrap();
        let count = 200_000_i64;
        let keys = (0..count).map(|row| (row % 7 > 0).then(|| format!("k{}", row % 1_000)));
        let frame = Frame::of(vec![
            ("row", (0..count).collect::<Vec<_>>().into()),
            ("word", (0..count).map(|row| format!("w{row}")).collect::<Vec<_>>().into()),
            ("key", ColumnData::Text(keys.collect())),
        ])
        .unwrap();
        engine.register("t", &frame).unwrap();
        let sql = "select row, word, coalesce(key, 'none') as shown, key from t";
        for parts in [1, 5, 2_000] {
            let spread = engine.spread("t", sql, &BTreeMap::new(), parts).unwrap();
            assert_eq!(spread.rows().iter().sum::<u64>(), count as u64);
            let mut seen = 0;
            for part in 0..parts {
                engine.open_part("p", &spread, part).unwrap();
                let sql = "select row, word, shown from p order by row";
                let found = engine.query(sql, &BTreeMap::new()).unwrap();
                assert_eq!(found.columns(), ["row", "word", "shown"]);
                assert_eq!(found.rows() as u64, spread.rows()[part]);
                let (rows, words) = (found.i64("row").unwrap(), found.text("word").unwrap());
                for ((row, word), key) in rows.iter().zip(words).zip(found.text("shown").unwrap()) {
                    assert_eq!(word, format!("w{row}"));
                    let home = if key == "none" { 0 } else { part_of(&key, parts) };
                    assert_eq!(home, part);
                }
                seen += rows.len();
            }
            assert_eq!(seen as i64, count);
            if parts == 5 {
                let (least, most) = (spread.rows().iter().min(), spread.rows().iter().max());
                assert!(least.unwrap() * 2 > most.unwrap() / 2, "{:?}", spread.rows());
            }
            let folder = spread.folder.path().to_owned();
            drop(spread);
            assert!(!folder.exists());
        }
    }

    #[test]
    fn what_cannot_be_spread_says_so() {
        let engine = Engine::new(EngineOptions::default()).unwrap();
        let error = engine.spread("t", "select y from nowhere", &BTreeMap::new(), 2).unwrap_err();
        assert_eq!(error.code(), "T0901", "{error}");
        let spread =
            engine.spread("t", "select 1 as x, 'a' as key where 1 = 0", &BTreeMap::new(), 3);
        assert_eq!(spread.unwrap().rows(), [0, 0, 0]);
        let frame = Frame::of(vec![(
            "word",
            (0..100_000).map(|row| format!("{row}x")).collect::<Vec<_>>().into(),
        )]);
        engine.register("t", &frame.unwrap()).unwrap();
        let sql = "select cast(word as bigint) as n, word from t";
        let error = engine.spread("words", sql, &BTreeMap::new(), 3).unwrap_err();
        assert_eq!(error.code(), "T0905", "{error}");
    }

    #[test]
    fn the_part_of_a_key_never_changes() {
        let check = |key: &str, expect: [usize; 3]| {
            assert_eq!([2, 16, 100].map(|parts| part_of(key, parts)), expect, "{key}");
        };
        check("", [0, 6, 42]);
        check("1", [0, 6, 82]);
        check("household-1234", [0, 10, 78]);
    }
}
