//! Which reward does a score lead one to expect, learnt from other rounds?

use crate::estimate::Line;
use crate::moments::PairMoments;

/// Lines from a score to a reward, by folds: that of a fold is learnt from all others, so that no round's prediction
/// hangs on its own reward (cross-fitting, Chernozhukov et al. 2018, doi:10.1111/ectj.12097). Parts of a log merge to
/// the whole.
///
/// What a shop's models say an offer is worth is seldom in the units of the reward in question, but moves with it.
/// Doubly robust estimators need no more of a prediction than that.
#[derive(Clone, Debug, PartialEq)]
pub struct FoldedLine(Vec<PairMoments>);

impl FoldedLine {
    /// No rounds yet.
    ///
    /// # Panics
    /// Below two folds.
    pub fn new(folds: usize) -> Self {
        assert!(folds > 1, "a fold is predicted by the others");
        Self(vec![PairMoments::default(); folds])
    }

    /// Adds a round of a fold.
    ///
    /// # Panics
    /// When there is no such fold.
    pub fn add(&mut self, fold: usize, score: f64, reward: f64) {
        self.0[fold].add(score, reward);
    }

    /// The line for the rounds of each fold.
    pub fn lines(&self) -> Vec<Line> {
        let others = |fold: usize| {
            let mut pairs = PairMoments::default();
            let folds = self.0.iter().enumerate().filter(|(other, _)| *other != fold);
            folds.for_each(|(_, part)| pairs.merge(part));
            Line::through(&pairs)
        };
        (0..self.0.len()).map(others).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fold_is_predicted_by_the_others() {
        let mut folds = FoldedLine::new(2);
        (0..10).for_each(|n| folds.add(0, f64::from(n), 3.0 + 2.0 * f64::from(n)));
        (0..10).for_each(|n| folds.add(1, f64::from(n), 7.0));
        let lines = folds.lines();
        assert!((lines[1].at(5.0) - 13.0).abs() < 1e-12);
        assert!((lines[0].at(5.0) - 7.0).abs() < 1e-12);
    }
}
