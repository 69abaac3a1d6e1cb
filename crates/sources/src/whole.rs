//! Does a table as a whole keep its contract, when all of its parts are read?

use tercet_types::tables::sources as tables;
use tercet_types::{Date, Error};

use crate::contract;
use crate::health::{CheckOutcome, TableHealth};
use crate::options::Policy;
use crate::spec::Sources;

/// What is counted of a table for the checks of the whole.
#[derive(Clone, Debug, Default)]
pub(crate) struct Tally {
    /// True when the project has a source of the table.
    pub has_sources: bool,
    /// Rows in quarantine because they do not keep the contract.
    pub garbage: u64,
    /// Why one of them is there.
    pub example: Option<String>,
    /// Rows that are left.
    pub rows_left: u64,
}

impl Tally {
    /// Adds what was counted of another part of the table.
    pub(crate) fn absorb(&mut self, other: Self) {
        self.has_sources |= other.has_sources;
        self.garbage += other.garbage;
        self.example = self.example.take().or(other.example);
        self.rows_left += other.rows_left;
    }

    /// Books the checks of the whole table; returns the first reason to stop.
    pub(crate) fn as_a_whole(
        &self,
        health: &mut TableHealth,
        sources: &Sources,
        as_of: Date,
    ) -> Option<Error> {
        if !self.has_sources {
            return None;
        }
        let fresh = self.fresh(health, sources, as_of);
        let share = self.share(health, sources);
        let empty = self.empty(health, sources);
        fresh.or(share).or(empty)
    }

    /// Is the newest row recent enough?
    fn fresh(&self, health: &mut TableHealth, sources: &Sources, as_of: Date) -> Option<Error> {
        let policy = contract::policy(&sources.contract, &health.table, "freshness");
        if policy == Policy::Ok || tables::as_of_column(&health.table).is_none() {
            return None;
        }
        let stale = contract::freshness(health.newest, as_of, sources.contract.fresh_days);
        let status = status(stale.is_some(), policy);
        let newest = health.newest;
        let detail = stale.unwrap_or_else(|| match newest {
            Some(newest) => format!("the newest row is of {newest}"),
            None => "there is no dated row".to_owned(),
        });
        let stop = (status == Policy::Stop).then(|| stop(&health.table, "freshness", 0, &detail));
        book(health, "freshness", status, 0, detail);
        stop
    }

    /// Is too much of it in quarantine?
    fn share(&self, health: &mut TableHealth, sources: &Sources) -> Option<Error> {
        let share = self.garbage as f64 / (health.rows_in.max(1)) as f64;
        let most = sources.contract.quarantine_share_max;
        if share <= most {
            return None;
        }
        let why = self.example.as_ref().map(|reason| format!(", for example: {reason}"));
        let detail = format!(
            "{} of {} rows ({:.0} %) do not keep the contract, more than {:.0} %{}",
            self.garbage,
            health.rows_in,
            share * 100.0,
            most * 100.0,
            why.unwrap_or_default()
        );
        let error = Error::data("T0206", format!("{}: {detail}", health.table))
            .hint("mend the source or its mapping, or raise quarantine_share_max under [contract]");
        book(health, "quarantine_share", Policy::Stop, self.garbage, detail);
        Some(error)
    }

    /// Is anything left?
    fn empty(&self, health: &mut TableHealth, sources: &Sources) -> Option<Error> {
        let policy = contract::policy(&sources.contract, &health.table, "empty");
        if policy == Policy::Ok {
            return None;
        }
        let empty = contract::empty(health.rows_in, self.rows_left);
        let status = status(empty.is_some(), policy);
        let detail = empty.unwrap_or_else(|| "there are rows".to_owned());
        let stop = (status == Policy::Stop).then(|| {
            Error::data("T0205", format!("{}: {detail}", health.table))
                .hint("check the path, the mapping and the as-of date of the run")
        });
        book(health, "empty", status, 0, detail);
        stop
    }
}

/// The outcome of a check that rows cannot be taken out for.
fn status(failed: bool, policy: Policy) -> Policy {
    match (failed, policy) {
        (false, _) => Policy::Ok,
        (true, Policy::Stop) => Policy::Stop,
        (true, _) => Policy::Warn,
    }
}

fn book(health: &mut TableHealth, check: &str, status: Policy, rows: u64, detail: String) {
    health.checks.push(CheckOutcome {
        check: check.to_owned(),
        subject: String::new(),
        status,
        rows,
        detail,
        examples: Vec::new(),
    });
}

/// The error of a check whose policy is to stop.
pub(crate) fn stop(table: &str, check: &str, rows: u64, example: &str) -> Error {
    let count = if rows == 0 { String::new() } else { format!("{rows} rows fail: ") };
    Error::data("T0204", format!("{table}: the check '{check}' stops the run: {count}{example}"))
        .hint(format!(
            "mend the source, or set \"{table}.{check}\" = \"quarantine\" under [contract.policies]"
        ))
}
