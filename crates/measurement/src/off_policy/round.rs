//! How much does what was done say of what another policy would have done?

use super::refusal::Refusal;

/// How far from one the probabilities of a policy may sum.
const POLICY_SLACK: f64 = 1e-6;

/// One thing that was chosen: how likely it was, and how likely the policy in question would have chosen it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Choice {
    /// The probability with which the log chose it.
    pub propensity: f64,
    /// The probability with which the policy chooses it.
    pub target: f64,
}

impl Choice {
    /// `target / propensity`.
    ///
    /// # Errors
    /// `NoPropensity` when the propensity does not lie above 0 and at most at 1; `NoProbability` when the target
    /// does not lie between 0 and 1.
    pub fn weight(self) -> Result<f64, Refusal> {
        /// What a sum of chances may miss 1 by.
        const ROUNDING: f64 = 1e-9;
        if !(self.propensity > 0.0 && self.propensity <= 1.0 + ROUNDING) {
            return Err(Refusal::NoPropensity);
        }
        if !(0.0..=1.0).contains(&self.target) {
            return Err(Refusal::NoProbability);
        }
        Ok(self.target / self.propensity.min(1.0))
    }
}

/// What a model expects, for the estimators that use one.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Predicted {
    /// The reward of what was done: `q(x, a)`.
    pub done: f64,
    /// The reward under the policy: `Σ π(a | x) q(x, a)`.
    pub target: f64,
}

/// One decision of a log, weighed for the policy in question.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Round {
    pub(super) weight: f64,
    pub(super) reward: f64,
    pub(super) predicted: Option<Predicted>,
    pub(super) is_certain: bool,
}

impl Round {
    /// A round in which one thing was chosen; or a whole slate, by its joint propensity.
    ///
    /// # Errors
    /// Those of [`Choice::weight`]; `NotFinite` for the reward.
    pub fn new(propensity: f64, target: f64, reward: f64) -> Result<Self, Refusal> {
        let weight = Choice { propensity, target }.weight()?;
        Self::weighed(weight, propensity >= 1.0, reward)
    }

    /// A round in which every slot of a slate was chosen, weighed as the pseudo-inverse estimator does where
    /// the log drew the slots independently: `Σ w − slots + 1` (Swaminathan et al. 2017, arXiv:1605.04812,
    /// example 4 in closed form). Right for rewards that add up over the slots, whatever the policy.
    ///
    /// # Errors
    /// As [`Self::new`].
    pub fn of_slots(slots: &[Choice], reward: f64) -> Result<Self, Refusal> {
        let mut weight = 1.0;
        for slot in slots {
            weight += slot.weight()? - 1.0;
        }
        Self::weighed(weight, slots.iter().all(|slot| slot.propensity >= 1.0), reward)
    }

    fn weighed(weight: f64, is_certain: bool, reward: f64) -> Result<Self, Refusal> {
        if !reward.is_finite() {
            return Err(Refusal::NotFinite);
        }
        Ok(Self { weight, reward, predicted: None, is_certain })
    }

    /// The round with what a model expects of it.
    ///
    /// # Errors
    /// `NotFinite` when a prediction is no finite number.
    pub fn predicted(self, predicted: Predicted) -> Result<Self, Refusal> {
        if !(predicted.done.is_finite() && predicted.target.is_finite()) {
            return Err(Refusal::NotFinite);
        }
        Ok(Self { predicted: Some(predicted), ..self })
    }

    /// How much the round weighs.
    pub const fn weight(&self) -> f64 {
        self.weight
    }
}

/// Rounds from columns of a log, without predictions.
///
/// # Errors
/// `LengthsDiffer`, and those of [`Round::new`].
pub fn rounds(
    propensities: &[f64],
    targets: &[f64],
    rewards: &[f64],
) -> Result<Vec<Round>, Refusal> {
    if propensities.len() != targets.len() || targets.len() != rewards.len() {
        return Err(Refusal::LengthsDiffer);
    }
    let chosen = propensities.iter().zip(targets).zip(rewards);
    chosen.map(|((propensity, target), reward)| Round::new(*propensity, *target, *reward)).collect()
}

/// Checks what a policy does in one round.
///
/// # Errors
/// `NoProbability` when one lies outside 0 to 1; `PolicyNotOne` when they do not sum to one.
pub fn check_policy(probabilities: &[f64]) -> Result<(), Refusal> {
    if probabilities.iter().any(|probability| !(0.0..=1.0).contains(probability)) {
        return Err(Refusal::NoProbability);
    }
    if (probabilities.iter().sum::<f64>() - 1.0).abs() > POLICY_SLACK {
        return Err(Refusal::PolicyNotOne);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_probability_is_refused() {
        let check = |propensity: f64, target: f64, reward: f64, expect: Option<Refusal>| {
            assert_eq!(Round::new(propensity, target, reward).err(), expect);
        };
        check(1.0, 0.0, 1.0, None);
        check(0.0, 0.5, 1.0, Some(Refusal::NoPropensity));
        check(1.1, 0.5, 1.0, Some(Refusal::NoPropensity));
        check(-0.1, 0.5, 1.0, Some(Refusal::NoPropensity));
        check(f64::NAN, 0.5, 1.0, Some(Refusal::NoPropensity));
        check(0.5, 1.5, 1.0, Some(Refusal::NoProbability));
        check(0.5, f64::NAN, 1.0, Some(Refusal::NoProbability));
        check(0.5, 0.5, f64::INFINITY, Some(Refusal::NotFinite));
        let fine = Round::new(0.5, 0.5, 1.0).unwrap();
        let bad = Predicted { done: f64::NAN, target: 0.0 };
        assert_eq!(fine.predicted(bad), Err(Refusal::NotFinite));
        assert_eq!(rounds(&[0.5], &[0.5, 0.5], &[1.0]), Err(Refusal::LengthsDiffer));
        assert_eq!(rounds(&[0.5], &[0.5], &[1.0]), Ok(vec![fine]));
        assert_eq!(check_policy(&[0.25, 0.75]), Ok(()));
        assert_eq!(check_policy(&[0.25, 0.7]), Err(Refusal::PolicyNotOne));
        assert_eq!(check_policy(&[1.5, -0.5]), Err(Refusal::NoProbability));
    }

    #[test]
    fn slots_weigh_together() {
        let slot = |propensity, target| Choice { propensity, target };
        let round =
            Round::of_slots(&[slot(0.5, 1.0), slot(0.25, 0.5), slot(0.2, 0.0)], 3.0).unwrap();
        assert_eq!(round.weight(), 2.0 + 2.0 + 0.0 - 2.0);
        assert_eq!(Round::of_slots(&[slot(0.0, 1.0)], 3.0), Err(Refusal::NoPropensity));
    }
}
