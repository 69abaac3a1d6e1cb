//! Where do the shop's tables lie, and how are its columns called?

use std::collections::BTreeMap;
use std::path::PathBuf;

use tercet_engine::FileFormat;
use tercet_types::{Error, Result};

use crate::options::{ContractOptions, PrepareOptions};

/// How a file is written, as the configuration calls it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Format {
    /// Separated values with a header.
    Csv,
    /// Parquet.
    Parquet,
    /// One JSON object a line.
    Jsonl,
}

/// Files that a `query` reads under a name of their own.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct InputSpec {
    /// A file, a glob or a folder; a path that starts at the project's folder, or a URL.
    pub path: String,
    /// How the files are written; by their names when not given.
    pub format: Option<Format>,
    /// The separator of CSV files; a comma when not given (a tab for `.tsv`).
    pub delimiter: Option<char>,
    /// The quote of CSV files; `"` when not given.
    pub quote: Option<char>,
}

/// One source of a canonical table: files or a query, and what their columns mean.
///
/// A canonical column that `columns` does not name is taken from a source column of that very name, or
/// from a well-known alias (see the crate's page). Names in `columns` that are not canonical become extra
/// columns of the table. Several sources of one table are put one below the other.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SourceSpec {
    /// The canonical table, for example `transactions`; the section's own name when empty.
    pub table: String,
    /// A file, a glob or a folder. Either this or `query`.
    pub path: Option<String>,
    /// A SELECT over the named inputs. Either this or `path`.
    pub query: Option<String>,
    /// How the files are written; by their names when not given.
    pub format: Option<Format>,
    /// The separator of CSV files; a comma when not given (a tab for `.tsv`).
    pub delimiter: Option<char>,
    /// The quote of CSV files; `"` when not given.
    pub quote: Option<char>,
    /// Canonical or extra column → SQL expression over the source's columns.
    pub columns: BTreeMap<String, String>,
    /// A predicate over the source's columns; rows that do not meet it are not read (they are counted).
    #[serde(rename = "where")]
    pub filter: Option<String>,
}

/// Everything [`crate::check`] and [`crate::load`] need to know.
#[derive(Clone, Debug)]
pub struct Sources {
    /// The absolute folder that relative paths start at.
    pub base: PathBuf,
    /// The sources. Order matters for duplicate keys: the first row wins.
    pub specs: Vec<SourceSpec>,
    /// Named raw inputs of the queries.
    pub inputs: BTreeMap<String, InputSpec>,
    /// The project's time zone, an IANA name; timestamps with a zone become its wall time.
    pub time_zone: String,
    /// What is checked, and what happens to rows that fail.
    pub contract: ContractOptions,
    /// What is done to rows before they are used.
    pub prepare: PrepareOptions,
    /// The key of the pseudonyms; ids stay as they are when not given.
    pub pseudonym_key: Option<[u8; 32]>,
    /// Per source (see [`crate::Loaded::columns_seen`]) the columns of the previous run.
    pub previous_columns: BTreeMap<String, Vec<String>>,
}

impl Default for Sources {
    fn default() -> Self {
        Self {
            base: PathBuf::from("/"),
            specs: Vec::new(),
            inputs: BTreeMap::new(),
            time_zone: "UTC".to_owned(),
            contract: ContractOptions::default(),
            prepare: PrepareOptions::default(),
            pseudonym_key: None,
            previous_columns: BTreeMap::new(),
        }
    }
}

impl SourceSpec {
    /// The name of the source in messages and in [`crate::Loaded::columns_seen`]: table and path.
    pub fn label(&self) -> String {
        match (&self.path, &self.query) {
            (Some(path), _) => format!("{} ({path})", self.table),
            (None, _) => format!("{} (query)", self.table),
        }
    }

    pub(crate) fn input(&self, path: &str) -> InputSpec {
        InputSpec {
            path: path.to_owned(),
            format: self.format,
            delimiter: self.delimiter,
            quote: self.quote,
        }
    }
}

impl InputSpec {
    /// The engine's format, or `None` when the file names tell it.
    pub(crate) fn file_format(&self) -> Result<Option<FileFormat>> {
        let byte = |what: &str, sign: Option<char>, default: u8| match sign {
            None => Ok(default),
            Some(sign) if sign.is_ascii() => Ok(sign as u8),
            Some(sign) => Err(Error::config(
                "T0201",
                format!("{}: {what} '{sign}' is not a single ASCII character", self.path),
            )),
        };
        let signs = self.delimiter.is_some() || self.quote.is_some();
        Ok(match self.format {
            Some(Format::Parquet) => Some(FileFormat::Parquet),
            Some(Format::Jsonl) => Some(FileFormat::JsonLines),
            None if !signs => None,
            Some(Format::Csv) | None => {
                let tabs = self.path.contains(".tsv");
                Some(FileFormat::Csv {
                    delimiter: byte("delimiter", self.delimiter, if tabs { b'\t' } else { b',' })?,
                    quote: byte("quote", self.quote, b'"')?,
                })
            }
        })
    }
}
