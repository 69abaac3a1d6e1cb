//! What would each engine have offered on past Mondays, knowing only what was known then?

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet};

use tercet_allocation::Exploration;
use tercet_engine::{Engine, Value, params};
use tercet_features::Topic;
use tercet_measurement::offline::{
    Bootstrap, Breadth, CustomerWeek, EngineSlates, Purchase, SLATE_LEN, Scope, Slate, Summary,
    Week as JudgedWeek, WeekPromotion, referee,
};
use tercet_types::{DAYS_PER_WEEK, Date, Error, Result};

use super::audiences::promotion_audiences;
use super::history::History;
use super::learn::Models;
use super::lessons::Lessons;
use super::pairs::week_pairs;
use super::prepare::{assignment_key, sources_of};
use super::scopes::Scopes;
use super::shop::Shop;
use super::slates::{Circumstances, Slates, fill_slots};
use super::slot_masks::{SlotMasks, slot_masks};
use super::week::{NARROW_PRODUCTS_MAX, Week};
use super::worth::{OWN_ENGINE, Visits, baseline_scores, tercet_scores};
use crate::commands::Project;
use crate::config::{Config, ModelValue};
use crate::output::{Progress, thousands};

/// What a backtest was asked for.
pub(crate) struct Replay {
    /// The first Monday.
    pub(crate) from: Date,
    /// The last Monday.
    pub(crate) to: Date,
    /// Who takes part, the one to hold the others against first.
    pub(crate) contestants: Vec<Contestant>,
    /// Seeds of models, at least one: every week is replayed with each. The first is that of the bootstrap too.
    pub(crate) seeds: Vec<u64>,
    /// Draws of the bootstrap.
    pub(crate) draws: u32,
    /// True to leave browsing out.
    pub(crate) without_interactions: bool,
}

/// An engine that takes part in a replay.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Contestant {
    /// The engine.
    pub(crate) engine: &'static str,
    /// What is kept from its models.
    pub(crate) without: Vec<Topic>,
}

impl Contestant {
    /// The product's own engine once more without each group of features.
    pub(crate) fn ablations() -> impl Iterator<Item = Self> {
        Topic::ALL.into_iter().map(|topic| Self { engine: OWN_ENGINE, without: vec![topic] })
    }

    /// The product's own engine without the groups of features whose names are joined by `+`.
    ///
    /// # Errors
    /// `T1059` for a name that is none.
    pub(crate) fn without(groups: &str) -> Result<Self> {
        let named = |name: &str| {
            Topic::ALL.into_iter().find(|topic| topic.name() == name).ok_or_else(|| {
                let known = Topic::ALL.map(Topic::name).join(", ");
                Error::config("T1059", format!("there is no group of features '{name}'"))
                    .hint(format!("the groups are {known}"))
            })
        };
        let without = groups.split('+').map(str::trim).map(named).collect::<Result<_>>()?;
        Ok(Self { engine: OWN_ENGINE, without })
    }

    /// The name in results.
    pub(crate) fn name(&self) -> String {
        if self.without.is_empty() {
            return self.engine.to_owned();
        }
        let topics: Vec<&str> = self.without.iter().map(|topic| topic.name()).collect();
        format!("{} without {}", self.engine, topics.join(" and "))
    }
}

/// What a backtest found.
pub(crate) struct Replayed {
    /// The referee's results.
    pub(crate) summary: Summary,
    /// The weeks, in order.
    pub(crate) weeks: Vec<ReplayedWeek>,
}

/// One replayed week.
pub(crate) struct ReplayedWeek {
    /// Its Monday.
    pub(crate) monday: Date,
    /// Promotions to choose from.
    pub(crate) candidates: usize,
    /// Customers who got offers.
    pub(crate) customers: usize,
    /// Of these, customers who bought anything that week.
    pub(crate) buyers: usize,
    /// What the week took: features, training, scoring and picking of all engines.
    pub(crate) seconds: f64,
}

impl Replay {
    /// A week as it is judged with one of the seeds: a customer has a week for each.
    fn named(&self, week: &JudgedWeek, seed: u64) -> JudgedWeek {
        let mut week = week.clone();
        if self.seeds.len() > 1 {
            week.name = format!("{}, seed {seed}", week.name);
        }
        week
    }
}

/// The most Mondays of one backtest.
const WEEKS_MAX: usize = 520;

/// Replays every Monday from `from` to `to`.
pub(crate) fn replay(project: &Project, ask: &Replay, progress: &Progress) -> Result<Replayed> {
    let mondays = mondays(ask)?;
    let end = ask.to.plus_days(DAYS_PER_WEEK);
    let ((shop, engine), _) = progress.step("sources", || {
        let mut sources = sources_of(project)?;
        if ask.without_interactions {
            sources.specs.retain(|spec| spec.table != "interactions");
        }
        tercet_sources::load(&project.engine, &sources, end)?;
        let shop = Shop::read(&project.engine)?;
        let said = format!("{} order lines up to {end}", thousands(shop.indexes.lines));
        Ok(((shop, &project.engine), said))
    })?;
    let mut judged = Vec::with_capacity(mondays.len());
    let mut slates: BTreeMap<String, BTreeMap<Scope, Vec<Vec<Slate>>>> = BTreeMap::new();
    let mut weeks = Vec::with_capacity(mondays.len());
    let lessons = |seed: &u64| Lessons::new(engine, &shop, ask.from, ask.to, *seed);
    let mut lessons = ask.seeds.iter().map(lessons).collect::<Result<Vec<_>>>()?;
    for monday in mondays {
        let (picked, took) = progress.step(&monday.to_string(), || {
            let week = Week::build(engine, &shop, &project.config, monday)?;
            let truth = judge(engine, &shop, &week, &project.config)?;
            let picked = pick(project, &shop, &week, &truth, ask, &mut lessons)?;
            let said = format!(
                "{} promotions, {} active customers, {} bought",
                thousands(truth.promotions.len()),
                thousands(week.active().len()),
                thousands(truth.customers.len())
            );
            let counts = (truth.promotions.len(), week.active().len(), truth.customers.len());
            judged.extend(ask.seeds.iter().map(|seed| ask.named(&truth, *seed)));
            Ok(((picked, counts), said))
        })?;
        let (picked, (candidates, customers, buyers)) = picked;
        weeks.push(ReplayedWeek {
            monday,
            candidates,
            customers,
            buyers,
            seconds: took.as_secs_f64(),
        });
        for (name, scopes) in picked.into_iter().flatten() {
            let of_name = slates.entry(name).or_default();
            for (scope, list) in scopes {
                of_name.entry(scope).or_default().push(list);
            }
        }
    }
    let names: Vec<String> = ask.contestants.iter().map(Contestant::name).collect();
    let engines: Vec<EngineSlates> = names
        .iter()
        .filter_map(|name| {
            slates.remove(name).map(|slates| EngineSlates { name: name.clone(), slates })
        })
        .collect();
    let pairs: Vec<(&str, &str)> =
        names.iter().skip(1).map(|other| (names[0].as_str(), other.as_str())).collect();
    let mut summary =
        referee(&judged, &engines, &pairs, Bootstrap { draws: ask.draws, seed: ask.seeds[0] })?;
    summary.count_once(ask.seeds.len() as u64);
    Ok(Replayed { summary, weeks })
}

fn mondays(ask: &Replay) -> Result<Vec<Date>> {
    let first =
        if ask.from.is_monday() { ask.from } else { ask.from.monday().plus_days(DAYS_PER_WEEK) };
    let mut mondays = Vec::new();
    let mut monday = first;
    while monday <= ask.to && mondays.len() < WEEKS_MAX {
        mondays.push(monday);
        monday = monday.plus_days(DAYS_PER_WEEK);
    }
    if mondays.is_empty() {
        return Err(Error::config(
            "T1022",
            format!("there is no Monday from {} to {}", ask.from, ask.to),
        )
        .hint("give --from and --to with at least one Monday between them"));
    }
    Ok(mondays)
}

/// Candidates that at least one active customer may get: a promotion for visitors only is none, nor one
/// that holds where none of them shops.
fn open_candidates(engine: &Engine, week: &Week, config: &Config) -> Result<Vec<i32>> {
    let mut candidates = week.candidates();
    let audiences = promotion_audiences(engine, week, &candidates)?;
    let active: BTreeSet<i32> = week.active().into_iter().collect();
    candidates.retain(|ix| audiences.get(ix).is_none_or(|who| !who.is_disjoint(&active)));
    let scopes = Scopes::of(week, &config.slots)?;
    candidates.retain(|ix| {
        let promotion = &week.promotions[ix];
        let is_scoped = promotion.stores.is_some() || promotion.channels.is_some();
        let may_get = |customer: &i32| {
            audiences.get(ix).is_none_or(|who| who.contains(customer))
                && scopes.reach(&config.slots, promotion, &week.customers[customer])
        };
        !is_scoped || active.iter().any(may_get)
    });
    Ok(candidates)
}

/// What happened in the week after the Monday.
fn judge(engine: &Engine, shop: &Shop, week: &Week, config: &Config) -> Result<JudgedWeek> {
    let candidates = open_candidates(engine, week, config)?;
    let place: BTreeMap<i32, u32> = candidates.iter().zip(0..).map(|(ix, at)| (*ix, at)).collect();
    let promotions = candidates
        .iter()
        .map(|ix| {
            let products = week.promotions[ix].products.clone();
            let breadth = if products.len() <= NARROW_PRODUCTS_MAX {
                Breadth::Narrow
            } else {
                Breadth::Broad
            };
            WeekPromotion { products, breadth }
        })
        .collect();
    let values = params([
        ("as_of", Value::Date(week.as_of)),
        ("until", Value::Date(week.as_of.plus_days(DAYS_PER_WEEK))),
    ]);
    let found = engine.query(include_str!("../../sql/redeemed_in_week.sql"), &values)?;
    let mut redeemed: BTreeMap<i32, BTreeSet<u32>> = BTreeMap::new();
    for (customer, promotion) in
        found.i32("customer_ix")?.into_iter().zip(found.i32("promotion_ix")?)
    {
        redeemed.entry(customer).or_default().extend(place.get(&promotion));
    }
    let found = engine.query(include_str!("../../sql/mailed_in_week.sql"), &values)?;
    let mailed: BTreeSet<i32> = found.i32("customer_ix")?.into_iter().collect();
    let (from, until) = (week.as_of.days(), week.as_of.plus_days(DAYS_PER_WEEK).days());
    let mut customers = Vec::new();
    for ix in week.active() {
        let history = shop.history.of(ix as u32);
        let mut spend: BTreeMap<u32, i64> = BTreeMap::new();
        for purchase in history.iter().filter(|purchase| (from..until).contains(&purchase.day)) {
            *spend.entry(purchase.product).or_insert(0) += purchase.spend_minor;
        }
        if spend.is_empty() {
            continue;
        }
        let before: BTreeSet<u32> =
            shop.history.before(ix as u32, from).iter().map(|purchase| purchase.product).collect();
        let used = redeemed.remove(&ix).unwrap_or_default();
        customers.push(CustomerWeek {
            customer: ix as u32,
            purchases: spend
                .into_iter()
                .map(|(product, minor)| Purchase { product, spend_minor: minor.max(0) })
                .collect(),
            bought_before: before.into_iter().collect(),
            redeemed: (mailed.contains(&ix) || !used.is_empty())
                .then(|| used.into_iter().collect()),
            segment: week.customers[&ix].behaviour.clone(),
        });
    }
    Ok(JudgedWeek { name: week.as_of.to_string(), promotions, customers })
}

type Picked = BTreeMap<String, BTreeMap<Scope, Vec<Slate>>>;

/// The slates of every engine in every scope, for the customers that are judged, by seed.
fn pick(
    project: &Project,
    shop: &Shop,
    week: &Week,
    truth: &JudgedWeek,
    ask: &Replay,
    lessons: &mut [Lessons],
) -> Result<Vec<Picked>> {
    let (engine, config) = (&project.engine, &project.config);
    let customers = week.active();
    let candidates = open_candidates(engine, week, config)?;
    let pairs = week_pairs(engine, shop, week, config, &customers, &candidates)?;
    let visits = Visits::read(engine, &candidates)?;
    let circumstances = Circumstances {
        assignment_key: assignment_key(project)?,
        history: History::new(),
        redeemed: BTreeSet::new(),
        with_holdout: false,
        exploration: Exploration::default(),
    };
    // Limits across customers would make engines compete for stock instead of being compared.
    let mut config: Config = config.clone();
    config.rules.budget_minor = None;
    config.rules.cap_default = None;
    config.rules.budgets.clear();
    config.rules.floors.clear();
    config.rules.contacts_max = 0;
    config.audience.limit = 0;
    // What offers bring is learnt apart from the groups of features: beside an ablation all are valued by orders.
    if ask.contestants.iter().any(|contestant| !contestant.without.is_empty()) {
        config.model.value = ModelValue::Order;
    }
    let place: BTreeMap<i32, u32> = candidates.iter().zip(0..).map(|(ix, at)| (*ix, at)).collect();
    let mut all: Vec<Picked> = Vec::with_capacity(ask.seeds.len());
    let mut masks: BTreeMap<Scope, SlotMasks> = BTreeMap::new();
    for (seed, lessons) in ask.seeds.iter().zip(lessons) {
        let mut picked = Picked::new();
        for contestant in &ask.contestants {
            let name = contestant.name();
            let scored = if contestant.engine == OWN_ENGINE {
                let without = &contestant.without;
                let models = Models::fit(engine, shop, week, &config, *seed, lessons, without)?;
                let models = models.as_ref().map(|(models, _)| models);
                tercet_scores(week, &config, &pairs, models, &visits)?
            } else if let Some(scopes) = all.first().and_then(|first| first.get(&name)) {
                // No other engine draws anything.
                picked.insert(name, scopes.clone());
                continue;
            } else {
                baseline_scores(contestant.engine, shop, week, &config, &customers)?
            };
            for scope in Scope::ALL {
                let kept = |ix: i32| {
                    let at = place.get(&ix);
                    at.is_some_and(|at| scope.holds(truth.promotions[*at as usize].breadth))
                };
                let part = scored.of_promotions(kept);
                // The same slots for all: predicates on values and rates see those of the first engine.
                let masks = match masks.entry(scope) {
                    Entry::Occupied(found) => found.into_mut(),
                    Entry::Vacant(place) => {
                        place.insert(slot_masks(engine, &config.slots, &part, &pairs, &visits)?)
                    }
                };
                let slates = fill_slots(engine, week, &config, &part, &circumstances, masks, kept)?;
                let of_name = picked.entry(name.clone()).or_default();
                of_name.insert(scope, slates_of(&slates, truth, &place));
            }
        }
        all.push(picked);
    }
    Ok(all)
}

/// The first offers of each judged customer, in the order in which they were chosen.
fn slates_of(slates: &Slates, truth: &JudgedWeek, place: &BTreeMap<i32, u32>) -> Vec<Slate> {
    let at: BTreeMap<i32, usize> =
        slates.customers.iter().enumerate().map(|(at, ix)| (*ix, at)).collect();
    truth
        .customers
        .iter()
        .map(|judged| {
            let mut slate: Slate = [None; SLATE_LEN];
            if let Some(customer) = at.get(&(judged.customer as i32)) {
                let chosen = slates.explored.plan.chosen(*customer);
                for (cell, (_, placed)) in slate.iter_mut().zip(chosen.iter()) {
                    let promotion = slates.offered(*customer, placed);
                    *cell = place.get(&promotion).copied();
                }
            }
            slate
        })
        .collect()
}
