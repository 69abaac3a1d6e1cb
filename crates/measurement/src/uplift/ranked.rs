//! How does a ranking of a trial's units look from its top?

use super::Refusal;

/// Units of a trial with one treatment, ranked by a score: the highest first.
#[derive(Clone, Copy, Debug)]
pub struct Ranked<'a> {
    pub(super) outcome: &'a [f64],
    pub(super) treated: &'a [bool],
    pub(super) score: &'a [f64],
}

/// The units of the top of a ranking, by arm: control, treatment.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Top {
    /// How many there are.
    pub units: [f64; 2],
    /// The sum of their outcomes.
    pub outcomes: [f64; 2],
}

impl Top {
    pub(super) fn all(&self) -> f64 {
        self.units[0] + self.units[1]
    }

    /// What the treated have above as many of control: `Y_t − Y_c · N_t / N_c`.
    pub(super) fn added(&self) -> f64 {
        let scale = if self.units[0] > 0.0 { self.units[1] / self.units[0] } else { 0.0 };
        self.outcomes[1] - self.outcomes[0] * scale
    }

    /// An arm's mean; `None` without units.
    pub(super) fn mean(&self, arm: usize) -> Option<f64> {
        (self.units[arm] > 0.0).then(|| self.outcomes[arm] / self.units[arm])
    }
}

impl<'a> Ranked<'a> {
    /// One entry per unit: what happened, whether it was treated, and its score.
    ///
    /// # Errors
    /// `Shape`, `NotFinite`, `EmptyArm`.
    pub fn new(outcome: &'a [f64], treated: &'a [bool], score: &'a [f64]) -> Result<Self, Refusal> {
        if outcome.len() != treated.len() || outcome.len() != score.len() {
            return Err(Refusal::Shape);
        }
        if outcome.iter().chain(score).any(|number| !number.is_finite()) {
            return Err(Refusal::NotFinite);
        }
        if !treated.contains(&true) || !treated.contains(&false) {
            return Err(Refusal::EmptyArm);
        }
        Ok(Self { outcome, treated, score })
    }

    /// Places of the units, the highest score first; equal scores stay in the order of the units.
    pub(super) fn order(&self) -> Vec<usize> {
        let mut order: Vec<usize> = (0..self.score.len()).collect();
        // Finite, so that they compare; and 0 and −0 are a tie.
        order.sort_by(|a, b| {
            self.score[*b].partial_cmp(&self.score[*a]).unwrap_or(std::cmp::Ordering::Equal)
        });
        order
    }

    /// The top after each unit of an order.
    pub(super) fn tops(&self, order: &[usize]) -> Vec<Top> {
        let mut top = Top::default();
        let add = |unit: &usize| {
            let arm = usize::from(self.treated[*unit]);
            top.units[arm] += 1.0;
            top.outcomes[arm] += self.outcome[*unit];
            top
        };
        order.iter().map(add).collect()
    }

    /// The top at each different score, from the highest.
    pub(super) fn thresholds(&self) -> Vec<Top> {
        let order = self.order();
        let ends = |at: usize| {
            order.get(at + 1).is_none_or(|next| self.score[*next] != self.score[order[at]])
        };
        let tops = self.tops(&order).into_iter().enumerate();
        tops.filter(|(at, _)| ends(*at)).map(|(_, top)| top).collect()
    }
}
