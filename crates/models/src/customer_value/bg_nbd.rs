//! How often will a customer buy, and is a customer who was silent for so long still one?

use rayon::prelude::*;
use tercet_types::{Error, Result};

use super::history::{self, CustomerHistory};
use super::maximum::{Fit, Likelihood, maximum, summed};

/// The most terms of a series, and below which part of their sum they end.
const TERMS_MAX: usize = 200_000;
const TERM_MIN: f64 = 1e-16;

/// What rounding may take of an expectation.
const ROUNDED_MAX: f64 = 1e-7;

/// The BG/NBD model: while alive a customer buys at a rate λ, and is gone after any purchase with chance p; over
/// customers λ has a gamma distribution of shape `r` and rate `alpha`, p a beta distribution of `a` and `b`.
///
/// Fader, Hardie, Lee, "'Counting your customers' the easy way: an alternative to the Pareto/NBD model", Marketing
/// Science 24(2), 2005, doi:10.1287/mksc.1040.0098; equations below are of that paper. A customer without a repeat
/// purchase cannot be gone in it. `alpha` is in the unit of time of the histories.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct BgNbd {
    /// The shape of the distribution of rates.
    pub r: f64,
    /// Its rate: purchases happen `r / alpha` times per unit of time on average.
    pub alpha: f64,
    /// The first parameter of the distribution of p.
    pub a: f64,
    /// The second.
    pub b: f64,
}

/// Customers whose likelihood is the same.
struct Group {
    frequency: u32,
    recency: f64,
    age: f64,
    customers: f64,
}

/// What the likelihood hangs on, each different history once, in an order of their own.
struct Groups {
    groups: Vec<Group>,
    /// Customers of each frequency, ascending.
    counts: Vec<(u32, f64)>,
}

impl BgNbd {
    /// Fits the model by maximum likelihood; the same bits in any order of customers.
    ///
    /// # Errors
    /// `T0421` to `T0426` for what [`CustomerHistory`] may not be, `T0427` without a maximum.
    pub fn fit(customers: &[CustomerHistory]) -> Result<Fit<Self>> {
        history::check(customers)?;
        let groups = Groups::new(customers);
        let purchases: f64 = groups.counts.iter().map(|(x, n)| f64::from(*x) * n).sum();
        let ages: f64 = groups.groups.iter().map(|group| group.age * group.customers).sum();
        // A rate that accounts for the purchases, and one departure in two.
        let start = [1.0, (ages / purchases).max(f64::MIN_POSITIVE), 1.0, 1.0];
        let names = ["r", "alpha", "a", "b"];
        let found = maximum(names, start, customers.len(), |at| Self::of(at).likelihood(&groups))?;
        Ok(Fit {
            model: Self::of(&found.at),
            parameters: found.parameters,
            log_likelihood: found.log_likelihood,
            customers: customers.len(),
        })
    }

    /// The logarithm of the likelihood of histories (equation 6), summed.
    ///
    /// # Errors
    /// As [`fit`](Self::fit), but for the maximum; `T0405` for parameters that are not above zero.
    pub fn log_likelihood(&self, customers: &[CustomerHistory]) -> Result<f64> {
        self.check()?;
        history::check(customers)?;
        Ok(self.likelihood(&Groups::new(customers)).value)
    }

    /// The chance that a customer has not left by the end of what was observed.
    ///
    /// From equation 7 of Fader, Hardie, Lee, "Computing P(alive) using the BG/NBD model", 2008; 1 without a repeat
    /// purchase.
    pub fn probability_alive(&self, customer: &CustomerHistory) -> f64 {
        if customer.frequency == 0 {
            return 1.0;
        }
        1.0 / (1.0 + self.odds_of_gone(customer).exp())
    }

    /// The purchases expected in the `horizon` after what was observed (equation 10).
    ///
    /// # Errors
    /// `T0428` for a horizon below zero or so far beyond alpha and age that the series does not end, and for
    /// parameters under which it cannot be told to six digits; `T0405` for parameters not above zero.
    pub fn expected_purchases(&self, customer: &CustomerHistory, horizon: f64) -> Result<f64> {
        self.check()?;
        if !(horizon.is_finite() && horizon >= 0.0) {
            return Err(Error::config("T0428", format!("the horizon is {horizon}"))
                .hint("give a time from now, 0 or more"));
        }
        let while_alive = self.expected_while_alive(customer, horizon)?;
        Ok(while_alive * self.probability_alive(customer))
    }

    /// Purchases expected of a customer who has not left.
    ///
    /// Equation 10 holds `(1 − z)^(r+x) · ₂F₁(r+x, b+x; C; z)`, which overflows for frequent customers. By Euler's
    /// transformation (DLMF 15.8.1) it is `(1 − z)^(a−1) · ₂F₁(C−r−x, a−1; C; z)`, whose first two parameters do
    /// not grow; its first term is taken out, so that nothing is divided by `a − 1`, which may be zero.
    fn expected_while_alive(&self, customer: &CustomerHistory, horizon: f64) -> Result<f64> {
        let Self { r, alpha, a, b } = *self;
        let third = a + b + f64::from(customer.frequency) - 1.0;
        let first = a + b - 1.0 - r;
        let z = horizon / (alpha + customer.age + horizon);
        let ln_rest = -(horizon / (alpha + customer.age)).ln_1p();
        // Terms (first)ₙ (a)ₙ₋₁ zⁿ / ((third + 1)ₙ₋₁ n!): already times `third`, which may be zero.
        let mut term = first * z;
        let (mut sum, mut largest) = (0.0, 0.0_f64);
        for n in 1..=TERMS_MAX {
            sum += term;
            largest = largest.max(term.abs());
            let place = n as f64;
            let ratio = (first + place) * (a + place - 1.0) / ((third + place) * (place + 1.0)) * z;
            term *= ratio;
            // Behind a term, the rest is at most that of a geometric series.
            if ratio.abs() < 1.0 && term.abs() <= TERM_MIN * (1.0 - ratio.abs()) * largest {
                let power = a - 1.0;
                let leading =
                    if power == 0.0 { -ln_rest } else { -(power * ln_rest).exp_m1() / power };
                let scale = (power * ln_rest).exp();
                let found = third * leading - scale * sum;
                let rounded = (third * leading).abs().max(scale * largest) * f64::EPSILON;
                if !found.is_finite() || rounded > ROUNDED_MAX * found.abs() {
                    break;
                }
                return Ok(found.max(0.0));
            }
        }
        Err(Error::data(
            "T0428",
            format!(
                "purchases in {horizon} cannot be told to six digits (r {r:.4}, alpha {alpha:.4}, a {a:.4}, b {b:.4})"
            ),
        )
        .hint("ask for a shorter horizon; if the parameters are extreme, fit on more customers"))
    }

    /// The logarithm of the odds that a repeat buyer has left at the last purchase.
    fn odds_of_gone(&self, customer: &CustomerHistory) -> f64 {
        let x = f64::from(customer.frequency);
        let waited = ((self.alpha + customer.age) / (self.alpha + customer.recency)).ln();
        (self.a / (self.b + x - 1.0)).ln() + (self.r + x) * waited
    }

    fn check(&self) -> Result<()> {
        let Self { r, alpha, a, b } = *self;
        if [r, alpha, a, b].iter().all(|value| value.is_finite() && *value > 0.0) {
            return Ok(());
        }
        Err(Error::config("T0405", format!("BG/NBD: r {r}, alpha {alpha}, a {a}, b {b}"))
            .hint("parameters are numbers above 0"))
    }

    fn of(at: &[f64; 4]) -> Self {
        Self { r: at[0], alpha: at[1], a: at[2], b: at[3] }
    }

    /// Equation 6 with its slopes by r, alpha, a and b.
    fn likelihood(&self, groups: &Groups) -> Likelihood<4> {
        let mut sum = self.by_frequency(&groups.counts);
        sum.add(1.0, &summed(&groups.groups, |group| (group.customers, self.by_time(group))));
        sum
    }

    /// The factors that hang on frequency alone.
    ///
    /// Ratios of gamma functions whose arguments differ by a count are products: `Γ(r+x)/Γ(r) = r (r+1) …`.
    fn by_frequency(&self, counts: &[(u32, f64)]) -> Likelihood<4> {
        let Self { r, alpha, a, b } = *self;
        let mut of_one =
            Likelihood { value: r * alpha.ln(), slopes: [alpha.ln(), r / alpha, 0.0, 0.0] };
        let mut sum = Likelihood::ZERO;
        let mut done = 0;
        for (frequency, customers) in counts {
            for step in done..*frequency {
                let step = f64::from(step);
                let (rate, stays, both) = (r + step, b + step, a + b + step);
                of_one.value += (rate * stays / both).ln();
                of_one.slopes[0] += 1.0 / rate;
                of_one.slopes[2] -= 1.0 / both;
                of_one.slopes[3] += 1.0 / stays - 1.0 / both;
            }
            done = *frequency;
            sum.add(*customers, &of_one);
        }
        sum
    }

    /// The factor that hangs on times: alive until the end, or gone at the last purchase.
    fn by_time(&self, group: &Group) -> Likelihood<4> {
        let Self { r, alpha, a, b } = *self;
        let x = f64::from(group.frequency);
        let until_end = alpha + group.age;
        let ln_end = until_end.ln();
        let mut found = Likelihood {
            value: -(r + x) * ln_end,
            slopes: [-ln_end, -(r + x) / until_end, 0.0, 0.0],
        };
        if group.frequency > 0 {
            let until_last = alpha + group.recency;
            let waited = (until_end / until_last).ln();
            let stays = b + x - 1.0;
            let odds = (a / stays).ln() + (r + x) * waited;
            // ln(1 + e^odds) and its slope, the chance of being gone, without overflow.
            let small = (-odds.abs()).exp();
            let gone = if odds > 0.0 { 1.0 } else { small } / (1.0 + small);
            found.value += odds.max(0.0) + small.ln_1p();
            found.slopes[0] += gone * waited;
            found.slopes[1] += gone * (r + x) * (1.0 / until_end - 1.0 / until_last);
            found.slopes[2] += gone / a;
            found.slopes[3] -= gone / stays;
        }
        found
    }
}

impl Groups {
    fn new(customers: &[CustomerHistory]) -> Self {
        // Times are not negative, so their bits are in their order.
        let mut keys: Vec<(u32, u64, u64)> = customers
            .iter()
            .map(|one| (one.frequency, one.recency.abs().to_bits(), one.age.abs().to_bits()))
            .collect();
        keys.par_sort_unstable();
        let group = |equal: &[(u32, u64, u64)]| Group {
            frequency: equal[0].0,
            recency: f64::from_bits(equal[0].1),
            age: f64::from_bits(equal[0].2),
            customers: equal.len() as f64,
        };
        Self {
            groups: keys.chunk_by(PartialEq::eq).map(group).collect(),
            counts: history::counts(customers).into_iter().collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CDNOW: BgNbd = BgNbd { r: 0.2426, alpha: 4.4135, a: 0.7929, b: 2.4258 };

    fn customer(frequency: u32, recency: f64, age: f64) -> CustomerHistory {
        CustomerHistory { frequency, recency, age, mean_value: 0.0 }
    }

    /// The example of the paper: a customer of CDNOW's who bought twice more, in 39 weeks to come.
    #[test]
    fn the_example_of_the_paper() {
        let found = CDNOW.expected_purchases(&customer(2, 30.43, 38.86), 39.0).unwrap();
        assert!((found - 1.2259).abs() < 1e-4, "{found}");
    }

    /// Purchases of a customer alive are `∫ (1 − (1 + p t / (α + T))^−(r+x)) / p` over the beta distribution of p,
    /// here by the midpoints of many slices.
    #[test]
    fn expectations_are_the_integral_they_stand_for() {
        let check = |model: BgNbd, customer: CustomerHistory, horizon: f64| {
            let (x, slices) = (f64::from(customer.frequency), 100_000);
            let (mut above, mut below) = (0.0, 0.0);
            for slice in 0..slices {
                let p = (f64::from(slice) + 0.5) / f64::from(slices);
                let density = p.powf(model.a - 1.0) * (1.0 - p).powf(model.b + x - 1.0);
                let rate = p * horizon / (model.alpha + customer.age);
                above += density * -(-(model.r + x) * rate.ln_1p()).exp_m1() / p;
                below += density;
            }
            let found = model.expected_while_alive(&customer, horizon).unwrap();
            assert!(
                (found / (above / below) - 1.0).abs() < 1e-4,
                "{model:?} {customer:?} {found} {}",
                above / below
            );
        };
        let model = BgNbd { a: 2.0, ..CDNOW };
        for (frequency, age) in [(0, 0.0), (0, 38.0), (1, 5.0), (9, 30.0), (400, 38.0)] {
            check(model, customer(frequency, age, age), 39.0);
            check(BgNbd { a: 1.0, b: 1.5, ..model }, customer(frequency, age, age), 5.0);
            check(BgNbd { r: 7.0, ..model }, customer(frequency, age, age), 300.0);
        }
    }

    #[test]
    fn expectations_begin_at_zero_and_go_on_through_a_of_one() {
        let one = customer(3, 20.0, 25.0);
        let at =
            |a: f64, horizon: f64| BgNbd { a, ..CDNOW }.expected_purchases(&one, horizon).unwrap();
        assert_eq!(at(0.8, 0.0), 0.0);
        assert!((at(1.0, 10.0) - at(1.0 + 1e-9, 10.0)).abs() < 1e-8);
        assert!((at(1.0, 10.0) - at(1.0 - 1e-9, 10.0)).abs() < 1e-8);
        assert!(at(0.8, 10.0) < at(0.8, 11.0));
    }

    #[test]
    fn who_is_silent_for_long_is_gone() {
        assert_eq!(CDNOW.probability_alive(&customer(0, 0.0, 500.0)), 1.0);
        let alive = |recency| CDNOW.probability_alive(&customer(20, recency, 100.0));
        assert!(alive(5.0) < 1e-6 && alive(99.0) > 0.9 && alive(50.0) < alive(60.0));
    }

    #[test]
    fn what_cannot_be_told_is_refused() {
        let check = |model: BgNbd, horizon: f64, code: &str| {
            let found = model.expected_purchases(&customer(1, 1.0, 2.0), horizon);
            assert_eq!(found.unwrap_err().code(), code, "{model:?} {horizon}");
        };
        check(CDNOW, -1.0, "T0428");
        check(CDNOW, f64::NAN, "T0428");
        check(CDNOW, 1e9, "T0428");
        check(BgNbd { r: 80.0, ..CDNOW }, 100.0, "T0428");
        check(BgNbd { r: 0.0, ..CDNOW }, 1.0, "T0405");
        let alike = vec![customer(1, 1.0, 2.0); 50];
        assert_eq!(BgNbd::fit(&alike).unwrap_err().code(), "T0427");
    }
}
