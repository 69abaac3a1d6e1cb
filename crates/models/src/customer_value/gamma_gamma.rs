//! What is a purchase of a customer worth, when few were seen?

use rayon::prelude::*;
use tercet_types::{Error, Result};

use super::history::{self, CustomerHistory};
use super::maximum::{Fit, Likelihood, maximum, summed};
use super::special::ln_gamma_and_digamma;

/// The Gamma-Gamma model: a purchase of a customer has a gamma distribution of shape `p` around the customer's own
/// mean, whose rate differs over customers by a gamma distribution of shape `q` and rate `v`.
///
/// Fader and Hardie, "The Gamma-Gamma model of monetary value", 2013, <http://www.brucehardie.com/notes/025/>;
/// equations below are of that note. It holds value and frequency to be unrelated
/// ([`likeness_of_frequency_and_value`](super::likeness_of_frequency_and_value)). `v` is in the unit of the values.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct GammaGamma {
    /// The shape of the distribution of a customer's purchases.
    pub p: f64,
    /// The shape of the distribution of their rates.
    pub q: f64,
    /// Its rate; γ in the note.
    pub v: f64,
}

/// Repeat buyers, and how many there are of each frequency.
struct Spending {
    /// Frequency and mean value, in an order of their own.
    means: Vec<(f64, f64)>,
    counts: Vec<(f64, f64)>,
}

impl GammaGamma {
    /// Fits the model by maximum likelihood on the customers who came back; the same bits in any order.
    ///
    /// # Errors
    /// `T0421` to `T0426` for what [`CustomerHistory`] may not be, also when fewer than ten came back, `T0427`
    /// without a maximum, `T0429` for a repeat buyer whose mean value is 0.
    pub fn fit(customers: &[CustomerHistory]) -> Result<Fit<Self>> {
        let spending = Spending::new(customers)?;
        let repeat = spending.means.len();
        if repeat < history::CUSTOMERS_MIN {
            return Err(Error::data(
                "T0425",
                format!("{repeat} repeat buyers, at least {} are needed", history::CUSTOMERS_MIN),
            )
            .hint("what purchases are worth is learnt from customers who came back"));
        }
        let mean = spending.means.iter().map(|(_, value)| value).sum::<f64>() / repeat as f64;
        // Shapes of moderate spread; the rate that gives the mean value.
        let start = [2.0, 3.0, mean];
        let found =
            maximum(["p", "q", "v"], start, repeat, |at| Self::of(at).likelihood(&spending))?;
        Ok(Fit {
            model: Self::of(&found.at),
            parameters: found.parameters,
            log_likelihood: found.log_likelihood,
            customers: repeat,
        })
    }

    /// The logarithm of the likelihood of the mean values of repeat buyers (equation 1a), summed.
    ///
    /// # Errors
    /// As [`fit`](Self::fit), but for the maximum and the fewest; `T0405` for parameters that are not above zero.
    pub fn log_likelihood(&self, customers: &[CustomerHistory]) -> Result<f64> {
        self.check()?;
        Ok(self.likelihood(&Spending::new(customers)?).value)
    }

    /// What a purchase of a customer is worth on average (equation 5): between what was seen of the customer and
    /// what customers spend.
    ///
    /// # Errors
    /// `T0429` for a customer without a repeat purchase when `q` is 1 or less: such a distribution has no mean.
    pub fn expected_value(&self, customer: &CustomerHistory) -> Result<f64> {
        self.check()?;
        let x = f64::from(customer.frequency);
        let weight = self.p * x + self.q - 1.0;
        if weight > 0.0 {
            return Ok(self.p * (self.v + x * customer.mean_value) / weight);
        }
        Err(Error::data(
            "T0429",
            format!("values have no mean: q is {:.4}, and {x} purchases were seen", self.q),
        )
        .hint("values differ too wildly: cap the largest ones, or ask for repeat buyers alone"))
    }

    fn check(&self) -> Result<()> {
        let Self { p, q, v } = *self;
        if [p, q, v].iter().all(|value| value.is_finite() && *value > 0.0) {
            return Ok(());
        }
        Err(Error::config("T0405", format!("Gamma-Gamma: p {p}, q {q}, v {v}"))
            .hint("parameters are numbers above 0"))
    }

    fn of(at: &[f64; 3]) -> Self {
        Self { p: at[0], q: at[1], v: at[2] }
    }

    /// Equation 1a with its slopes by p, q and v.
    fn likelihood(&self, spending: &Spending) -> Likelihood<3> {
        let Self { p, q, v } = *self;
        let (ln_v, (gamma_q, psi_q)) = (v.ln(), ln_gamma_and_digamma(q));
        let by_frequency = summed(&spending.counts, |(x, customers)| {
            let (gamma_both, psi_both) = ln_gamma_and_digamma(p * x + q);
            let (gamma_px, psi_px) = ln_gamma_and_digamma(p * x);
            let ln_x = x.ln();
            let found = Likelihood {
                value: gamma_both - gamma_px - gamma_q + q * ln_v + p * x * ln_x,
                slopes: [x * (psi_both - psi_px + ln_x), psi_both - psi_q + ln_v, q / v],
            };
            (*customers, found)
        });
        let mut sum = summed(&spending.means, |(x, value)| {
            let (ln_value, all) = (value.ln(), x * value + v);
            let (ln_all, shape) = (all.ln(), p * x + q);
            let found = Likelihood {
                value: (p * x - 1.0) * ln_value - shape * ln_all,
                slopes: [x * (ln_value - ln_all), -ln_all, -shape / all],
            };
            (1.0, found)
        });
        sum.add(1.0, &by_frequency);
        sum
    }
}

impl Spending {
    fn new(customers: &[CustomerHistory]) -> Result<Self> {
        history::check(customers)?;
        let mut means: Vec<(f64, f64)> = customers
            .iter()
            .filter(|customer| customer.frequency > 0)
            .map(|customer| (f64::from(customer.frequency), customer.mean_value))
            .collect();
        means.par_sort_unstable_by(|a, b| a.0.total_cmp(&b.0).then(a.1.total_cmp(&b.1)));
        if means.iter().any(|(_, value)| *value == 0.0) {
            return Err(Error::data("T0429", "a repeat buyer's purchases are worth 0 on average")
                .hint("leave out what was given away: the model is of values above 0"));
        }
        let counts = history::counts(customers).into_iter().filter(|(x, _)| *x > 0);
        Ok(Self { means, counts: counts.map(|(x, customers)| (f64::from(x), customers)).collect() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn customer(frequency: u32, mean_value: f64) -> CustomerHistory {
        let time = f64::from(frequency);
        CustomerHistory { frequency, recency: time, age: time, mean_value }
    }

    #[test]
    fn expected_values_lie_between_the_mean_and_what_was_seen() {
        let model = GammaGamma { p: 6.0, q: 4.0, v: 15.0 };
        let value = |frequency, mean| model.expected_value(&customer(frequency, mean)).unwrap();
        assert!((value(0, 0.0) - 30.0).abs() < 1e-12);
        assert!(value(1, 60.0) > 30.0 && value(1, 60.0) < value(5, 60.0) && value(5, 60.0) < 60.0);
    }

    #[test]
    fn what_has_no_mean_or_no_value_is_refused() {
        let wild = GammaGamma { p: 6.0, q: 0.9, v: 15.0 };
        assert_eq!(wild.expected_value(&customer(0, 0.0)).unwrap_err().code(), "T0429");
        assert!(wild.expected_value(&customer(1, 2.0)).is_ok());
        let zero = GammaGamma { p: 0.0, ..wild };
        assert_eq!(zero.expected_value(&customer(1, 2.0)).unwrap_err().code(), "T0405");
        let check = |customers: &[CustomerHistory], code: &str| {
            assert_eq!(GammaGamma::fit(customers).unwrap_err().code(), code);
        };
        check(&[], "T0425");
        check(&[customer(1, 5.0)], "T0425");
        check(&[customer(0, 0.0); 20], "T0426");
        check(&[vec![customer(0, 0.0); 20], vec![customer(1, 5.0)]].concat(), "T0425");
        check(&[customer(1, 0.0); 20], "T0429");
        check(&[customer(1, 5.0); 20], "T0427");
    }
}
