//! How is one canonical table read and held against its contract?

use std::collections::{BTreeMap, BTreeSet};

use tercet_engine::{ColumnData, Engine, Frame, InputFile, Value, params};
use tercet_types::tables::{TableSchema, sources as tables};
use tercet_types::{Date, Error, Result};

use crate::contract::{self, FUTURE, RowRule};
use crate::cut::{BY_CUSTOMER, Cut};
use crate::expression::{fill, ident};
use crate::health::{CheckOutcome, EXAMPLES_MAX, TableHealth};
use crate::mapping::{self, Mapping, NOISE_ISSUE};
use crate::options::Policy;
use crate::raw::{self, Raw};
use crate::spec::Sources;
use crate::whole::{Tally, stop};

/// The check that noise rules report under.
pub(crate) const NOISE: &str = "noise";

/// A row on its way to quarantine.
#[derive(Clone, Debug)]
pub(crate) struct Reject {
    pub number: i64,
    pub check: &'static str,
    pub reason: String,
}

/// A canonical table while it is being read.
pub(crate) struct Table {
    pub schema: &'static TableSchema,
    /// The engine's table with the rows that are left.
    pub working: String,
    pub health: TableHealth,
    pub rejects: Vec<Reject>,
    /// The first reason to stop.
    pub stop: Option<Error>,
    /// Its sources.
    pub sources: Vec<(Raw, Mapping)>,
    /// The issues that rows can have.
    issues: BTreeSet<&'static str>,
    /// Rows at or after the as-of date.
    future_rows: u64,
    /// Rejects that are already out of the working table.
    applied: usize,
}

/// What a reading came across.
#[derive(Debug, Default)]
pub(crate) struct Seen {
    /// The files.
    pub files: Vec<InputFile>,
    /// Columns per source label.
    pub columns: BTreeMap<String, Vec<String>>,
}

impl Seen {
    /// Adds what another part came across.
    pub(crate) fn absorb(&mut self, other: Self) {
        self.files.extend(other.files);
        self.columns.extend(other.columns);
    }
}

/// The engine's name of a canonical table while it is being read.
pub(crate) fn working(table: &str) -> String {
    format!("_in_{table}")
}

impl Table {
    /// Reads all sources of a table and applies the checks of single rows and keys.
    ///
    /// # Errors
    /// Those of attaching files; `T0203` for a missing column.
    pub(crate) fn read(
        engine: &Engine,
        sources: &Sources,
        schema: &'static TableSchema,
        as_of: Date,
        seen: &mut Seen,
        cut: Option<(&Cut, usize)>,
    ) -> Result<Self> {
        let mut table = Self {
            schema,
            working: working(schema.name),
            health: TableHealth { table: schema.name.to_owned(), ..TableHealth::default() },
            rejects: Vec::new(),
            stop: None,
            sources: Vec::new(),
            issues: BTreeSet::new(),
            future_rows: 0,
            applied: 0,
        };
        let specs: Vec<_> = sources
            .specs
            .iter()
            .enumerate()
            .filter(|(_, spec)| spec.table == schema.name)
            .collect();
        if specs.is_empty() {
            engine.register_empty(schema)?;
            let sql = format!("select *, cast(null as bigint) as _n from {}", schema.name);
            engine.create(&table.working, &sql, &BTreeMap::new())?;
            engine.forget(schema.name)?;
            return Ok(table);
        }
        let (mut parts, only) = (Vec::new(), specs.len() == 1);
        for (index, spec) in specs {
            let cut = cut.filter(|_| BY_CUSTOMER.contains(&schema.name));
            let raw = match cut {
                Some((cut, part)) => cut.open(engine, index, part)?,
                None => raw::open(engine, sources, index, spec, &mut seen.files, true)?,
            };
            let mapping = mapping::resolve(&raw, spec, schema)?;
            table.notice_columns(sources, &raw, &mapping, &mut seen.columns);
            let make = || mapping::statement(engine, sources, &raw, spec, schema, &mapping);
            let statement = match cut {
                Some((cut, _)) => cut.statement(index, make)?,
                None => make()?,
            };
            let name = if only { table.working.clone() } else { format!("_part_{index}") };
            let rows = engine
                .create_by(&name, &statement.sql, &BTreeMap::new(), mapping::NUMBER)
                .map_err(|error| reading_failure(error, &raw.label))?;
            table.count_left_out(engine, &raw, &mapping, rows as u64)?;
            table.health.rows_in += rows as u64;
            table.health.sources.push(raw.label.clone());
            table.issues.extend(&statement.issues);
            let own = mapping.extras().into_iter();
            let own = own.chain(statement.issues.into_iter().map(str::to_owned)).collect();
            parts.push((name, own));
            table.sources.push((raw, mapping));
        }
        if !only {
            table.join_parts(engine, &parts)?;
        }
        table.hold(engine, sources, as_of)?;
        Ok(table)
    }

    /// Rows that the source's own `where` leaves out are counted.
    fn count_left_out(
        &mut self,
        engine: &Engine,
        raw: &Raw,
        mapping: &Mapping,
        kept: u64,
    ) -> Result<()> {
        if mapping.filter().is_none() {
            return Ok(());
        }
        let sql = format!("select count(*) as n from {}", raw.from);
        let all =
            engine.query(&sql, &BTreeMap::new())?.i64("n")?.first().copied().unwrap_or(0) as u64;
        self.tell(
            "where",
            all.saturating_sub(kept),
            format!("left out by the source's 'where': {}", raw.label),
        );
        Ok(())
    }

    fn notice_columns(
        &mut self,
        sources: &Sources,
        raw: &Raw,
        mapping: &Mapping,
        columns_seen: &mut BTreeMap<String, Vec<String>>,
    ) {
        let names = raw.names();
        if let Some(before) = sources.previous_columns.get(&raw.label) {
            let before: BTreeSet<&String> = before.iter().collect();
            let used = mapping.used(&names);
            self.health.new_columns.extend(
                names
                    .iter()
                    .filter(|name| !before.contains(name) && !used.contains(*name))
                    .cloned(),
            );
        }
        columns_seen.insert(raw.label.clone(), names.into_iter().collect());
    }

    /// Puts the sources one below the other; a column beside the canonical ones that one lacks is null there.
    fn join_parts(&self, engine: &Engine, parts: &[(String, Vec<String>)]) -> Result<()> {
        let extras: BTreeSet<&String> = parts.iter().flat_map(|(_, own)| own).collect();
        let canonical = self.schema.columns.iter().map(|column| column.name);
        let canonical: Vec<String> = canonical.chain([mapping::NUMBER]).map(ident).collect();
        let selects: Vec<String> = parts
            .iter()
            .map(|(name, own)| {
                let extras = extras.iter().map(|extra| {
                    let quoted = ident(extra);
                    if own.contains(extra) { quoted } else { format!("null as {quoted}") }
                });
                let columns: Vec<String> = canonical.iter().cloned().chain(extras).collect();
                format!("select {} from {}", columns.join(", "), ident(name))
            })
            .collect();
        engine.create(&self.working, &selects.join(" union all "), &BTreeMap::new())?;
        for (name, _) in parts {
            engine.forget(name)?;
        }
        Ok(())
    }

    /// Applies the as-of cut, the row rules and the key check.
    fn hold(&mut self, engine: &Engine, sources: &Sources, as_of: Date) -> Result<()> {
        let as_of_value = params([("as_of", Value::Date(as_of))]);
        let as_of_column = tables::as_of_column(self.schema.name);
        let mut known = "true".to_owned();
        if let Some(column) = as_of_column {
            let places = [("table", self.working.as_str()), ("column", column.name)];
            let frame =
                engine.query(&fill(include_str!("../sql/newest.sql"), &places), &as_of_value)?;
            self.future_rows = frame.i64("future")?.first().copied().unwrap_or(0) as u64;
            self.health.oldest = frame.date_or_null("oldest")?.first().copied().flatten();
            self.health.newest = frame.date_or_null("newest")?.first().copied().flatten();
            known = format!("(({}) is not true)", contract::is_future(column));
        }
        let policy_of = |check: &str| contract::policy(&sources.contract, self.schema.name, check);
        let mut rules = vec![RowRule {
            check: NOISE,
            condition: format!("{NOISE_ISSUE} is not null"),
            reason: NOISE_ISSUE.to_owned(),
        }];
        let future = policy_of(FUTURE);
        if let Some(column) = as_of_column.filter(|_| future >= Policy::Quarantine) {
            rules.push(RowRule {
                check: FUTURE,
                condition: contract::is_future(column),
                reason: format!("'{} is ' || cast({} as varchar)", column.name, column.name),
            });
        }
        let future_is_rule = future >= Policy::Quarantine;
        rules.extend(contract::row_rules(self.schema));
        rules.retain(|rule| {
            rule.check == NOISE
                || contract::must_go(rule.check)
                || policy_of(rule.check) != Policy::Ok
        });
        // Rules whose rows leave come first: the first that holds names the reason.
        let leaves = |check: &str| {
            check == NOISE || contract::must_go(check) || policy_of(check) >= Policy::Quarantine
        };
        rules.sort_by_key(|rule| !leaves(rule.check));
        let mut checks: Vec<&'static str> = rules.iter().map(|rule| rule.check).collect();
        // No row can fail a rule about an issue that the mapped table does not have.
        rules.retain(|rule| {
            let issue = mapping::ISSUES.into_iter().find(|issue| rule.reason == *issue);
            issue.is_none_or(|issue| self.issues.contains(issue))
        });
        let rows = failing_rows(
            engine,
            &self.working,
            &rules,
            if future_is_rule { "true" } else { &known },
            &as_of_value,
        )?;
        let mut by_check: BTreeMap<&'static str, Vec<(i64, String)>> = BTreeMap::new();
        for (number, mask, reason) in rows {
            let first = mask.trailing_zeros() as usize;
            if leaves(rules[first].check) {
                by_check.entry(rules[first].check).or_default().push((number, reason));
                continue;
            }
            let checks: BTreeSet<&'static str> = (0..rules.len())
                .filter(|bit| mask >> bit & 1 == 1)
                .map(|bit| rules[bit].check)
                .collect();
            for check in checks {
                by_check.entry(check).or_default().push((number, reason.clone()));
            }
        }
        checks.dedup();
        checks.sort_by_key(|check| contract::CHECKS.iter().position(|known| known == check));
        checks.dedup();
        for check in checks {
            let failed = by_check.remove(check).unwrap_or_default();
            if check == NOISE {
                self.noise(sources, failed);
            } else {
                self.outcome(sources, check, failed);
            }
        }
        if as_of_column.is_some() && !future_is_rule {
            self.health.checks.push(CheckOutcome {
                check: FUTURE.to_owned(),
                subject: String::new(),
                status: if self.future_rows > 0 { future } else { Policy::Ok },
                rows: self.future_rows,
                detail: if self.future_rows > 0 {
                    format!("at or after {as_of}: set aside")
                } else {
                    format!("no row at or after {as_of}")
                },
                examples: Vec::new(),
            });
        }
        self.cut(engine, as_of)?;
        let repeated = contract::duplicates(engine, self.schema, &self.working)?;
        if !self.schema.key.is_empty() {
            self.outcome(sources, "key", repeated);
            self.cut(engine, as_of)?;
        }
        Ok(())
    }

    fn noise(&mut self, sources: &Sources, failed: Vec<(i64, String)>) {
        for rule in sources.prepare.noise.iter().filter(|rule| rule.table == self.schema.name) {
            let rows = failed.iter().filter(|(_, name)| *name == rule.name).count() as u64;
            self.tell(NOISE, rows, format!("taken out by the rule '{}'", rule.name));
        }
        self.rejects.extend(failed.into_iter().map(|(number, name)| Reject {
            number,
            check: NOISE,
            reason: format!("the noise rule '{name}' holds"),
        }));
    }

    /// Says what a preparation did to rows.
    pub(crate) fn tell(&mut self, check: &str, rows: u64, detail: String) {
        self.health.checks.push(CheckOutcome {
            check: check.to_owned(),
            subject: detail.clone(),
            status: Policy::Ok,
            rows,
            detail,
            examples: Vec::new(),
        });
    }

    /// Books the rows that failed a check, as its policy says.
    pub(crate) fn outcome(
        &mut self,
        sources: &Sources,
        check: &'static str,
        failed: Vec<(i64, String)>,
    ) {
        let policy = contract::policy(&sources.contract, self.schema.name, check);
        self.book(policy, check, None, failed);
    }

    /// Books the rows that failed a check, of one column where it is given.
    pub(crate) fn book(
        &mut self,
        policy: Policy,
        check: &'static str,
        column: Option<&str>,
        failed: Vec<(i64, String)>,
    ) {
        let policy = if contract::must_go(check) { policy.max(Policy::Quarantine) } else { policy };
        if policy == Policy::Ok {
            return;
        }
        let rows = failed.len() as u64;
        let mut examples: Vec<String> = Vec::new();
        for (_, reason) in &failed {
            if examples.len() == EXAMPLES_MAX {
                break;
            }
            if !examples.contains(reason) {
                examples.push(reason.clone());
            }
        }
        let status = if rows == 0 { Policy::Ok } else { policy };
        let what = match status {
            Policy::Ok => "no row fails",
            Policy::Warn => "these rows stay",
            Policy::Quarantine => "these rows are in quarantine",
            Policy::Stop => "the run stops",
        };
        if status == Policy::Stop {
            let example = examples.first().map_or("", String::as_str);
            self.stop.get_or_insert_with(|| stop(self.schema.name, check, rows, example));
        }
        let detail = column.map_or_else(|| what.to_owned(), |column| format!("{column}: {what}"));
        let subject = column.unwrap_or_default().to_owned();
        let check_name = check.to_owned();
        let outcome = CheckOutcome { check: check_name, subject, status, rows, detail, examples };
        self.health.checks.push(outcome);
        if policy >= Policy::Quarantine {
            let rejects =
                failed.into_iter().map(|(number, reason)| Reject { number, check, reason });
            self.rejects.extend(rejects);
        }
    }

    /// Takes the rejected rows and those after the as-of date out of the working table.
    pub(crate) fn cut(&mut self, engine: &Engine, as_of: Date) -> Result<()> {
        let future = self.applied == 0 && self.future_rows > 0;
        if self.rejects.len() == self.applied && !future {
            return Ok(());
        }
        let bad = numbers(self.rejects.iter().map(|reject| reject.number))?;
        engine.register("_bad", &bad)?;
        let known = match tables::as_of_column(self.schema.name) {
            Some(column) => format!("((t.{}) is not true)", contract::is_future(column)),
            None => "true".to_owned(),
        };
        let places = [("table", self.working.as_str()), ("bad", "_bad"), ("known", known.as_str())];
        let sql = fill(include_str!("../sql/kept_rows.sql"), &places);
        engine.create(&self.working, &sql, &params([("as_of", Value::Date(as_of))]))?;
        engine.forget("_bad")?;
        self.applied = self.rejects.len();
        self.future_rows = 0;
        Ok(())
    }

    /// Rows that are left.
    pub(crate) fn rows(&self, engine: &Engine) -> Result<u64> {
        let sql = format!("select count(*) as n from {}", self.working);
        Ok(engine.query(&sql, &BTreeMap::new())?.i64("n")?.first().copied().unwrap_or(0) as u64)
    }

    /// What is counted of it for the checks of the whole table.
    pub(crate) fn tally(&self) -> Tally {
        let garbage = |reject: &&Reject| ![NOISE, FUTURE].contains(&reject.check);
        let example = self.rejects.iter().find(|reject| reject.check != NOISE);
        Tally {
            has_sources: !self.sources.is_empty(),
            garbage: self.rejects.iter().filter(garbage).count() as u64,
            example: example.map(|reject| reject.reason.clone()),
            rows_left: self.health.rows_out,
        }
    }
}

/// A table of row numbers.
pub(crate) fn numbers(numbers: impl Iterator<Item = i64>) -> Result<Frame> {
    Frame::of(vec![("_n", ColumnData::from(numbers.collect::<Vec<i64>>()))])
}

/// Number, mask and reason of the rows that fail any rule.
fn failing_rows(
    engine: &Engine,
    working: &str,
    rules: &[RowRule],
    known: &str,
    as_of: &BTreeMap<String, Value>,
) -> Result<Vec<(i64, u64, String)>> {
    if rules.is_empty() {
        return Ok(Vec::new());
    }
    let bit = |index: usize| 1_u64 << index;
    let mask: Vec<String> = rules
        .iter()
        .enumerate()
        .map(|(i, rule)| format!("(case when {} then {} else 0 end)", rule.condition, bit(i)))
        .collect();
    let reasons: Vec<String> = rules
        .iter()
        .enumerate()
        .map(|(i, rule)| format!("when (mask & {}) > 0 then {}", bit(i), rule.reason))
        .collect();
    let places = [
        ("table", working),
        ("mask", &mask.join(" + ")),
        ("reasons", &reasons.join(" ")),
        ("known", known),
    ];
    let frame = engine.query(&fill(include_str!("../sql/failing_rows.sql"), &places), as_of)?;
    let numbers = frame.i64("_n")?;
    let masks = frame.i64("mask")?;
    let reasons = frame.text_or_null("reason")?;
    Ok(numbers
        .into_iter()
        .zip(masks)
        .zip(reasons)
        .map(|((number, mask), reason)| (number, mask as u64, reason.unwrap_or_default()))
        .collect())
}

/// A failure while rows are read, with the source's name.
fn reading_failure(error: Error, label: &str) -> Error {
    let error = error.context(label);
    if error.to_string().contains("Error parsing") || error.to_string().contains("Cast error") {
        return error
            .hint("an expression met a cell it cannot read: use try_cast(x as …) in the mapping");
    }
    error
}
