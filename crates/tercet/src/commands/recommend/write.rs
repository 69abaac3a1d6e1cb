//! How do ranked lists leave?

use tercet_engine::{FileWriter, RawColumn, Store, TableWriter};
use tercet_types::{Error, Result};

use super::ByArguments;
use super::known::Known;
use crate::commands::Shared;
use crate::commands::uplift::file::Ending;
use crate::commands::uplift::table::{folder_of, location};
use crate::output::{Format, csv_line, print, rows, thousands};

/// Lines that are in memory at a time.
const PIECE_LINES: usize = 1 << 16;

/// Lines of one file of a folder.
const PART_LINES: usize = 1 << 22;

/// What the names of a folder's files begin with.
const PART: &str = "part-";

/// Lists as they come: of whom, what, at which rank, with which score.
pub(super) struct Lists {
    /// What the first two columns are called.
    columns: [&'static str; 2],
    /// Whether products have names.
    has_names: bool,
    place: Place,
    format: Format,
    /// What is not written yet.
    piece: Piece,
    written: usize,
}

/// Lines by columns.
#[derive(Default)]
struct Piece {
    of: Vec<String>,
    ranks: Vec<i32>,
    found: Vec<String>,
    names: Vec<Option<String>>,
    scores: Vec<f64>,
}

/// Where lists go.
enum Place {
    Printed,
    Csv(FileWriter),
    Parquet(TableWriter),
    /// A folder of Parquet files, and the one that is written.
    Folder(Store, Option<TableWriter>),
}

impl Lists {
    /// Lists for a place that was asked for; those of everybody are not printed.
    ///
    /// # Errors
    /// `T1088` when lists of everybody have no place, `T1068` for a place that is no kind of table, `T1089` (conflict)
    /// for a folder that holds parts already.
    pub(super) fn new(
        known: &Known,
        by: &ByArguments,
        columns: [&'static str; 2],
        of_everybody: bool,
    ) -> Result<Self> {
        let engine = known.engine();
        let mut lists = Self {
            columns,
            has_names: known.has_names(),
            place: Place::Printed,
            format: by.format,
            piece: Piece::default(),
            written: 0,
        };
        lists.place = match by.out.as_deref() {
            None if of_everybody => {
                return Err(Error::config("T1088", "lists of everybody are not printed").hint(
                    "say where they go with --out FILE.csv, FILE.parquet or FOLDER/, or name some",
                ));
            }
            None => Place::Printed,
            Some(folder) if folder.ends_with('/') => {
                let store = engine.store(&location(folder)?)?;
                without_parts(&store)?;
                Place::Folder(store, None)
            }
            Some(file) => {
                let ending = Ending::of(file)?;
                let (store, name) = folder_of(engine, file)?;
                match ending {
                    Ending::Csv => {
                        let mut writer = store.file_writer(&name);
                        writer.write(csv_line(&lists.header()).as_bytes())?;
                        Place::Csv(writer)
                    }
                    Ending::Parquet => Place::Parquet(store.table_writer(&name)),
                }
            }
        };
        Ok(lists)
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
        self.piece.of.push(of.to_owned());
        self.piece.ranks.push(rank);
        self.piece.found.push(found.to_owned());
        self.piece.names.push(name.map(str::to_owned));
        self.piece.scores.push(score);
        self.written += 1;
        let is_full = self.piece.of.len() >= PIECE_LINES && !matches!(self.place, Place::Printed);
        if is_full { self.put() } else { Ok(()) }
    }

    /// Writes what is left.
    pub(super) fn finish(mut self, shared: &Shared) -> Result<()> {
        if matches!(self.place, Place::Printed) {
            return print(rows(self.format, &self.header(), &self.texts()));
        }
        self.put()?;
        match self.place {
            Place::Csv(writer) => _ = writer.finish()?,
            Place::Parquet(writer) | Place::Folder(_, Some(writer)) => _ = writer.finish()?,
            Place::Printed | Place::Folder(_, None) => (),
        }
        shared.progress().say(&format!("{} lines written", thousands(self.written)));
        Ok(())
    }

    fn header(&self) -> Vec<&'static str> {
        let mut header = vec![self.columns[0], "rank", self.columns[1]];
        header.extend(self.has_names.then_some("name"));
        header.push("score");
        header
    }

    /// The lines as texts, for people and CSV.
    fn texts(&self) -> Vec<Vec<String>> {
        let piece = &self.piece;
        let line = |at: usize| {
            let mut line =
                vec![piece.of[at].clone(), piece.ranks[at].to_string(), piece.found[at].clone()];
            line.extend(self.has_names.then(|| piece.names[at].clone().unwrap_or_default()));
            let score = piece.scores[at];
            line.push(match (&self.place, self.format) {
                (Place::Printed, Format::Table) => format!("{score:.4}"),
                _ => score.to_string(),
            });
            line
        };
        (0..piece.of.len()).map(line).collect()
    }

    /// Writes the lines that wait.
    fn put(&mut self) -> Result<()> {
        let texts = if matches!(self.place, Place::Csv(_)) { self.texts() } else { Vec::new() };
        let piece = std::mem::take(&mut self.piece);
        let is_empty = piece.of.is_empty();
        let mut columns = vec![
            (self.columns[0], RawColumn::Text(piece.of)),
            ("rank", RawColumn::I32(piece.ranks)),
            (self.columns[1], RawColumn::Text(piece.found)),
        ];
        columns.extend(self.has_names.then_some(("name", RawColumn::TextOrNull(piece.names))));
        columns.push(("score", RawColumn::F64(piece.scores)));
        match &mut self.place {
            Place::Csv(writer) => {
                writer.write(texts.iter().map(|line| csv_line(line)).collect::<String>().as_bytes())
            }
            Place::Parquet(writer) => writer.write(columns),
            Place::Folder(store, writer) if !is_empty => {
                let part = (self.written - 1) / PART_LINES;
                let begin = || store.table_writer(&format!("{PART}{part:05}.parquet"));
                writer.get_or_insert_with(begin).write(columns)?;
                // Pieces fill a part exactly.
                match writer.take_if(|_| self.written.is_multiple_of(PART_LINES)) {
                    Some(full) => full.finish().map(|_| ()),
                    None => Ok(()),
                }
            }
            _ => Ok(()),
        }
    }
}

/// Refuses a folder with parts of other lists: whoever reads the folder would read these too.
fn without_parts(store: &Store) -> Result<()> {
    match store.files("")?.iter().find(|name| name.starts_with(PART)) {
        None => Ok(()),
        Some(part) => {
            let place = store.place_of(part);
            Err(Error::conflict("T1089", format!("{place}: lists are already there"))
                .hint("name another folder, or delete the part-* files of this one"))
        }
    }
}
