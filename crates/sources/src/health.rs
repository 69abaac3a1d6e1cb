//! How healthy is the data that came in?

use tercet_types::Date;

use crate::options::Policy;

/// Examples kept per check.
pub(crate) const EXAMPLES_MAX: usize = 3;

/// The outcome of one check on one table.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct CheckOutcome {
    /// The check, one of [`crate::CHECKS`].
    pub check: String,
    /// What of the table it looked at, where it looks several times: outcomes of one check and one subject
    /// are one outcome.
    #[serde(skip)]
    pub subject: String,
    /// What became of it: `ok` when no row failed.
    pub status: Policy,
    /// Rows that failed.
    pub rows: u64,
    /// One sentence.
    pub detail: String,
    /// A few failures, in words.
    pub examples: Vec<String>,
}

impl CheckOutcome {
    fn absorb(&mut self, other: Self) {
        // The words are those of the part in which something was found.
        if (other.status, other.rows > 0) > (self.status, self.rows > 0) {
            self.detail = other.detail;
        }
        self.status = self.status.max(other.status);
        self.rows += other.rows;
        for example in other.examples {
            if self.examples.len() < EXAMPLES_MAX && !self.examples.contains(&example) {
                self.examples.push(example);
            }
        }
    }
}

/// The health of one canonical table.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct TableHealth {
    /// The table.
    pub table: String,
    /// Its sources, by label.
    pub sources: Vec<String>,
    /// Rows read.
    pub rows_in: u64,
    /// Rows that the run works with.
    pub rows_out: u64,
    /// Rows in quarantine.
    pub quarantined: u64,
    /// All checks and preparations that had something to say or were run.
    pub checks: Vec<CheckOutcome>,
    /// Source columns that no mapping uses and the previous run did not see.
    pub new_columns: Vec<String>,
    /// Columns that the run works with, those of the shop's own among them.
    #[serde(default)]
    pub columns: u64,
    /// The day of the oldest row, before any row went to quarantine.
    #[serde(default)]
    pub oldest: Option<Date>,
    /// The day of the newest row before the as-of date.
    pub newest: Option<Date>,
}

impl TableHealth {
    /// Adds the health of another part of the same table.
    pub(crate) fn absorb(&mut self, other: Self) {
        if self.table.is_empty() {
            *self = other;
            return;
        }
        self.rows_in += other.rows_in;
        self.rows_out += other.rows_out;
        self.quarantined += other.quarantined;
        self.columns = self.columns.max(other.columns);
        self.oldest = [self.oldest, other.oldest].into_iter().flatten().min();
        self.newest = self.newest.max(other.newest);
        for outcome in other.checks {
            let same = |one: &&mut CheckOutcome| {
                (&one.check, &one.subject) == (&outcome.check, &outcome.subject)
            };
            match self.checks.iter_mut().find(same) {
                Some(one) => one.absorb(outcome),
                None => self.checks.push(outcome),
            }
        }
    }

    /// The worst outcome of the table's checks.
    pub fn status(&self) -> Policy {
        self.checks.iter().map(|check| check.status).max().unwrap_or_default()
    }

    /// The worst outcome of a check (references have one per column), when it was run.
    pub fn check(&self, name: &str) -> Option<&CheckOutcome> {
        self.checks
            .iter()
            .rev()
            .filter(|check| check.check == name)
            .max_by_key(|check| check.status)
    }
}

/// The health of all input data.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Health {
    /// One entry per canonical table that has a source, in canonical order.
    pub tables: Vec<TableHealth>,
    /// What else the reader should know.
    pub notes: Vec<String>,
}

impl Health {
    /// The worst outcome of all tables.
    pub fn status(&self) -> Policy {
        self.tables.iter().map(TableHealth::status).max().unwrap_or_default()
    }

    /// The health of a table, when it has a source.
    pub fn table(&self, name: &str) -> Option<&TableHealth> {
        self.tables.iter().find(|table| table.table == name)
    }
}
