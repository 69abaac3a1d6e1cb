//! Which engine did best on the weeks just past, and so decides this one?

use serde::{Deserialize, Serialize};
use tercet_delivery::report::run as report;
use tercet_measurement::offline::{Interval, Metric, PairedInterval, PerMetric, Scope, Summary};
use tercet_types::{DAYS_PER_WEEK, Date, Error, Result};

use super::manifest::{parse, to_json};
use super::prepare::parts_of;
use super::replay::{Contestant, Replay, replay};
use super::runner::Identity;
use super::worth::{OWN_ENGINE, known_engine};
use crate::commands::Project;
use crate::output::Progress;

/// What `[run] engine` is called when the best of the weeks just past decides.
pub(crate) const CHAMPION: &str = "champion";

/// The most weeks of a contest: each is a replay.
const WEEKS_MAX: u32 = 52;

/// Draws of the intervals.
const DRAWS: u32 = 1_000;

/// How a champion was found.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Contest {
    /// The engine that did best.
    pub(crate) champion: String,
    /// What it was judged by.
    pub(crate) metric: Metric,
    /// On which promotions.
    pub(crate) scope: Scope,
    /// The Mondays replayed.
    pub(crate) weeks: Vec<Date>,
    /// All that took part, the engine that the others are held against first.
    pub(crate) standings: Vec<Standing>,
}

/// How an engine did.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Standing {
    /// The engine, and what was kept from it.
    pub(crate) name: String,
    /// True when a group of features was kept from it, to see what the group is worth: it cannot be champion.
    pub(crate) is_ablation: bool,
    /// Its figure.
    pub(crate) figure: Interval,
    /// The first engine's less this one's, on the same customers; none for the first itself.
    pub(crate) behind_first: Option<PairedInterval>,
}

/// Holds the contest of a run, or reads what an earlier one of the same run found.
///
/// # Errors
/// `T1058` (config) when it cannot be held: no engine or no week is configured, an engine test or external scores are,
/// the shop comes in parts, or no engine found anything.
pub(super) fn contest(
    project: &Project,
    identity: &Identity,
    progress: &Progress,
) -> Result<Contest> {
    let file = format!("contest-{}.json", identity.run_id()?);
    if let Some(bytes) = project.store.get_if_there(&file)? {
        return parse(&bytes, &file);
    }
    let found = held(project, identity, progress)?;
    progress.say(&format!("{CHAMPION:<11} {}", found.words()));
    project.store.put(&file, to_json(&found)?)?;
    Ok(found)
}

/// Replays the weeks before the as-of date with the configured engines.
fn held(project: &Project, identity: &Identity, progress: &Progress) -> Result<Contest> {
    let config = &project.config.champion;
    let wrong = |what: String, remedy: &str| Err(Error::config("T1058", what).hint(remedy));
    if config.engines.is_empty() {
        return wrong("[champion] engines names nobody".into(), "name at least one engine");
    }
    if !(1..=WEEKS_MAX).contains(&config.weeks) {
        let weeks = config.weeks;
        return wrong(format!("[champion] weeks is {weeks}"), "take between 1 and 52 weeks");
    }
    if !project.config.experiment.name.is_empty() {
        return wrong(
            "an engine test needs an engine that stays the same, and [run] engine is 'champion'"
                .into(),
            "name the engine under test in [run], or take the name out of [experiment]",
        );
    }
    if !project.config.model.external_scores.is_empty() {
        return wrong(
            "tercet would be judged by its own models, and decides by [model] external_scores"
                .into(),
            "name the engine in [run], or leave the external scores out",
        );
    }
    let mut contestants = Vec::new();
    for name in &config.engines {
        let known = Contestant { engine: known_engine(name)?, without: Vec::new() };
        if !contestants.contains(&known) {
            contestants.push(known);
        }
    }
    let engines = contestants.len();
    if parts_of(project, &identity.inputs) > 1 {
        return wrong(
            "a contest of engines needs the whole shop in memory, and this one comes in parts"
                .into(),
            "hold it on a sample of customers with 'tercet backtest', and name the engine in [run]",
        );
    }
    if config.ablation && contestants.iter().any(|who| who.engine == OWN_ENGINE) {
        contestants.sort_by_key(|who| who.engine != OWN_ENGINE);
        contestants.extend(Contestant::ablations());
    }
    // The last week that is over, whatever weekday the run is of.
    let last = identity.as_of.monday().plus_days(-DAYS_PER_WEEK);
    let names: Vec<String> = contestants.iter().map(Contestant::name).collect();
    let ask = Replay {
        from: last.plus_days(-DAYS_PER_WEEK * (config.weeks as i32 - 1)),
        to: last,
        contestants,
        seeds: vec![identity.seed],
        draws: DRAWS,
        without_interactions: false,
    };
    // A replay leaves tables of past weeks in its engine: it gets one of its own.
    let replayed =
        replay(&Project::open_at(&project.folder, &project.environment)?, &ask, progress)?;
    let summary = &replayed.summary;
    let sees = |scope: Scope| {
        let of = |name: &String| Some(figures(summary, name, scope)?.get(&config.metric)?.value);
        names.iter().filter_map(of).any(|value| value > 0.0)
    };
    let scope = if sees(Scope::Narrow) { Scope::Narrow } else { Scope::All };
    let standing = |(at, name): (usize, &String)| {
        let paired = || summary.paired.get(&format!("{}-{name}", names[0]))?.get(&scope);
        Some(Standing {
            name: name.clone(),
            is_ablation: at >= engines,
            figure: *figures(summary, name, scope)?.get(&config.metric)?,
            behind_first: paired().and_then(|paired| paired.get(&config.metric)).cloned(),
        })
    };
    let standings: Vec<Standing> = names.iter().enumerate().filter_map(standing).collect();
    // In the order of the configuration: of equals the first.
    let value = |name: &str| {
        standings.iter().find(|standing| standing.name == name).map(|found| found.figure.value)
    };
    let mut champion: Option<(&String, f64)> = None;
    for name in &config.engines {
        // Nothing found is no evidence for anybody.
        if let Some(value) = value(name).filter(|value| *value > 0.0)
            && champion.is_none_or(|(_, best)| value > best)
        {
            champion = Some((name, value));
        }
    }
    let Some((champion, _)) = champion else {
        return wrong(
            "no engine could be judged: none found anything in the weeks before the run".into(),
            "take another metric in [champion], or name an engine in [run]",
        );
    };
    Ok(Contest {
        champion: champion.clone(),
        metric: config.metric,
        scope,
        weeks: replayed.weeks.iter().map(|week| week.monday).collect(),
        standings,
    })
}

impl Contest {
    /// Who won, before whom.
    fn words(&self) -> String {
        let others = self.standings.iter().filter(|s| !s.is_ablation && s.name != self.champion);
        let others: Vec<&str> = others.map(|standing| standing.name.as_str()).collect();
        format!(
            "{} did best by {} on {} promotions of {} weeks, before {}",
            self.champion,
            self.metric.name(),
            self.scope.name(),
            self.weeks.len(),
            others.join(", ")
        )
    }

    /// For the report.
    pub(super) fn said(&self) -> report::Contest {
        let said = |standing: &Standing| report::Standing {
            name: standing.name.clone(),
            value: standing.figure.value,
            low: standing.figure.low,
            high: standing.figure.high,
            behind_first: standing
                .behind_first
                .as_ref()
                .map(|behind| [behind.value, behind.low, behind.high]),
        };
        let of = |is_ablation: bool| {
            self.standings.iter().filter(|s| s.is_ablation == is_ablation).map(said).collect()
        };
        report::Contest {
            champion: self.champion.clone(),
            metric: self.metric.name().to_owned(),
            scope: self.scope.name().to_owned(),
            weeks: self.weeks.clone(),
            engines: of(false),
            ablation: of(true),
        }
    }
}

fn figures<'a>(summary: &'a Summary, name: &str, scope: Scope) -> Option<&'a PerMetric<Interval>> {
    summary.engines.get(name)?.get(&scope)
}
