//! How does a table that is larger than memory become one Parquet file?

use std::io;
use std::sync::{Arc, Mutex, PoisonError};

use datafusion::arrow::array::{
    ArrayRef, BooleanArray, Date32Array, DictionaryArray, Float64Array, Int32Array, Int64Array,
    RecordBatch, StringArray, TimestampMicrosecondArray, UInt8Array,
};
use datafusion::arrow::datatypes::{DataType, Field, Schema, UInt8Type};
use datafusion::parquet::arrow::ArrowWriter;
use datafusion::parquet::arrow::arrow_writer::ArrowWriterOptions;
use datafusion::parquet::basic::{Compression, Encoding, ZstdLevel};
use datafusion::parquet::file::properties::WriterProperties;
use datafusion::parquet::schema::types::ColumnPath;
use tercet_types::{Error, Result};

use crate::upload::{FileWriter, PART_BYTES};
use crate::{FileFact, Store};

/// Rows in a row group: what a writer holds at most, encoded.
const ROW_GROUP_ROWS: usize = 1 << 19;

/// Zstandard level: raw data are written once and are large.
const ZSTD_LEVEL: i32 = 1;

/// The values of one column of a piece of a table.
#[derive(Clone, Debug, PartialEq)]
pub enum RawColumn {
    /// 32-bit integers.
    I32(Vec<i32>),
    /// 64-bit integers, stored as differences.
    I64(Vec<i64>),
    /// 64-bit integers with nulls.
    I64OrNull(Vec<Option<i64>>),
    /// Doubles; NaN is a null.
    F64(Vec<f64>),
    /// Booleans.
    Bool(Vec<bool>),
    /// Days since 1970-01-01.
    Date(Vec<i32>),
    /// Days since 1970-01-01, with nulls.
    DateOrNull(Vec<Option<i32>>),
    /// Microseconds since 1970-01-01 00:00, without zone.
    Timestamp(Vec<i64>),
    /// Words of a short list, by place in it; stored as text.
    Words(Vec<u8>, &'static [&'static str]),
    /// Text.
    Text(Vec<String>),
    /// Text with nulls.
    TextOrNull(Vec<Option<String>>),
}

impl RawColumn {
    fn into_array(self) -> Result<ArrayRef> {
        Ok(match self {
            Self::I32(values) => Arc::new(Int32Array::from(values)),
            Self::I64(values) => Arc::new(Int64Array::from(values)),
            Self::I64OrNull(values) => Arc::new(Int64Array::from(values)),
            Self::F64(values) => Arc::new(Float64Array::from_iter(
                values.into_iter().map(|value| (!value.is_nan()).then_some(value)),
            )),
            Self::Bool(values) => Arc::new(BooleanArray::from(values)),
            Self::Date(values) => Arc::new(Date32Array::from(values)),
            Self::DateOrNull(values) => Arc::new(Date32Array::from(values)),
            Self::Timestamp(values) => Arc::new(TimestampMicrosecondArray::from(values)),
            Self::Words(places, words) => {
                let words: ArrayRef = Arc::new(StringArray::from_iter_values(words));
                let array = DictionaryArray::<UInt8Type>::try_new(UInt8Array::from(places), words)
                    .map_err(|cause| malformed().cause(cause))?;
                Arc::new(array)
            }
            Self::Text(values) => Arc::new(StringArray::from(values)),
            Self::TextOrNull(values) => Arc::new(StringArray::from(values)),
        })
    }
}

fn malformed() -> Error {
    Error::internal("T0911", "a table could not be written as parquet")
}

/// Where encoded bytes gather until they are a part.
#[derive(Clone, Default)]
struct Gathered(Arc<Mutex<Vec<u8>>>);

impl Gathered {
    /// Takes the first `least` bytes; `None` when there are fewer.
    fn take(&self, least: usize) -> Option<Vec<u8>> {
        let mut bytes = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        (bytes.len() >= least).then(|| {
            let rest = bytes.split_off(least);
            std::mem::replace(&mut *bytes, rest)
        })
    }

    fn take_all(&self) -> Vec<u8> {
        std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl io::Write for Gathered {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Writes one Parquet file piece by piece. The file is there once [`TableWriter::finish`] returned, and not
/// before; equal pieces give equal bytes.
pub struct TableWriter {
    gathered: Gathered,
    writer: Option<ArrowWriter<Gathered>>,
    file: FileWriter,
    rows: u64,
}

impl Store {
    /// Begins a Parquet file at `path`, replacing one that is there when it is finished.
    pub fn table_writer(&self, path: &str) -> TableWriter {
        TableWriter {
            gathered: Gathered::default(),
            writer: None,
            file: self.file_writer(path),
            rows: 0,
        }
    }
}

impl TableWriter {
    /// Adds rows. The first piece, which may have no rows, says names and types.
    ///
    /// # Errors
    /// `T0911` when a piece has other columns than the first, `T0903` and its like when the store fails.
    pub fn write(&mut self, columns: Vec<(&str, RawColumn)>) -> Result<()> {
        let mut fields = Vec::new();
        let mut arrays = Vec::new();
        let mut numbers = Vec::new();
        for (name, column) in columns {
            let nullable = matches!(
                column,
                RawColumn::I64OrNull(_)
                    | RawColumn::DateOrNull(_)
                    | RawColumn::F64(_)
                    | RawColumn::TextOrNull(_)
            );
            let array = column.into_array()?;
            if matches!(
                array.data_type(),
                DataType::Int64 | DataType::Date32 | DataType::Timestamp(..)
            ) {
                numbers.push(name);
            }
            fields.push(Field::new(name, array.data_type().clone(), nullable));
            arrays.push(array);
        }
        let schema = Arc::new(Schema::new(fields));
        let batch = RecordBatch::try_new(Arc::clone(&schema), arrays)
            .map_err(|cause| malformed().cause(cause))?;
        let writer = match &mut self.writer {
            Some(writer) => writer,
            none => {
                let level = ZstdLevel::try_new(ZSTD_LEVEL).map_err(|e| malformed().cause(e))?;
                let mut properties = WriterProperties::builder()
                    .set_compression(Compression::ZSTD(level))
                    .set_max_row_group_row_count(Some(ROW_GROUP_ROWS))
                    .set_created_by("tercet".to_owned());
                for name in numbers {
                    let column = ColumnPath::from(name);
                    properties = properties
                        .set_column_dictionary_enabled(column.clone(), false)
                        .set_column_encoding(column, Encoding::DELTA_BINARY_PACKED);
                }
                // Without Arrow's own schema, words are read back as text.
                let options = ArrowWriterOptions::new()
                    .with_properties(properties.build())
                    .with_skip_arrow_metadata(true);
                let sink = self.gathered.clone();
                none.insert(
                    ArrowWriter::try_new_with_options(sink, schema, options)
                        .map_err(|cause| malformed().cause(cause))?,
                )
            }
        };
        writer.write(&batch).map_err(|cause| malformed().cause(cause))?;
        self.rows += batch.num_rows() as u64;
        while let Some(part) = self.gathered.take(PART_BYTES) {
            self.file.write(&part)?;
        }
        Ok(())
    }

    /// Ends the file: now it is there.
    ///
    /// # Errors
    /// `T0911` when nothing was ever written, `T0903` and its like when the store fails.
    pub fn finish(mut self) -> Result<FileFact> {
        let writer = self.writer.take().ok_or_else(malformed)?;
        writer.close().map_err(|cause| malformed().cause(cause))?;
        self.file.write(&self.gathered.take_all())?;
        Ok(FileFact { rows: Some(self.rows), ..self.file.finish()? })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Engine, EngineOptions, Location};

    const WORDS: &[&str] = &["sale", "return"];

    fn piece(from: i64, rows: i64) -> Vec<(&'static str, RawColumn)> {
        // Noise that no encoding makes smaller, so that a part's bytes come together.
        let noise = |row: i64| {
            let mixed = (row as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15);
            ((mixed ^ (mixed >> 29)).wrapping_mul(0xbf58_476d_1ce4_e5b9)) as i64
        };
        let rows = from..from + rows;
        vec![
            ("id", RawColumn::I64(rows.clone().collect())),
            (
                "noise",
                RawColumn::I64OrNull(
                    rows.clone().map(|row| (row % 3 > 0).then(|| noise(row))).collect(),
                ),
            ),
            ("kind", RawColumn::Words(rows.clone().map(|row| (row % 2) as u8).collect(), WORDS)),
            ("at", RawColumn::Timestamp(rows.clone().map(|row| row * 1_000_000).collect())),
            (
                "share",
                RawColumn::F64(rows.map(|row| if row == 0 { f64::NAN } else { 0.5 }).collect()),
            ),
        ]
    }

    fn store(folder: &std::path::Path) -> (Engine, Store) {
        let engine = Engine::new(EngineOptions::default()).unwrap();
        let store = engine.store(&Location::new(".", folder).unwrap()).unwrap();
        (engine, store)
    }

    #[test]
    fn pieces_become_one_file_of_many_parts_that_reads_back() {
        let folder = tempfile::tempdir().unwrap();
        let (engine, store) = store(folder.path());
        let write = |path: &str| {
            let mut writer = store.table_writer(path);
            for from in 0..8 {
                writer.write(piece(from * 300_000, 300_000)).unwrap();
                assert!(store.get_if_there(path).unwrap().is_none(), "visible before it is whole");
            }
            writer.finish().unwrap()
        };
        let (fact, again) = (write("a.parquet"), write("b.parquet"));
        assert!(fact.bytes > PART_BYTES as u64, "{fact:?}");
        assert_eq!(fact.rows, Some(2_400_000));
        assert_eq!(fact.blake3, again.blake3);
        let bytes = store.get("a.parquet").unwrap();
        assert_eq!(fact.bytes, bytes.len() as u64);
        assert_eq!(fact.blake3, blake3::hash(&bytes).to_hex().to_string());
        engine.load(&store, "a.parquet", "a").unwrap();
        let sql = "select count(*) n, sum(id) s, count(noise) known, count(share) shares, \
                   sum(case when kind = 'return' then 1 else 0 end) returns, max(at) as at from a";
        let found = engine.query(sql, &std::collections::BTreeMap::new()).unwrap();
        assert_eq!(found.i64("n").unwrap(), [2_400_000]);
        assert_eq!(found.i64("s").unwrap(), [2_400_000 * 2_399_999 / 2]);
        assert_eq!(found.i64("known").unwrap(), [1_600_000]);
        assert_eq!(found.i64("shares").unwrap(), [2_399_999]);
        assert_eq!(found.i64("returns").unwrap(), [1_200_000]);
        assert_eq!(found.micros_or_null("at").unwrap(), [Some(2_399_999_000_000)]);
    }

    #[test]
    fn what_is_not_finished_never_was() {
        let folder = tempfile::tempdir().unwrap();
        let (_engine, store) = store(folder.path());
        let mut writer = store.table_writer("a.parquet");
        for from in 0..8 {
            writer.write(piece(from * 300_000, 300_000)).unwrap();
        }
        assert!(writer.file.has_begun(), "too little for a part");
        drop(writer);
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
        assert_eq!(store.table_writer("b.parquet").finish().unwrap_err().code(), "T0911");
        let mut other = store.table_writer("c.parquet");
        other.write(piece(0, 1)).unwrap();
        let wrong = vec![("id", RawColumn::Bool(vec![true]))];
        assert_eq!(other.write(wrong).unwrap_err().code(), "T0911");
    }
}
