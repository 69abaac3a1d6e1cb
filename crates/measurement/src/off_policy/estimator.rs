//! Which estimators are there, and what does each rest on?

use serde::Serialize;

use super::columns::Ratio;

/// How the value of a policy is estimated from rounds `(x, a, r)` with weights `w` and predicted rewards `q`.
///
/// `q_π` is the predicted reward under the policy, `q` that of what was done; means are over rounds. Definitions are
/// those of Open Bandit Pipeline (Saito et al. 2021, arXiv:2008.07146).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Estimator {
    /// `mean(w r)` (Horvitz and Thompson 1952, doi:10.1080/01621459.1952.10483446). Of a slate by its joint
    /// propensity this is SIPS; with the weights of [`Round::of_slots`](super::Round::of_slots) it is PI.
    Ips,
    /// `mean(w r) / mean(w)` (Swaminathan and Joachims 2015).
    Snips,
    /// `mean(q_π)`.
    Dm,
    /// `mean(q_π + w (r − q))` (Dudík et al. 2014, doi:10.1214/14-STS500).
    Dr,
    /// `mean(q_π) + mean(w (r − q)) / mean(w)`.
    Sndr,
    /// `mean(q_π + w 1{w ≤ λ} (r − q))` (Wang, Agarwal and Dudík 2017, arXiv:1612.01205).
    SwitchDr,
    /// `mean(q_π + λ w / (w² + λ) (r − q))` (Su et al. 2020, arXiv:1907.09623).
    DrOs,
}

/// Columns that are summed per unit.
pub(super) const ROUNDS: usize = 0;
pub(super) const WEIGHT: usize = 1;
pub(super) const REWARD: usize = 2;
pub(super) const WEIGHED: usize = 3;
pub(super) const TARGET: usize = 4;
pub(super) const RESIDUAL: usize = 5;
pub(super) const COLUMNS: usize = 6;

const fn plus(above: usize, below: usize) -> Ratio {
    Ratio { sign: 1.0, above, below }
}

impl Estimator {
    /// All estimators.
    pub const ALL: [Self; 7] =
        [Self::Ips, Self::Snips, Self::Dm, Self::Dr, Self::Sndr, Self::SwitchDr, Self::DrOs];

    /// The name in tables.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Ips => "IPS",
            Self::Snips => "SNIPS",
            Self::Dm => "DM",
            Self::Dr => "DR",
            Self::Sndr => "SNDR",
            Self::SwitchDr => "Switch-DR",
            Self::DrOs => "DRos",
        }
    }

    /// True when rounds are weighed.
    pub const fn weighs(self) -> bool {
        !matches!(self, Self::Dm)
    }

    /// True when predicted rewards are needed.
    pub const fn predicts(self) -> bool {
        !matches!(self, Self::Ips | Self::Snips)
    }

    /// What must hold for the interval to mean what it says.
    pub const fn assumptions(self) -> &'static str {
        match self {
            Self::Ips => {
                "propensities are those of what was done; all the policy would do could have been done; \
                 units do not affect each other and are enough for their mean to be normal"
            }
            Self::Snips => "as for IPS; the bias of the ratio is small against its error",
            Self::Dm => {
                "the model is right; the interval knows the chance of who came, not the model's error"
            }
            Self::Dr | Self::Sndr => {
                "as for IPS; predictions do not hang on the rounds they are made for, and need not be right"
            }
            Self::SwitchDr | Self::DrOs => {
                "as for DR where weights are small, as for DM where they are large; the interval does not \
                 know that bias, nor that lambda was chosen on the same rounds"
            }
        }
    }

    /// The ratios of columns that are added up; those with a λ have columns of their own.
    pub(super) const fn ratios(self) -> Option<&'static [Ratio]> {
        const IPS: &[Ratio] = &[plus(WEIGHED, ROUNDS)];
        const SNIPS: &[Ratio] = &[plus(WEIGHED, WEIGHT)];
        const DM: &[Ratio] = &[plus(TARGET, ROUNDS)];
        const DR: &[Ratio] = &[plus(TARGET, ROUNDS), plus(RESIDUAL, ROUNDS)];
        const SNDR: &[Ratio] = &[plus(TARGET, ROUNDS), plus(RESIDUAL, WEIGHT)];
        match self {
            Self::Ips => Some(IPS),
            Self::Snips => Some(SNIPS),
            Self::Dm => Some(DM),
            Self::Dr => Some(DR),
            Self::Sndr => Some(SNDR),
            Self::SwitchDr | Self::DrOs => None,
        }
    }

    /// The weight that is used in place of `weight`.
    pub(super) fn shrunk(self, weight: f64, lambda: f64) -> f64 {
        match self {
            Self::SwitchDr if weight > lambda => 0.0,
            Self::DrOs if lambda.is_finite() && weight != 0.0 => {
                lambda * weight / (weight * weight + lambda)
            }
            _ => weight,
        }
    }
}
