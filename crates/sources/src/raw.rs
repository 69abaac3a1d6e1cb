//! How do a source's files or query become one raw table whose rows have numbers?

use std::collections::{BTreeMap, BTreeSet};

use tercet_engine::{
    ColumnInfo, Engine, FILE_COLUMN, FILE_NUMBER_COLUMN, FileSet, InputFile, Location,
    POSITION_COLUMNS, ROW_COLUMN,
};
use tercet_types::{Error, Result};

use crate::expression::{ident, literal};
use crate::spec::{InputSpec, SourceSpec, Sources};

/// Row numbers are `source × 2⁵² + file × 2³⁸ + row`: unique in a table, in source order.
const SOURCE_STEP: i64 = 1 << 52;
const FILE_STEP: i64 = 1 << 38;

/// The most sources of a project.
const SOURCES_MAX: usize = 1_000;

/// One source, readable as a table of the engine.
#[derive(Clone, Debug)]
pub(crate) struct Raw {
    /// Its name in messages.
    pub label: String,
    /// What stands behind `from`.
    pub from: String,
    /// SQL that numbers its rows.
    pub number: String,
    /// SQL of the file a row came from.
    pub file: String,
    /// SQL of the row in that file.
    pub row: String,
    /// Its columns, without positions.
    pub columns: Vec<ColumnInfo>,
    /// The paths of its files; none for a query.
    pub files: Vec<String>,
}

impl Raw {
    /// The same source, read from a table that has the numbers of its rows in column `number`. File and row
    /// follow from it, unless they come from a query: then they are columns, too.
    pub(crate) fn of_numbers(self, from: String, number: &str) -> Self {
        if self.files.is_empty() {
            let (file, row) = (FILE_COLUMN.to_owned(), ROW_COLUMN.to_owned());
            return Self { from, number: number.to_owned(), file, row, ..self };
        }
        let cases: String = (0_i64..)
            .zip(&self.files)
            .map(|(file, path)| format!(" when {file} then {}", literal(path)))
            .collect();
        let in_source = format!("{number} % {SOURCE_STEP}");
        Self {
            from,
            number: number.to_owned(),
            file: format!("case ({in_source}) / {FILE_STEP}{cases} end"),
            row: format!("{number} % {FILE_STEP}"),
            ..self
        }
    }

    pub(crate) fn names(&self) -> BTreeSet<String> {
        self.columns.iter().map(|column| column.name.clone()).collect()
    }
}

/// The engine's name of source number `index`.
pub(crate) fn table_of(index: usize) -> String {
    format!("_raw_{index}")
}

fn attach(
    engine: &Engine,
    sources: &Sources,
    name: &str,
    input: &InputSpec,
) -> Result<tercet_engine::Attached> {
    let location = Location::new(&input.path, &sources.base)?;
    engine.attach(name, &FileSet { location, format: input.file_format()? })
}

/// Makes the named inputs of the queries readable; returns their files and columns.
pub(crate) fn attach_inputs(
    engine: &Engine,
    sources: &Sources,
    files: &mut Vec<InputFile>,
) -> Result<BTreeMap<String, Vec<String>>> {
    let mut columns = BTreeMap::new();
    for (name, input) in &sources.inputs {
        let attached = attach(engine, sources, name, input)
            .map_err(|error| error.context(format!("[inputs.{name}]")))?;
        files.extend(attached.files);
        columns.insert(
            format!("input {name}"),
            attached.columns.into_iter().map(|column| column.name).collect(),
        );
    }
    Ok(columns)
}

/// Makes source number `index` readable; the rows of a query are kept in memory or worked out anew.
pub(crate) fn open(
    engine: &Engine,
    sources: &Sources,
    index: usize,
    spec: &SourceSpec,
    files: &mut Vec<InputFile>,
    keep: bool,
) -> Result<Raw> {
    if index >= SOURCES_MAX {
        return Err(Error::config("T0201", format!("more than {SOURCES_MAX} sources")));
    }
    let label = spec.label();
    let base = index as i64 * SOURCE_STEP;
    match (&spec.path, &spec.query) {
        (Some(path), None) => open_files(engine, sources, base, index, spec, path, files)
            .map_err(|e| e.context(&spec.table)),
        (None, Some(query)) => open_query(engine, base, index, &label, query, keep),
        _ => Err(Error::config("T0201", format!("{label}: give either 'path' or 'query'")).hint(
            "path = \"data/sales.csv\" reads files; query = \"select …\" reads named [inputs]",
        )),
    }
}

fn open_files(
    engine: &Engine,
    sources: &Sources,
    base: i64,
    index: usize,
    spec: &SourceSpec,
    path: &str,
    files: &mut Vec<InputFile>,
) -> Result<Raw> {
    let table = table_of(index);
    let attached = attach(engine, sources, &table, &spec.input(path))?;
    let paths = attached.files.iter().map(|file| file.path.clone()).collect();
    files.extend(attached.files);
    Ok(Raw {
        label: spec.label(),
        from: ident(&table),
        number: format!(
            "{base} + {FILE_STEP} * {FILE_NUMBER_COLUMN} + cast({ROW_COLUMN} as bigint)"
        ),
        file: FILE_COLUMN.to_owned(),
        row: format!("cast({ROW_COLUMN} as bigint)"),
        columns: attached.columns,
        files: paths,
    })
}

/// A query's rows are numbered in the order of all their columns, so that equal inputs give equal numbers.
fn open_query(
    engine: &Engine,
    base: i64,
    index: usize,
    label: &str,
    query: &str,
    keep: bool,
) -> Result<Raw> {
    let query = query.trim().trim_end_matches(';');
    let none = BTreeMap::new();
    let fail = |error: Error| error.context(label);
    let sample =
        engine.query(&format!("select * from (\n{query}\n) limit 0"), &none).map_err(fail)?;
    let names = sample.columns();
    let by: Vec<String> = names.iter().map(|name| ident(name)).collect();
    let table = table_of(index);
    let sql = format!(
        "select *, row_number() over (order by {}) as _query_row from (\n{query}\n)",
        by.join(", ")
    );
    if keep {
        engine.create(&table, &sql, &none).map_err(fail)?;
    } else {
        engine.register(&table, &sample)?;
    }
    let given =
        names.iter().any(|name| name == FILE_COLUMN) && names.iter().any(|name| name == ROW_COLUMN);
    let columns = engine
        .columns(&table)?
        .into_iter()
        .filter(|column| {
            column.name != "_query_row" && !POSITION_COLUMNS.contains(&column.name.as_str())
        })
        .collect();
    let (file, row) = if given {
        (FILE_COLUMN.to_owned(), format!("cast({ROW_COLUMN} as bigint)"))
    } else {
        ("'query'".to_owned(), "cast(_query_row as bigint)".to_owned())
    };
    Ok(Raw {
        label: label.to_owned(),
        from: if keep { ident(&table) } else { format!("(\n{sql}\n)") },
        number: format!("{base} + cast(_query_row as bigint)"),
        file,
        row,
        columns,
        files: Vec::new(),
    })
}
