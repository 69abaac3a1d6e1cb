//! Does the uplift that is predicted happen?

use serde::Serialize;

use super::ranked::Ranked;
use crate::estimate::difference;
use crate::{Found, Moments};

/// Groups unless somebody asks for another number: deciles.
pub const GROUPS: usize = 10;

/// Units of about the same predicted uplift.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct UpliftGroup {
    /// How many there are, control and treatment.
    pub units: [u64; 2],
    /// The mean of their predicted uplift.
    pub predicted: f64,
    /// The difference of their arms' mean outcomes, by Welch.
    pub observed: Found,
}

/// Units in `groups` groups by predicted uplift, the highest first: what was predicted of each beside what
/// was observed. Equal predictions stay together, so that groups may differ in size, and some may be missing.
///
/// Whether predictions are right in all is what the slope of [`super::heterogeneity`] says.
pub fn calibration(ranked: &Ranked<'_>, groups: usize, level: f64) -> Vec<UpliftGroup> {
    let order = ranked.order();
    let units = order.len();
    let mut cells = vec![(Moments::default(), [Moments::default(); 2]); groups];
    let mut from = 0;
    for tie in order.chunk_by(|a, b| ranked.score[*a] == ranked.score[*b]) {
        // The place of the middle of the tie.
        let cell = (2 * from + tie.len() - 1) * groups / (2 * units);
        from += tie.len();
        let (predicted, arms) = &mut cells[cell];
        for unit in tie {
            predicted.add(ranked.score[*unit]);
            arms[usize::from(ranked.treated[*unit])].add(ranked.outcome[*unit]);
        }
    }
    let group = |(predicted, arms): (Moments, [Moments; 2])| UpliftGroup {
        units: arms.map(|arm| arm.count()),
        predicted: predicted.mean(),
        observed: difference(&arms[1], &arms[0], level).into(),
    };
    cells.into_iter().filter(|(predicted, _)| predicted.count() > 0).map(group).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::estimate::LEVEL;

    #[test]
    fn groups_hold_equal_predictions_together() {
        let score: Vec<f64> = (0..400).map(|unit| f64::from(unit / 100)).collect();
        let treated: Vec<bool> = (0..400).map(|unit| unit % 2 == 0).collect();
        let outcome: Vec<f64> = (0..400)
            .map(|unit| score[unit] * f64::from(treated[unit]) + (unit % 3) as f64)
            .collect();
        let ranked = Ranked::new(&outcome, &treated, &score).unwrap();
        let groups = calibration(&ranked, 10, LEVEL);
        let seen: Vec<(f64, [u64; 2])> =
            groups.iter().map(|one| (one.predicted, one.units)).collect();
        assert_eq!(seen, [3.0, 2.0, 1.0, 0.0].map(|predicted| (predicted, [50, 50])));
        for group in groups {
            let observed = group.observed.estimate().unwrap();
            assert!((observed.value - group.predicted).abs() < 0.1, "{observed:?}");
        }
        assert_eq!(calibration(&ranked, 1, LEVEL)[0].units, [200, 200]);
    }
}
