//! Where does chance come from, so that a seed gives the same shop on any number of threads?
//!
//! A [`Stream`] is keyed by seed, purpose and two counters (a customer and a week, a product and a week …)
//! and shares nothing with any other, so that it does not matter who draws first. It is SplitMix64
//! (Steele, Lea and Flood, "Fast splittable pseudorandom number generators", OOPSLA 2014), started at a
//! hash of its key.

/// The odd constant that SplitMix64 steps by: 2⁶⁴ divided by the golden ratio.
const STEP: u64 = 0x9e37_79b9_7f4a_7c15;

/// Tries of a rejection method before the last proposal is taken: each is accepted with p > 0.9.
const TRIES_MAX: u32 = 64;

/// What chance is drawn for. Draws of one purpose do not move those of another.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Purpose {
    Segments = 1,
    Types,
    Products,
    Shelf,
    Promotions,
    Customer,
    Needs,
    Purchases,
    Response,
    Policy,
    Browsing,
    Bots,
}

/// A stream of chance with a key of its own.
#[derive(Clone, Debug)]
pub(crate) struct Stream(u64);

/// The finaliser of SplitMix64: every bit of the input moves half of the output.
const fn mix(mut z: u64) -> u64 {
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

impl Stream {
    /// The stream of a key.
    pub(crate) const fn new(seed: u64, purpose: Purpose, a: u64, b: u64) -> Self {
        let key =
            mix(seed.wrapping_add(STEP)) ^ (purpose as u64).wrapping_mul(0xd6e8_feb8_6659_fd93);
        let key = mix(key.wrapping_add(STEP)) ^ a.wrapping_mul(0xa076_1d64_78bd_642f);
        Self(mix(mix(key.wrapping_add(STEP)) ^ b.wrapping_mul(0xe703_7ed1_a0b4_28db)))
    }

    /// 64 random bits.
    pub(crate) const fn bits(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(STEP);
        mix(self.0)
    }

    /// Uniform in [0, 1): 53 bits.
    pub(crate) fn uniform(&mut self) -> f64 {
        (self.bits() >> 11) as f64 * (1.0 / (1_u64 << 53) as f64)
    }

    /// True with probability `p`.
    pub(crate) fn chance(&mut self, p: f64) -> bool {
        self.uniform() < p
    }

    /// Uniform in 0 … n − 1, by multiplication (Lemire 2019, without its rejection: the bias is n / 2⁶⁴).
    pub(crate) const fn below(&mut self, n: usize) -> usize {
        ((self.bits() as u128 * n as u128) >> 64) as usize
    }

    /// Standard normal (Box and Muller 1958).
    pub(crate) fn normal(&mut self) -> f64 {
        let radius = (-2.0 * (1.0 - self.uniform()).ln()).sqrt();
        radius * (std::f64::consts::TAU * self.uniform()).cos()
    }

    /// Log-normal of a median and a standard deviation of the logarithm.
    pub(crate) fn log_normal(&mut self, median: f64, spread: f64) -> f64 {
        median * (spread * self.normal()).exp()
    }

    /// Gamma of a shape and mean one (Marsaglia and Tsang, ACM TOMS 26, 2000).
    pub(crate) fn gamma(&mut self, shape: f64) -> f64 {
        let boost = if shape < 1.0 { (1.0 - self.uniform()).powf(1.0 / shape) } else { 1.0 };
        let d = if shape < 1.0 { shape + 1.0 } else { shape } - 1.0 / 3.0;
        let c = 1.0 / (9.0 * d).sqrt();
        let mut v = 1.0;
        for _ in 0..TRIES_MAX {
            let x = self.normal();
            v = (1.0 + c * x).powi(3);
            let u = 1.0 - self.uniform();
            if v > 0.0 && u.ln() < 0.5 * x * x + d - d * v + d * v.ln() {
                break;
            }
        }
        boost * d * v.max(0.0) / shape
    }

    /// Poisson of a mean: by inversion up to 30, beyond by its normal limit, rounded.
    pub(crate) fn poisson(&mut self, mean: f64) -> u32 {
        if mean > 30.0 {
            return (mean + mean.sqrt() * self.normal()).round().max(0.0) as u32;
        }
        let (mut left, mut term, mut count) = (self.uniform(), (-mean).exp(), 0);
        while left >= term && count < 200 {
            left -= term;
            count += 1;
            term *= mean / f64::from(count);
        }
        count
    }

    /// `value` rounded up or down so that its mean is kept.
    pub(crate) fn round(&mut self, value: f64) -> u32 {
        value as u32 + u32::from(self.chance(value.fract()))
    }

    /// A place in `cumulative` (rising, its last the total), in proportion to its steps.
    pub(crate) fn pick(&mut self, cumulative: &[f64]) -> usize {
        let total = cumulative.last().copied().unwrap_or(0.0);
        let at = self.uniform() * total;
        cumulative.partition_point(|&upto| upto <= at).min(cumulative.len().saturating_sub(1))
    }
}

/// Running totals of weights, for [`Stream::pick`].
pub(crate) fn cumulative(weights: impl IntoIterator<Item = f64>) -> Vec<f64> {
    let mut total = 0.0;
    weights
        .into_iter()
        .map(|weight| {
            total += weight;
            total
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Mean and variance of many draws.
    fn check(draw: impl Fn(&mut Stream) -> f64, mean: f64, variance: f64) {
        const DRAWS: u64 = 40_000;
        let (mut sum, mut squares) = (0.0, 0.0);
        for key in 0..DRAWS {
            let x = draw(&mut Stream::new(7, Purpose::Customer, key, 1));
            sum += x;
            squares += x * x;
        }
        let found = sum / DRAWS as f64;
        let found_variance = squares / DRAWS as f64 - found * found;
        // Five standard errors of the mean; the variance to five per cent.
        assert!((found - mean).abs() < 5.0 * (variance / DRAWS as f64).sqrt(), "{found} {mean}");
        assert!((found_variance / variance - 1.0).abs() < 0.05, "{found_variance} {variance}");
    }

    #[test]
    fn first_draws_of_neighbouring_keys_have_their_distribution() {
        check(Stream::uniform, 0.5, 1.0 / 12.0);
        check(Stream::normal, 0.0, 1.0);
        check(|s| s.gamma(0.7), 1.0, 1.0 / 0.7);
        check(|s| s.gamma(4.0), 1.0, 0.25);
        check(|s| f64::from(s.poisson(1.3)), 1.3, 1.3);
        check(|s| f64::from(s.poisson(50.0)), 50.0, 50.0);
        check(|s| s.below(10) as f64, 4.5, 8.25);
        check(|s| s.pick(&[1.0, 1.0, 4.0]) as f64, 1.5, 0.75);
        check(|s| f64::from(s.round(2.25)), 2.25, 0.1875);
    }

    #[test]
    fn the_generator_is_splitmix64() {
        // The first outputs of the reference implementation for the state 1234567.
        let mut stream = Stream(1_234_567);
        let found: Vec<u64> = (0..3).map(|_| stream.bits()).collect();
        assert_eq!(
            found,
            [6_457_827_717_110_365_317, 3_203_168_211_198_807_973, 9_817_491_932_198_370_423]
        );
    }

    #[test]
    fn keys_that_differ_anywhere_differ() {
        let first = |seed, purpose, a, b| Stream::new(seed, purpose, a, b).bits();
        let base = first(1, Purpose::Needs, 2, 3);
        assert_ne!(base, first(2, Purpose::Needs, 2, 3));
        assert_ne!(base, first(1, Purpose::Policy, 2, 3));
        assert_ne!(base, first(1, Purpose::Needs, 3, 2));
        assert_eq!(base, first(1, Purpose::Needs, 2, 3));
    }
}
