//! Did the arms come out in the sizes that were planned, and what must a reader know of them?

use std::collections::BTreeMap;

use tercet_measurement::assignment::BUCKETS;
use tercet_measurement::srm::{Cause, Diagnosis, Dimension, EXPECTED_MIN, diagnose};
use tercet_types::Result;
use tercet_types::tables::assignments::HOLDOUT;

use super::arms::ArmCounts;
use crate::output::thousands;

/// The sizes of an experiment's arms against the plan; nothing where an arm is planned too small to say.
///
/// Where the share was lowered on the way, customers of different days were planned otherwise: then only all of them
/// together are looked at.
fn ratio(counts: &ArmCounts) -> Result<Option<Diagnosis>> {
    let all = (counts.inside + counts.outside) as f64;
    let expected = counts.planned as f64 / f64::from(BUCKETS);
    if expected < EXPECTED_MIN || all - expected < EXPECTED_MIN {
        return Ok(None);
    }
    let rate = expected / all;
    let is_one_plan = counts.shares.len() == 1;
    let dimensions = counts.groups.iter().filter(|_| is_one_plan).map(|(name, groups)| {
        let groups = groups.iter().map(|(group, counts)| (group.clone(), counts.to_vec()));
        Dimension { name: name.clone(), groups: groups.collect() }
    });
    let dimensions: Vec<Dimension> = dimensions.collect();
    diagnose(&[counts.inside, counts.outside], &[rate, 1.0 - rate], &dimensions).map(Some)
}

/// True when no lift may be read before the cause is found.
fn is_off(found: &Diagnosis) -> bool {
    found.overall.alarm || found.cause != Cause::None
}

/// What a line about the run adds where arms are out of ratio.
pub(super) fn alarm(arms: &BTreeMap<String, ArmCounts>) -> Result<String> {
    let mut text = String::new();
    for (experiment, counts) in arms {
        if let Some(found) = ratio(counts)?.filter(is_off) {
            text.push_str(&format!(
                "; ALARM: the arms of '{experiment}' are not as planned: {}",
                found.cause.words()
            ));
        }
    }
    Ok(text)
}

/// What the report says of the arms.
pub(super) fn notes(arms: &BTreeMap<String, ArmCounts>) -> Result<Vec<String>> {
    let mut notes = Vec::new();
    for (experiment, counts) in arms {
        let (name, inside) = match experiment.as_str() {
            HOLDOUT => ("the holdout".to_owned(), "control"),
            name => (format!("the engine test '{name}'"), "test"),
        };
        if let Some(found) = ratio(counts)? {
            let sizes = format!(
                "Of {} customers of {name} {} are in {inside}, {} were planned (p = {:.2e})",
                thousands(counts.inside + counts.outside),
                thousands(counts.inside),
                thousands((counts.planned as f64 / f64::from(BUCKETS)).round()),
                found.overall.p_value
            );
            notes.push(match is_off(&found) {
                false => format!("{sizes}."),
                true => format!(
                    "Sample ratio mismatch: no lift may be read before the cause is found. {sizes}; {}.",
                    found.cause.words()
                ),
            });
        }
        if counts.moved > 0 {
            notes.push(format!(
                "{} customers of {name} were moved by another share.",
                thousands(counts.moved)
            ));
        }
        if counts.kept > 0 {
            notes.push(format!(
                "{} customers of {name} keep the arm that was logged, though today's key or share would say another: a smaller share lets nobody go.",
                thousands(counts.kept)
            ));
        }
    }
    Ok(notes)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    /// Arms that are planned at one share, with the counts of two devices.
    fn counts(app: [u64; 2], web: [u64; 2], rate: f64) -> ArmCounts {
        let (inside, outside) = (app[0] + web[0], app[1] + web[1]);
        let share = (rate * f64::from(BUCKETS)) as u16;
        let devices = BTreeMap::from([("app".to_owned(), app), ("web".to_owned(), web)]);
        ArmCounts {
            inside,
            outside,
            planned: (inside + outside) * u64::from(share),
            shares: BTreeSet::from([share]),
            groups: BTreeMap::from([("device".to_owned(), devices)]),
            ..ArmCounts::default()
        }
    }

    #[test]
    fn arms_that_are_not_as_planned_are_told_with_where_it_sits() {
        let check = |counts: ArmCounts, expect: &str| {
            let arms = BTreeMap::from([(HOLDOUT.to_owned(), counts)]);
            let (alarm, notes) = (alarm(&arms).unwrap(), notes(&arms).unwrap().join(" "));
            let is_off = !matches!(expect, "" | "planned");
            assert!(notes.contains(expect), "{expect}: {notes}");
            assert_eq!((alarm.is_empty(), notes.is_empty()), (!is_off, expect.is_empty()));
            assert_eq!(notes.contains("Sample ratio mismatch"), is_off, "{notes}");
        };
        check(counts([100, 900], [205, 1_795], 0.1), "planned");
        check(counts([60, 940], [120, 1_880], 0.1), "all groups are off alike");
        check(counts([30, 970], [200, 1_800], 0.1), "device app came out otherwise");
        check(counts([2, 20], [1, 10], 0.1), "");
        check(counts([0, 90], [0, 10], 0.0), "");
        check(counts([90, 0], [10, 0], 1.0), "");
        // Of two plans together, groups say nothing.
        let mut two = counts([30, 970], [200, 1_800], 0.1);
        two.shares.insert(500);
        check(two, "all groups are off alike");
    }
}
