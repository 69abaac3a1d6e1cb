//! How is any table read, whatever its columns are called?

use tercet_engine::{Engine, EngineOptions, FileSet, Frame, Location, Store};
use tercet_types::{Error, Result};

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
            return Err(Error::data("T1072", format!("{place}: the table has no rows"))
                .hint("look at how it was written: at most its header is there"));
        }
        Ok(Self { frame, columns, place: place.to_owned(), kept: None })
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
        self.kept.as_ref().map_or(row, |kept| kept[row]) + 1
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
            (!text.is_empty()).then(|| text.to_owned())
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
        let count = numbers.iter().filter(|number| number.is_none()).count();
        let shown = cells[row].as_deref().unwrap_or("nothing");
        Err(Error::data(
            "T1062",
            format!(
                "column '{name}': {count} rows hold no number; row {} holds {shown}",
                self.row(row)
            ),
        )
        .hint("leave these rows out, or write 0 where nothing happened"))
    }
}

/// What a cell says as a number; `None` when it is none.
pub(in crate::commands) fn number(cell: &str) -> Option<f64> {
    match cell.to_ascii_lowercase().as_str() {
        "true" | "yes" => Some(1.0),
        "false" | "no" => Some(0.0),
        text => text.parse().ok().filter(|number: &f64| number.is_finite()),
    }
}
