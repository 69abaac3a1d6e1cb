//! Which estimators can be asked for by name, with which settings, and where are good settings looked for?

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use tercet_types::{Error, Result};

use crate::{
    Als, AssociationRules, Blend, CustomerKnn, DecayedFrequency, DecayedPopularity, Ease,
    ItemToItem, NewProducts, NewlyLaunched, PersonalFrequency, Popularity, PurchaseCycles,
    Recommender, SessionKnn, TifuKnn, Trending, UpCf,
};

/// Every estimator that can be asked for by name: one line each.
pub const ESTIMATORS: &[Estimator] = &[
    estimator::<Popularity>(),
    estimator::<DecayedPopularity>(),
    estimator::<Trending>(),
    estimator::<NewlyLaunched>(),
    estimator::<PersonalFrequency>(),
    estimator::<DecayedFrequency>(),
    estimator::<PurchaseCycles>(),
    estimator::<AssociationRules>(),
    estimator::<ItemToItem>(),
    estimator::<SessionKnn>(),
    estimator::<CustomerKnn>(),
    estimator::<TifuKnn>(),
    estimator::<UpCf>(),
    estimator::<NewProducts>(),
    estimator::<Ease>(),
    estimator::<Als>(),
    estimator::<Blend>(),
];

/// An estimator whose settings are data, and can be searched.
pub trait Configured: Recommender + Default + Serialize + DeserializeOwned + 'static {
    /// Its name in settings and on the command line.
    const NAME: &'static str;
    /// Where good settings are looked for; what stands nowhere keeps its default.
    const SPACE: &'static [Axis];
}

/// One setting and the values it may take in a search.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Axis {
    /// The setting; a setting inside another behind a dot, as in `fill.window_days`.
    pub setting: &'static str,
    /// Its values.
    pub range: Range,
}

/// The values that a setting may take in a search; both ends are among them.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Range {
    /// Numbers.
    Real(f64, f64),
    /// Numbers above 0 whose logarithm is searched evenly.
    LogReal(f64, f64),
    /// Whole numbers.
    Whole(i64, i64),
    /// Whole numbers above 0 whose logarithm is searched evenly.
    LogWhole(i64, i64),
    /// One of a few names.
    Among(&'static [&'static str]),
    /// Yes or no.
    Flag,
}

/// An estimator that can be asked for by name.
#[derive(Clone, Copy)]
pub struct Estimator {
    /// Its name.
    pub name: &'static str,
    /// Where good settings are looked for.
    pub space: &'static [Axis],
    defaults: fn() -> Result<Value>,
    build: fn(&Value) -> Result<Box<dyn Recommender>>,
}

impl Estimator {
    /// The settings it has where nobody says others.
    ///
    /// # Errors
    /// `T0409` (internal) when they cannot be written down.
    pub fn defaults(&self) -> Result<Value> {
        (self.defaults)()
    }

    /// The estimator with these settings, an object; what it does not name keeps its default.
    ///
    /// # Errors
    /// `T0409` (config) naming the estimator and the setting that it does not have, or that is of another kind.
    pub fn build(&self, settings: &Value) -> Result<Box<dyn Recommender>> {
        (self.build)(settings)
    }
}

/// The estimator of a name.
///
/// # Errors
/// `T0409` (config), naming those there are.
pub fn estimator_named(name: &str) -> Result<&'static Estimator> {
    ESTIMATORS.iter().find(|estimator| estimator.name == name).ok_or_else(|| {
        let names: Vec<&str> = ESTIMATORS.iter().map(|estimator| estimator.name).collect();
        Error::config("T0409", format!("there is no estimator '{name}'"))
            .hint(format!("there are {}", names.join(", ")))
    })
}

const fn estimator<T: Configured>() -> Estimator {
    Estimator { name: T::NAME, space: T::SPACE, defaults: defaults::<T>, build: build::<T> }
}

fn defaults<T: Configured>() -> Result<Value> {
    serde_json::to_value(T::default()).map_err(|cause| {
        Error::internal("T0409", format!("{}: settings cannot be written", T::NAME)).cause(cause)
    })
}

fn build<T: Configured>(settings: &Value) -> Result<Box<dyn Recommender>> {
    match serde_json::from_value::<T>(settings.clone()) {
        Ok(estimator) => Ok(Box::new(estimator)),
        Err(cause) => {
            let defaults = defaults::<T>()?;
            let names: Vec<&str> =
                defaults.as_object().into_iter().flatten().map(|(name, _)| name.as_str()).collect();
            Err(Error::config("T0409", format!("{}: {cause}", T::NAME))
                .hint(format!("its settings are {}", names.join(", "))))
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::conformance::check_recommender;

    /// Both ends and the middle of a range.
    fn values(range: Range) -> Vec<Value> {
        match range {
            Range::Real(low, high) | Range::LogReal(low, high) => {
                vec![json!(low), json!((low + high) / 2.0), json!(high)]
            }
            Range::Whole(low, high) | Range::LogWhole(low, high) => {
                vec![json!(low), json!((low + high) / 2), json!(high)]
            }
            Range::Among(names) => names.iter().map(|name| json!(name)).collect(),
            Range::Flag => vec![json!(false), json!(true)],
        }
    }

    #[test]
    fn every_estimator_is_made_by_name_and_keeps_the_laws() {
        for estimator in ESTIMATORS {
            let name = estimator.name;
            assert_eq!(estimator_named(name).unwrap().name, name);
            let defaults = estimator.defaults().unwrap();
            let built = estimator.build(&defaults).unwrap();
            assert_eq!(built.name(), name);
            check_recommender(&*built);
            assert_eq!(estimator.build(&json!({})).unwrap().name(), name, "{name}: all defaults");
            let wrong = estimator.build(&json!({ "no_such_setting": 1 })).err().unwrap();
            assert_eq!(wrong.code(), "T0409");
            assert!(wrong.to_string().contains("no_such_setting"), "{wrong}");
        }
        assert_eq!(estimator_named("none").err().unwrap().code(), "T0409");
    }

    #[test]
    fn every_value_of_every_space_is_a_setting() {
        for estimator in ESTIMATORS {
            for axis in estimator.space {
                let defaults = estimator.defaults().unwrap();
                let path = format!("/{}", axis.setting.replace('.', "/"));
                for value in values(axis.range) {
                    let mut settings = defaults.clone();
                    let place = settings.pointer_mut(&path);
                    *place.unwrap_or_else(|| panic!("{}: no {}", estimator.name, axis.setting)) =
                        value;
                    assert!(estimator.build(&settings).is_ok(), "{}: {settings}", estimator.name);
                }
            }
        }
    }
}
