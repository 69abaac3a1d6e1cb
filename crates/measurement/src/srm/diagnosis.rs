//! Where do arms come from that did not come out as planned?
//!
//! A mismatch that is the same on all days and devices lies in the assignment or the plan; one that
//! sits in some of them lies in what is done with these customers. Each dimension splits the counts by
//! something known of a customer at assignment: the day first seen, the device, the segment.

use serde::Serialize;
use tercet_types::Result;

use super::{ALARM_P_VALUE, Srm, srm};
use crate::chi2;

/// A group is judged when every arm expects at least so many of it: below, chi-square says nothing (Cochran 1954,
/// doi:10.2307/3001616).
pub const EXPECTED_MIN: f64 = 5.0;

/// The counts of the arms by the groups of one dimension.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Dimension {
    /// What tells the groups apart.
    pub name: String,
    /// Each group with its count in every arm.
    pub groups: Vec<(String, Vec<u64>)>,
}

/// Where the mismatch comes from.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Diagnosis {
    /// All counts together against the plan.
    pub overall: Srm,
    /// Where it sits.
    pub cause: Cause,
    /// What was found in each dimension, in the order given.
    pub dimensions: Vec<Split>,
}

/// Where a mismatch sits.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "cause", rename_all = "snake_case")]
pub enum Cause {
    /// Nowhere: the arms are as planned, and so are all groups.
    None,
    /// Everywhere alike: the shares of the plan, or the assignment itself.
    Everywhere,
    /// In some groups of a dimension: the one that splits the mismatch most clearly.
    Groups {
        /// The dimension.
        dimension: String,
        /// Its groups that did not come out as planned, the clearest first.
        groups: Vec<String>,
    },
    /// The shares differ between the groups of a dimension, but no group alone stands out.
    Spread {
        /// The dimension.
        dimension: String,
    },
}

impl Cause {
    /// The cause in words.
    pub fn words(&self) -> String {
        match self {
            Self::None => "the arms came out as planned, in every group".to_owned(),
            Self::Everywhere => {
                "all groups are off alike: look at the planned shares and at the assignment"
                    .to_owned()
            }
            Self::Groups { dimension, groups } => format!(
                "{dimension} {} came out otherwise than planned: look at what is done only there",
                groups.join(", ")
            ),
            Self::Spread { dimension } => {
                format!(
                    "the shares differ by {dimension}: look at what hangs on it before assignment"
                )
            }
        }
    }
}

/// What was found in one dimension.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Split {
    /// The dimension.
    pub name: String,
    /// Probability that shares differ between groups at least so much where they are the same, times the
    /// number of dimensions, at most 1; `None` when fewer than two groups can be judged.
    pub p_value: Option<f64>,
    /// The groups that can be judged, the clearest mismatch first.
    pub groups: Vec<GroupFinding>,
}

/// One group against the plan.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct GroupFinding {
    /// The group.
    pub name: String,
    /// Its count in every arm.
    pub counts: Vec<u64>,
    /// Probability of such a mismatch under the plan, times the number of groups judged in all dimensions
    /// (Bonferroni), at most 1.
    pub p_value: f64,
    /// True when the p-value is below [`ALARM_P_VALUE`].
    pub alarm: bool,
}

/// Says which groups of which dimension carry a mismatch. `expected_rates` are the planned shares of the
/// arms. Groups too small to be judged are left out of what is found, not of the overall counts.
///
/// # Errors
/// `T0711` (data) as for [`srm`]; every group has a count for every arm.
pub fn diagnose(
    observed: &[u64],
    expected_rates: &[f64],
    dimensions: &[Dimension],
) -> Result<Diagnosis> {
    let overall = srm(observed, expected_rates)?;
    let mut judged: Vec<Vec<(&str, &[u64], Srm)>> = Vec::with_capacity(dimensions.len());
    for dimension in dimensions {
        let mut groups = Vec::new();
        for (name, counts) in &dimension.groups {
            let total = counts.iter().sum::<u64>() as f64;
            let large = |&rate: &f64| rate * total >= EXPECTED_MIN;
            if counts.len() != observed.len() || expected_rates.iter().all(large) {
                groups.push((name.as_str(), counts.as_slice(), srm(counts, expected_rates)?));
            }
        }
        groups.sort_by(|a, b| b.2.chi2.total_cmp(&a.2.chi2).then(a.0.cmp(b.0)));
        judged.push(groups);
    }
    let tests = judged.iter().map(Vec::len).sum::<usize>() as f64;
    let splits: Vec<Split> = dimensions
        .iter()
        .zip(&judged)
        .map(|(dimension, groups)| Split {
            name: dimension.name.clone(),
            p_value: uneven(groups).map(|p| (p * dimensions.len() as f64).min(1.0)),
            groups: groups
                .iter()
                .map(|&(name, counts, found)| {
                    let p_value = (found.p_value * tests).min(1.0);
                    let alarm = p_value < ALARM_P_VALUE;
                    GroupFinding { name: name.to_owned(), counts: counts.to_vec(), p_value, alarm }
                })
                .collect(),
        })
        .collect();
    let cause = cause(overall, &splits);
    Ok(Diagnosis { overall, cause, dimensions: splits })
}

fn cause(overall: Srm, splits: &[Split]) -> Cause {
    let clearest = splits
        .iter()
        .filter_map(|split| split.p_value.map(|p_value| (p_value, split)))
        .filter(|(p_value, _)| *p_value < ALARM_P_VALUE)
        .min_by(|a, b| a.0.total_cmp(&b.0));
    let Some((_, split)) = clearest else {
        return if overall.alarm { Cause::Everywhere } else { Cause::None };
    };
    let dimension = split.name.clone();
    let off = split.groups.iter().filter(|group| group.alarm);
    let groups: Vec<String> = off.map(|group| group.name.clone()).collect();
    if groups.is_empty() {
        Cause::Spread { dimension }
    } else {
        Cause::Groups { dimension, groups }
    }
}

/// Pearson's test that all groups have the same shares, whatever they are.
fn uneven(groups: &[(&str, &[u64], Srm)]) -> Option<f64> {
    let arms = groups.first()?.1.len();
    let of_arm: Vec<f64> =
        (0..arms).map(|arm| groups.iter().map(|group| group.1[arm]).sum::<u64>() as f64).collect();
    let total: f64 = of_arm.iter().sum();
    let filled = of_arm.iter().filter(|&&count| count > 0.0).count();
    let df = (groups.len() - 1) * (filled - 1);
    let mut chi2 = 0.0;
    for (_, counts, _) in groups {
        let size = counts.iter().sum::<u64>() as f64;
        for (&count, &all) in counts.iter().zip(&of_arm).filter(|(_, all)| **all > 0.0) {
            let expected = size * all / total;
            chi2 += (count as f64 - expected).powi(2) / expected;
        }
    }
    (df > 0).then(|| chi2::upper_tail(chi2, df as u32))
}

#[cfg(test)]
mod tests {
    use super::*;

    const RATES: [f64; 2] = [0.9, 0.1];

    fn dimension(name: &str, groups: &[(&str, [u64; 2])]) -> Dimension {
        let groups = groups.iter().map(|(name, counts)| ((*name).to_owned(), counts.to_vec()));
        Dimension { name: name.to_owned(), groups: groups.collect() }
    }

    #[track_caller]
    fn check(dimensions: &[Dimension], expect: &Cause) -> Diagnosis {
        let mut observed = [0, 0];
        for (_, counts) in &dimensions[0].groups {
            observed = [observed[0] + counts[0], observed[1] + counts[1]];
        }
        let found = diagnose(&observed, &RATES, dimensions).unwrap();
        assert_eq!(&found.cause, expect, "{found:?}");
        assert!(!found.cause.words().is_empty());
        found
    }

    #[test]
    fn the_cause_is_told_by_where_it_sits() {
        let even = |n: u64| [n * 9, n];
        let days = dimension("day", &[("1", even(500)), ("2", even(510)), ("3", even(490))]);
        let devices = dimension("device", &[("app", even(800)), ("web", even(700))]);
        check(&[days, devices], &Cause::None);

        // A tenth of the holdout is lost everywhere.
        let lost = |n: u64| [n * 9, n * 8 / 10];
        let days = dimension("day", &[("1", lost(1_000)), ("2", lost(1_100)), ("3", lost(900))]);
        let devices = dimension("device", &[("app", lost(1_500)), ("web", lost(1_500))]);
        let found = check(&[days, devices], &Cause::Everywhere);
        assert!(found.overall.alarm);

        // The holdout of the app is lost, and days show a part of it each.
        let days =
            dimension("day", &[("1", [9_000, 800]), ("2", [9_000, 790]), ("3", [9_000, 810])]);
        let devices = dimension("device", &[("app", [13_500, 900]), ("web", even(1_500))]);
        let groups = vec!["app".to_owned()];
        let app = Cause::Groups { dimension: "device".to_owned(), groups };
        let found = check(&[days, devices], &app);
        assert_eq!(found.dimensions[1].groups[0].name, "app");
        assert!(!found.dimensions[1].groups[1].alarm);

        // What one group lacks another has: overall nothing shows.
        let days = dimension("day", &[("1", [9_000, 1_200]), ("2", [9_000, 800])]);
        let groups = vec!["2".to_owned(), "1".to_owned()];
        let found = check(&[days], &Cause::Groups { dimension: "day".to_owned(), groups });
        assert!(!found.overall.alarm);

        // Many groups, each off by little, one way in the first half and the other in the second.
        let names: Vec<String> = (0..40).map(|n| n.to_string()).collect();
        let of = |at: usize| if at < 20 { [900, 115] } else { [900, 85] };
        let groups: Vec<(&str, [u64; 2])> =
            names.iter().enumerate().map(|(at, name)| (name.as_str(), of(at))).collect();
        let days = dimension("day", &groups);
        check(&[days], &Cause::Spread { dimension: "day".to_owned() });
    }

    #[test]
    fn small_groups_are_left_out() {
        let days = dimension("day", &[("1", [9_000, 1_000]), ("2", [20, 20]), ("3", [0, 0])]);
        let found = diagnose(&[9_020, 1_020], &RATES, &[days]).unwrap();
        assert_eq!(found.cause, Cause::None);
        assert_eq!((found.dimensions[0].groups.len(), found.dimensions[0].p_value), (1, None));
        assert_eq!(diagnose(&[900, 100], &RATES, &[]).unwrap().cause, Cause::None);
    }

    #[test]
    fn groups_without_a_count_for_every_arm_are_refused() {
        let days = Dimension { name: "day".to_owned(), groups: vec![("1".to_owned(), vec![9])] };
        assert_eq!(diagnose(&[900, 100], &RATES, &[days]).unwrap_err().code(), "T0711");
    }
}
