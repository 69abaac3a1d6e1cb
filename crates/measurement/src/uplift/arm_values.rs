//! What is a way of sending worth, as far as a trial tells?

use super::Refusal;
use crate::Moments;
use crate::estimate::{Estimate, mean};

/// The most by which the propensities of a unit may miss 1 in sum.
const SUM_TOLERANCE: f64 = 1e-6;

/// What every unit would bring in every arm: numbers that are right on average, whoever got what.
///
/// The value of a policy is the mean over units of the number of the arm that it chooses, so values and
/// differences are means with intervals. Arm 0 is control. Numbers are on the scale of the outcome, or of
/// [`ArmValues::net`].
#[derive(Clone, Debug, PartialEq)]
pub struct ArmValues {
    arms: usize,
    /// One row per unit.
    values: Vec<f64>,
}

impl ArmValues {
    /// `1{t = a} · y / p_a`: by inverse propensity (Horvitz and Thompson 1952,
    /// doi:10.1080/01621459.1952.10483446). `propensity` has one entry per unit and arm, unit by unit.
    ///
    /// # Errors
    /// `Shape`, `NotFinite`, `NoPropensity`.
    pub fn inverse_propensity(
        outcome: &[f64],
        arm: &[u16],
        propensity: &[f64],
    ) -> Result<Self, Refusal> {
        Self::doubly_robust(outcome, arm, propensity, &vec![0.0; propensity.len()])
    }

    /// `μ_a(x) + 1{t = a} · (y − μ_a(x)) / p_a`: doubly robust (Robins, Rotnitzky and Zhao 1994,
    /// doi:10.1080/01621459.1994.10476818; of policies Dudík, Langford and Li 2011, arXiv:1103.4601).
    /// `expected` is `μ`, shaped as `propensity`, and must not have been learnt from the unit itself.
    ///
    /// # Errors
    /// `Shape`, `NotFinite`, `NoPropensity`.
    pub fn doubly_robust(
        outcome: &[f64],
        arm: &[u16],
        propensity: &[f64],
        expected: &[f64],
    ) -> Result<Self, Refusal> {
        let units = outcome.len();
        let arms = propensity.len().checked_div(units).unwrap_or(0);
        let fits = arm.len() == units
            && propensity.len() == units * arms
            && expected.len() == units * arms
            && arm.iter().all(|arm| usize::from(*arm) < arms);
        if !fits {
            return Err(Refusal::Shape);
        }
        if outcome.iter().chain(expected).any(|number| !number.is_finite()) {
            return Err(Refusal::NotFinite);
        }
        let whole = |shares: &[f64]| (shares.iter().sum::<f64>() - 1.0).abs() <= SUM_TOLERANCE;
        let proper = propensity.iter().all(|share| *share > 0.0 && *share < 1.0);
        if !proper || !propensity.chunks_exact(arms).all(whole) {
            return Err(Refusal::NoPropensity);
        }
        let mut values = expected.to_vec();
        for (unit, own) in arm.iter().enumerate() {
            let at = unit * arms + usize::from(*own);
            values[at] += (outcome[unit] - expected[at]) / propensity[at];
        }
        Ok(Self { arms, values })
    }

    /// What is left of them: each times the margin of one outcome, less what it costs to send an arm.
    ///
    /// # Panics
    /// When there is not one cost per arm.
    #[must_use]
    pub fn net(mut self, margin: f64, cost: &[f64]) -> Self {
        assert_eq!(cost.len(), self.arms, "a cost for every arm");
        for row in self.values.chunks_exact_mut(self.arms) {
            row.iter_mut().zip(cost).for_each(|(value, cost)| *value = *value * margin - cost);
        }
        self
    }

    /// Units.
    pub const fn units(&self) -> usize {
        self.values.len() / self.arms
    }

    /// Arms, control included.
    pub const fn arms(&self) -> usize {
        self.arms
    }

    /// Those of some units.
    ///
    /// # Panics
    /// When there is no such unit.
    #[must_use]
    pub fn only(&self, units: &[usize]) -> Self {
        let row = |unit: &usize| &self.values[unit * self.arms..(unit + 1) * self.arms];
        Self { arms: self.arms, values: units.iter().flat_map(row).copied().collect() }
    }

    /// What a unit would bring in an arm.
    ///
    /// # Panics
    /// When there is no such unit or arm.
    pub fn of(&self, unit: usize, arm: u16) -> f64 {
        assert!(usize::from(arm) < self.arms, "an arm of the trial");
        self.values[unit * self.arms + usize::from(arm)]
    }

    /// An arm's number less that of control, per unit: whose mean is the average effect.
    pub fn effects(&self, arm: u16) -> Vec<f64> {
        (0..self.units()).map(|unit| self.of(unit, arm) - self.of(unit, 0)).collect()
    }

    /// What a unit brings on average when every unit gets the arm chosen for it.
    ///
    /// # Errors
    /// `Shape` when there is not one arm of the trial per unit; `NoEstimate`.
    pub fn value(&self, choice: &[u16], level: f64) -> Result<Estimate, Refusal> {
        self.check(choice)?;
        let values = choice.iter().enumerate().map(|(unit, arm)| self.of(unit, *arm));
        Ok(mean(&values.collect::<Moments>(), level)?)
    }

    /// How much more one choice brings per unit than another: the same units in both, so that what they have
    /// in common does not widen the interval.
    ///
    /// # Errors
    /// As [`ArmValues::value`]; `NoEstimate` with no variance when both choose the same for everybody.
    pub fn gain(&self, choice: &[u16], other: &[u16], level: f64) -> Result<Estimate, Refusal> {
        self.check(choice)?;
        self.check(other)?;
        let apart = choice.iter().zip(other).enumerate();
        let apart = apart.map(|(unit, (a, b))| self.of(unit, *a) - self.of(unit, *b));
        Ok(mean(&apart.collect::<Moments>(), level)?)
    }

    fn check(&self, choice: &[u16]) -> Result<(), Refusal> {
        let known = choice.iter().all(|arm| usize::from(*arm) < self.arms);
        if known && choice.len() == self.units() { Ok(()) } else { Err(Refusal::Shape) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::estimate::LEVEL;

    /// Four units that repeat, half of them treated at 1/2, whose expectations miss.
    fn trial() -> (Vec<f64>, Vec<u16>, Vec<f64>, Vec<f64>) {
        let outcome = [1.0, 0.0, 3.0, 2.0].repeat(25);
        let arm = [1, 0, 1, 0].repeat(25);
        (outcome, arm, vec![0.5; 200], [0.5, 1.0, 0.0, 2.0].repeat(50))
    }

    #[test]
    fn values_are_means_of_the_arm_chosen() {
        let (outcome, arm, propensity, expected) = trial();
        let ips = ArmValues::inverse_propensity(&outcome, &arm, &propensity).unwrap();
        let check = |found: Estimate, expect: f64| assert!((found.value - expect).abs() < 1e-12);
        check(ips.value(&[1; 100], LEVEL).unwrap(), (2.0 + 6.0) / 4.0);
        check(ips.value(&[0; 100], LEVEL).unwrap(), 4.0 / 4.0);
        check(ips.value(&arm, LEVEL).unwrap(), 2.0 * (1.0 + 3.0 + 2.0) / 4.0);
        check(ips.gain(&[1; 100], &[0; 100], LEVEL).unwrap(), 1.0);
        assert_eq!(ips.effects(1).iter().sum::<f64>() / 100.0, 1.0);
        // μ + (y − μ) / p by hand for the first two units.
        let robust = ArmValues::doubly_robust(&outcome, &arm, &propensity, &expected).unwrap();
        assert_eq!([robust.of(0, 0), robust.of(0, 1)], [0.5, 1.0]);
        assert_eq!([robust.of(1, 0), robust.of(1, 1)], [0.0, 2.0]);
        assert_eq!([robust.only(&[1, 0]).of(0, 1), robust.only(&[1, 0]).of(1, 1)], [2.0, 1.0]);
        let net = robust.net(10.0, &[0.0, 0.5]);
        assert_eq!([net.of(0, 0), net.of(0, 1)], [5.0, 9.5]);
    }

    #[test]
    fn what_does_not_fit_is_refused() {
        let (outcome, arm, propensity, expected) = trial();
        let check = |outcome: &[f64], arm: &[u16], propensity: &[f64], expect: Refusal| {
            let refused = ArmValues::doubly_robust(outcome, arm, propensity, &expected);
            assert_eq!(refused.unwrap_err(), expect);
        };
        check(&outcome[1..], &arm, &propensity, Refusal::Shape);
        check(&outcome, &[2; 100], &propensity, Refusal::Shape);
        check(&[f64::NAN; 100], &arm, &propensity, Refusal::NotFinite);
        check(&outcome, &arm, &[0.4; 200], Refusal::NoPropensity);
        check(&outcome, &arm, &[0.0, 1.0].repeat(100), Refusal::NoPropensity);
        let values = ArmValues::inverse_propensity(&outcome, &arm, &propensity).unwrap();
        assert_eq!(values.value(&[1; 99], LEVEL).unwrap_err(), Refusal::Shape);
        assert_eq!(values.gain(&[2; 100], &[0; 100], LEVEL).unwrap_err(), Refusal::Shape);
    }
}
