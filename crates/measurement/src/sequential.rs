//! Has an experiment won already, when one looks at it every week?
//!
//! Who looks ten times at a 5 % interval finds a difference by chance in 20 % of experiments. Two remedies:
//! [`looks`], for the weekly verdict of an experiment whose end is planned, spends the 5 % over the looks and
//! costs next to no power; [`anytime`], for a page that anybody may open any day, holds at all times at once
//! and is wider.

mod anytime;
mod bounds;
mod quadrature;

use serde::Serialize;

pub use anytime::{Anytime, anytime};
pub use bounds::{LOOKS_MAX, STEP_MIN, bounds, spent};

use crate::estimate::{Estimate, Refusal};

/// What a look at an experiment says.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Look {
    /// The share of the planned information that was there.
    pub fraction: f64,
    /// How many standard errors from zero the estimate had to lie.
    pub bound: f64,
    /// The lower end of the interval that holds at all looks together.
    pub low: f64,
    /// Its upper end.
    pub high: f64,
    /// What follows from this look and the ones before.
    pub verdict: Verdict,
}

/// What follows from the looks so far.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// The treatment is better: this look or an earlier one found it.
    Wins,
    /// The treatment is worse: this look or an earlier one found it.
    Loses,
    /// Nothing was found yet, and looks are left.
    GoesOn,
    /// The planned end was reached and nothing was found.
    EndedWithout,
}

impl Verdict {
    /// The verdict in words.
    pub const fn words(self) -> &'static str {
        match self {
            Self::Wins => "wins",
            Self::Loses => "loses",
            Self::GoesOn => "goes on",
            Self::EndedWithout => "ended without a difference found",
        }
    }
}

/// What each look says: the share of the planned information, growing to 1, and the estimate then, a
/// difference of which zero means none. A look that was left out costs nothing. The first look that
/// finds a difference decides; what comes later tells how large it is.
///
/// The intervals are repeated confidence intervals (Jennison and Turnbull 1989,
/// doi:10.1111/j.2517-6161.1989.tb01433.x): all of them together hold the truth at the level of the estimates.
/// Assumed is that what a look adds hangs on nothing before. Where the same customers buy on, week after
/// week, their looks are more alike than that, and the level is kept with something to spare.
///
/// # Errors
/// `NoLooks` when the shares do not grow by [`STEP_MIN`] at least, or pass 1, or are none or more than
/// [`LOOKS_MAX`]; `NoLevel` when the estimates are not all of one level.
pub fn looks(seen: &[(f64, Estimate)]) -> Result<Vec<Look>, Refusal> {
    let level = seen.first().ok_or(Refusal::NoLooks)?.1.level;
    if seen.iter().any(|(_, estimate)| estimate.level != level) {
        return Err(Refusal::NoLevel);
    }
    let fractions: Vec<f64> = seen.iter().map(|&(fraction, _)| fraction).collect();
    Ok(judge(seen, &bounds(&fractions, level)?))
}

/// The same by [`bounds`] that were found before, for the same shares and level: who judges many
/// experiments on one plan finds them once.
pub fn judge(seen: &[(f64, Estimate)], bounds: &[f64]) -> Vec<Look> {
    let mut decided = None;
    let look = |(&bound, &(fraction, estimate)): (&f64, &(f64, Estimate))| {
        let reach = bound * estimate.std_error;
        let (low, high) = (estimate.value - reach, estimate.value + reach);
        if decided.is_none() && low > 0.0 {
            decided = Some(Verdict::Wins);
        } else if decided.is_none() && high < 0.0 {
            decided = Some(Verdict::Loses);
        }
        let open = if fraction < 1.0 { Verdict::GoesOn } else { Verdict::EndedWithout };
        Look { fraction, bound, low, high, verdict: decided.unwrap_or(open) }
    };
    bounds.iter().zip(seen).map(look).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::estimate::{LEVEL, Method};

    fn estimate(z: f64) -> Estimate {
        let (std_error, dof, method) = (2.0, 1e6, Method::WelchDifference);
        let (value, low, high) = (2.0 * z, 2.0 * (z - 1.96), 2.0 * (z + 1.96));
        Estimate { value, low, high, std_error, dof, level: LEVEL, p_value: None, method }
    }

    #[test]
    fn the_first_look_past_its_bound_decides() {
        let check = |zs: &[f64], expect: &[Verdict]| {
            let fraction = |at: usize| (at + 1) as f64 / 4.0;
            let seen: Vec<(f64, Estimate)> =
                zs.iter().enumerate().map(|(at, &z)| (fraction(at), estimate(z))).collect();
            let found = looks(&seen).unwrap();
            let verdicts: Vec<Verdict> = found.iter().map(|look| look.verdict).collect();
            assert_eq!(verdicts, expect, "{zs:?}");
            for (look, &z) in found.iter().zip(zs) {
                assert!((look.low - 2.0 * (z - look.bound)).abs() < 1e-12);
                assert!((look.high - 2.0 * (z + look.bound)).abs() < 1e-12);
            }
        };
        use Verdict::{EndedWithout, GoesOn, Loses, Wins};
        // The bounds are 4.3326, 2.9631, 2.3590 and 2.0141.
        check(&[4.3], &[GoesOn]);
        check(&[4.4], &[Wins]);
        check(&[-4.4, 0.0], &[Loses, Loses]);
        check(&[2.5, 2.9, 2.3, 2.01], &[GoesOn, GoesOn, GoesOn, EndedWithout]);
        check(&[2.5, 2.9, 2.3, 2.02], &[GoesOn, GoesOn, GoesOn, Wins]);
        check(&[0.0, -3.0, 2.4, 2.1], &[GoesOn, Loses, Loses, Loses]);
    }

    #[test]
    fn looks_that_are_none_are_refused() {
        let check = |fractions: &[f64]| {
            let seen: Vec<(f64, Estimate)> =
                fractions.iter().map(|&t| (t, estimate(1.0))).collect();
            assert_eq!(looks(&seen).err(), Some(Refusal::NoLooks), "{fractions:?}");
        };
        check(&[]);
        check(&[0.0, 1.0]);
        check(&[0.5, 0.5]);
        check(&[0.5, 0.4]);
        check(&[0.5, 1.1]);
        check(&[f64::NAN]);
        check(&[0.5, 0.500_01]);
        let other = Estimate { level: 0.9, ..estimate(1.0) };
        assert_eq!(looks(&[(0.5, estimate(1.0)), (1.0, other)]).err(), Some(Refusal::NoLevel));
        let none = Estimate { level: 1.0, ..estimate(1.0) };
        assert_eq!(looks(&[(0.5, none)]).err(), Some(Refusal::NoLevel));
    }
}
