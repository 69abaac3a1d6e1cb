//! To whom is it worth sending, chosen by what was known before and judged by what came after?

use super::{ArmValues, Refusal};
use crate::PairMoments;
use crate::estimate::Line;

/// A policy chosen fold by fold.
#[derive(Clone, Debug, PartialEq)]
pub struct Sending {
    /// The arm that each unit gets, by lines learnt from the folds before its own; nothing where nothing was
    /// predicted.
    pub choice: Vec<Option<u16>>,
    /// What every arm but control really adds where so much is predicted, by all folds: what to go on with.
    pub lines: Vec<Line>,
}

/// The arm that adds most by its line, where that is more than nothing; else control.
pub fn arm_to_send(predicted: &[f64], lines: &[Line]) -> u16 {
    let added = predicted.iter().zip(lines).map(|(predicted, line)| line.at(*predicted));
    let best = (1_u16..).zip(added).reduce(|best, arm| if arm.1 > best.1 { arm } else { best });
    best.filter(|(_, added)| *added > 0.0).map_or(0, |(arm, _)| arm)
}

/// Sends every unit the arm that adds most, net, where that is more than nothing.
///
/// `net` is what each arm but control is predicted to add to a unit after its costs, unit by unit, learnt from
/// the folds before the unit's own alone, `None` where there are none. What was predicted is corrected by what
/// came of it in the folds before: a line of least squares per arm, on `values`. So neither predictions nor
/// lines know anything of the units that they are judged on, and [`ArmValues::value`] of the choices is no
/// flattery.
///
/// # Errors
/// `Shape`, `NotFinite`.
pub fn sending(values: &ArmValues, net: &[Option<f64>], fold: &[u8]) -> Result<Sending, Refusal> {
    let units = values.units();
    let arms = net.len().checked_div(units).unwrap_or(0);
    if fold.len() != units || arms + 1 != values.arms() || net.len() != units * arms {
        return Err(Refusal::Shape);
    }
    if net.iter().flatten().any(|number| !number.is_finite()) {
        return Err(Refusal::NotFinite);
    }
    let mut seen = vec![PairMoments::default(); arms];
    let mut choice = vec![None; units];
    for own in 0..=fold.iter().copied().max().unwrap_or(0) {
        let lines: Vec<Line> = seen.iter().map(Line::rising).collect();
        for unit in (0..units).filter(|unit| fold[*unit] == own) {
            let predicted: Option<Vec<f64>> =
                net[unit * arms..(unit + 1) * arms].iter().copied().collect();
            let Some(predicted) = predicted else { continue };
            choice[unit] = Some(arm_to_send(&predicted, &lines));
            for ((arm, predicted), seen) in (1..).zip(predicted).zip(&mut seen) {
                seen.add(predicted, values.of(unit, arm) - values.of(unit, 0));
            }
        }
    }
    Ok(Sending { choice, lines: seen.iter().map(Line::rising).collect() })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 300 units of three folds, every second treated; the effect is 1 for even tens, −1 for odd ones.
    fn trial(predicted: impl Fn(usize) -> f64) -> (ArmValues, Vec<Option<f64>>, Vec<u8>) {
        let arm: Vec<u16> = (0..300).map(|unit| unit as u16 % 2).collect();
        let outcome: Vec<f64> = (0..300).map(|unit| effect(unit) * f64::from(arm[unit])).collect();
        let values = ArmValues::inverse_propensity(&outcome, &arm, &[0.5; 600]).unwrap();
        let fold: Vec<u8> = (0..300).map(|unit| (unit / 100) as u8).collect();
        let net = (0..300).map(|unit| (fold[unit] > 0).then(|| predicted(unit))).collect();
        (values, net, fold)
    }

    fn effect(unit: usize) -> f64 {
        if (unit / 10).is_multiple_of(2) { 1.0 } else { -1.0 }
    }

    #[test]
    fn what_came_of_predictions_before_corrects_those_after() {
        // Ranked rightly, but all predicted above 0.
        let (values, net, fold) = trial(|unit| 3.0 + effect(unit) / 2.0);
        let found = sending(&values, &net, &fold).unwrap();
        assert!(found.choice[..100].iter().all(Option::is_none));
        assert!(found.choice[100..200].iter().all(|arm| *arm == Some(1)), "taken at their word");
        for (unit, arm) in found.choice.iter().enumerate().skip(200) {
            assert_eq!(*arm, Some(u16::from(effect(unit) > 0.0)));
        }
        let line = found.lines[0];
        assert!((line.slope - 2.0).abs() < 1e-9 && (line.level + 6.0).abs() < 1e-9, "{line:?}");
    }

    #[test]
    fn nobody_or_all_may_be_best() {
        // Ranked wrongly: then what counts is the average.
        let (values, net, fold) = trial(|unit| -effect(unit));
        for (cost, all) in [(0.5, 0), (-0.5, 1)] {
            let values = values.clone().net(1.0, &[0.0, cost]);
            let found = sending(&values, &net, &fold).unwrap();
            assert_eq!(found.lines[0].slope, 0.0);
            assert!(found.choice[200..].iter().all(|arm| *arm == Some(all)));
        }
        assert_eq!(sending(&values, &net[1..], &fold), Err(Refusal::Shape));
        assert_eq!(sending(&values, &[Some(f64::NAN); 300], &fold), Err(Refusal::NotFinite));
    }
}
