//! To whom is it worth sending, chosen by what was known before and judged by what came after?

use super::{ArmValues, Refusal};

/// Into how many equal steps the share that is sent to is cut when the best one is looked for.
const STEPS: usize = 20;

/// A policy chosen fold by fold.
#[derive(Clone, Debug, PartialEq)]
pub struct Sending {
    /// The arm that each unit gets, by a threshold chosen on the folds before its own; nothing where there was
    /// nothing to choose by.
    pub choice: Vec<Option<u16>>,
    /// The threshold that all folds together choose: what to go on with.
    pub threshold: f64,
}

/// Sends every unit the arm that adds most, net, where that lies above a threshold; else nothing.
///
/// `net` is what each arm but control adds to a unit after its costs, unit by unit, learnt from the folds
/// before the unit's own alone, `None` where there are none. The threshold for a fold is the one under which
/// the folds before it would have brought most, and 0 where nothing was predicted before. So neither
/// predictions nor thresholds know anything of the units that they are judged on, and
/// [`ArmValues::value`] of the choices is no flattery.
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
    let best: Vec<Option<(u16, f64)>> = net.chunks_exact(arms).map(best_of).collect();
    let last = fold.iter().copied().max().unwrap_or(0);
    let mut choice = vec![None; units];
    for own in 0..=last {
        let threshold = best_threshold(values, &best, |unit| fold[unit] < own).unwrap_or(0.0);
        for unit in (0..units).filter(|unit| fold[*unit] == own) {
            choice[unit] = best[unit].map(|(arm, net)| if net > threshold { arm } else { 0 });
        }
    }
    Ok(Sending { choice, threshold: best_threshold(values, &best, |_| true).unwrap_or(0.0) })
}

/// The arm that adds most; of equals the first.
fn best_of(net: &[Option<f64>]) -> Option<(u16, f64)> {
    let arms = (1_u16..).zip(net).filter_map(|(arm, net)| Some((arm, (*net)?)));
    arms.reduce(|best, arm| if arm.1 > best.1 { arm } else { best })
}

/// The threshold above which sending brings most among some units: to the top of them in steps of equal size,
/// to all, or to nobody. `None` without units.
fn best_threshold(
    values: &ArmValues,
    best: &[Option<(u16, f64)>],
    among: impl Fn(usize) -> bool,
) -> Option<f64> {
    let units = (0..best.len()).filter(|unit| among(*unit));
    let mut order: Vec<(usize, u16, f64)> =
        units.filter_map(|unit| best[unit].map(|(arm, net)| (unit, arm, net))).collect();
    order.sort_by(|a, b| b.2.total_cmp(&a.2).then(a.0.cmp(&b.0)));
    let (mut most, mut found) = (0.0, (!order.is_empty()).then_some(f64::MAX)?);
    let mut gain = 0.0;
    let mut step = 1;
    for (at, (unit, arm, net)) in order.iter().enumerate() {
        gain += values.of(*unit, *arm) - values.of(*unit, 0);
        if (at + 1) * STEPS < step * order.len() {
            continue;
        }
        step += 1;
        // Just above the first that gets nothing; a tie with it would get nothing, too.
        let next = order.get(at + 1).map_or(f64::MIN, |next| next.2);
        if gain > most && next < *net {
            (most, found) = (gain, next);
        }
    }
    Some(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 300 units of three folds, every second treated; the effect is 1 for even tens, −1 for odd ones.
    fn trial(predicted: impl Fn(usize) -> f64) -> (ArmValues, Vec<Option<f64>>, Vec<u8>) {
        let arm: Vec<u16> = (0..300).map(|unit| unit as u16 % 2).collect();
        let effect = |unit: usize| if (unit / 10).is_multiple_of(2) { 1.0 } else { -1.0 };
        let outcome: Vec<f64> = (0..300).map(|unit| effect(unit) * f64::from(arm[unit])).collect();
        let values = ArmValues::inverse_propensity(&outcome, &arm, &[0.5; 600]).unwrap();
        let fold: Vec<u8> = (0..300).map(|unit| (unit / 100) as u8).collect();
        let net = (0..300).map(|unit| (fold[unit] > 0).then(|| predicted(unit))).collect();
        (values, net, fold)
    }

    #[test]
    fn a_threshold_comes_from_the_folds_before() {
        // Ranked rightly, but all predicted above 0.
        let (values, net, fold) =
            trial(|unit| if (unit / 10).is_multiple_of(2) { 3.0 } else { 2.0 });
        let found = sending(&values, &net, &fold).unwrap();
        assert!(found.choice[..100].iter().all(Option::is_none));
        assert!(
            found.choice[100..200].iter().all(|arm| *arm == Some(1)),
            "nothing before: above 0"
        );
        for (unit, arm) in found.choice.iter().enumerate().skip(200) {
            assert_eq!(*arm, Some(u16::from((unit / 10).is_multiple_of(2))));
        }
        assert_eq!(found.threshold, 2.0);
    }

    #[test]
    fn nobody_or_all_may_be_best() {
        let (values, net, fold) = trial(|_| 1.0);
        let harm = values.clone().net(1.0, &[0.0, 2.0]);
        assert_eq!(sending(&harm, &net, &fold).unwrap().threshold, f64::MAX);
        let help = values.clone().net(1.0, &[0.0, -2.0]);
        assert_eq!(sending(&help, &net, &fold).unwrap().threshold, f64::MIN);
        assert_eq!(sending(&values, &net[1..], &fold), Err(Refusal::Shape));
        assert_eq!(sending(&values, &[Some(f64::NAN); 300], &fold), Err(Refusal::NotFinite));
    }
}
