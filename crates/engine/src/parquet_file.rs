//! How does a frame become the bytes of a Parquet file, the same bytes each time?

use datafusion::parquet::arrow::ArrowWriter;
use datafusion::parquet::basic::{Compression, ZstdLevel};
use datafusion::parquet::file::properties::WriterProperties;
use tercet_types::{Error, Result};

use crate::Frame;

/// Zstandard level of all tables: small files at little cost.
const ZSTD_LEVEL: i32 = 3;

/// Rows in a row group: a reader can skip or split at this grain.
const ROW_GROUP_ROWS: usize = 1 << 20;

/// The Parquet bytes of `frame`: one writer, one order, no time stamps, hence equal for equal frames.
pub(crate) fn to_parquet(frame: &Frame) -> Result<Vec<u8>> {
    let fail = |cause: datafusion::parquet::errors::ParquetError| {
        Error::internal("T0911", "a table could not be written as parquet").cause(cause)
    };
    let level = ZstdLevel::try_new(ZSTD_LEVEL).map_err(fail)?;
    let properties = WriterProperties::builder()
        .set_compression(Compression::ZSTD(level))
        .set_max_row_group_row_count(Some(ROW_GROUP_ROWS))
        .set_created_by("tercet".to_owned())
        .build();
    let mut bytes = Vec::new();
    let mut writer =
        ArrowWriter::try_new(&mut bytes, frame.batch().schema(), Some(properties)).map_err(fail)?;
    writer.write(frame.batch()).map_err(fail)?;
    writer.close().map_err(fail)?;
    Ok(bytes)
}
