//! Which engine decides for whom?

use tercet_measurement::assignment::{Share, TestArm};
use tercet_types::tables::assignments::HOLDOUT;
use tercet_types::{Error, Result};

use super::worth::known_engine;
use crate::config::Experiment;

/// The name of a baseline without offers, and of the engine in its decisions.
pub(crate) const NO_ENGINE: &str = "none";

/// The longest name of a test.
const NAME_MAX: usize = 64;

/// An engine test within a weekly run.
#[derive(Clone, Debug)]
pub(crate) struct EngineTest {
    /// Its name, part of what is hashed.
    pub(crate) name: String,
    /// Who decides for the baseline; without an engine it gets no offers.
    pub(crate) baseline: Option<&'static str>,
    /// The share of customers for whom the engine under test decides.
    pub(crate) share: Share,
}

impl EngineTest {
    /// The configured test of an engine; nothing when none is.
    ///
    /// # Errors
    /// `T1036` for a name that cannot be hashed or a test of an engine against itself, `T1015` for an engine that
    /// there is not, `T0713` for a share that is none.
    pub(crate) fn of(config: &Experiment, engine: &str) -> Result<Option<Self>> {
        let name = config.name.trim();
        if name.is_empty() {
            return Ok(None);
        }
        let is_fine = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
        if name.len() > NAME_MAX || !name.chars().all(is_fine) || name == HOLDOUT {
            return Err(Error::config(
                "T1036",
                format!("[experiment] name: '{name}' cannot be the name of a test"),
            )
            .hint("up to 64 letters, digits, '-', '_' and '.'; 'holdout' is taken"));
        }
        let baseline = match config.baseline.as_str() {
            NO_ENGINE => None,
            other => Some(known_engine(other)?),
        };
        if baseline == Some(engine) {
            return Err(Error::config(
                "T1036",
                format!("[experiment] baseline: '{engine}' is the engine under test"),
            )
            .hint(
                "name another engine, or 'none'; to run without the test, empty [experiment] name",
            ));
        }
        Ok(Some(Self { name: name.to_owned(), baseline, share: Share::new(config.share)? }))
    }
}

/// One of the sides of a run: an engine and the customers that it decides for. The engine of the run comes first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Side<'a> {
    /// The engine.
    pub(crate) engine: &'a str,
    /// True for the baseline of a test.
    pub(crate) is_baseline: bool,
}

impl<'a> Side<'a> {
    /// The sides of a run.
    pub(crate) fn all(engine: &'a str, test: Option<&EngineTest>) -> Vec<Self> {
        let baseline = test.and_then(|test| test.baseline);
        let own = Self { engine, is_baseline: false };
        std::iter::once(own)
            .chain(baseline.map(|engine| Self { engine, is_baseline: true }))
            .collect()
    }

    /// True when the side decides for the customers of an arm. A baseline without an engine is the engine's under test:
    /// it is valued, and gets nothing.
    pub(crate) fn decides_for(self, arm: Option<TestArm>, test: Option<&EngineTest>) -> bool {
        let has_engine = test.is_some_and(|test| test.baseline.is_some());
        (has_engine && arm == Some(TestArm::Baseline)) == self.is_baseline
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tests_are_checked() {
        let check = |name: &str, baseline: &str, share: f64, expect: &str| {
            let config = Experiment { name: name.into(), baseline: baseline.into(), share };
            let got = match EngineTest::of(&config, "tercet") {
                Ok(None) => "no test".to_owned(),
                Ok(Some(test)) => {
                    format!("{} {:?} {}", test.name, test.baseline, test.share.rate())
                }
                Err(error) => error.code().to_owned(),
            };
            assert_eq!(got, expect, "{name} {baseline} {share}");
        };
        check("", "nobody", 7.0, "no test");
        check("autumn-2026", "legacy", 0.01, "autumn-2026 Some(\"legacy\") 0.01");
        check("autumn-2026", "none", 1.0, "autumn-2026 None 1");
        check("holdout", "legacy", 0.5, "T1036");
        check("a\u{1f}b", "legacy", 0.5, "T1036");
        check("ä", "legacy", 0.5, "T1036");
        check("a", "tercet", 0.5, "T1036");
        check("a", "nobody", 0.5, "T1015");
        check("a", "legacy", 1.01, "T0713");
        check("a", "legacy", f64::NAN, "T0713");
    }

    #[test]
    fn every_customer_has_one_side() {
        let check = |baseline: Option<&'static str>, expect: &[(&str, Option<TestArm>)]| {
            let test = EngineTest { name: "a".into(), baseline, share: Share::NONE };
            let sides = Side::all("tercet", Some(&test));
            for (engine, arm) in expect {
                let found: Vec<&str> = sides
                    .iter()
                    .filter(|side| side.decides_for(*arm, Some(&test)))
                    .map(|side| side.engine)
                    .collect();
                assert_eq!(found, [*engine], "{baseline:?} {arm:?}");
            }
        };
        let (test, baseline) = (Some(TestArm::Test), Some(TestArm::Baseline));
        check(Some("legacy"), &[("tercet", test), ("legacy", baseline), ("tercet", None)]);
        check(None, &[("tercet", test), ("tercet", baseline), ("tercet", None)]);
        assert_eq!(Side::all("legacy", None).len(), 1);
    }
}
