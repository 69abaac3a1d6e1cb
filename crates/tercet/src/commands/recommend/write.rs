//! How do ranked lists leave?

use tercet_engine::{Engine, Frame, Store};
use tercet_types::{Error, Result};

use super::ByArguments;
use crate::commands::Shared;
use crate::commands::uplift::file::Ending;
use crate::commands::uplift::table::{folder_of, location};
use crate::output::{Format, print, rows, thousands};

/// Lines of one file of a folder: so many are in memory at a time.
const PART_LINES: usize = 1 << 22;

/// Lists as they come: of whom, what, at which rank, with which score.
pub(super) struct Lists {
    /// What the first two columns are called.
    columns: [&'static str; 2],
    place: Place,
    format: Format,
    of: Vec<String>,
    ranks: Vec<i32>,
    found: Vec<String>,
    names: Vec<Option<String>>,
    scores: Vec<f64>,
    parts: usize,
    written: usize,
}

/// Where lists go.
enum Place {
    Printed,
    File(Store, String, Ending),
    /// A folder of Parquet files, for more lists than memory should hold.
    Folder(Store),
}

impl Lists {
    /// Lists for a place that was asked for; those of everybody are not printed.
    ///
    /// # Errors
    /// `T1088` when lists of everybody have no place, `T1068` for a place that is no kind of table.
    pub(super) fn new(
        engine: &Engine,
        by: &ByArguments,
        columns: [&'static str; 2],
        of_everybody: bool,
    ) -> Result<Self> {
        let place = match by.out.as_deref() {
            None if of_everybody => {
                return Err(Error::config("T1088", "lists of everybody are not printed").hint(
                    "say where they go with --out FILE.csv, FILE.parquet or FOLDER/, or name some",
                ));
            }
            None => Place::Printed,
            Some(folder) if folder.ends_with('/') => {
                Place::Folder(engine.store(&location(folder)?)?)
            }
            Some(file) => {
                let ending = Ending::of(file)?;
                let (store, name) = folder_of(engine, file)?;
                Place::File(store, name, ending)
            }
        };
        Ok(Self {
            columns,
            place,
            format: by.format,
            of: Vec::new(),
            ranks: Vec::new(),
            found: Vec::new(),
            names: Vec::new(),
            scores: Vec::new(),
            parts: 0,
            written: 0,
        })
    }

    /// Adds a line.
    pub(super) fn add(
        &mut self,
        of: &str,
        rank: i32,
        found: &str,
        name: Option<&str>,
        score: f64,
    ) -> Result<()> {
        self.of.push(of.to_owned());
        self.ranks.push(rank);
        self.found.push(found.to_owned());
        self.names.push(name.map(str::to_owned));
        self.scores.push(score);
        self.written += 1;
        if matches!(self.place, Place::Folder(_)) && self.of.len() >= PART_LINES {
            self.put_part()?;
        }
        Ok(())
    }

    /// Writes what is left.
    pub(super) fn finish(mut self, shared: &Shared) -> Result<()> {
        match &self.place {
            Place::Printed => {
                let (header, lines) = self.texts();
                print(rows(self.format, &header, &lines))?;
            }
            Place::File(store, name, Ending::Csv) => {
                let (header, lines) = self.texts();
                store.put(name, (rows(Format::Csv, &header, &lines) + "\n").into_bytes())?;
            }
            Place::File(..) => {
                let frame = self.frame()?;
                if let Place::File(store, name, _) = &self.place {
                    store.put_table(name, &frame)?;
                }
            }
            Place::Folder(_) => self.put_part()?,
        }
        if !matches!(self.place, Place::Printed) {
            shared.progress().say(&format!("{} lines written", thousands(self.written)));
        }
        Ok(())
    }

    fn has_names(&self) -> bool {
        self.names.iter().any(Option::is_some)
    }

    /// The columns as texts, for people and CSV.
    fn texts(&self) -> (Vec<&'static str>, Vec<Vec<String>>) {
        let has_names = self.has_names();
        let mut header = vec![self.columns[0], "rank", self.columns[1]];
        header.extend(has_names.then_some("name"));
        header.push("score");
        let line = |at: usize| {
            let mut line =
                vec![self.of[at].clone(), self.ranks[at].to_string(), self.found[at].clone()];
            line.extend(has_names.then(|| self.names[at].clone().unwrap_or_default()));
            let score = self.scores[at];
            line.push(match self.format {
                Format::Table => format!("{score:.4}"),
                _ => score.to_string(),
            });
            line
        };
        (header, (0..self.of.len()).map(line).collect())
    }

    /// The lines as a table, leaving none.
    fn frame(&mut self) -> Result<Frame> {
        let has_names = self.has_names();
        let mut columns = vec![
            (self.columns[0], std::mem::take(&mut self.of).into()),
            ("rank", std::mem::take(&mut self.ranks).into()),
            (self.columns[1], std::mem::take(&mut self.found).into()),
        ];
        let names = std::mem::take(&mut self.names);
        columns.extend(has_names.then(|| ("name", names.into())));
        columns.push(("score", std::mem::take(&mut self.scores).into()));
        Frame::of(columns)
    }

    fn put_part(&mut self) -> Result<()> {
        if self.of.is_empty() {
            return Ok(());
        }
        let frame = self.frame()?;
        if let Place::Folder(store) = &self.place {
            store.put_table(&format!("part-{:05}.parquet", self.parts), &frame)?;
        }
        self.parts += 1;
        Ok(())
    }
}
