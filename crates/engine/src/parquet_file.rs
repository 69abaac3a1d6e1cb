//! How does a frame become the bytes of a Parquet file, the same bytes each time?

use std::sync::Arc;

use datafusion::arrow::datatypes::{DataType, Schema, SchemaRef};
use datafusion::parquet::arrow::ArrowWriter;
use datafusion::parquet::basic::{Compression, Encoding, ZstdLevel};
use datafusion::parquet::errors::ParquetError;
use datafusion::parquet::file::properties::{
    EnabledStatistics, WriterProperties, WriterPropertiesBuilder,
};
use datafusion::parquet::schema::types::ColumnPath;
use tercet_types::{Error, Result};

use crate::Frame;

/// Zstandard level of all tables: small files at little cost.
const ZSTD_LEVEL: i32 = 1;

/// Rows in a row group: a reader can skip or split at this grain.
const ROW_GROUP_ROWS: usize = 1 << 20;

/// The Parquet bytes of `frame`: one writer, one order, no time stamps, hence equal for equal frames.
pub(crate) fn to_parquet(frame: &Frame) -> Result<Vec<u8>> {
    let fail = |cause: ParquetError| {
        Error::internal("T0911", "a table could not be written as parquet").cause(cause)
    };
    let schema = plain(&frame.batch().schema());
    let properties = properties(&schema).map_err(fail)?;
    let mut bytes = Vec::new();
    let mut writer = ArrowWriter::try_new(&mut bytes, schema, Some(properties)).map_err(fail)?;
    writer.write(frame.batch()).map_err(fail)?;
    writer.close().map_err(fail)?;
    Ok(bytes)
}

/// The schema that readers find: how text is laid out in memory here is nothing to them.
fn plain(schema: &Schema) -> SchemaRef {
    let fields = schema.fields().iter();
    let fields = fields.map(|field| match field.data_type() {
        DataType::Utf8View => Arc::new(field.as_ref().clone().with_data_type(DataType::Utf8)),
        _ => Arc::clone(field),
    });
    Arc::new(Schema::new(fields.collect::<Vec<_>>()))
}

/// How tables are packed. Whoever reads a table reads all of it, so nobody asks for the least and the most of a column.
fn properties(schema: &Schema) -> std::result::Result<WriterProperties, ParquetError> {
    let builder = WriterProperties::builder()
        .set_compression(Compression::ZSTD(ZstdLevel::try_new(ZSTD_LEVEL)?))
        .set_statistics_enabled(EnabledStatistics::None)
        .set_max_row_group_row_count(Some(ROW_GROUP_ROWS))
        .set_created_by("tercet".to_owned());
    Ok(coded(builder, schema).build())
}

/// Integers, days and instants as differences, and doubles as they are, because to look numbers up in a dictionary would
/// be most of the time.
pub(crate) fn coded(
    mut builder: WriterPropertiesBuilder,
    schema: &Schema,
) -> WriterPropertiesBuilder {
    for field in schema.fields() {
        let (column, ty) = (ColumnPath::from(field.name().as_str()), field.data_type());
        if ty.is_integer() || ty.is_temporal() {
            builder = builder.set_column_encoding(column.clone(), Encoding::DELTA_BINARY_PACKED);
        }
        if ty.is_primitive() {
            builder = builder.set_column_dictionary_enabled(column, false);
        }
    }
    builder
}
