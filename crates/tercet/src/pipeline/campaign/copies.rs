//! Where does an engine's copy of a simulated shop stand?

use std::path::Path;

use tercet_engine::{Engine, EngineOptions, Location, Store, TableWriter};
use tercet_simulator::{Events, Table};
use tercet_types::{Error, Result};

use super::Campaign;
use crate::commands::{Project, raw};
use crate::config::Environment;

/// Tables that lie in folders of their own, as the project of a simulated shop names them.
const FOLDERS: [&str; 5] =
    ["customers", "transactions", "interactions", "exposures", "redemptions"];

/// The project that an engine's copy of the shop is.
pub(super) struct Simulated(pub(super) Project);

impl Simulated {
    pub(super) fn new(ask: &Campaign<'_>, folder: &Path) -> Result<Self> {
        let engine =
            Engine::new(EngineOptions { threads: ask.threads, ..EngineOptions::default() })?;
        std::fs::create_dir_all(folder).map_err(|cause| {
            Error::unavailable("T1031", format!("{}: cannot be made", folder.display()))
                .cause(cause)
        })?;
        let store = engine.store(&Location::new("runs", folder)?)?;
        let mut config = ask.config.clone();
        config.project.name = format!("Simulated shop {}", ask.world.seed());
        // What the environment holds belongs to a real shop.
        let environment = Environment::default();
        Ok(Self(Project { config, folder: folder.to_owned(), engine, store, environment }))
    }

    /// Gives the copy the past that all copies share.
    pub(super) fn begin_with(&self, past: &Path) -> Result<()> {
        let failed =
            |cause| Error::unavailable("T1031", "the simulated past cannot be copied").cause(cause);
        let copy = |from: &Path, to: &Path| -> std::io::Result<()> {
            // Files are written once and never changed: copies may share them.
            std::fs::hard_link(from, to).or_else(|_| std::fs::copy(from, to).map(|_| ()))
        };
        let (from, to) = (past.join("data"), self.0.folder.join("data"));
        for folder in [from.clone()].into_iter().chain(FOLDERS.map(|table| from.join(table))) {
            let target = folder.strip_prefix(&from).map_or(to.clone(), |below| to.join(below));
            std::fs::create_dir_all(&target).map_err(failed)?;
            for entry in std::fs::read_dir(&folder).map_err(failed)? {
                let entry = entry.map_err(failed)?;
                if entry.path().is_file() {
                    copy(&entry.path(), &target.join(entry.file_name())).map_err(failed)?;
                }
            }
        }
        Ok(())
    }
}

/// The files of a simulated shop.
pub(super) struct Files(Store);

impl Files {
    pub(super) fn new(folder: &Path) -> Result<Self> {
        let engine = Engine::new(EngineOptions { threads: 1, ..EngineOptions::default() })?;
        Ok(Self(engine.store(&Location::new("data", folder)?)?))
    }

    pub(super) fn write_whole(&self, table: Table) -> Result<()> {
        let path = match table.name {
            "customers" => "customers/all.parquet".to_owned(),
            name => format!("{name}.parquet"),
        };
        let mut writer = self.0.table_writer(&path);
        writer.write(raw(table))?;
        writer.finish().map(|_| ())
    }

    /// Writes what happened in a week to a range of customers.
    pub(super) fn write(&self, week: u32, first: u32, events: Events) -> Result<()> {
        for table in events.into_tables() {
            let path = format!("{}/week-{week:03}-{first:09}.parquet", table.name);
            let mut writer: TableWriter = self.0.table_writer(&path);
            writer.write(raw(table))?;
            writer.finish()?;
        }
        Ok(())
    }
}
