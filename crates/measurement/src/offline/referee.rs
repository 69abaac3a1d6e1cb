//! How did the engines do, on the same weeks, customers, candidates and draws?

use std::collections::{BTreeMap, BTreeSet};

use rayon::prelude::*;
use tercet_types::{Error, Result};

use super::bootstrap::{Bootstrap, Interval};
use super::index::ProductIndex;
use super::metrics::{Metric, offers};
use super::outcome::{BOUGHT, COLUMNS, Sums, add, ideals, outcome, ratio, value};
use super::summary::{Breakdown, Denominators, PairedInterval, PerMetric, PerScope, Summary};
use super::week::{Scope, Slate, Week};

/// What one engine picked.
#[derive(Clone, Debug)]
pub struct EngineSlates {
    /// The engine's name in results.
    pub name: String,
    /// The slates of each scope: `slates[scope][week][customer]`, weeks and customers in the order
    /// of the [`Week`]s. A scope's slates hold only promotions of that scope.
    pub slates: BTreeMap<Scope, Vec<Vec<Slate>>>,
}

/// Judges the engines on the weeks.
///
/// Each engine gives slates for the same scopes. `pairs` names the differences to report:
/// `("tercet", "personal")` becomes `tercet-personal`.
///
/// All intervals come from the same draws of customers. The interval of
/// [`Metric::Coverage`] is that of resampled shops, which see fewer distinct customers and so
/// offer fewer distinct promotions; it is widened to hold its own value.
///
/// # Errors
/// `T0701` (data) for a malformed week, `T0702` (data) for malformed slates, `T0703` (config) for
/// a wrong number of draws, `T0704` (config) for a pair that names an unknown engine, or engines of
/// one name.
pub fn referee(
    weeks: &[Week],
    engines: &[EngineSlates],
    pairs: &[(&str, &str)],
    bootstrap: Bootstrap,
) -> Result<Summary> {
    bootstrap.check()?;
    check(weeks, engines)?;
    let pairs = pairs.iter().map(|pair| find_pair(engines, *pair)).collect::<Result<Vec<_>>>()?;
    let mut summary = Summary {
        weeks: weeks.iter().map(|week| week.name.clone()).collect(),
        draws: bootstrap.draws,
        seed: bootstrap.seed,
        denominators: PerScope::new(),
        engines: BTreeMap::new(),
        paired: BTreeMap::new(),
        by_segment: BTreeMap::new(),
        by_week: BTreeMap::new(),
    };
    let clusters = clusters(weeks);
    for &scope in engines.iter().flat_map(|engine| engine.slates.keys()).collect::<BTreeSet<_>>() {
        let judged = Judged::new(weeks, engines, scope, &clusters);
        summary.denominators.insert(scope, denominators(weeks, scope, clusters.len()));
        judged.breakdowns(weeks, engines, &mut summary);
        judged.intervals(engines, &pairs, bootstrap, clusters.len(), &mut summary);
    }
    Ok(summary)
}

/// Everything the bootstrap needs of one scope, added up per customer.
struct Judged<'a> {
    scope: Scope,
    /// `outcomes[engine][week][customer]`.
    outcomes: Vec<Vec<Vec<Sums>>>,
    /// `slates[engine][week][customer]`.
    slates: Vec<&'a [Vec<Slate>]>,
    /// `rows[customer * engines + engine]`.
    rows: Vec<Sums>,
    /// `offered[engine]`: for each promotion offered in a week, the customers it was offered to.
    offered: Vec<Vec<Vec<u32>>>,
    /// Candidates per week.
    candidates: Vec<u64>,
}

impl<'a> Judged<'a> {
    fn new(weeks: &[Week], engines: &'a [EngineSlates], scope: Scope, clusters: &[u32]) -> Self {
        let ideals: Vec<Vec<f64>> =
            weeks.par_iter().map(|week| ideals(week, &ProductIndex::new(week, scope))).collect();
        let slates: Vec<&[Vec<Slate>]> =
            engines.iter().map(|engine| engine.slates[&scope].as_slice()).collect();
        let outcomes: Vec<Vec<Vec<Sums>>> = slates
            .par_iter()
            .map(|of_engine| {
                let of_week = |(at, week): (usize, &Week)| -> Vec<Sums> {
                    (0..week.customers.len())
                        .into_par_iter()
                        .map(|c| {
                            outcome(week, &week.customers[c], &of_engine[at][c], ideals[at][c])
                        })
                        .collect()
                };
                weeks.iter().enumerate().map(of_week).collect()
            })
            .collect();
        let mut rows = vec![[0.0; COLUMNS]; clusters.len() * engines.len()];
        let mut offered: Vec<BTreeMap<(usize, u32), Vec<u32>>> =
            vec![BTreeMap::new(); engines.len()];
        for (at, week) in weeks.iter().enumerate() {
            for (c, row) in week.customers.iter().enumerate() {
                let cluster = clusters.partition_point(|&customer| customer < row.customer);
                for engine in 0..engines.len() {
                    let sums = &outcomes[engine][at][c];
                    add(&mut rows[cluster * engines.len() + engine], sums, 1.0);
                    for promotion in offers(&slates[engine][at][c]) {
                        let customers = offered[engine].entry((at, promotion)).or_default();
                        customers.push(cluster as u32);
                    }
                }
            }
        }
        Self {
            scope,
            outcomes,
            slates,
            rows,
            offered: offered.into_iter().map(|map| map.into_values().collect()).collect(),
            candidates: weeks.iter().map(|week| count_candidates(week, scope)).collect(),
        }
    }

    /// The values of every engine under customer weights: `values[engine][metric]`.
    fn values(&self, weights: &[u32]) -> Vec<[f64; Metric::ALL.len()]> {
        let engines = self.outcomes.len();
        let mut totals = vec![[0.0; COLUMNS]; engines];
        for (&weight, rows) in weights.iter().zip(self.rows.chunks_exact(engines)) {
            if weight > 0 {
                for (total, row) in totals.iter_mut().zip(rows) {
                    add(total, row, f64::from(weight));
                }
            }
        }
        let candidates: u64 = self.candidates.iter().sum();
        totals
            .iter()
            .zip(&self.offered)
            .map(|(total, offered)| {
                let seen =
                    |customers: &&Vec<u32>| customers.iter().any(|&c| weights[c as usize] > 0);
                let distinct = offered.iter().filter(seen).count();
                let coverage = ratio(distinct as f64, candidates as f64);
                Metric::ALL.map(|metric| value(total, metric, coverage))
            })
            .collect()
    }

    fn intervals(
        &self,
        engines: &[EngineSlates],
        pairs: &[(usize, usize)],
        bootstrap: Bootstrap,
        customers: usize,
        summary: &mut Summary,
    ) {
        let values = self.values(&vec![1; customers]);
        let draws = bootstrap.replicate(customers, |weights| self.values(weights));
        let column = |engine: usize, metric: Metric| -> Vec<f64> {
            draws.iter().map(|draw| draw[engine][metric as usize]).collect()
        };
        for (at, engine) in engines.iter().enumerate() {
            let interval = |metric: Metric| {
                let value = values[at][metric as usize];
                let interval = Interval::percentile(value, &mut column(at, metric));
                (metric, held(metric, interval))
            };
            let metrics: PerMetric<Interval> = Metric::ALL.into_iter().map(interval).collect();
            summary.engines.entry(engine.name.clone()).or_default().insert(self.scope, metrics);
        }
        for &(a, b) in pairs {
            let interval = |metric: Metric| {
                let value = (values[a][metric as usize], values[b][metric as usize]);
                (metric, paired(metric, value, &column(a, metric), &column(b, metric)))
            };
            let metrics = Metric::ALL.into_iter().map(interval).collect();
            let name = format!("{}-{}", engines[a].name, engines[b].name);
            summary.paired.entry(name).or_default().insert(self.scope, metrics);
        }
    }

    fn breakdowns(&self, weeks: &[Week], engines: &[EngineSlates], summary: &mut Summary) {
        for (engine, name) in engines.iter().map(|engine| &engine.name).enumerate() {
            let mut segments: BTreeMap<String, Part> = BTreeMap::new();
            let mut by_week: BTreeMap<String, Breakdown> = BTreeMap::new();
            for (at, week) in weeks.iter().enumerate() {
                let mut whole = Part::default();
                for (c, row) in week.customers.iter().enumerate() {
                    let (sums, slate) =
                        (&self.outcomes[engine][at][c], &self.slates[engine][at][c]);
                    whole.add(sums, at, slate);
                    segments.entry(row.segment.clone()).or_default().add(sums, at, slate);
                }
                by_week.insert(week.name.clone(), whole.breakdown(self.candidates[at]));
            }
            let candidates = self.candidates.iter().sum();
            let by_segment = segments
                .into_iter()
                .map(|(segment, part)| (segment, part.breakdown(candidates)))
                .collect();
            summary.by_segment.entry(name.clone()).or_default().insert(self.scope, by_segment);
            summary.by_week.entry(name.clone()).or_default().insert(self.scope, by_week);
        }
    }
}

/// The sums of a part of the customer-weeks.
#[derive(Default)]
struct Part {
    sums: Sums,
    offered: BTreeSet<(usize, u32)>,
}

impl Part {
    fn add(&mut self, sums: &Sums, week: usize, slate: &Slate) {
        add(&mut self.sums, sums, 1.0);
        self.offered.extend(offers(slate).map(|promotion| (week, promotion)));
    }

    fn breakdown(&self, candidates: u64) -> Breakdown {
        let coverage = ratio(self.offered.len() as f64, candidates as f64);
        let metric = |metric| (metric, value(&self.sums, metric, coverage));
        Breakdown {
            customers: self.sums[BOUGHT] as u64,
            metrics: Metric::ALL.into_iter().map(metric).collect(),
        }
    }
}

fn paired(metric: Metric, value: (f64, f64), a: &[f64], b: &[f64]) -> PairedInterval {
    let mut differences: Vec<f64> = a.iter().zip(b).map(|(a, b)| a - b).collect();
    let difference = held(metric, Interval::percentile(value.0 - value.1, &mut differences));
    let relative = (value.1 > 0.0 && b.iter().all(|&b| b > 0.0)).then(|| {
        let mut ratios: Vec<f64> = a.iter().zip(b).map(|(a, b)| a / b - 1.0).collect();
        held(metric, Interval::percentile(value.0 / value.1 - 1.0, &mut ratios))
    });
    let Interval { value, low, high } = difference;
    PairedInterval { value, low, high, relative }
}

fn held(metric: Metric, interval: Interval) -> Interval {
    if metric == Metric::Coverage { interval.holding_value() } else { interval }
}

/// The distinct customers of all weeks, ascending.
fn clusters(weeks: &[Week]) -> Vec<u32> {
    let rows = weeks.iter().flat_map(|week| &week.customers);
    rows.map(|row| row.customer).collect::<BTreeSet<_>>().into_iter().collect()
}

fn count_candidates(week: &Week, scope: Scope) -> u64 {
    week.promotions.iter().filter(|promotion| scope.holds(promotion.breadth)).count() as u64
}

fn denominators(weeks: &[Week], scope: Scope, customers: usize) -> Denominators {
    let mut total = Denominators { customers: customers as u64, ..Denominators::default() };
    for week in weeks {
        total.candidates += count_candidates(week, scope);
        for row in &week.customers {
            total.customer_weeks += 1;
            total.buying_customer_weeks += u64::from(!row.purchases.is_empty());
            total.mailed_customer_weeks += u64::from(row.redeemed.is_some());
            let in_scope = |&&p: &&u32| scope.holds(week.promotions[p as usize].breadth);
            total.redemptions += row.redeemed.iter().flatten().filter(in_scope).count() as u64;
        }
    }
    total
}

fn check(weeks: &[Week], engines: &[EngineSlates]) -> Result<()> {
    let mut names: Vec<&str> = weeks.iter().map(|week| week.name.as_str()).collect();
    names.sort_unstable();
    if let Some(pair) = names.windows(2).find(|pair| pair[0] == pair[1]) {
        return Err(Error::data("T0701", format!("week {} stands twice", pair[0]))
            .hint("hand over each week once"));
    }
    weeks.par_iter().map(Week::check).collect::<Result<Vec<()>>>()?;
    let scopes: Vec<Scope> =
        engines.iter().take(1).flat_map(|e| e.slates.keys().copied()).collect();
    for (at, engine) in engines.iter().enumerate() {
        let name = &engine.name;
        if engines[..at].iter().any(|earlier| earlier.name == *name) {
            return Err(Error::config("T0704", format!("engine {name} stands twice"))
                .hint("name each engine once"));
        }
        if !engine.slates.keys().eq(&scopes) {
            return Err(Error::data(
                "T0702",
                format!("engine {name}: other scopes than the first"),
            )
            .hint("every engine gives slates for the same scopes"));
        }
        for (&scope, of_week) in &engine.slates {
            if of_week.len() != weeks.len() {
                let (got, want) = (of_week.len(), weeks.len());
                return Err(Error::data("T0702", format!("engine {name}: {got} of {want} weeks"))
                    .hint("every engine gives slates for every week"));
            }
            for (week, slates) in weeks.iter().zip(of_week) {
                week.check_slates(name, scope, slates)?;
            }
        }
    }
    Ok(())
}

fn find_pair(engines: &[EngineSlates], pair: (&str, &str)) -> Result<(usize, usize)> {
    let find = |name: &str| {
        engines.iter().position(|engine| engine.name == name).ok_or_else(|| {
            Error::config("T0704", format!("engine {name} is compared but was not run"))
                .hint("add it to the engines of the backtest")
        })
    };
    Ok((find(pair.0)?, find(pair.1)?))
}
