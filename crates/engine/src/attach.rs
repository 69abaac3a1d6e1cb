//! How do the shop's files become a table whose every row knows where it came from?

use std::sync::Arc;

use datafusion::arrow::datatypes::{DataType, Field, Schema};
use datafusion::datasource::file_format::file_compression_type::FileCompressionType;
use datafusion::prelude::{CsvReadOptions, DataFrame, JsonReadOptions, ParquetReadOptions};
use datafusion::prelude::{SessionContext, col, lit};
use futures::{StreamExt, TryStreamExt};
use object_store::{ObjectMeta, ObjectStore, ObjectStoreExt};
use tercet_types::{Error, Result};

use crate::failure::{query_failure, store_failure};
use crate::{Engine, Location};

/// The column that holds the file a row came from.
pub const FILE_COLUMN: &str = "_source_file";

/// The column that holds the row's position in its file, from 1 (the header is not counted).
pub const ROW_COLUMN: &str = "_source_row";

/// The column that holds the file's place among the files of its source, from 0.
pub const FILE_NUMBER_COLUMN: &str = "_source_file_number";

/// All columns that say where a row came from.
pub const POSITION_COLUMNS: [&str; 3] = [FILE_COLUMN, FILE_NUMBER_COLUMN, ROW_COLUMN];

/// The most files one source may consist of.
const FILES_MAX: usize = 10_000;

/// The largest file whose content is fingerprinted; larger ones by size and the store's own tag.
const HASHED_BYTES_MAX: u64 = 256 << 20;

/// How a file is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FileFormat {
    /// Comma-separated values with a header; all columns are text.
    Csv {
        /// The separator.
        delimiter: u8,
        /// The quote.
        quote: u8,
    },
    /// Parquet.
    Parquet,
    /// One JSON object a line.
    JsonLines,
}

impl FileFormat {
    /// The format that a file name tells, looking through `.gz` and `.zst`.
    pub fn of_name(name: &str) -> Option<Self> {
        let name = name.trim_end_matches(".gz").trim_end_matches(".zst").to_lowercase();
        match name.rsplit('.').next()? {
            "csv" => Some(Self::Csv { delimiter: b',', quote: b'"' }),
            "tsv" => Some(Self::Csv { delimiter: b'\t', quote: b'"' }),
            "parquet" => Some(Self::Parquet),
            "jsonl" | "ndjson" | "json" => Some(Self::JsonLines),
            _ => None,
        }
    }
}

/// The files of one source: a file, a glob, or a folder (with Hive partitions `day=2017-01-01/`).
#[derive(Clone, Debug)]
pub struct FileSet {
    /// Where.
    pub location: Location,
    /// How they are written; by the file's name when not given.
    pub format: Option<FileFormat>,
}

/// A column of an attached table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ColumnInfo {
    /// The name, as the file has it.
    pub name: String,
    /// The type, as SQL calls it.
    pub ty: String,
}

impl ColumnInfo {
    pub(crate) fn of_schema(schema: &Schema) -> Vec<Self> {
        schema
            .fields()
            .iter()
            .map(|field| Self { name: field.name().clone(), ty: format!("{}", field.data_type()) })
            .collect()
    }
}

/// One input file and what identifies its content.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct InputFile {
    /// The path on this machine without the leading slash, or the whole URL.
    pub path: String,
    /// Size.
    pub bytes: u64,
    /// BLAKE3 of the content, or the store's tag for very large files.
    pub fingerprint: String,
}

/// What [`Engine::attach`] found.
#[derive(Clone, Debug)]
pub struct Attached {
    /// The columns of the table, without those of [`POSITION_COLUMNS`].
    pub columns: Vec<ColumnInfo>,
    /// The files, sorted by path.
    pub files: Vec<InputFile>,
}

impl Engine {
    /// Makes the files of a source readable as table `name`: all their columns by name (a column that
    /// a file lacks is null there), Hive partition columns as text, and [`POSITION_COLUMNS`].
    ///
    /// # Errors
    /// `T0906` when there is no such file, `T0913` when the format cannot be told, `T0914` for an
    /// empty file set or too many files, `T0905` for a damaged file, `T0903` for a store that does not
    /// answer, `T0915` for a missing bucket, `T0916` for a store that refuses, `T0917` without credentials.
    pub fn attach(&self, name: &str, set: &FileSet) -> Result<Attached> {
        let host = store_root(set);
        self.context.register_object_store(&host, self.object_store(&set.location)?);
        let files = self.input_files(set)?;
        let mut parts = Vec::with_capacity(files.len());
        for (number, file) in (0_i64..).zip(&files) {
            let path = &file.path;
            let format = set.format.or_else(|| FileFormat::of_name(path)).ok_or_else(|| {
                Error::config("T0913", format!("{path}: the format cannot be told from the name"))
                    .hint("set format = \"csv\", \"parquet\" or \"jsonl\" in the source's section")
            })?;
            let frame = self
                .runtime
                .block_on(read_file(&self.context, url_of(set, path).as_str(), path, format))
                .and_then(|frame| with_position(frame, path, number))
                .map_err(|failure| query_failure(path, failure))?;
            parts.push((frame, path.clone()));
        }
        let place = place_of(set);
        let table = union_by_name(parts).map_err(|failure| query_failure(&place, failure))?;
        let columns = ColumnInfo::of_schema(table.schema().as_arrow())
            .into_iter()
            .filter(|column| !POSITION_COLUMNS.contains(&column.name.as_str()))
            .collect();
        self.forget(name)?;
        self.context
            .register_table(name, table.into_view())
            .map_err(|failure| query_failure(name, failure))?;
        Ok(Attached { columns, files })
    }

    /// The files of a source with the fingerprints of their content, sorted by path.
    ///
    /// # Errors
    /// `T0906` when there is no such file, `T0914` for an empty file or too many files, `T0903` for a store
    /// that does not answer, `T0915` for a missing bucket, `T0916` for a store that refuses.
    pub fn input_files(&self, set: &FileSet) -> Result<Vec<InputFile>> {
        let store = self.object_store(&set.location)?;
        let place = place_of(set);
        let relative = set.location.url().path().trim_start_matches('/').to_owned();
        let metas =
            self.runtime.block_on(list(&store, &relative)).map_err(|f| store_failure(&place, f))?;
        if metas.is_empty() {
            return Err(Error::not_found("T0906", format!("{place}: there is no such file"))
                .hint("check the path; relative paths start at the folder of tercet.toml"));
        }
        if metas.len() > FILES_MAX {
            return Err(Error::data(
                "T0914",
                format!("{place}: {} files, more than {FILES_MAX}", metas.len()),
            )
            .hint("name a narrower glob, or join small files"));
        }
        if let Some(meta) = metas.iter().find(|meta| meta.size == 0) {
            let path = named(set, meta.location.as_ref());
            return Err(Error::data("T0914", format!("{path}: the file is empty"))
                .hint("write it again, or leave it out"));
        }
        let files = metas.into_iter().map(|meta| {
            let path = named(set, meta.location.as_ref());
            tokio::spawn(fingerprinted(Arc::clone(&store), meta, path))
        });
        let mut files = futures::stream::iter(files).buffered(self.threads());
        self.runtime.block_on(async {
            let mut found = Vec::new();
            while let Some(file) = files.next().await {
                let lost = |cause| Error::internal("T0918", "a file was lost").cause(cause);
                found.push(file.map_err(lost)??);
            }
            Ok(found)
        })
    }
}

/// A file with the fingerprint of its content.
async fn fingerprinted(
    store: Arc<dyn ObjectStore>,
    meta: ObjectMeta,
    path: String,
) -> Result<InputFile> {
    let fingerprint = if meta.size <= HASHED_BYTES_MAX {
        let bytes = async { store.get(&meta.location).await?.bytes().await };
        let bytes = bytes.await.map_err(|failure| store_failure(&path, failure))?;
        blake3::hash(&bytes).to_hex().to_string()
    } else {
        format!("{}-{:?}", meta.size, meta.e_tag)
    };
    Ok(InputFile { path, bytes: meta.size, fingerprint })
}

/// The root of the store that a source lies in.
fn store_root(set: &FileSet) -> url::Url {
    let mut root = set.location.url().clone();
    root.set_path("/");
    root
}

/// The place as the user wrote it, as far as it is known.
fn place_of(set: &FileSet) -> String {
    let local = set.location.local().map(|path| path.display().to_string());
    local.unwrap_or_else(|| set.location.url().to_string())
}

/// The name of a file of a source: in a bucket with the bucket before it.
fn named(set: &FileSet, path: &str) -> String {
    match set.location.local() {
        Some(_) => path.to_owned(),
        None => format!("{}{path}", store_root(set)),
    }
}

/// The URL of a file by its name, whatever characters that has.
fn url_of(set: &FileSet, name: &str) -> url::Url {
    let mut url = store_root(set);
    let path = name.strip_prefix(url.as_str()).unwrap_or(name).replace('%', "%25");
    url.set_path(&path);
    url
}

/// The longest end of a file's name that reads the same in a path and in a URL.
fn plain_end(name: &str) -> &str {
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-');
    let last = name.char_indices().rev().find(|(_, c)| !plain(*c));
    &name[last.map_or(0, |(at, c)| at + c.len_utf8())..]
}

/// The files that a path, a folder or a glob names, sorted by path; hidden and marker files left out.
async fn list(
    store: &Arc<dyn object_store::ObjectStore>,
    relative: &str,
) -> object_store::Result<Vec<object_store::ObjectMeta>> {
    let decoded = object_store::path::Path::from_url_path(relative)?;
    let pattern = decoded.as_ref();
    let is_glob = pattern.contains(['*', '?', '[']);
    if !is_glob && !relative.ends_with('/') {
        match store.head(&decoded).await {
            Ok(meta) => return Ok(vec![meta]),
            Err(object_store::Error::NotFound { .. }) => {}
            Err(failure) => return Err(failure),
        }
    }
    let fixed: Vec<&str> =
        pattern.split('/').take_while(|part| !is_glob || !part.contains(['*', '?', '['])).collect();
    let prefix: object_store::path::Path = fixed.iter().copied().collect();
    let glob = is_glob
        .then(|| glob::Pattern::new(pattern))
        .transpose()
        .map_err(|cause| object_store::Error::Generic { store: "glob", source: Box::new(cause) })?;
    let options = glob::MatchOptions { require_literal_separator: true, ..Default::default() };
    let mut found: Vec<_> = store.list(Some(&prefix)).try_collect().await?;
    found.retain(|meta| {
        let path = meta.location.as_ref();
        let name = path.rsplit('/').next().unwrap_or_default();
        !name.starts_with(['_', '.'])
            && glob.as_ref().is_none_or(|glob| glob.matches_with(path, options))
    });
    found.sort_by(|a, b| a.location.cmp(&b.location));
    Ok(found)
}

async fn read_file(
    context: &SessionContext,
    url: &str,
    path: &str,
    format: FileFormat,
) -> datafusion::error::Result<DataFrame> {
    let lower = path.to_lowercase();
    let compression = match lower.rsplit('.').next() {
        Some("gz") => FileCompressionType::GZIP,
        Some("zst") => FileCompressionType::ZSTD,
        _ => FileCompressionType::UNCOMPRESSED,
    };
    // The name is its own extension, so that any file name is accepted.
    let extension = plain_end(path.rsplit('/').next().unwrap_or_default());
    let frame = match format {
        FileFormat::Parquet => {
            let options = ParquetReadOptions::default().file_extension(extension);
            context.read_parquet(url, options).await?
        }
        FileFormat::JsonLines => {
            let options = JsonReadOptions::default()
                .file_extension(extension)
                .file_compression_type(compression);
            context.read_json(url, options).await?
        }
        FileFormat::Csv { delimiter, quote } => {
            let options = || {
                let mut options = CsvReadOptions::new()
                    .delimiter(delimiter)
                    .quote(quote)
                    .newlines_in_values(true)
                    .file_extension(extension)
                    .file_compression_type(compression);
                options.truncated_rows = true;
                options
            };
            // Every column is read as text: a cell of the wrong type is the contract's business.
            let header = context.read_csv(url, options().schema_infer_max_records(1)).await?;
            let schema = Schema::new(
                header
                    .schema()
                    .as_arrow()
                    .fields()
                    .iter()
                    .map(|field| Field::new(field.name(), DataType::Utf8, true))
                    .collect::<Vec<_>>(),
            );
            context.read_csv(url, options().schema(&schema)).await?
        }
    };
    Ok(frame)
}

/// Adds where a row came from, and the Hive partition values of the path.
fn with_position(
    frame: DataFrame,
    path: &str,
    number: i64,
) -> datafusion::error::Result<DataFrame> {
    let mut frame = frame;
    for part in path.split('/') {
        if let Some((key, value)) = part.split_once('=')
            && !key.is_empty()
            && !frame.schema().has_column_with_unqualified_name(key)
        {
            frame = frame.with_column(key, lit(value))?;
        }
    }
    let position = datafusion::functions_window::expr_fn::row_number();
    frame
        .with_column(FILE_COLUMN, lit(path))?
        .with_column(FILE_NUMBER_COLUMN, lit(number))?
        .with_column(ROW_COLUMN, position)
}

fn union_by_name(parts: Vec<(DataFrame, String)>) -> datafusion::error::Result<DataFrame> {
    let mut parts = parts.into_iter();
    let Some((mut table, _)) = parts.next() else {
        return Err(datafusion::error::DataFusionError::Plan("a source without files".into()));
    };
    for (part, path) in parts {
        table = table.union_by_name(part).map_err(|failure| {
            failure.context(format!("{path} does not fit the files before it"))
        })?;
    }
    let names: Vec<String> =
        table.schema().as_arrow().fields().iter().map(|field| field.name().clone()).collect();
    let columns = names
        .iter()
        .map(|name| col(datafusion::common::Column::from_name(name)))
        .collect::<Vec<_>>();
    table.select(columns)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::EngineOptions;

    #[test]
    fn a_file_may_have_any_name() {
        let folder = tempfile::tempdir().unwrap();
        let engine = Engine::new(EngineOptions::default()).unwrap();
        for name in
            ["plain.csv", "two words (1).csv", "Käufe +5.csv", "day=1, all (2).CSV", "a&b~.csv"]
        {
            std::fs::write(folder.path().join(name), "x\n1\n").unwrap();
            let location = Location::new(name, folder.path()).unwrap();
            let attached = engine.attach("t", &FileSet { location, format: None }).unwrap();
            assert!(attached.files[0].path.ends_with(name), "{:?}", attached.files);
            let rows = engine.query("select x from t", &Default::default()).unwrap();
            assert_eq!(rows.text("x").unwrap(), ["1"], "{name}");
        }
    }

    #[test]
    fn ends_of_names_that_need_no_escape() {
        let check = |name: &str, expect: &str| assert_eq!(plain_end(name), expect, "{name}");
        check("sales-1.csv.gz", "sales-1.csv.gz");
        check("sales (1).csv", ".csv");
        check("sales.csv é", "");
        check("é.csv", ".csv");
    }
}
