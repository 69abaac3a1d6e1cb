//! Whom did earlier runs reach, and with what?

use std::collections::{BTreeMap, BTreeSet};

use tercet_engine::Store;
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

/// The offers of the runs that the contact rules look at, to the week's customers, who are those of a part.
pub(super) fn recent_contacts(
    context: &StageContext<'_>,
    part: Part,
    week: &Week,
) -> Result<History> {
    const TABLE: &str = "earlier_decisions";
    let known: BTreeSet<&str> = match part {
        Part::WHOLE => BTreeSet::new(),
        _ => week.customers.values().map(|customer| customer.id.as_str()).collect(),
    };
    let mut history = History::new();
    for run_id in &context.identity.history {
        let mut paths = files_of(context.store, run_id, Stage::Allocation, "decisions")?;
        // Divided alike, a customer is in the same part of both.
        if paths.len() == part.of {
            paths = vec![paths.swap_remove(part.at)];
        }
        for path in paths {
            let frame = context.engine.load(context.store, &path, TABLE)?;
            context.engine.forget(TABLE)?;
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
