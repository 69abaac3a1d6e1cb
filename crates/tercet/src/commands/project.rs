//! Which project, on which engine, is a verb about?

use std::path::PathBuf;

use tercet_engine::{Engine, EngineOptions, Location, Store};
use tercet_types::{Date, Error, Result};

use crate::commands::Shared;
use crate::config::{AsOf, Config, Environment, load, store_options};
use crate::pipeline::{Stage, files_of};

/// An opened project.
pub(crate) struct Project {
    /// Its configuration.
    pub(crate) config: Config,
    /// Its folder, absolute.
    pub(crate) folder: PathBuf,
    /// The engine.
    pub(crate) engine: Engine,
    /// Where runs are kept.
    pub(crate) store: Store,
    /// Keys by the names the configuration gives.
    pub(crate) environment: Environment,
}

impl Project {
    /// Opens the project that the flags name.
    pub(crate) fn open(shared: &Shared, environment: &Environment) -> Result<Self> {
        Self::open_at(&shared.project, environment)
    }

    /// Opens the project in a folder.
    pub(crate) fn open_at(folder: &std::path::Path, environment: &Environment) -> Result<Self> {
        let loaded = load(folder, environment)?;
        let config = loaded.config;
        let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
        let threads = if config.run.threads == 0 { cores } else { config.run.threads };
        let engine = Engine::new(EngineOptions {
            threads,
            memory_bytes: config.run.memory_mb << 20,
            store_options: store_options(environment),
        })?;
        let store = engine.store(&Location::new(&config.project.runs, &loaded.folder)?)?;
        Ok(Self { config, folder: loaded.folder, engine, store, environment: environment.clone() })
    }

    /// The as-of date: the flag's, or the configured one.
    pub(crate) fn as_of(&self, flag: Option<Date>) -> Date {
        flag.unwrap_or(match self.config.run.as_of {
            AsOf::Day(day) => day,
            AsOf::Today => today(),
        })
    }

    /// A key that the environment holds as 32 hexadecimal digits per 16 bytes.
    ///
    /// # Errors
    /// `T1009` when the variable is set to something else.
    pub(crate) fn key<const N: usize>(&self, variable: &str) -> Result<Option<[u8; N]>> {
        let Some(text) = self.environment.get(variable) else { return Ok(None) };
        let bytes: Option<Vec<u8>> = (0..text.len())
            .step_by(2)
            .map(|at| text.get(at..at + 2).and_then(|pair| u8::from_str_radix(pair, 16).ok()))
            .collect();
        bytes.and_then(|bytes| bytes.try_into().ok()).map(Some).ok_or_else(|| {
            Error::config("T1009", format!("{variable} is not a key of {N} bytes")).hint(format!(
                "set it to {} hexadecimal digits, for example from 'openssl rand -hex {N}'",
                2 * N
            ))
        })
    }
}

/// The day of the clock, in UTC.
#[expect(clippy::disallowed_methods, reason = "the command line is the edge where the day is read")]
fn today() -> Date {
    let since =
        std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
    Date::from_days((since.as_secs() / 86_400) as i32)
}

impl Project {
    /// The file of a run's table that holds what is said of a customer, by the shop's own id: the only one, or that
    /// of the customer's part.
    pub(crate) fn file_of(
        &self,
        run_id: &str,
        stage: Stage,
        table: &str,
        customer: &str,
    ) -> Result<String> {
        let mut files = files_of(&self.store, run_id, stage, table)?;
        let part = tercet_engine::part_of(customer, files.len());
        Ok(files.swap_remove(part))
    }

    /// The id under which a customer is known to runs: the shop's own, or its pseudonym.
    pub(crate) fn customer_id(&self, id: &str) -> Result<String> {
        let key = crate::pipeline::pseudonym_key(self)?;
        Ok(key.map_or_else(|| id.to_owned(), |key| tercet_sources::pseudonym(&key, id)))
    }
}
