//! Which old runs may go?

use tercet_engine::Store;
use tercet_types::{DAYS_PER_WEEK, Result};

use super::manifest::{complete_runs, manifest_path};
use super::publish::{DELETED_RUNS_CODES, codes_path};
use crate::config::{Retention, Rules};

/// Deletes complete runs beyond those that the rule keeps; the manifest first, so that a run that is
/// half deleted is not there. Returns the ids that went.
pub(crate) fn apply_retention(
    store: &Store,
    retention: &Retention,
    rules: &Rules,
) -> Result<Vec<String>> {
    let mut runs = complete_runs(store)?;
    let Some(newest) = runs.last().map(|run| run.as_of) else { return Ok(Vec::new()) };
    let weeks = rules.contacts().weeks_looked_at() as i32;
    let needed_from = newest.plus_days(-weeks * DAYS_PER_WEEK);
    let kept = runs.split_off(runs.len().saturating_sub(retention.keep_runs.max(1)));
    // Without the log of arms that it took over, and the draws that it learnt from, the newest run would not be the one
    // that its command names. These lie in a window that ends with it: older ones go.
    let of_newest = || kept.iter().filter(|kept| kept.as_of == newest);
    let of_its_id = || of_newest().flat_map(|new| new.assignments.iter().chain(&new.tried));
    runs.retain(|run| run.as_of < needed_from && !of_its_id().any(|id| *id == run.run_id));
    for run in &runs {
        // The codes it handed out stay taken.
        if let Some(bytes) = store.get_if_there(&codes_path(&run.run_id))?.filter(|b| b.len() > 4) {
            store.put(&format!("{DELETED_RUNS_CODES}/{}.json", run.run_id), bytes)?;
        }
        store.delete(&manifest_path(&run.run_id))?;
        store.delete_all(&run.run_id)?;
    }
    Ok(runs.into_iter().map(|run| run.run_id).collect())
}
