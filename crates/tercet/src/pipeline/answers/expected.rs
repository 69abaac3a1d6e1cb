//! What is expected of an offer, when every fact multiplies it?

use tercet_features::PAIR_FEATURES;
use tercet_models::LogLinear;
use tercet_types::Result;

use super::answer_names;
use super::causes::EXTRA_MAX;

/// What the square of a weight costs: [`LogLinear::fit`].
const RIDGE: f64 = 3.0;

/// A fact that an offer's effect is learnt by: a feature of answers, in a form in which it multiplies.
pub(in crate::pipeline) struct Fact {
    name: &'static str,
    form: Form,
}

enum Form {
    /// As it is.
    Plain,
    /// Its logarithm, something added that it is never that of nothing.
    Log(f64),
    /// One where it has this code, else nothing.
    Is(f32),
}

const fn log(name: &'static str, added: f64) -> Fact {
    Fact { name, form: Form::Log(added) }
}

const fn is(name: &'static str, code: f32) -> Fact {
    Fact { name, form: Form::Is(code) }
}

/// The facts: how much the offer takes off, how new, how broad and of what mechanic it is, and how near such things are
/// to the customer, however many of them it covers. Few, for answers are; what is peculiar to single promotions and
/// customers is for [`Factors`](super::factors::Factors).
pub(in crate::pipeline) const FACTS: [Fact; 10] = [
    log("promotion_depth_rate", 0.02),
    Fact { name: "promotion_new_share", form: Form::Plain },
    log("promotion_breadth", 1.0),
    is("promotion_mechanic", 1.0),
    is("promotion_mechanic", 2.0),
    is("promotion_mechanic", 3.0),
    log("neighbour_types_relative", 0.1),
    log("type_affinity_relative", 0.1),
    log("neighbour_type_pairs_relative", 0.1),
    log("looked_type_60d_relative", 0.1),
];

impl Fact {
    /// The fact, of the feature's value; NaN stays what it is.
    pub(in crate::pipeline) fn of(&self, value: f32) -> f64 {
        let known = f64::from(value);
        match self.form {
            _ if value.is_nan() => f64::NAN,
            Form::Plain => known,
            Form::Log(added) => (known.max(0.0) + added).ln(),
            Form::Is(code) => f64::from(u8::from(value.to_bits() == code.to_bits())),
        }
    }

    /// Where the facts' features stand among those of answers.
    pub(in crate::pipeline) fn places() -> [usize; FACTS.len()] {
        let names: Vec<String> = answer_names().collect();
        FACTS.each_ref().map(|fact| {
            names.iter().position(|name| name == fact.name).unwrap_or(PAIR_FEATURES.len())
        })
    }
}

/// Learns what offers bring, of their facts and the share of a purchase that each brought.
pub(super) fn learn(facts: &[f64], shares: &[f64]) -> Result<LogLinear> {
    /// What the least offer brings: where none is answered, there are still logarithms.
    const SHARE_MIN: f64 = 1e-9;
    let shares: Vec<f64> = shares.iter().map(|share| share.max(SHARE_MIN)).collect();
    LogLinear::fit(facts, FACTS.len(), &shares, RIDGE)
}

/// What is expected of offers with these facts.
pub(super) fn predict(model: &LogLinear, facts: &[f64]) -> Vec<f64> {
    let rate = |facts| model.log_rate(facts).exp().min(EXTRA_MAX);
    facts.chunks_exact(FACTS.len()).map(rate).collect()
}

/// What is expected of an offer of which the facts say so much, and the trees so much: their geometric mean (the
/// logarithmic opinion pool of Genest and Zidek 1986, doi:10.1214/ss/1177013825), times a factor.
pub(in crate::pipeline) fn pooled(facts: f64, trees: f64, factor: f64) -> f64 {
    ((facts * trees).sqrt() * factor).min(EXTRA_MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_fact_is_of_a_feature() {
        let names: Vec<String> = answer_names().collect();
        for (fact, place) in FACTS.iter().zip(Fact::places()) {
            assert_eq!(names[place], fact.name);
        }
    }

    #[test]
    fn both_models_count_alike() {
        assert!((pooled(0.04, 0.01, 1.0) - 0.02).abs() < 1e-12);
        assert!((pooled(0.04, 0.01, 3.0) - 0.06).abs() < 1e-12);
        assert_eq!([pooled(0.9, 0.9, 9.0), pooled(0.0, 0.5, 1.0)], [EXTRA_MAX, 0.0]);
    }

    #[test]
    fn facts_take_the_form_in_which_they_multiply() {
        assert_eq!(log("a", 0.1).of(0.9), (f64::from(0.9_f32) + 0.1).ln());
        assert_eq!(log("a", 0.1).of(-1.0), 0.1_f64.ln());
        assert_eq!([is("a", 2.0).of(2.0), is("a", 2.0).of(1.0)], [1.0, 0.0]);
        assert_eq!(Fact { name: "a", form: Form::Plain }.of(0.25), 0.25);
        assert!(is("a", 2.0).of(f32::NAN).is_nan() && log("a", 0.1).of(f32::NAN).is_nan());
    }
}
