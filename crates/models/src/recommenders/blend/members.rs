//! Whose lists are blended?

use std::collections::BTreeMap;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use serde_json::{Value, json};
use tercet_types::Result;

use crate::Recommender;
use crate::registry::estimator_named;

/// Estimators by name, with their settings; as data, a table of settings by name.
pub struct Members(BTreeMap<String, (Value, Box<dyn Recommender>)>);

impl Members {
    /// Takes names of the registry with settings, which may leave out what keeps its default.
    ///
    /// # Errors
    /// `T0409` for a name or a setting that there is not.
    pub fn new(named: impl IntoIterator<Item = (String, Value)>) -> Result<Self> {
        let build = |(name, settings): (String, Value)| {
            let estimator = estimator_named(&name)?.build(&settings)?;
            Ok((name, (settings, estimator)))
        };
        named.into_iter().map(build).collect::<Result<_>>().map(Self)
    }

    /// The estimators, by name.
    pub(super) fn iter(&self) -> impl Iterator<Item = &dyn Recommender> {
        self.0.values().map(|(_, estimator)| &**estimator)
    }
}

impl Default for Members {
    /// What most buy, what the customer buys, and those alike in two ways.
    fn default() -> Self {
        let always = || json!({ "window_days": 3_650 });
        let own = json!({ "window_days": 3_650, "fill": null });
        let none = || json!({});
        let named =
            [("popular", always()), ("personal", own), ("tifu-knn", none()), ("up-cf", none())];
        // The registry's tests build every estimator with its defaults.
        Self::new(named.map(|(name, settings)| (name.to_owned(), settings)))
            .unwrap_or_else(|_| Self(BTreeMap::new()))
    }
}

impl Serialize for Members {
    fn serialize<S: Serializer>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().map(|(name, (settings, _))| (name, settings)))
    }
}

impl<'de> Deserialize<'de> for Members {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> std::result::Result<Self, D::Error> {
        let named = BTreeMap::<String, Value>::deserialize(deserializer)?;
        Self::new(named).map_err(de::Error::custom)
    }
}
