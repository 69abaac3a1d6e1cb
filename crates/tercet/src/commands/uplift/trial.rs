//! What does a table say of a trial, and is that a trial at all?

use std::collections::{BTreeMap, BTreeSet};

use tercet_measurement::Moments;
use tercet_measurement::estimate::{self, LEVEL};
use tercet_models::gbdt::{FeatureSchema, Matrix};
use tercet_models::uplift::row_key;
use tercet_types::{Error, Result};

use super::features::{matrix_of, schema_of};
use super::fit::FitArguments;
use super::table::Table;

/// Fewer customers in an arm than this are not learnt from.
const CUSTOMERS_MIN: usize = 100;

/// A column is taken for an outcome when chance alone sets arms so far apart at most so often, over all columns.
const BALANCE_P: f64 = 0.001;

/// Names that mean control where nobody says which arm it is, in lower case.
const CONTROLS: [&str; 6] = ["0", "control", "false", "no", "none", "holdout"];

/// A trial, read from a table.
pub(super) struct Read {
    /// Names of the arms, control first.
    pub arms: Vec<String>,
    /// The arm of each row.
    pub arm: Vec<u16>,
    /// What happened.
    pub outcome: Vec<f64>,
    /// What folds are drawn by.
    pub key: Vec<u64>,
    /// The chance of each arm, row by row.
    pub propensity: Vec<f64>,
    /// The kind of each arm but control.
    pub kinds: Vec<u16>,
    /// Their names, where a column says them.
    pub kind_names: Option<Vec<String>>,
    /// The features.
    pub schema: FeatureSchema,
    /// Their values.
    pub matrix: Matrix,
}

/// Reads a trial from a table.
///
/// # Errors
/// `T1061` to `T1069`, each naming what is wrong with the table.
pub(super) fn read(table: Table, verb: &FitArguments) -> Result<Read> {
    let labels = table.cells(&verb.treatment)?;
    let arms = arms_of(&labels, verb)?;
    let place = |label: &Option<String>| arms.iter().position(|arm| Some(arm) == label.as_ref());
    let keep: Vec<bool> = labels.iter().map(|label| place(label).is_some()).collect();
    let table = table.filter(&keep)?;
    let arm: Vec<u16> =
        labels.iter().filter_map(|label| place(label).map(|arm| arm as u16)).collect();
    let counts = counts_of(&arm, arms.len());
    for (name, count) in arms.iter().zip(&counts) {
        if *count < CUSTOMERS_MIN {
            return Err(Error::data(
                "T1065",
                format!("arm '{name}' has {count} rows, at least {CUSTOMERS_MIN} are needed"),
            )
            .hint("leave the arm out with --arms, or wait for more customers"));
        }
    }
    let outcome = outcome_of(&table, verb)?;
    let key = keys_of(&table, verb)?;
    let propensity = propensity_of(&table, verb, &counts)?;
    let kind_names = kinds_of(&table, verb, &arms, &arm)?;
    let kinds =
        kind_names.as_ref().map_or_else(|| vec![0; arms.len() - 1], |names| numbered(names));
    let (columns, named) = columns_of(&table, verb)?;
    let schema = schema_of(&table, &columns, &verb.categories)?;
    let matrix = matrix_of(&table, &schema)?;
    let read = Read { arms, arm, outcome, key, propensity, kinds, kind_names, schema, matrix };
    if !named && verb.propensity.is_none() {
        read.check_balance()?;
    }
    Ok(read)
}

/// The arms that take part, control first.
fn arms_of(labels: &[Option<String>], verb: &FitArguments) -> Result<Vec<String>> {
    if let Some(row) = labels.iter().position(Option::is_none) {
        return Err(Error::data(
            "T1064",
            format!("column '{}': row {} says no arm", verb.treatment, row + 1),
        )
        .hint("leave these rows out, or name their arm"));
    }
    let known: BTreeSet<&String> = labels.iter().flatten().collect();
    let shown =
        || known.iter().take(20).map(|one| format!("'{one}'")).collect::<Vec<_>>().join(", ");
    let missing = |name: &str| {
        Error::data("T1064", format!("column '{}': nobody got the arm '{name}'", verb.treatment))
            .hint(format!("the arms are {}", shown()))
    };
    let control = match &verb.control {
        Some(name) => known.get(name).copied().ok_or_else(|| missing(name))?.clone(),
        None => {
            let is_control = |label: &&&String| CONTROLS.contains(&label.to_lowercase().as_str());
            known.iter().find(is_control).copied().cloned().ok_or_else(|| {
                Error::config("T1064", format!("which arm of '{}' is control?", verb.treatment))
                    .hint(format!("say it with --control; the arms are {}", shown()))
            })?
        }
    };
    let mut arms = vec![control];
    if verb.arms.is_empty() {
        arms.extend(known.into_iter().filter(|arm| **arm != arms[0]).cloned().collect::<Vec<_>>());
    } else {
        for name in &verb.arms {
            if !known.contains(name) {
                return Err(missing(name));
            }
            arms.push(name.clone());
        }
    }
    if arms.len() < 2 {
        return Err(Error::data(
            "T1064",
            format!("column '{}': everybody got '{}'", verb.treatment, arms[0]),
        )
        .hint("a trial needs customers who were treated and customers who were not"));
    }
    Ok(arms)
}

/// The kind of every arm but control, where a column says it.
fn kinds_of(
    table: &Table,
    verb: &FitArguments,
    arms: &[String],
    arm: &[u16],
) -> Result<Option<Vec<String>>> {
    let Some(name) = &verb.kind else { return Ok(None) };
    let mut known: BTreeMap<u16, (String, usize)> = BTreeMap::new();
    let treated =
        table.cells(name)?.into_iter().zip(arm).enumerate().filter(|(_, (_, arm))| **arm > 0);
    for (row, (cell, arm)) in treated {
        let label = &arms[usize::from(*arm)];
        let kind = cell.ok_or_else(|| {
            Error::data("T1064", format!("kind '{name}': row {} has none", table.row(row))).hint(
                format!(
                    "say of which kind '{label}' is in all its rows; those of control may be empty"
                ),
            )
        })?;
        let (first, at) = known.entry(*arm).or_insert_with(|| (kind.clone(), row));
        if *first != kind {
            return Err(Error::data(
                "T1064",
                format!(
                    "kind '{name}': arm '{label}' is of '{first}' in row {} and of '{kind}' in row {}",
                    table.row(*at),
                    table.row(row)
                ),
            )
            .hint("an arm is of one kind: make it several arms, or name the column that is the same in all its rows"));
        }
    }
    Ok(Some(known.into_values().map(|(kind, _)| kind).collect()))
}

/// Names as the numbers of their places among the different ones.
fn numbered(names: &[String]) -> Vec<u16> {
    let known: BTreeSet<&String> = names.iter().collect();
    let number = |name: &String| known.iter().take_while(|one| **one < name).count() as u16;
    names.iter().map(number).collect()
}

fn counts_of(arm: &[u16], arms: usize) -> Vec<usize> {
    let mut counts = vec![0; arms];
    arm.iter().for_each(|arm| counts[usize::from(*arm)] += 1);
    counts
}

fn outcome_of(table: &Table, verb: &FitArguments) -> Result<Vec<f64>> {
    let outcome = table.numbers(&verb.outcome)?;
    if let Some(row) = outcome.iter().position(|value| *value < 0.0)
        && !verb.negative
    {
        return Err(Error::data(
            "T1066",
            format!(
                "column '{}': row {} is {}, below 0",
                verb.outcome,
                table.row(row),
                outcome[row]
            ),
        )
        .hint("returns larger than purchases? then say --negative; else mend the table"));
    }
    if outcome.iter().all(|value| *value == outcome[0]) {
        return Err(Error::data(
            "T1066",
            format!("column '{}' is {} in every row", verb.outcome, outcome[0]),
        )
        .hint("nothing can be learnt from an outcome that never differs: wait, or take another"));
    }
    Ok(outcome)
}

fn keys_of(table: &Table, verb: &FitArguments) -> Result<Vec<u64>> {
    let Some(name) = &verb.key else {
        return Ok((0..table.rows()).map(|row| row_key(&row.to_string())).collect());
    };
    let mut seen: BTreeMap<String, usize> = BTreeMap::new();
    let mut keys = Vec::with_capacity(table.rows());
    for (row, cell) in table.cells(name)?.into_iter().enumerate() {
        let id = cell.ok_or_else(|| {
            Error::data("T1067", format!("key '{name}': row {} has none", table.row(row)))
                .hint("leave these rows out: nobody can be told from anybody")
        })?;
        keys.push(row_key(&id));
        if let Some(first) = seen.insert(id.clone(), row) {
            return Err(Error::data(
                "T1067",
                format!(
                    "key '{name}': '{id}' stands in rows {} and {}",
                    table.row(first),
                    table.row(row)
                ),
            )
            .hint("one row per customer: add up what belongs together first"));
        }
    }
    Ok(keys)
}

/// The shares of the arms, or what a column says of the only treatment.
fn propensity_of(table: &Table, verb: &FitArguments, counts: &[usize]) -> Result<Vec<f64>> {
    let rows: usize = counts.iter().sum();
    let Some(name) = &verb.propensity else {
        let shares: Vec<f64> = counts.iter().map(|count| *count as f64 / rows as f64).collect();
        return Ok(shares.repeat(rows));
    };
    if counts.len() != 2 {
        return Err(Error::config("T1068", "--propensity is for a trial of one treatment")
            .hint("pick the treatment with --arms"));
    }
    let chances = table.numbers(name)?;
    if let Some(row) = chances.iter().position(|chance| *chance <= 0.0 || *chance >= 1.0) {
        return Err(Error::data(
            "T1068",
            format!(
                "column '{name}': row {} is {}, no chance between 0 and 1",
                table.row(row),
                chances[row]
            ),
        )
        .hint("leave out rows that could have got one arm alone: they say nothing of the other"));
    }
    Ok(chances.into_iter().flat_map(|chance| [1.0 - chance, chance]).collect())
}

/// The columns that are features, and whether somebody named them.
fn columns_of(table: &Table, verb: &FitArguments) -> Result<(Vec<String>, bool)> {
    let optional = [&verb.key, &verb.propensity, &verb.kind].map(Option::as_ref);
    let roles = [Some(&verb.treatment), Some(&verb.outcome)];
    let role = |name: &String| roles.iter().chain(&optional).any(|role| *role == Some(name));
    for name in verb.ignore.iter().chain(&verb.features) {
        table.cells(name)?;
    }
    if let Some(name) = verb.features.iter().find(|name| role(name)) {
        return Err(Error::config(
            "T1069",
            format!("'{name}' cannot be a feature of its own trial"),
        )
        .hint("features are what was known before the treatment"));
    }
    let all = table.columns().iter().filter(|name| !role(name) && !verb.ignore.contains(name));
    let columns: Vec<String> =
        if verb.features.is_empty() { all.cloned().collect() } else { verb.features.clone() };
    if columns.is_empty() {
        return Err(Error::data("T1069", "no column is left for a feature")
            .hint("add what was known of customers before the treatment"));
    }
    Ok((columns, !verb.features.is_empty()))
}

impl Read {
    /// How many rows each arm has.
    pub(super) fn counts(&self) -> Vec<u64> {
        counts_of(&self.arm, self.arms.len()).into_iter().map(|count| count as u64).collect()
    }

    /// Features are known before the treatment, so chance alone sets arms apart in them.
    fn check_balance(&self) -> Result<()> {
        let arms = self.arms.len();
        let columns = self.schema.names.iter().zip(&self.schema.levels).enumerate();
        for (column, (name, levels)) in columns {
            // A number counts as it is, a category once per level.
            let kinds = levels.as_ref().map_or(1, Vec::len);
            let mut groups = vec![Moments::default(); arms * kinds];
            for (row, arm) in self.arm.iter().enumerate() {
                let value = self.matrix.row(row)[column];
                for kind in 0..kinds {
                    let number = match levels {
                        None if value.is_nan() => continue,
                        None => f64::from(value),
                        Some(_) => f64::from(u8::from(value == kind as f32)),
                    };
                    groups[usize::from(*arm) * kinds + kind].add(number);
                }
            }
            let comparisons = (self.schema.len() * kinds * (arms - 1)) as f64;
            for at in kinds..groups.len() {
                let found = estimate::difference(&groups[at], &groups[at % kinds], LEVEL);
                let by_chance = found.ok().and_then(|found| found.p_value);
                if by_chance.is_some_and(|p| p < BALANCE_P / comparisons) {
                    return Err(Error::data(
                        "T1069",
                        format!(
                            "column '{name}' differs between '{}' and '{}' by more than chance allows",
                            self.arms[at / kinds], self.arms[0]
                        ),
                    )
                    .hint(format!(
                        "it may be an outcome: leave it out with --ignore {name}; if it was known before the \
                         treatment, list the features with --features, or give --propensity"
                    )));
                }
            }
        }
        Ok(())
    }
}
