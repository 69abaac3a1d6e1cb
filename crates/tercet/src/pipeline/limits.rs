//! Which budgets and floors do the promotions of a week have?

use std::collections::{BTreeMap, BTreeSet};

use tercet_allocation::{Budget, Floor, MAX_GROUPS, Measure, Problem};
use tercet_types::{Error, Result};

use crate::config::Config;

/// Adds the budgets of several promotions, and returns their names.
pub(super) fn add_budgets(
    problem: &mut Problem<'_>,
    config: &Config,
    at_id: &BTreeMap<&str, u32>,
) -> Vec<String> {
    for shared in &config.rules.budgets {
        let named = shared.promotions.iter().filter_map(|id| at_id.get(id.as_str()).copied());
        let promotions: BTreeSet<u32> = match shared.promotions.is_empty() {
            true => at_id.values().copied().collect(),
            false => named.collect(),
        };
        let (budget_minor, measure) = (shared.budget_minor, shared.measure.into());
        let promotions = promotions.into_iter().collect();
        problem.budgets.push(Budget { budget_minor, measure, promotions });
    }
    config.rules.budgets.iter().map(|shared| shared.name.clone()).collect()
}

/// True when it counts what offers lose of the margin.
pub(super) fn has_margin_budget(problem: &Problem<'_>) -> bool {
    problem.budgets.iter().any(|budget| budget.measure == Measure::Margin)
}

/// Refuses budgets in margin that a promotion spends whose margin is a guess, if only in part.
pub(super) fn refuse_untold(
    problem: &Problem<'_>,
    names: &[String],
    untold: &[bool],
    ids: &[&str],
) -> Result<()> {
    for (budget, name) in problem.budgets.iter().zip(names) {
        let mut spend = budget.promotions.iter().map(|at| *at as usize);
        let found = spend.find(|at| budget.measure == Measure::Margin && untold[*at]);
        if let Some(at) = found {
            return Err(Error::config(
                "T1096",
                format!("budget '{name}' is in margin, and not every product of promotion '{}' says its margin", ids[at]),
            )
            .hint("fill margin_rate in products, say [features.product] default_margin_rate, or limit what offers cost: measure = \"cost\""));
        }
    }
    Ok(())
}

/// Names of floors, and the groups of customers that they name: where each stands in the configuration, and the
/// predicate.
pub(super) type Floors<'a> = (Vec<String>, Vec<(String, &'a str)>);

/// Adds the floors.
pub(super) fn add_floors<'a>(
    problem: &mut Problem<'_>,
    config: &'a Config,
    at_id: &BTreeMap<&str, u32>,
) -> Result<Floors<'a>> {
    let (mut names, mut groups, mut known) = (Vec::new(), Vec::new(), BTreeMap::new());
    for floor in &config.rules.floors {
        let predicate = floor.predicate.trim();
        let group = match known.get(predicate) {
            _ if predicate.is_empty() => None,
            Some(group) => Some(*group),
            None if groups.len() == MAX_GROUPS => {
                return Err(Error::config(
                    "T1019",
                    format!("floor '{}': more than {MAX_GROUPS} groups of customers", floor.name),
                )
                .hint("let floors name the same groups, in the same words"));
            }
            None => {
                groups.push((format!("floor '{}': where", floor.name), predicate));
                known.insert(predicate, groups.len() as u8 - 1);
                Some(groups.len() as u8 - 1)
            }
        };
        let of = |promotions: Option<Vec<u32>>| Floor {
            promotions,
            group,
            offers_min: floor.offers_min,
            miss_minor: floor.miss_minor.unwrap_or(i64::MAX),
        };
        if floor.promotions.is_empty() {
            problem.floors.push(of(None));
            names.push(floor.name.clone());
        }
        for id in &floor.promotions {
            if let Some(at) = at_id.get(id.as_str()) {
                problem.floors.push(of(Some(vec![*at])));
                names.push(format!("{}: {id}", floor.name));
            }
        }
    }
    Ok((names, groups))
}
