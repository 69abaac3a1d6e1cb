//! What do tables say of policies, and of logs that are no project's?

use std::collections::BTreeMap;

use tercet_measurement::off_policy::{
    Estimator, LAMBDAS, Predicted, Refusal, Round, WeighedLog, check_policy,
};
use tercet_types::{Date, Error, Result};

use super::EvaluateArguments;
use crate::commands::Project;
use crate::commands::uplift::table::{Table, engine, number};
use crate::config::Environment;
use crate::pipeline::{Evaluated, Policy, TableRow, View};

/// The column of a policy's table that says how likely an action is.
const PROBABILITY: &str = "probability";
/// The column that says which reward a model expects of it.
const EXPECTED: &str = "expected";

/// The policies that are named, or lie in files.
pub(super) fn policies(project: &Project, names: &[String]) -> Result<Vec<Policy>> {
    let one = |name: &String| match name.as_str() {
        "planned" => Ok(Policy::Planned),
        "uniform" => Ok(Policy::Uniform),
        "nothing" => Ok(Policy::Nothing),
        file => policy_of(&Table::read(&project.engine, file)?, file),
    };
    names.iter().map(one).collect()
}

/// A table of what each customer would get in each slot.
fn policy_of(table: &Table, name: &str) -> Result<Policy> {
    let has = |column: &str| table.columns().iter().any(|known| known == column);
    let missing = || vec![None; table.rows()];
    let (customers, slots) = (table.cells("customer_id")?, table.numbers("slot")?);
    let promotions = table.cells("promotion_id")?;
    let days = if has("as_of") { table.cells("as_of")? } else { missing() };
    let probabilities = match has(PROBABILITY) {
        true => table.numbers(PROBABILITY)?,
        false => vec![1.0; table.rows()],
    };
    let mut rows = Vec::with_capacity(table.rows());
    for (row, customer) in customers.into_iter().enumerate() {
        let at_row = |error: Error| error.context(format!("{name}: row {}", row + 1));
        let customer = customer.ok_or_else(|| {
            Error::data("T1062", format!("{name}: row {} names no customer", row + 1))
                .hint("leave out rows without a customer_id")
        })?;
        if slots[row] < 1.0 || slots[row].fract() != 0.0 {
            return Err(Error::data(
                "T1054",
                format!("{name}: row {} is of slot {}, which is none", row + 1, slots[row]),
            )
            .hint("slots count from 1, in the order of the project's [[slots]]"));
        }
        rows.push(TableRow {
            row: row + 1,
            customer,
            as_of: days[row].as_deref().map(str::parse::<Date>).transpose().map_err(at_row)?,
            slot: slots[row] as i32,
            promotion: promotions[row].clone(),
            probability: probabilities[row],
        });
    }
    Ok(Policy::Table(name.to_owned(), rows))
}

/// Judges policies by a table of rounds.
///
/// # Errors
/// `T1051` when the table has no propensities, `T1054` when a policy says nothing of a round, `T1056` without a
/// policy; `T0720` for propensities and policies that are none.
pub(super) fn judge(verb: &EvaluateArguments, environment: &Environment) -> Result<Vec<Evaluated>> {
    if verb.policies.is_empty() {
        return Err(Error::config("T1056", "--log without --policy")
            .hint("give the policy's table: the column of actions, and 'probability'"));
    }
    let engine = engine(environment)?;
    let place = verb.log.as_deref().unwrap_or_default();
    let log = Rounds::read(verb, &Table::read(&engine, place)?, place)?;
    let mut judged = Vec::with_capacity(verb.policies.len());
    for file in &verb.policies {
        let policy = TablePolicy::read(verb, &Table::read(&engine, file)?, file)?;
        let weighed = log.weigh(&policy)?;
        let estimators: Vec<_> = Estimator::ALL.map(|one| (one, one.name())).to_vec();
        judged.push(Evaluated {
            policy: file.clone(),
            rounds: log.actions.len(),
            unsupported: 0,
            views: vec![View::of("rounds", &weighed, &estimators, verb.level)],
        });
    }
    Ok(judged)
}

/// Where a policy is looked up: the round and the position, where they count.
type Place = (Option<String>, Option<String>);

/// The rounds of a table.
struct Rounds {
    places: Vec<Place>,
    actions: Vec<Option<String>>,
    propensities: Vec<f64>,
    rewards: Vec<f64>,
    units: Vec<Option<String>>,
}

impl Rounds {
    fn read(verb: &EvaluateArguments, table: &Table, place: &str) -> Result<Self> {
        if !table.columns().contains(&verb.propensity) {
            return Err(Error::data(
                "T1051",
                format!(
                    "{place}: the log has no propensities: there is no column '{}'",
                    verb.propensity
                ),
            )
            .hint("name the column of the probability of what was done: --propensity COLUMN"));
        }
        let optional = |name: &Option<String>| match name {
            Some(name) => table.cells(name),
            None => Ok(vec![None; table.rows()]),
        };
        // What is no number is no propensity.
        let as_propensity =
            |cell: &Option<String>| cell.as_deref().and_then(number).unwrap_or(f64::NAN);
        let (keys, positions) = (optional(&verb.key)?, optional(&verb.position)?);
        Ok(Self {
            places: keys.into_iter().zip(positions).collect(),
            actions: table.cells(&verb.action)?,
            propensities: table.cells(&verb.propensity)?.iter().map(as_propensity).collect(),
            rewards: table.numbers(verb.reward.as_deref().unwrap_or("reward"))?,
            units: optional(&verb.unit)?,
        })
    }

    /// The rounds, weighed for a policy.
    fn weigh(&self, policy: &TablePolicy) -> Result<WeighedLog> {
        let are_shares = self.rewards.iter().all(|reward| (0.0..=1.0).contains(reward));
        let mut log = WeighedLog::new(&LAMBDAS, are_shares.then_some(1.0));
        let mut units: BTreeMap<&str, Vec<Round>> = BTreeMap::new();
        for row in 0..self.actions.len() {
            let choices = policy.of(&self.places[row]).ok_or_else(|| {
                Error::data(
                    "T1054",
                    format!("policy '{}' says nothing of row {}", policy.name, row + 1),
                )
                .hint("give its probabilities for every position and round of the log")
            })?;
            let done = choices.get(&self.actions[row]);
            let target = done.map_or(0.0, |(probability, _)| *probability);
            let mut round = Round::new(self.propensities[row], target, self.rewards[row])
                .map_err(|refusal| Error::from(refusal).context(format!("row {}", row + 1)))?;
            let expected = |(probability, expected): &(f64, Option<f64>)| {
                expected.map(|expected| probability * expected)
            };
            let under_policy: Option<f64> = choices.values().map(expected).sum();
            if let (Some((_, Some(done))), Some(target)) = (done, under_policy) {
                round = round.predicted(Predicted { done: *done, target })?;
            }
            match &self.units[row] {
                Some(unit) => units.entry(unit).or_default().push(round),
                None => log.add(round),
            }
        }
        units.values().for_each(|unit| log.add_unit(unit));
        Ok(log)
    }
}

/// What a policy does in a place: the probability of each action, and the reward expected of it.
type Choices = BTreeMap<Option<String>, (f64, Option<f64>)>;

/// A policy of a table.
struct TablePolicy {
    name: String,
    has_keys: bool,
    has_positions: bool,
    choices: BTreeMap<Place, Choices>,
}

impl TablePolicy {
    fn read(verb: &EvaluateArguments, table: &Table, name: &str) -> Result<Self> {
        let has = |column: &Option<String>| {
            column.as_ref().is_some_and(|column| table.columns().contains(column))
        };
        let (has_keys, has_positions) = (has(&verb.key), has(&verb.position));
        let optional = |column: &Option<String>, has: bool| match column {
            Some(column) if has => table.cells(column),
            _ => Ok(vec![None; table.rows()]),
        };
        let places = optional(&verb.key, has_keys)?
            .into_iter()
            .zip(optional(&verb.position, has_positions)?);
        let (actions, probabilities) = (table.cells(&verb.action)?, table.numbers(PROBABILITY)?);
        let expected: Vec<Option<f64>> = match table.columns().iter().any(|known| known == EXPECTED)
        {
            true => table.numbers(EXPECTED)?.into_iter().map(Some).collect(),
            false => vec![None; table.rows()],
        };
        let mut choices: BTreeMap<Place, Choices> = BTreeMap::new();
        let mut firsts: BTreeMap<Place, usize> = BTreeMap::new();
        for (row, (place, action)) in places.zip(actions).enumerate() {
            firsts.entry(place.clone()).or_insert(row + 1);
            let of_place = choices.entry(place).or_default();
            if of_place.insert(action, (probabilities[row], expected[row])).is_some() {
                return Err(Error::data(
                    "T1054",
                    format!("{name}: row {} names an action for the second time", row + 1),
                )
                .hint("name the columns that tell the rows apart: --position, --key"));
            }
        }
        for (place, of_place) in &choices {
            let probabilities: Vec<f64> = of_place.values().map(|(chance, _)| *chance).collect();
            check_policy(&probabilities).map_err(|refusal: Refusal| {
                let first = firsts[place];
                Error::from(refusal).context(format!("{name}: the actions from row {first} on"))
            })?;
        }
        Ok(Self { name: name.to_owned(), has_keys, has_positions, choices })
    }

    /// What the policy does there.
    fn of(&self, place: &Place) -> Option<&Choices> {
        let key = place.0.clone().filter(|_| self.has_keys);
        let position = place.1.clone().filter(|_| self.has_positions);
        self.choices.get(&(key, position))
    }
}
