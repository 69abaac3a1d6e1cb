//! How do file and environment become one configuration, and what when they are wrong?

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use tercet_types::{Error, Result};

use super::Config;

/// The name of the configuration file.
pub(crate) const CONFIG_FILE: &str = "tercet.toml";

/// Prefix of environment variables that override a key: `TERCET__RUN__SEED=9`.
const PREFIX: &str = "TERCET__";

/// The process environment, read once at the edge.
#[derive(Clone, Debug, Default)]
pub(crate) struct Environment(BTreeMap<String, String>);

impl Environment {
    /// The environment of this process.
    #[expect(
        clippy::disallowed_methods,
        reason = "the configuration is the edge where the environment is read"
    )]
    pub(crate) fn of_process() -> Self {
        Self(
            std::env::vars_os()
                .filter_map(|(k, v)| Some((k.into_string().ok()?, v.into_string().ok()?)))
                .collect(),
        )
    }

    /// The value of a variable that is set and not empty.
    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str).filter(|value| !value.is_empty())
    }
}

/// A configuration, and the folder it was found in.
#[derive(Clone, Debug)]
pub(crate) struct Loaded {
    /// The configuration.
    pub(crate) config: Config,
    /// The project's folder, absolute: relative paths start here.
    pub(crate) folder: PathBuf,
}

/// Reads `tercet.toml` of a project folder and lays the environment over it.
///
/// # Errors
/// `T1001` when there is no project, `T1002` for wrong TOML or an unknown key.
pub(crate) fn load(folder: &Path, environment: &Environment) -> Result<Loaded> {
    let shown = folder.join(CONFIG_FILE);
    let shown = shown.display();
    let folder = folder.canonicalize().map_err(|cause| {
        Error::not_found("T1001", format!("{shown}: there is no such project"))
            .hint("make one with 'tercet init DIR', or name its folder with --project")
            .cause(cause)
    })?;
    let text = std::fs::read_to_string(folder.join(CONFIG_FILE)).map_err(|cause| {
        Error::not_found("T1001", format!("{shown}: there is no such project"))
            .hint("make one with 'tercet init DIR', or name its folder with --project")
            .cause(cause)
    })?;
    let mut table: toml::Table =
        toml::from_str(&text).map_err(|cause| malformed(&shown, &cause))?;
    overlay(&mut table, environment)?;
    // Text again, so that an error shows the line it stands in when nothing was overlaid.
    let config: Config = if environment.0.keys().any(|key| key.starts_with(PREFIX)) {
        table.try_into().map_err(|cause| malformed(&shown, &cause))?
    } else {
        toml::from_str(&text).map_err(|cause| malformed(&shown, &cause))?
    };
    Ok(Loaded { config, folder })
}

/// Puts `TERCET__A__B=value` into `[a] b`; the value is TOML, or else text.
fn overlay(table: &mut toml::Table, environment: &Environment) -> Result<()> {
    for (name, value) in &environment.0 {
        let Some(path) = name.strip_prefix(PREFIX) else { continue };
        let mut keys: Vec<String> = path.split("__").map(str::to_lowercase).collect();
        let Some(last) = keys.pop() else { continue };
        let mut target = &mut *table;
        for key in keys {
            let entry = target.entry(key).or_insert_with(|| toml::Table::new().into());
            target = entry.as_table_mut().ok_or_else(|| {
                Error::config("T1002", format!("{name}: not a section of {CONFIG_FILE}"))
                    .hint("write TERCET__SECTION__KEY, for example TERCET__RUN__SEED=9")
            })?;
        }
        let parsed = toml::from_str::<toml::Table>(&format!("value = {value}"))
            .ok()
            .and_then(|mut parsed| parsed.remove("value"))
            .unwrap_or_else(|| value.clone().into());
        target.insert(last, parsed);
    }
    Ok(())
}

fn malformed(shown: &impl std::fmt::Display, cause: &toml::de::Error) -> Error {
    let text = cause.to_string();
    let error = Error::config("T1002", format!("{shown}: {}", text.trim_end()));
    match did_you_mean(cause.message()) {
        Some(hint) => error.hint(hint),
        None => error.hint("every key is described in docs/src/reference/configuration.md"),
    }
}

/// From serde's "unknown field `x`, expected one of `a`, `b`": the nearest known name.
fn did_you_mean(message: &str) -> Option<String> {
    let mut names = message.strip_prefix("unknown field ")?.split('`').skip(1).step_by(2);
    let wrong = names.next()?;
    let nearest = names
        .max_by(|a, b| strsim::jaro_winkler(wrong, a).total_cmp(&strsim::jaro_winkler(wrong, b)))?;
    Some(format!("did you mean '{nearest}'?"))
}

/// The settings of object stores that the environment holds, as the stores name them.
pub(crate) fn store_options(environment: &Environment) -> Vec<(String, String)> {
    environment
        .0
        .iter()
        .filter(|(name, _)| name.starts_with("AWS_"))
        .map(|(name, value)| (name.to_lowercase(), value.clone()))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str, variables: &[(&str, &str)]) -> Result<Config> {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join(CONFIG_FILE), text).unwrap();
        let environment = Environment(
            variables.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect(),
        );
        load(folder.path(), &environment).map(|loaded| loaded.config)
    }

    #[test]
    fn an_empty_file_is_a_configuration() {
        assert_eq!(read("", &[]).unwrap().run.seed, 7);
    }

    #[test]
    fn an_unknown_key_names_the_line_and_the_nearest_key() {
        let error = read("[run]\nsed = 9\n", &[]).unwrap_err();
        assert_eq!(error.code(), "T1002");
        assert!(error.to_string().contains("line 2"), "{error}");
        assert_eq!(error.hint_text(), Some("did you mean 'seed'?"));
    }

    #[test]
    fn the_environment_wins_over_the_file() {
        let config = read(
            "[run]\nseed = 1\n",
            &[
                ("TERCET__RUN__SEED", "9"),
                ("TERCET__RUN__AS_OF", "2017-09-04"),
                ("TERCET__PROJECT__NAME", "a shop"),
            ],
        )
        .unwrap();
        assert_eq!(config.run.seed, 9);
        assert_eq!(config.run.as_of, AsOf::Day("2017-09-04".parse().unwrap()));
        assert_eq!(config.project.name, "a shop");
        assert!(read("", &[("TERCET__RUN__NOPE", "1")]).is_err());
    }

    use super::super::AsOf;
}
