//! How is any table read, whatever its columns are called?

use std::ops::{ControlFlow, Range};

use tercet_engine::{Engine, EngineOptions, FileSet, Frame, Location, Store};
use tercet_types::{Date, Error, Result};

use crate::config::{Environment, store_options};

/// The engine's name of the table.
const TABLE: &str = "uplift_table";

/// A table whose cells are texts; a cell without text is missing.
pub(in crate::commands) struct Table {
    frame: Frame,
    columns: Vec<String>,
    place: String,
    /// The places of its rows in the file, where some were left out.
    kept: Option<Vec<usize>>,
    /// The rows before it, where it is a piece of a larger table.
    before: Option<usize>,
}

/// A table that may be larger than memory: its rows are looked at piece by piece.
pub(in crate::commands) struct Pieces<'a> {
    engine: &'a Engine,
    /// The engine's name of the table.
    name: &'static str,
    head: Table,
}

/// An engine without a project.
pub(in crate::commands) fn engine(environment: &Environment) -> Result<Engine> {
    let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    Engine::new(EngineOptions {
        threads: cores,
        store_options: store_options(environment),
        ..EngineOptions::default()
    })
}

/// The place that somebody typed: a URL, or a path from the current folder.
pub(in crate::commands) fn location(text: &str) -> Result<Location> {
    let here = std::env::current_dir().map_err(|cause| {
        Error::unavailable("T1008", "the current folder cannot be read").cause(cause)
    })?;
    Location::new(text, &here)
}

/// The store of the folder that a file is in, and the file's name there.
pub(in crate::commands) fn folder_of(engine: &Engine, file: &str) -> Result<(Store, String)> {
    let (folder, name) = file.rsplit_once('/').unwrap_or((".", file));
    let folder = if folder.is_empty() { "/" } else { folder };
    if name.is_empty() {
        return Err(Error::config("T1060", format!("'{file}' is a folder, not a file"))
            .hint("name the file itself, such as model.json"));
    }
    Ok((engine.store(&location(folder)?)?, name.to_owned()))
}

/// What a failure says of a place that somebody typed: it is no project's.
pub(in crate::commands) fn typed(error: Error) -> Error {
    match error.code() {
        "T0906" => error.hint("check the path; relative paths start at the folder you are in"),
        "T0913" => error.hint("name it .csv, .parquet or .jsonl, after what it holds"),
        _ => error,
    }
}

impl Table {
    /// Reads files: CSV, JSON Lines or Parquet, one, a folder of them or a glob, on any store.
    ///
    /// # Errors
    /// `T1072` for a table without rows; those of [`Engine::attach`].
    pub(in crate::commands) fn read(engine: &Engine, place: &str) -> Result<Self> {
        let attached = engine
            .attach(TABLE, &FileSet { location: location(place)?, format: None })
            .map_err(typed)?;
        let columns = attached.columns.into_iter().map(|column| column.name).collect();
        let frame = engine.table(TABLE)?;
        if frame.rows() == 0 {
            return Err(without_rows(place));
        }
        Ok(Self { frame, columns, place: place.to_owned(), kept: None, before: None })
    }

    /// The names of its columns.
    pub(in crate::commands) fn columns(&self) -> &[String] {
        &self.columns
    }

    pub(in crate::commands) fn rows(&self) -> usize {
        self.frame.rows()
    }

    /// The rows whose flag is set.
    pub(in crate::commands) fn filter(self, keep: &[bool]) -> Result<Self> {
        let kept = (0..self.rows()).filter(|row| keep[*row]).map(|row| self.row(row) - 1);
        let kept = Some(kept.collect());
        Ok(Self { frame: self.frame.filter(keep)?, kept, ..self })
    }

    /// The number of a row in the file, from 1: for whoever must find it there.
    pub(in crate::commands) fn row(&self, row: usize) -> usize {
        self.before.unwrap_or(0) + self.kept.as_ref().map_or(row, |kept| kept[row]) + 1
    }

    /// The cells of a column.
    ///
    /// # Errors
    /// `T1061` when there is no such column.
    pub(in crate::commands) fn cells(&self, name: &str) -> Result<Vec<Option<String>>> {
        if !self.columns.iter().any(|column| column == name) {
            let likeness = |column: &&String| strsim::jaro_winkler(name, column);
            let nearest = self.columns.iter().max_by(|a, b| likeness(a).total_cmp(&likeness(b)));
            let error =
                Error::data("T1061", format!("{}: there is no column '{name}'", self.place));
            return Err(match nearest {
                Some(nearest) => error.hint(format!(
                    "did you mean '{nearest}'? There are: {}",
                    self.columns.join(", ")
                )),
                None => error.hint("give a table with a header"),
            });
        }
        let cells = self.frame.text_or_null(name)?;
        let told = |cell: String| {
            let text = cell.trim();
            match text.len() {
                0 => None,
                length if length == cell.len() => Some(cell),
                _ => Some(text.to_owned()),
            }
        };
        Ok(cells.into_iter().map(|cell| cell.and_then(told)).collect())
    }

    /// The cells of a column that must be numbers; truth values are 1 and 0.
    ///
    /// # Errors
    /// `T1062` naming the first row that is missing or not a number, and how many are.
    pub(in crate::commands) fn numbers(&self, name: &str) -> Result<Vec<f64>> {
        let cells = self.cells(name)?;
        let numbers: Vec<Option<f64>> =
            cells.iter().map(|cell| cell.as_deref().and_then(number)).collect();
        let Some(row) = numbers.iter().position(Option::is_none) else {
            return Ok(numbers.into_iter().flatten().collect());
        };
        let shown = cells[row].as_deref().unwrap_or("nothing");
        let row = self.row(row);
        // Of a piece nobody knows how many more there are.
        let error = match self.before {
            Some(_) => Error::data(
                "T1062",
                format!("column '{name}': row {row} holds {shown}, which is no number"),
            ),
            None => {
                let count = numbers.iter().filter(|number| number.is_none()).count();
                Error::data(
                    "T1062",
                    format!(
                        "column '{name}': {count} rows hold no number; row {row} holds {shown}"
                    ),
                )
            }
        };
        Err(error.hint("leave these rows out, or write 0 where nothing happened"))
    }
}

impl<'a> Pieces<'a> {
    /// Looks at the beginning of files as [`Table::read`] takes them; `name` is what the engine calls the table.
    ///
    /// # Errors
    /// `T1072` for a table without rows; those of [`Engine::attach`].
    pub(in crate::commands) fn open(
        engine: &'a Engine,
        name: &'static str,
        place: &str,
    ) -> Result<Self> {
        let set = FileSet { location: location(place)?, format: None };
        let attached = engine.attach(name, &set).map_err(typed)?;
        let columns: Vec<String> = attached.columns.into_iter().map(|column| column.name).collect();
        let names: Vec<&str> = columns.iter().map(String::as_str).collect();
        let mut first = None;
        engine.pieces(name, &names, |frame| {
            first = (frame.rows() > 0).then_some(frame);
            Ok(if first.is_some() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) })
        })?;
        let Some(frame) = first else { return Err(without_rows(place)) };
        let place = place.to_owned();
        let head = Table { frame, columns, place, kept: None, before: Some(0) };
        Ok(Self { engine, name, head })
    }

    /// Its first rows.
    pub(in crate::commands) const fn head(&self) -> &Table {
        &self.head
    }

    /// Hands all rows over in order, with these columns alone.
    ///
    /// # Errors
    /// Those of reading, and of `take`.
    pub(in crate::commands) fn each(
        &self,
        columns: &[&String],
        mut take: impl FnMut(&Table) -> Result<()>,
    ) -> Result<()> {
        let mut names: Vec<&str> = columns.iter().map(|name| name.as_str()).collect();
        names.sort_unstable();
        names.dedup();
        let mut before = 0;
        self.engine.pieces(self.name, &names, |frame| {
            let rows = frame.rows();
            take(&Table {
                frame,
                columns: names.iter().map(|name| (*name).to_owned()).collect(),
                place: self.head.place.clone(),
                kept: None,
                before: Some(before),
            })?;
            before += rows;
            Ok(ControlFlow::Continue(()))
        })
    }
}

fn without_rows(place: &str) -> Error {
    Error::data("T1072", format!("{place}: the table has no rows"))
        .hint("look at how it was written: at most its header is there")
}

/// The day of a cell: `2017-09-04`, also with a time behind it, or `20170904`.
pub(in crate::commands) fn day(cell: &str) -> Option<Date> {
    if cell.len() == 8 && cell.bytes().all(|byte| byte.is_ascii_digit()) {
        let number = |range: Range<usize>| cell.get(range)?.parse().ok();
        let year = cell.get(..4)?.parse().ok()?;
        return Date::from_civil(year, number(4..6)?, number(6..8)?);
    }
    let rest = cell.get(10..)?;
    let is_time = rest.is_empty() || rest.starts_with([' ', 'T']);
    cell.get(..10).filter(|_| is_time)?.parse().ok()
}

/// What a cell says as a number; `None` when it is none.
pub(in crate::commands) fn number(cell: &str) -> Option<f64> {
    match cell.to_ascii_lowercase().as_str() {
        "true" | "yes" => Some(1.0),
        "false" | "no" => Some(0.0),
        text => text.parse().ok().filter(|number: &f64| number.is_finite()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_are_read_in_two_ways() {
        let check = |cell: &str, expect: Option<&str>| {
            let found = day(cell).map(|day| day.to_string());
            assert_eq!(found.as_deref(), expect, "{cell}");
        };
        check("2017-09-04", Some("2017-09-04"));
        check("2017-09-04T23:59:59Z", Some("2017-09-04"));
        check("2017-09-04 23:59", Some("2017-09-04"));
        check("19970101", Some("1997-01-01"));
        check("19971301", None);
        check("2017-09-044", None);
        check("04.09.2017", None);
        check("1997", None);
        check("17–09–04", None);
    }
}
