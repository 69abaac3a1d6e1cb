//! Which estimators are judged, with which settings?

use std::collections::BTreeMap;

use serde_json::{Map, Value};
use tercet_models::Recommender;
use tercet_models::registry::{ESTIMATORS, Estimator, estimator_named};
use tercet_types::{Error, Result};

/// The key of a section that names the estimator, where the section has a name of its own.
const ESTIMATOR: &str = "estimator";

/// The word for every estimator.
const ALL: &str = "all";

/// Sections of settings by name: `[recommenders.NAME]`.
pub(in crate::commands) type Sections = BTreeMap<String, Map<String, Value>>;

/// An estimator with its settings.
pub(in crate::commands) struct Model {
    /// What it is called in results.
    pub(in crate::commands) name: String,
    /// Whether it was asked for by name, not with all the others.
    pub(in crate::commands) is_named: bool,
    /// What was said of its settings; all else is at its default.
    pub(in crate::commands) settings: Map<String, Value>,
    pub(in crate::commands) estimator: &'static Estimator,
    pub(in crate::commands) recommender: Box<dyn Recommender>,
}

impl Model {
    /// The model of a name: a section's, else an estimator's own.
    ///
    /// # Errors
    /// `T1094` for a name that is neither, `T0409` for settings that the estimator does not have.
    pub(in crate::commands) fn named(name: &str, sections: &Sections) -> Result<Self> {
        let mut settings = sections.get(name).cloned().unwrap_or_default();
        let kind = match settings.remove(ESTIMATOR) {
            None => name.to_owned(),
            Some(Value::String(kind)) => kind,
            Some(other) => {
                return Err(Error::config(
                    "T1094",
                    format!("recommenders.{name}: estimator is {other}, not a name"),
                )
                .hint("write estimator = \"popular\", or another's name"));
            }
        };
        let estimator = estimator_named(&kind).map_err(|error| error.context(name))?;
        let recommender = estimator.build(&Value::Object(settings.clone()))?;
        Ok(Self { name: name.to_owned(), is_named: true, settings, estimator, recommender })
    }
}

/// The models asked for: names, or all estimators and sections.
///
/// # Errors
/// `T1094` when a name is asked for twice, and those of [`Model::named`].
pub(super) fn chosen(names: &[String], sections: &Sections) -> Result<Vec<Model>> {
    let mut wanted: Vec<(String, bool)> = Vec::new();
    for name in names {
        if name == ALL {
            let estimators = ESTIMATORS.iter().map(|estimator| estimator.name.to_owned());
            let all = estimators.chain(sections.keys().cloned());
            all.for_each(|name| {
                if !wanted.iter().any(|(other, _)| *other == name) {
                    wanted.push((name, false));
                }
            });
        } else if wanted.iter().any(|(other, _)| other == name) {
            return Err(Error::config("T1094", format!("model '{name}' is asked for twice"))
                .hint("name each model once"));
        } else {
            wanted.push((name.clone(), true));
        }
    }
    let model = |(name, is_named): &(String, bool)| {
        Ok(Model { is_named: *is_named, ..Model::named(name, sections)? })
    };
    wanted.iter().map(model).collect()
}

/// The sections of a settings file: TOML with `[recommenders.NAME]`, or JSON of the same form. What else the file holds,
/// as a project's configuration does, is another's.
///
/// # Errors
/// `T1094` naming the file.
pub(super) fn sections_of(text: &str, place: &str) -> Result<Sections> {
    #[derive(serde::Deserialize)]
    struct File {
        recommenders: Sections,
    }
    let file: File = parsed(text, place).map_err(|error| {
        error.hint("write [recommenders.NAME] and settings below it, as 'tercet tune' does")
    })?;
    Ok(file.recommenders)
}

/// The sections of a file that holds nothing else, so that it can be written anew.
///
/// # Errors
/// `T1094` naming the file.
pub(in crate::commands) fn settings_file(text: &str, place: &str) -> Result<Sections> {
    #[derive(serde::Deserialize)]
    #[serde(deny_unknown_fields)]
    struct File {
        recommenders: Sections,
    }
    let file: File = parsed(text, place).map_err(|error| {
        error.hint(
            "what else it holds would be lost: name another file, and copy the section from there",
        )
    })?;
    Ok(file.recommenders)
}

fn parsed<T: serde::de::DeserializeOwned>(text: &str, place: &str) -> Result<T> {
    let wrong = |cause: Box<dyn std::error::Error + Send + Sync>| {
        Error::config("T1094", format!("{place}: no settings of recommenders")).cause(cause)
    };
    if place.ends_with(".json") {
        serde_json::from_str(text).map_err(|cause| wrong(cause.into()))
    } else {
        toml::from_str(text).map_err(|cause| wrong(cause.into()))
    }
}

/// Sections as the text of a settings file.
///
/// # Errors
/// `T1095` for settings that TOML does not know.
pub(in crate::commands) fn settings_text(
    sections: &Sections,
    place: Option<&str>,
) -> Result<String> {
    let file = serde_json::json!({ "recommenders": sections });
    if place.is_some_and(|place| place.ends_with(".json")) {
        return Ok(format!("{file:#}\n"));
    }
    toml::to_string(&file).map_err(|cause| {
        Error::config("T1095", "settings cannot be written as TOML")
            .hint("TOML has no null: name a file that ends in .json with --out")
            .cause(cause)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(asked: &[&str], text: &str) -> Result<Vec<String>> {
        let asked: Vec<String> = asked.iter().map(|name| (*name).to_owned()).collect();
        let sections = sections_of(text, "settings.toml")?;
        Ok(chosen(&asked, &sections)?.into_iter().map(|model| model.name).collect())
    }

    #[test]
    fn models_are_chosen_by_name() {
        let text = "[recommenders.short]\nestimator = \"popular\"\nwindow_days = 7\n[recommenders.popular]\nwindow_days = 9";
        assert_eq!(names(&["short"], text).unwrap(), ["short"]);
        let all = names(&["all"], text).unwrap();
        assert_eq!(all.len(), ESTIMATORS.len() + 1);
        assert_eq!(all.last().unwrap(), "short");
        let code = |asked: &[&str], text: &str| names(asked, text).unwrap_err().code();
        assert_eq!(code(&["short", "short"], text), "T1094");
        assert_eq!(code(&["unheard"], text), "T0409");
        assert_eq!(code(&["popular"], "[recommenders.popular]\nwindow = 3"), "T0409");
        assert_eq!(code(&["short"], "[recommenders.short]\nestimator = 3"), "T1094");
        assert_eq!(code(&["popular"], "popular = 3"), "T1094");
        let json =
            sections_of("{\"recommenders\": {\"a\": {\"estimator\": \"popular\"}}}", "a.json");
        assert_eq!(json.unwrap().len(), 1);
    }

    #[test]
    fn a_configuration_is_read_and_never_written_anew() {
        let section = "[recommenders.popular]\nwindow_days = 9\n";
        let config = format!("[project]\ncurrency = \"EUR\"\n{section}");
        assert_eq!(sections_of(&config, "tercet.toml").unwrap().len(), 1);
        assert_eq!(settings_file(&config, "tercet.toml").unwrap_err().code(), "T1094");
        let sections = settings_file(section, "a.toml").unwrap();
        assert_eq!(settings_text(&sections, Some("a.toml")).unwrap(), section);
        let json = settings_text(&sections, Some("a.json")).unwrap();
        assert_eq!(settings_file(&json, "a.json").unwrap(), sections);
    }
}
