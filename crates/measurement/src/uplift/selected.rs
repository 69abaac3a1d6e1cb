//! What do the customers that a policy selects bring, and are they worth what it costs to reach them?

use serde::Serialize;

use super::Refusal;
use crate::estimate::{difference, mean};
use crate::{Found, Moments};

/// What selected units of a trial with one treatment bring.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Selected {
    /// How many are selected, control and treatment.
    pub units: [u64; 2],
    /// The difference of the arms' mean outcomes among them (IRR where the outcome is a response).
    pub difference: Found,
    /// The net incremental value of these very units: the margin of the treated ones' outcomes, less that of
    /// the control ones', less the cost of reaching the treated ones (NIR). It takes arms of equal size.
    pub net: Found,
}

/// Holds the treated among the selected units against the control ones.
///
/// With 10 per purchase and 0.15 per contact, `net` is the net incremental revenue by which the published
/// promotion trial of a coffee-house chain is judged: `10 · (Y_t − Y_c) − 0.15 · N_t`. Its interval is that of
/// a sum over as many units drawn anew.
///
/// # Errors
/// `Shape`, `NotFinite`.
pub fn selected(
    outcome: &[f64],
    treated: &[bool],
    selected: &[bool],
    (margin, cost): (f64, f64),
    level: f64,
) -> Result<Selected, Refusal> {
    if outcome.len() != treated.len() || outcome.len() != selected.len() {
        return Err(Refusal::Shape);
    }
    if ![margin, cost].iter().chain(outcome).all(|number| number.is_finite()) {
        return Err(Refusal::NotFinite);
    }
    let mut arms = [Moments::default(); 2];
    let mut worth = Moments::default();
    for ((outcome, treated), selected) in outcome.iter().zip(treated).zip(selected) {
        if *selected {
            arms[usize::from(*treated)].add(*outcome);
        }
        worth.add(match (selected, treated) {
            (false, _) => 0.0,
            (true, true) => margin * outcome - cost,
            (true, false) => -margin * outcome,
        });
    }
    let units = worth.count() as f64;
    let net = mean(&worth, level).map(|per_unit| per_unit.scaled(units));
    Ok(Selected {
        units: arms.map(|arm| arm.count()),
        difference: difference(&arms[1], &arms[0], level).into(),
        net: net.into(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::estimate::LEVEL;

    #[test]
    fn net_is_margin_less_control_less_cost() {
        // 40 of each kind: treated buyers, treated others, control buyers of which every fourth is left out.
        let outcome: Vec<f64> = (0..120).map(|n| f64::from(!(40..80).contains(&n))).collect();
        let treated: Vec<bool> = (0..120).map(|n| n < 80).collect();
        let chosen: Vec<bool> = (0..120).map(|n| n < 80 || n % 4 > 0).collect();
        let found = selected(&outcome, &treated, &chosen, (10.0, 0.15), LEVEL).unwrap();
        assert_eq!(found.units, [30, 80]);
        let net = found.net.estimate().unwrap();
        assert!((net.value - (10.0 * (40.0 - 30.0) - 0.15 * 80.0)).abs() < 1e-9);
        assert!(net.low < net.value && net.value < net.high);
        assert!((found.difference.estimate().unwrap().value - (0.5 - 1.0)).abs() < 1e-12);
        let nobody = selected(&outcome, &treated, &[false; 120], (10.0, 0.15), LEVEL).unwrap();
        assert!(nobody.net.estimate().is_none() && nobody.difference.estimate().is_none());
        assert_eq!(selected(&outcome, &treated, &[true], (1.0, 0.0), LEVEL), Err(Refusal::Shape));
        let endless = selected(&outcome, &treated, &chosen, (f64::NAN, 0.0), LEVEL);
        assert_eq!(endless, Err(Refusal::NotFinite));
    }
}
