//! What does a learner of uplift see of a trial?

use tercet_types::{Error, Result};

use crate::gbdt::Matrix;

/// The most arms of a trial, control included.
const ARMS_MAX: usize = 1_000;

/// By what chance every row got its arm.
#[derive(Clone, Copy, Debug)]
pub enum Propensity<'a> {
    /// The same for all rows: one entry per arm, control first.
    Shares(&'a [f64]),
    /// One entry per row and arm, row by row.
    Rows(&'a [f64]),
}

/// A trial: rows whose arm was drawn by known chances. All arrays have one entry per row.
#[derive(Clone, Copy, Debug)]
pub struct Trial<'a> {
    /// What was known of the row before it got its arm.
    pub matrix: &'a Matrix,
    /// What happened after; finite.
    pub outcome: &'a [f64],
    /// Which arm it got: 0 is control.
    pub arm: &'a [u16],
    /// By what chance.
    pub propensity: Propensity<'a>,
    /// What folds are drawn by: [`super::row_key`] of an id, or the number of the row.
    pub key: &'a [u64],
}

impl Trial<'_> {
    /// The number of arms, control included.
    pub fn arms(&self) -> usize {
        match self.propensity {
            Propensity::Shares(shares) => shares.len(),
            Propensity::Rows(rows) => rows.len().checked_div(self.outcome.len()).unwrap_or(0),
        }
    }

    /// The chances of a row's arms.
    pub fn chances(&self, row: usize) -> &[f64] {
        let arms = self.arms();
        match self.propensity {
            Propensity::Shares(shares) => shares,
            Propensity::Rows(rows) => &rows[row * arms..(row + 1) * arms],
        }
    }

    /// # Errors
    /// `T0411` naming what does not fit, `T0412` naming an arm without rows.
    pub(super) fn check(&self) -> Result<()> {
        let (rows, arms) = (self.matrix.rows(), self.arms());
        let fault = if [self.outcome.len(), self.arm.len(), self.key.len()] != [rows; 3] {
            Some("features, outcomes, arms and keys differ in number".to_owned())
        } else if !(2..=ARMS_MAX).contains(&arms) {
            Some(format!("{arms} arms, expected 2 to {ARMS_MAX}"))
        } else if matches!(self.propensity, Propensity::Rows(all) if all.len() != rows * arms) {
            Some("propensities are not one per row and arm".to_owned())
        } else if let Some(row) = self.outcome.iter().position(|value| !value.is_finite()) {
            Some(format!("the outcome of row {row} is not finite"))
        } else if let Some(row) = self.arm.iter().position(|arm| usize::from(*arm) >= arms) {
            Some(format!("row {row} has arm {} of {arms}", self.arm[row]))
        } else {
            let proper = |row: &usize| {
                let chances = self.chances(*row);
                let whole = (chances.iter().sum::<f64>() - 1.0).abs() < 1e-6;
                whole && chances.iter().all(|chance| *chance > 0.0 && *chance < 1.0)
            };
            let bad = (0..rows).find(|row| !proper(row));
            bad.map(|row| format!("the propensities of row {row} are no chances that add up to 1"))
        };
        if let Some(fault) = fault {
            return Err(Error::data("T0411", format!("trial: {fault}"))
                .hint("give features, outcome, arm and the chance of every arm for each row"));
        }
        let empty = (0..arms).find(|arm| !self.arm.iter().any(|own| usize::from(*own) == *arm));
        empty.map_or(Ok(()), |arm| {
            Err(Error::data("T0412", format!("trial: nobody got arm {arm}"))
                .hint("leave out arms that nobody got; a trial needs a control group"))
        })
    }

    /// The rows of control and of one arm for which `keep` holds.
    pub(super) fn contrast(&self, arm: u16, keep: impl Fn(usize) -> bool) -> Contrast {
        let of_either = |row: &usize| self.arm[*row] == 0 || self.arm[*row] == arm;
        let rows: Vec<usize> =
            (0..self.arm.len()).filter(of_either).filter(|row| keep(*row)).collect();
        let chance = |row: &usize| {
            let chances = self.chances(*row);
            chances[usize::from(arm)] / (chances[0] + chances[usize::from(arm)])
        };
        Contrast {
            matrix: self.matrix.only(&rows),
            outcome: rows.iter().map(|row| self.outcome[*row]).collect(),
            treated: rows.iter().map(|row| self.arm[*row] == arm).collect(),
            propensity: rows.iter().map(chance).collect(),
            key: rows.iter().map(|row| self.key[*row]).collect(),
        }
    }
}

/// One treatment against control: rows as in [`Trial`].
#[derive(Clone, Debug)]
pub struct Contrast {
    /// What was known of the row.
    pub matrix: Matrix,
    /// What happened.
    pub outcome: Vec<f64>,
    /// Whether it was treated.
    pub treated: Vec<bool>,
    /// By what chance, of these two.
    pub propensity: Vec<f64>,
    /// What folds are drawn by.
    pub key: Vec<u64>,
}

impl Contrast {
    /// The rows of an arm.
    pub(super) fn rows_of(&self, treated: bool) -> Vec<usize> {
        (0..self.treated.len()).filter(|row| self.treated[*row] == treated).collect()
    }

    /// The mean chance of treatment.
    pub(super) fn share(&self) -> f64 {
        self.propensity.iter().sum::<f64>() / self.propensity.len().max(1) as f64
    }
}
