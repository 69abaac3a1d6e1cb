//! How do rows look in memory, outside SQL?

use std::sync::Arc;

use datafusion::arrow::array::{
    Array, ArrayRef, ArrowPrimitiveType, AsArray, BooleanArray, Date32Array, Float64Array,
    Int32Array, Int64Array, RecordBatch, StringArray, StringViewArray, UInt32Array,
};
use datafusion::arrow::compute::{cast, concat_batches, filter_record_batch, take};
use datafusion::arrow::datatypes::{
    DataType, Date32Type, Field, FieldRef, Float64Type, Int32Type, Int64Type, Schema, SchemaRef,
    TimeUnit, TimestampMicrosecondType,
};
use datafusion::common::HashMap;
use tercet_types::tables::{TableSchema, Type};
use tercet_types::{Date, Error, Result};

/// A table in memory: one record batch with typed access to its columns.
///
/// Column getters check the type once and copy out plain vectors: `Vec<T>` where nulls are not
/// allowed, `Vec<Option<T>>` where they are.
#[derive(Clone, Debug)]
pub struct Frame {
    batch: RecordBatch,
}

/// The values of one column, to build a [`Frame`] from.
#[derive(Clone, Debug)]
pub enum ColumnData {
    /// Booleans.
    Bool(Vec<Option<bool>>),
    /// 32-bit integers.
    I32(Vec<Option<i32>>),
    /// 64-bit integers.
    I64(Vec<Option<i64>>),
    /// Doubles.
    F64(Vec<Option<f64>>),
    /// Text.
    Text(Vec<Option<String>>),
    /// Days.
    Date(Vec<Option<Date>>),
    /// Text, by places in a list: texts that come often stand in memory once.
    Codes(Vec<Option<u32>>, Vec<String>),
}

macro_rules! column_from {
    ($($ty:ty => $variant:ident),* $(,)?) => {$(
        impl From<Vec<$ty>> for ColumnData {
            fn from(values: Vec<$ty>) -> Self {
                Self::$variant(values.into_iter().map(Some).collect())
            }
        }
        impl From<Vec<Option<$ty>>> for ColumnData {
            fn from(values: Vec<Option<$ty>>) -> Self {
                Self::$variant(values)
            }
        }
    )*};
}
column_from!(bool => Bool, i32 => I32, i64 => I64, f64 => F64, String => Text, Date => Date);

impl ColumnData {
    fn into_array(self) -> Result<ArrayRef> {
        Ok(match self {
            Self::Bool(values) => Arc::new(BooleanArray::from(values)),
            Self::I32(values) => Arc::new(Int32Array::from(values)),
            Self::I64(values) => Arc::new(Int64Array::from(values)),
            Self::F64(values) => Arc::new(Float64Array::from(values)),
            Self::Text(values) => Arc::new(StringArray::from(values)),
            Self::Codes(places, texts) => {
                let texts = StringViewArray::from_iter_values(texts);
                take(&texts, &UInt32Array::from(places), None).map_err(internal)?
            }
            Self::Date(values) => {
                Arc::new(Date32Array::from_iter(values.into_iter().map(|day| day.map(Date::days))))
            }
        })
    }
}

/// The Arrow type of one of our types.
pub(crate) fn arrow_type(ty: Type) -> DataType {
    match ty {
        Type::Bool => DataType::Boolean,
        Type::I32 => DataType::Int32,
        Type::I64 => DataType::Int64,
        Type::F64 => DataType::Float64,
        Type::Text => DataType::Utf8,
        Type::Date => DataType::Date32,
        Type::Timestamp => DataType::Timestamp(TimeUnit::Microsecond, None),
    }
}

/// The Arrow schema of a table between stages.
pub(crate) fn arrow_schema(table: &TableSchema) -> SchemaRef {
    Arc::new(Schema::new(
        table
            .columns
            .iter()
            .map(|column| Field::new(column.name, arrow_type(column.ty), !column.required))
            .collect::<Vec<_>>(),
    ))
}

impl Frame {
    pub(crate) fn from_batches(schema: SchemaRef, batches: &[RecordBatch]) -> Result<Self> {
        let batch = concat_batches(&schema, batches).map_err(internal)?;
        Ok(Self { batch })
    }

    pub(crate) const fn of_batch(batch: RecordBatch) -> Self {
        Self { batch }
    }

    /// Builds a frame of named columns, all of one length.
    ///
    /// # Errors
    /// `T0910` when the lengths differ.
    pub fn of(columns: Vec<(&str, ColumnData)>) -> Result<Self> {
        let arrays = columns
            .into_iter()
            .map(|(name, data)| Ok((name, data.into_array()?)))
            .collect::<Result<Vec<(&str, ArrayRef)>>>()?;
        let fields: Vec<Field> = arrays
            .iter()
            .map(|(name, array)| Field::new(*name, array.data_type().clone(), true))
            .collect();
        let arrays = arrays.into_iter().map(|(_, array)| array).collect();
        let batch =
            RecordBatch::try_new(Arc::new(Schema::new(fields)), arrays).map_err(internal)?;
        Ok(Self { batch })
    }

    /// Builds a frame of a table between stages, its columns in the schema's order.
    ///
    /// # Errors
    /// `T0910` when a column is missing, has another type, or a required one holds a null.
    pub fn of_table(table: &TableSchema, columns: Vec<ColumnData>) -> Result<Self> {
        let arrays: Vec<ArrayRef> =
            columns.into_iter().map(ColumnData::into_array).collect::<Result<_>>()?;
        let batch = RecordBatch::try_new(arrow_schema(table), arrays)
            .map_err(|cause| internal(cause).context(table.name))?;
        Ok(Self { batch })
    }

    /// Number of rows.
    pub fn rows(&self) -> usize {
        self.batch.num_rows()
    }

    /// Names of the columns, in order.
    pub fn columns(&self) -> Vec<String> {
        self.batch.schema().fields().iter().map(|field| field.name().clone()).collect()
    }

    /// True when there is a column of that name.
    pub fn has(&self, name: &str) -> bool {
        self.batch.column_by_name(name).is_some()
    }

    pub(crate) fn batch(&self) -> &RecordBatch {
        &self.batch
    }

    /// The frame with its columns cast to the table's types, in its order; extra columns follow. Texts that are views
    /// stay so: they are copied when somebody needs them in one piece.
    ///
    /// # Errors
    /// `T0910` when a column cannot be cast, or a required one is missing or holds a null.
    pub fn conform(&self, table: &TableSchema) -> Result<Self> {
        let mut fields = Vec::new();
        let mut arrays = Vec::new();
        for column in table.columns {
            let mut ty = arrow_type(column.ty);
            let array = match self.batch.column_by_name(column.name) {
                Some(array) => {
                    let is_view = ty == DataType::Utf8 && *array.data_type() == DataType::Utf8View;
                    ty = if is_view { DataType::Utf8View } else { ty };
                    cast(array, &ty).map_err(internal)?
                }
                None if !column.required => {
                    datafusion::arrow::array::new_null_array(&ty, self.rows())
                }
                None => return Err(missing(column.name).context(table.name)),
            };
            fields.push(Field::new(column.name, ty, !column.required));
            arrays.push(array);
        }
        for (field, array) in self.batch.schema().fields().iter().zip(self.batch.columns()) {
            if table.column(field.name()).is_none() {
                let plain = plain_type(field.data_type());
                arrays.push(cast(array, &plain).map_err(internal)?);
                fields.push(Field::new(field.name(), plain, true));
            }
        }
        let batch = RecordBatch::try_new(Arc::new(Schema::new(fields)), arrays)
            .map_err(|cause| internal(cause).context(table.name))?;
        Ok(Self { batch })
    }

    fn array(&self, name: &str, ty: Type) -> Result<ArrayRef> {
        let array = self.batch.column_by_name(name).ok_or_else(|| missing(name))?;
        cast(array, &arrow_type(ty)).map_err(|cause| internal(cause).context(name))
    }

    fn full<T>(&self, name: &str, values: Vec<Option<T>>) -> Result<Vec<T>> {
        values.into_iter().collect::<Option<Vec<T>>>().ok_or_else(|| {
            Error::internal("T0910", format!("column '{name}' holds a null where none may be"))
        })
    }

    /// Text; nulls allowed.
    pub fn text_or_null(&self, name: &str) -> Result<Vec<Option<String>>> {
        let array = self.array(name, Type::Text)?;
        Ok(array.as_string::<i32>().iter().map(|v| v.map(str::to_owned)).collect())
    }

    /// Text without nulls.
    pub fn text(&self, name: &str) -> Result<Vec<String>> {
        let values = self.text_or_null(name)?;
        self.full(name, values)
    }

    /// 64-bit integers; nulls allowed.
    pub fn i64_or_null(&self, name: &str) -> Result<Vec<Option<i64>>> {
        Ok(self.array(name, Type::I64)?.as_primitive::<Int64Type>().iter().collect())
    }

    /// 64-bit integers without nulls.
    pub fn i64(&self, name: &str) -> Result<Vec<i64>> {
        self.numbers::<Int64Type>(name, Type::I64)
    }

    /// 32-bit integers without nulls.
    pub fn i32(&self, name: &str) -> Result<Vec<i32>> {
        self.numbers::<Int32Type>(name, Type::I32)
    }

    fn numbers<T: ArrowPrimitiveType>(&self, name: &str, ty: Type) -> Result<Vec<T::Native>> {
        let array = self.array(name, ty)?;
        let numbers = array.as_primitive::<T>();
        match numbers.null_count() {
            0 => Ok(numbers.values().to_vec()),
            _ => self.full(name, vec![None]),
        }
    }

    /// Doubles; nulls become NaN.
    pub fn f64(&self, name: &str) -> Result<Vec<f64>> {
        let array = self.array(name, Type::F64)?;
        Ok(array.as_primitive::<Float64Type>().iter().map(|v| v.unwrap_or(f64::NAN)).collect())
    }

    /// Booleans; nulls allowed.
    pub fn bool_or_null(&self, name: &str) -> Result<Vec<Option<bool>>> {
        Ok(self.array(name, Type::Bool)?.as_boolean().iter().collect())
    }

    /// Days; nulls allowed.
    pub fn date_or_null(&self, name: &str) -> Result<Vec<Option<Date>>> {
        let array = self.array(name, Type::Date)?;
        Ok(array.as_primitive::<Date32Type>().iter().map(|v| v.map(Date::from_days)).collect())
    }

    /// Days without nulls.
    pub fn date(&self, name: &str) -> Result<Vec<Date>> {
        let values = self.date_or_null(name)?;
        self.full(name, values)
    }

    /// Instants as microseconds since 1970-01-01 00:00 in the project's time zone; nulls allowed.
    pub fn micros_or_null(&self, name: &str) -> Result<Vec<Option<i64>>> {
        let array = self.array(name, Type::Timestamp)?;
        Ok(array.as_primitive::<TimestampMicrosecondType>().iter().collect())
    }

    /// The frame with these columns set, or added behind the others.
    ///
    /// # Errors
    /// `T0910` when the lengths differ.
    pub fn with(&self, columns: Vec<(&str, ColumnData)>) -> Result<Self> {
        let schema = self.batch.schema();
        let mut fields: Vec<FieldRef> = schema.fields().to_vec();
        let mut arrays = self.batch.columns().to_vec();
        for (name, data) in columns {
            let array = data.into_array()?;
            let field = Arc::new(Field::new(name, array.data_type().clone(), true));
            match schema.index_of(name) {
                Ok(place) => (fields[place], arrays[place]) = (field, array),
                Err(_) => {
                    fields.push(field);
                    arrays.push(array);
                }
            }
        }
        let schema = Arc::new(Schema::new(fields));
        Ok(Self { batch: RecordBatch::try_new(schema, arrays).map_err(internal)? })
    }

    /// The rows of frames with the same columns, one frame below the other.
    ///
    /// # Errors
    /// `T0910` without a frame, or when columns differ.
    pub fn stacked(frames: &[Self]) -> Result<Self> {
        let first = frames.first().ok_or_else(|| missing("any"))?;
        let batches: Vec<RecordBatch> = frames.iter().map(|frame| frame.batch.clone()).collect();
        Self::from_batches(first.batch.schema(), &batches)
    }

    /// Some rows, which share the memory of all.
    ///
    /// # Panics
    /// When there are not so many rows.
    pub fn slice(&self, rows: std::ops::Range<usize>) -> Self {
        Self { batch: self.batch.slice(rows.start, rows.len()) }
    }

    /// The rows whose flag is set.
    ///
    /// # Panics
    /// When there are not as many flags as rows.
    pub fn filter(&self, keep: &[bool]) -> Result<Self> {
        assert_eq!(keep.len(), self.rows(), "a flag for every row");
        let flags = BooleanArray::from(keep.to_vec());
        Ok(Self { batch: filter_record_batch(&self.batch, &flags).map_err(internal)? })
    }

    /// A column of texts as places in the list of its different texts, in the order in which they first come.
    pub fn codes(&self, name: &str) -> Result<(Vec<Option<u32>>, Vec<String>)> {
        let array = self.batch.column_by_name(name).ok_or_else(|| missing(name))?;
        let array = cast(array, &DataType::Utf8View).map_err(internal)?;
        let mut known: HashMap<&str, u32> = HashMap::new();
        let mut texts = Vec::new();
        // Most texts are that of the row before: it need not be looked up.
        let mut last = ("", None);
        let places = array.as_string_view().iter().map(|text| {
            let text = text?;
            if last.1.is_none() || last.0 != text {
                let place = *known.entry(text).or_insert_with(|| {
                    texts.push(text.to_owned());
                    texts.len() as u32 - 1
                });
                last = (text, Some(place));
            }
            last.1
        });
        let places = places.collect();
        Ok((places, texts))
    }

    /// The frame with some of its columns.
    ///
    /// # Errors
    /// `T0910` when one is missing.
    pub fn only(&self, columns: &[&str]) -> Result<Self> {
        let schema = self.batch.schema();
        let places = columns
            .iter()
            .map(|name| schema.index_of(name).map_err(|_| missing(name)))
            .collect::<Result<Vec<usize>>>()?;
        Ok(Self { batch: self.batch.project(&places).map_err(internal)? })
    }

    /// True when both hold the same columns and, bit for bit, the same rows in the same order.
    pub fn same_as(&self, other: &Self) -> bool {
        self.batch == other.batch
    }
}

/// The type an extra column travels as: dictionaries are undone.
fn plain_type(ty: &DataType) -> DataType {
    match ty {
        DataType::LargeUtf8 => DataType::Utf8,
        DataType::Dictionary(_, value) => plain_type(value),
        other => other.clone(),
    }
}

fn missing(name: &str) -> Error {
    Error::internal("T0910", format!("column '{name}' is missing from a table between stages"))
}

fn internal(cause: datafusion::arrow::error::ArrowError) -> Error {
    let message = cause.to_string();
    Error::internal("T0910", format!("a table between stages is malformed: {message}")).cause(cause)
}

#[cfg(test)]
mod tests {
    use super::*;
    use tercet_types::tables::sources::REDEMPTIONS;

    #[test]
    fn columns_are_set_rows_are_kept_and_texts_are_coded() {
        let words =
            |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect::<Vec<_>>();
        let frame = Frame::of(vec![
            ("n", vec![1_i64, 2, 3, 4].into()),
            ("word", ColumnData::Codes(vec![Some(1), None, Some(0), Some(1)], words(&["b", "a"]))),
        ])
        .unwrap();
        let (codes, texts) = frame.codes("word").unwrap();
        assert_eq!((codes, texts), (vec![Some(0), None, Some(1), Some(0)], words(&["a", "b"])));
        let changed = frame
            .with(vec![("n", vec![9_i64, 8, 7, 6].into()), ("flag", vec![true; 4].into())])
            .unwrap()
            .filter(&[true, false, false, true])
            .unwrap();
        assert_eq!(changed.columns(), ["n", "word", "flag"]);
        assert_eq!(changed.i64("n").unwrap(), [9, 6]);
        assert_eq!(changed.text("word").unwrap(), ["a", "a"]);
        assert_eq!(frame.only(&["word"]).unwrap().columns(), ["word"]);
        assert_eq!(frame.only(&["none"]).unwrap_err().code(), "T0910");
        assert_eq!(frame.with(vec![("n", vec![1_i64].into())]).unwrap_err().code(), "T0910");
    }

    #[test]
    fn conform_casts_fills_and_keeps_extras() {
        let frame = Frame::of(vec![
            ("redeemed_on", vec![Date::from_days(3)].into()),
            ("customer_id", vec!["a".to_owned()].into()),
            ("promotion_id", vec![7_i64].into()),
            ("note", vec!["extra".to_owned()].into()),
        ])
        .unwrap();
        let table = frame.conform(&REDEMPTIONS).unwrap();
        assert_eq!(
            table.columns(),
            ["customer_id", "promotion_id", "redeemed_on", "order_id", "discount_minor", "note"]
        );
        assert_eq!(table.text("promotion_id").unwrap(), ["7"]);
        assert_eq!(table.i64_or_null("discount_minor").unwrap(), [None]);
        assert!(table.i64("discount_minor").is_err());
        assert!(Frame::of(vec![("x", vec![1_i64].into())]).unwrap().conform(&REDEMPTIONS).is_err());
    }
}
