//! Whom did earlier runs reach, and with what?

use std::collections::{BTreeMap, BTreeSet};

use tercet_engine::{Frame, Store};
use tercet_types::{DAYS_PER_WEEK, Date, Result};

use super::manifest::{Part, RunManifest, Stage, complete_runs, files_of};
use super::runner::StageContext;
use super::week::Week;
use crate::config::Rules;

/// One offer of an earlier run.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Contact {
    /// The Monday it was for.
    pub(crate) as_of: Date,
    /// The promotion.
    pub(crate) promotion_id: String,
}

/// Offers of earlier runs by customer.
pub(crate) type History = BTreeMap<String, BTreeSet<Contact>>;

/// The earlier runs that the contact rules look at: complete ones of the same engine within the
/// longest window, one per as-of date (that of the last id when a day was run with several seeds).
pub(crate) fn runs_looked_at(
    store: &Store,
    rules: &Rules,
    as_of: Date,
    engine: &str,
) -> Result<Vec<String>> {
    let weeks = rules.contacts().weeks_looked_at() as i32;
    let from = as_of.plus_days(-weeks * DAYS_PER_WEEK);
    let runs: BTreeMap<Date, RunManifest> = complete_runs(store)?
        .into_iter()
        .filter(|run| run.engine == engine && run.as_of >= from && run.as_of < as_of)
        .map(|run| (run.as_of, run))
        .collect();
    Ok(runs.into_values().map(|run| run.run_id).collect())
}

/// The log of an earlier run's offers.
fn offers_of(run_id: &str) -> EarlierLog<'_> {
    const COLUMNS: [&str; 3] = ["customer_id", "as_of", "promotion_id"];
    EarlierLog { run_id, table: "decisions", columns: &COLUMNS }
}

/// Makes known who came from another part, of all that [`recent_contacts`] looks at: once, before any part is asked for.
pub(super) fn find_moved_contacts(context: &StageContext<'_>, parts: usize) -> Result<()> {
    let mut runs = context.identity.history.iter();
    runs.try_for_each(|run_id| offers_of(run_id).find_moved(context, parts))
}

/// The offers of the runs that the contact rules look at, to the week's customers, who are those of a part.
pub(super) fn recent_contacts(
    context: &StageContext<'_>,
    part: Part,
    week: &Week,
) -> Result<History> {
    let known: BTreeSet<&str> = match part {
        Part::WHOLE => BTreeSet::new(),
        _ => week.customers.values().map(|customer| customer.id.as_str()).collect(),
    };
    let mut history = History::new();
    for run_id in &context.identity.history {
        let log = offers_of(run_id);
        for frame in log.of_part(context, part)? {
            let frame = frame?;
            let (customers, days) = (frame.text("customer_id")?, frame.date("as_of")?);
            let promotions = frame.text_or_null("promotion_id")?;
            for ((customer, as_of), promotion_id) in customers.into_iter().zip(days).zip(promotions)
            {
                if let Some(promotion_id) = promotion_id
                    && (part == Part::WHOLE || known.contains(customer.as_str()))
                {
                    history.entry(customer).or_default().insert(Contact { as_of, promotion_id });
                }
            }
        }
    }
    Ok(history)
}

/// What an earlier run logged of customers.
pub(super) struct EarlierLog<'a> {
    pub(super) run_id: &'a str,
    /// A table of the allocation stage.
    pub(super) table: &'a str,
    /// What is read of it, the customer's id among them.
    pub(super) columns: &'a [&'a str],
}

impl EarlierLog<'_> {
    /// All rows of a part's customers, among those of others, piece by piece. Needs [`Self::find_moved`].
    ///
    /// Divided alike, nearly everybody is in the same part as before; who logs in at a device of somebody else's may
    /// have moved. With another number of parts every file is looked at.
    pub(super) fn of_part<'a>(
        &'a self,
        context: &'a StageContext<'_>,
        part: Part,
    ) -> Result<Box<dyn Iterator<Item = Result<Frame>> + 'a>> {
        let mut paths = files_of(context.store, self.run_id, Stage::Allocation, self.table)?;
        let read = move |path: String| context.store.columns_of(&path, self.columns);
        if part == Part::WHOLE || paths.len() != part.of {
            return Ok(Box::new(paths.into_iter().map(read)));
        }
        let own = paths.swap_remove(part.at);
        let moved = context.engine.table(&self.name_of_moved());
        Ok(Box::new(std::iter::once_with(move || read(own)).chain(std::iter::once(moved))))
    }

    fn name_of_moved(&self) -> String {
        format!("moved_{}_{}", self.table, self.run_id.replace('-', "_"))
    }

    /// Registers the rows of customers who are in another part now, when the run was divided alike.
    pub(super) fn find_moved(&self, context: &StageContext<'_>, parts: usize) -> Result<()> {
        let paths = files_of(context.store, self.run_id, Stage::Allocation, self.table)?;
        if parts == 1 || paths.len() != parts {
            return Ok(());
        }
        context.engine.register(&self.name_of_moved(), &self.moved(context, &paths)?)
    }

    /// The rows of customers who are not in the part of the same number now.
    fn moved(&self, context: &StageContext<'_>, paths: &[String]) -> Result<Frame> {
        let now = files_of(context.store, context.run_id, Stage::Features, "customer_index")?;
        let frames = paths.iter().zip(now).map(|(path, now)| {
            let now = context.store.columns_of(&now, &["customer_id"])?.text("customer_id")?;
            let now: BTreeSet<String> = now.into_iter().collect();
            let rows = context.store.columns_of(path, self.columns)?;
            let customers = rows.text("customer_id")?;
            let keep: Vec<bool> = customers.iter().map(|id| !now.contains(id)).collect();
            rows.filter(&keep)
        });
        Frame::stacked(&frames.collect::<Result<Vec<_>>>()?)
    }
}
