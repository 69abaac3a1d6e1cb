//! What does a whole log say of another policy?

use super::columns::{Columns, Ratio};
use super::estimator::{COLUMNS, Estimator, RESIDUAL, REWARD, ROUNDS, TARGET, WEIGHED, WEIGHT};
use super::refusal::Refusal;
use super::round::{Predicted, Round};
use super::shrinkage::{LAMBDAS, Shrunk, ShrunkSums};
use super::weights::{WeightFacts, WeightSums};
use crate::estimate::{Estimate, UNITS_MIN};

/// The mean of what was logged.
const LOGGED: Ratio = Ratio { sign: 1.0, above: REWARD, below: ROUNDS };

/// Moments of a log's rounds under another policy; parts of a log merge to the whole.
///
/// Rounds are added unit by unit. Rounds of a unit, such as those of one customer, may hang together; units
/// may not. Every estimator is a sum of ratios of sums over units, with its error by the delta method.
#[derive(Clone, Debug, PartialEq)]
pub struct WeighedLog {
    columns: Columns<COLUMNS>,
    weights: WeightSums,
    shrunk: Vec<ShrunkSums>,
    certain: u64,
    predicted: u64,
    rewarded: u64,
    residual_max: f64,
    residual_max_given: Option<f64>,
}

impl Default for WeighedLog {
    fn default() -> Self {
        Self::new(&LAMBDAS, None)
    }
}

impl WeighedLog {
    /// No rounds yet. Of the λs, one or several, that with the least bound on the mean squared error is taken;
    /// the bound supposes that rewards lie at most `residual_max` from their prediction: 1 for shares, by default
    /// as far as the farthest does.
    pub fn new(lambdas: &[f64], residual_max: Option<f64>) -> Self {
        let with =
            |estimator| lambdas.iter().map(move |lambda| ShrunkSums::new(estimator, *lambda));
        Self {
            columns: Columns::default(),
            weights: WeightSums::default(),
            shrunk: with(Estimator::SwitchDr).chain(with(Estimator::DrOs)).collect(),
            certain: 0,
            predicted: 0,
            rewarded: 0,
            residual_max: 0.0,
            residual_max_given: residual_max,
        }
    }

    /// Adds a round that hangs together with no other.
    pub fn add(&mut self, round: Round) {
        self.add_unit(&[round]);
    }

    /// Adds the rounds of a unit.
    pub fn add_unit(&mut self, unit: &[Round]) {
        if unit.is_empty() {
            return;
        }
        let mut sums = [0.0; COLUMNS];
        for round in unit {
            self.weights.add(round.weight);
            self.certain += u64::from(round.is_certain);
            self.rewarded += u64::from(round.reward != 0.0);
            sums[ROUNDS] += 1.0;
            sums[WEIGHT] += round.weight;
            sums[REWARD] += round.reward;
            sums[WEIGHED] += round.weight * round.reward;
            if let Some(Predicted { done, target }) = round.predicted {
                let residual = round.reward - done;
                self.predicted += 1;
                self.residual_max = self.residual_max.max(residual.abs());
                sums[TARGET] += target;
                sums[RESIDUAL] += round.weight * residual;
            }
        }
        self.columns.add(sums);
        self.shrunk.iter_mut().for_each(|shrunk| shrunk.add(unit));
    }

    /// Adds the rounds of another part of the log.
    ///
    /// # Panics
    /// When the other part tries other λs.
    pub fn merge(&mut self, other: &Self) {
        assert_eq!(self.shrunk.len(), other.shrunk.len(), "parts of a log try the same lambdas");
        self.columns.merge(&other.columns);
        self.weights.merge(&other.weights);
        self.shrunk.iter_mut().zip(&other.shrunk).for_each(|(own, theirs)| own.merge(theirs));
        self.certain += other.certain;
        self.predicted += other.predicted;
        self.rewarded += other.rewarded;
        self.residual_max = self.residual_max.max(other.residual_max);
    }

    /// What the weights look like.
    ///
    /// # Errors
    /// `TooFewRounds` without two units.
    pub fn weights(&self) -> Result<WeightFacts, Refusal> {
        let mean = Ratio { sign: 1.0, above: WEIGHT, below: ROUNDS };
        let (_, variance) = self.columns.parts(&[mean])?;
        let sum = self.columns.sum(WEIGHT);
        Ok(self.weights.facts(self.columns.count(), sum, variance.sqrt()))
    }

    /// The mean reward per round of what was done.
    ///
    /// # Errors
    /// As [`Self::value`], support and weights apart.
    pub fn logged(&self, level: f64) -> Result<Estimate, Refusal> {
        self.check_rounds()?;
        self.columns.estimate(&[LOGGED], level)
    }

    /// The mean reward per round that the policy would have had.
    ///
    /// # Errors
    /// Each [`Refusal`] that is not about the columns of a log.
    pub fn value(&self, estimator: Estimator, level: f64) -> Result<Estimate, Refusal> {
        self.estimate(estimator, false, level)
    }

    /// How much more per round the policy would have had than what was done had: of the same rounds, so that what
    /// both share is no noise.
    ///
    /// # Errors
    /// As [`Self::value`].
    pub fn over_logged(&self, estimator: Estimator, level: f64) -> Result<Estimate, Refusal> {
        self.estimate(estimator, true, level)
    }

    /// The λ that is taken; `None` for estimators without one.
    pub fn shrunk(&self, estimator: Estimator) -> Option<Shrunk> {
        Some(self.chosen(estimator)?.1)
    }

    fn estimate(
        &self,
        estimator: Estimator,
        over_logged: bool,
        level: f64,
    ) -> Result<Estimate, Refusal> {
        self.check(estimator)?;
        let Some(ratios) = estimator.ratios() else {
            let chosen = self.chosen(estimator).ok_or(Refusal::NotFinite)?;
            return chosen.0.estimate(over_logged, level);
        };
        if over_logged {
            let less = Ratio { sign: -1.0, ..LOGGED };
            return self.columns.estimate(&[ratios, &[less]].concat(), level);
        }
        self.columns.estimate(ratios, level)
    }

    /// The first λ of the least bound.
    fn chosen(&self, estimator: Estimator) -> Option<(&ShrunkSums, Shrunk)> {
        let residual_max = self.residual_max_given.unwrap_or(self.residual_max);
        let tried = self.shrunk.iter().filter(|shrunk| shrunk.estimator() == estimator);
        let bounds = tried
            .filter_map(|shrunk| Some((shrunk, shrunk.bound(&self.weights, residual_max).ok()?)));
        bounds.min_by(|a, b| a.1.mse_bound.total_cmp(&b.1.mse_bound))
    }

    fn check_rounds(&self) -> Result<(), Refusal> {
        if self.columns.count() < UNITS_MIN {
            return Err(Refusal::TooFewRounds);
        }
        if self.rewarded == 0 {
            return Err(Refusal::NoReward);
        }
        Ok(())
    }

    fn check(&self, estimator: Estimator) -> Result<(), Refusal> {
        let facts = self.weights()?;
        if self.certain == facts.rounds {
            return Err(Refusal::NoSupport);
        }
        self.check_rounds()?;
        if estimator.predicts() && self.predicted < facts.rounds {
            return Err(Refusal::NoPrediction);
        }
        if estimator.weighs() && self.weights.are_zero() {
            return Err(Refusal::NoOverlap);
        }
        if estimator.weighs() && !facts.are_fair {
            return Err(Refusal::WeightsOff);
        }
        if estimator.weighs() && facts.effective_rounds < UNITS_MIN as f64 {
            return Err(Refusal::FewEffective);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Rounds in which one of two things was done, alike; the policy does the first with this probability.
    fn log(first: f64, reward: impl Fn(u32) -> f64) -> WeighedLog {
        let mut log = WeighedLog::default();
        for n in 0..400 {
            let target = if n % 2 == 0 { first } else { 1.0 - first };
            log.add(Round::new(0.5, target, reward(n)).unwrap());
        }
        log
    }

    #[test]
    fn what_cannot_be_said_is_refused_by_reason() {
        let check = |log: &WeighedLog, estimator: Estimator, expect: Option<Refusal>| {
            assert_eq!(log.value(estimator, 0.95).err(), expect);
        };
        let some = |n: u32| f64::from(n % 3);
        check(&log(0.8, some), Estimator::Ips, None);
        check(&log(0.8, some), Estimator::Dr, Some(Refusal::NoPrediction));
        check(&log(0.8, |_| 0.0), Estimator::Ips, Some(Refusal::NoReward));
        check(&WeighedLog::default(), Estimator::Ips, Some(Refusal::TooFewRounds));
        let of = |rounds: &mut dyn Iterator<Item = Round>| {
            let mut log = WeighedLog::default();
            rounds.for_each(|round| log.add(round));
            log
        };
        let round = |propensity, target, n| Round::new(propensity, target, some(n)).unwrap();
        let few = of(&mut (0..29).map(|n| round(0.5, 0.5, n)));
        check(&few, Estimator::Ips, Some(Refusal::TooFewRounds));
        let certain = of(&mut (0..100).map(|n| round(1.0, 1.0, n)));
        check(&certain, Estimator::Ips, Some(Refusal::NoSupport));
        check(&certain, Estimator::Dm, Some(Refusal::NoSupport));
        let apart = of(&mut (0..100).map(|n| round(0.5, 0.0, n)));
        check(&apart, Estimator::Snips, Some(Refusal::NoOverlap));
        let off = of(&mut (0..100).map(|n| round(0.5, 0.2 + 0.001 * f64::from(n), n)));
        check(&off, Estimator::Ips, Some(Refusal::WeightsOff));
        // One round of a hundred says all that is said.
        let few = of(&mut (0..100).map(|n| match n {
            1 => round(0.01, 1.0, n),
            _ => round(0.5, 0.001, n),
        }));
        check(&few, Estimator::Ips, Some(Refusal::FewEffective));
        // The policy is the log's own.
        let own = of(&mut (0..100).map(|n| round(0.5, 0.5, n)));
        check(&own, Estimator::Ips, None);
        assert_eq!(own.logged(0.95), own.value(Estimator::Ips, 0.95));
        assert!(own.over_logged(Estimator::Ips, 0.95).is_err());
        let refused = |log: &WeighedLog, level| log.value(Estimator::Ips, level).unwrap_err();
        let no_level = Refusal::Estimate(crate::estimate::Refusal::NoLevel);
        assert_eq!(refused(&own, 1.0), no_level);
    }

    #[test]
    fn parts_merge_to_the_whole() {
        let round = |n: u32| {
            let chance = 0.2 + 0.1 * f64::from(n % 7);
            let round = Round::new(chance, 0.5 * chance + 0.25, f64::from(n % 5)).unwrap();
            round.predicted(Predicted { done: 2.0, target: f64::from(n % 3) }).unwrap()
        };
        let units: Vec<Vec<Round>> =
            (0..200).map(|n| (0..1 + n % 3).map(|k| round(3 * n + k)).collect()).collect();
        let of = |units: &[Vec<Round>]| {
            let mut log = WeighedLog::default();
            units.iter().for_each(|unit| log.add_unit(unit));
            log
        };
        let (whole, mut merged) = (of(&units), of(&units[..77]));
        merged.merge(&of(&units[77..]));
        merged.merge(&WeighedLog::default());
        let near = |a: f64, b: f64| assert!((a - b).abs() < 1e-11 * a.abs().max(1.0), "{a} {b}");
        for log in [&whole, &merged] {
            assert_eq!(log.weights().unwrap().rounds, 399);
            assert_eq!(log.weights().unwrap().units, 200);
        }
        near(whole.weights().unwrap().mean_error, merged.weights().unwrap().mean_error);
        for estimator in Estimator::ALL {
            let check = |of: fn(&WeighedLog, Estimator, f64) -> Result<Estimate, Refusal>| {
                let (a, b) = (of(&whole, estimator, 0.9), of(&merged, estimator, 0.9));
                match (a, b) {
                    (Ok(a), Ok(b)) => {
                        near(a.value, b.value);
                        near(a.high, b.high);
                    }
                    (a, b) => assert_eq!(a, b),
                }
            };
            check(WeighedLog::value);
            check(WeighedLog::over_logged);
            let lambda = |log: &WeighedLog| log.shrunk(estimator).map(|shrunk| shrunk.lambda);
            assert_eq!(lambda(&whole), lambda(&merged));
        }
    }

    #[test]
    fn refusals_become_errors_with_a_remedy() {
        for refusal in Refusal::ALL {
            let error = tercet_types::Error::from(refusal);
            assert_eq!(error.code(), "T0720");
            assert!(error.to_string().contains(refusal.words()) && error.hint_text().is_some());
        }
    }
}
