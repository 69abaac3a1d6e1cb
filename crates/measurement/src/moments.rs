//! What does a group's mean hang on, in numbers that add up?

/// Count, mean and sum of squared deviations of one number per unit.
///
/// Added one by one (Welford 1962, doi:10.1080/00401706.1962.10490022) or merged from parts (Chan, Golub
/// and LeVeque 1983, doi:10.1080/00031305.1983.10483115): neither loses digits where the mean is large
/// against the spread.
///
/// ```
/// use tercet_measurement::Moments;
/// let mut spend = Moments::of(&[2.0, 4.0]);
/// spend.merge(&Moments::of(&[9.0]));
/// assert_eq!((spend.count(), spend.mean(), spend.variance()), (3, 5.0, Some(13.0)));
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Moments {
    count: u64,
    mean: f64,
    m2: f64,
}

impl Moments {
    /// Moments of these values.
    pub fn of(values: &[f64]) -> Self {
        values.iter().copied().collect()
    }

    /// Moments that were summed up elsewhere: units, mean, and the sum of squared deviations from it.
    pub const fn from_parts(count: u64, mean: f64, m2: f64) -> Self {
        Self { count, mean, m2 }
    }

    /// Adds one unit.
    pub fn add(&mut self, value: f64) {
        self.count += 1;
        let before = value - self.mean;
        self.mean += before / self.count as f64;
        self.m2 += before * (value - self.mean);
    }

    /// Adds the units of another group.
    pub fn merge(&mut self, other: &Self) {
        if other.count == 0 {
            return;
        }
        let (own, theirs) = (self.count as f64, other.count as f64);
        let share = theirs / (own + theirs);
        let apart = other.mean - self.mean;
        self.count += other.count;
        self.mean += apart * share;
        self.m2 += other.m2 + apart * apart * own * share;
    }

    /// Units.
    pub const fn count(&self) -> u64 {
        self.count
    }

    /// The mean; 0 without units.
    pub const fn mean(&self) -> f64 {
        self.mean
    }

    /// The sum over units.
    pub fn sum(&self) -> f64 {
        self.mean * self.count as f64
    }

    /// The sample variance (divided by count − 1); `None` below two units.
    pub fn variance(&self) -> Option<f64> {
        (self.count > 1).then(|| (self.m2 / (self.count - 1) as f64).max(0.0))
    }

    /// The squared standard error of the mean; `None` below two units.
    pub fn mean_variance(&self) -> Option<f64> {
        self.variance().map(|variance| variance / self.count as f64)
    }
}

impl FromIterator<f64> for Moments {
    fn from_iter<I: IntoIterator<Item = f64>>(values: I) -> Self {
        let mut moments = Self::default();
        values.into_iter().for_each(|value| moments.add(value));
        moments
    }
}

/// Moments of two numbers per unit, and how they move together.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct PairMoments {
    first: Moments,
    second: Moments,
    cross: f64,
}

impl PairMoments {
    /// Moments that were summed up elsewhere, of the same units: those of each number, and the sum of the
    /// products of their deviations.
    pub const fn from_parts(first: Moments, second: Moments, cross: f64) -> Self {
        Self { first, second, cross }
    }

    /// Adds one unit.
    pub fn add(&mut self, first: f64, second: f64) {
        let before = first - self.first.mean;
        self.first.add(first);
        self.second.add(second);
        self.cross += before * (second - self.second.mean);
    }

    /// Adds the units of another group.
    pub fn merge(&mut self, other: &Self) {
        if other.first.count == 0 {
            return;
        }
        let (own, theirs) = (self.first.count as f64, other.first.count as f64);
        let apart = (other.first.mean - self.first.mean) * (other.second.mean - self.second.mean);
        self.cross += other.cross + apart * own * theirs / (own + theirs);
        self.first.merge(&other.first);
        self.second.merge(&other.second);
    }

    /// The first number.
    pub const fn first(&self) -> &Moments {
        &self.first
    }

    /// The second number.
    pub const fn second(&self) -> &Moments {
        &self.second
    }

    /// The sample covariance (divided by count − 1); `None` below two units.
    pub fn covariance(&self) -> Option<f64> {
        let count = self.first.count;
        (count > 1).then(|| self.cross / (count - 1) as f64)
    }
}

impl FromIterator<(f64, f64)> for PairMoments {
    fn from_iter<I: IntoIterator<Item = (f64, f64)>>(pairs: I) -> Self {
        let mut moments = Self::default();
        pairs.into_iter().for_each(|(first, second)| moments.add(first, second));
        moments
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn nothing_is_nothing() {
        let mut none = Moments::default();
        none.merge(&Moments::default());
        assert_eq!((none.count(), none.mean(), none.variance()), (0, 0.0, None));
        none.merge(&Moments::of(&[3.0]));
        assert_eq!((none.count(), none.mean(), none.variance()), (1, 3.0, None));
        assert_eq!(PairMoments::default().covariance(), None);
    }

    #[test]
    fn a_large_mean_keeps_its_small_spread() {
        let values: Vec<f64> = (0..1_000).map(|n| 1e9 + f64::from(n % 2)).collect();
        let exact = 250.0 / 999.0;
        assert!((Moments::of(&values).variance().unwrap() - exact).abs() < 1e-9);
        let parts: Vec<Moments> = values.chunks(7).map(Moments::of).collect();
        let mut merged = Moments::default();
        parts.iter().for_each(|part| merged.merge(part));
        assert!((merged.variance().unwrap() - exact).abs() < 1e-6);
    }

    proptest! {
        #[test]
        fn parts_merge_to_the_whole(
            pairs in prop::collection::vec((-1e6_f64..1e6, -1e3_f64..1e3), 2..60),
            cut in 0_usize..60,
        ) {
            let cut = cut.min(pairs.len());
            let whole: PairMoments = pairs.iter().copied().collect();
            let mut merged: PairMoments = pairs[..cut].iter().copied().collect();
            merged.merge(&pairs[cut..].iter().copied().collect());
            let count = pairs.len() as f64;
            let mean = |of: fn(&(f64, f64)) -> f64| pairs.iter().map(of).sum::<f64>() / count;
            let (a, b) = (mean(|p| p.0), mean(|p| p.1));
            let covariance =
                pairs.iter().map(|p| (p.0 - a) * (p.1 - b)).sum::<f64>() / (count - 1.0);
            let variance = pairs.iter().map(|p| (p.0 - a).powi(2)).sum::<f64>() / (count - 1.0);
            for moments in [whole, merged] {
                prop_assert_eq!(moments.first().count(), pairs.len() as u64);
                prop_assert!((moments.first().mean() - a).abs() < 1e-6);
                prop_assert!((moments.second().mean() - b).abs() < 1e-9);
                let found = moments.first().variance().unwrap();
                prop_assert!((found - variance).abs() <= 1e-9 * variance.max(1.0));
                let found = moments.covariance().unwrap();
                prop_assert!((found - covariance).abs() <= 1e-6 * covariance.abs().max(1.0));
            }
        }
    }
}
