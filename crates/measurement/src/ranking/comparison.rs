//! Which model ranks better, and how sure are we?

use std::borrow::Cow;

use serde::Serialize;
use tercet_types::{Error, Result};

use super::metric::Metric;
use super::redraws::{Redrawn, Redraws};
use super::scores::{Scores, mean_where};
use crate::Moments;
use crate::estimate::{self, LEVEL, Refusal};
use crate::holm::holm;
use crate::offline::{Bootstrap, Interval};

/// What is asked of a comparison.
#[derive(Clone, Debug)]
pub struct Ask<'a> {
    /// The model that the others are held against; the best by `primary` where none.
    pub against: Option<String>,
    /// What the best is chosen by, at the first `k`.
    pub primary: Metric,
    /// How intervals are drawn.
    pub bootstrap: Bootstrap,
    /// Figures of redrawn shares are wanted too.
    pub redraws: Option<Redraws<'a>>,
}

/// Models beside each other, judged on the same customers and drawn alike.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Comparison {
    /// Customers judged.
    pub customers: usize,
    /// Draws of the intervals.
    pub draws: u32,
    /// Their seed.
    pub seed: u64,
    /// What the best is chosen by.
    pub primary: Metric,
    /// The model that the others are held against.
    pub against: String,
    /// True when it was chosen by these very figures.
    pub was_chosen: bool,
    /// The models, in the order given.
    pub models: Vec<ModelFigures>,
}

/// All figures of one model.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ModelFigures {
    /// Its name.
    pub model: String,
    /// Lists that name fewer products than the largest `k`.
    pub short_lists: usize,
    /// Each metric at each `k`; left out where it is defined for nobody.
    pub figures: Vec<Figure>,
}

/// One metric of one model at one `k`.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Figure {
    /// The metric.
    pub metric: Metric,
    /// How many places of the lists count.
    pub k: usize,
    /// Customers of whom it is defined.
    pub customers: usize,
    /// The mean over these customers; of all lists together where the metric is of no single customer.
    pub value: f64,
    /// The ends of its 95 % interval, by percentiles of a bootstrap over customers.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub interval: Option<[f64; 2]>,
    /// True of the largest of all models, where more is better and any hits at all.
    pub is_best: bool,
    /// This model less the one it is held against.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub paired: Option<Paired>,
    /// Over redrawn shares of the customers.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub redrawn: Option<Redrawn>,
}

/// A difference of two models, customer by customer.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Paired {
    /// The mean difference over customers of whom both are defined.
    pub value: f64,
    /// The ends of its 95 % interval, from the draws of the models' own intervals.
    pub interval: [f64; 2],
    /// How probable a difference as large is where there is none: Student's paired t, which agrees with
    /// randomisation on rankings (Smucker, Allan and Carterette 2007, doi:10.1145/1321440.1321528).
    pub p_value: Option<f64>,
    /// The same after Holm's correction for the number of models.
    pub p_holm: Option<f64>,
    /// Why there is no test.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub refused: Option<Refusal>,
}

/// Puts models beside each other.
///
/// All intervals come from the same draws of customers. The reference, where it is chosen by its figures, is
/// flattered by them: name it before where a difference is to be believed.
///
/// # Errors
/// `T0704` (config) for models of one name or a reference that is not there, `T0732` (data) when they were not judged
/// on the same customers, `T0703` (config) for a wrong number of draws.
pub fn compare(models: &[(String, Scores)], ask: &Ask<'_>) -> Result<Comparison> {
    ask.bootstrap.check()?;
    let first = check(models)?;
    let against = match &ask.against {
        Some(name) => models.iter().position(|model| model.0 == *name).ok_or_else(|| {
            Error::config("T0704", format!("{name} is compared but was not judged"))
                .hint("add it to the models")
        })?,
        None => best(models, ask.primary, first.ks[0]),
    };
    let mut figures: Vec<ModelFigures> = models
        .iter()
        .map(|(name, scores)| ModelFigures {
            model: name.clone(),
            short_lists: scores.short_lists,
            figures: Vec::new(),
        })
        .collect();
    for place in 0..first.ks.len() {
        for (model, figure) in figures_at(models, against, place, ask) {
            figures[model].figures.push(figure);
        }
    }
    Ok(Comparison {
        customers: first.customers.len(),
        draws: ask.bootstrap.draws,
        seed: ask.bootstrap.seed,
        primary: ask.primary,
        against: models[against].0.clone(),
        was_chosen: ask.against.is_none(),
        models: figures,
    })
}

fn check(models: &[(String, Scores)]) -> Result<&Scores> {
    let Some((_, first)) = models.first() else {
        return Err(Error::config("T0704", "no model is to be judged").hint("name at least one"));
    };
    for (at, (name, scores)) in models.iter().enumerate() {
        if models[..at].iter().any(|(earlier, _)| earlier == name) {
            return Err(Error::config("T0704", format!("model {name} stands twice"))
                .hint("name each model once"));
        }
        if scores.customers != first.customers || scores.ks != first.ks {
            return Err(Error::data("T0732", format!("model {name}: judged on other customers"))
                .hint("judge all models by the same folds"));
        }
    }
    Ok(first)
}

/// The model with the largest figure; the earlier of equal ones.
fn best(models: &[(String, Scores)], metric: Metric, k: usize) -> usize {
    let mut best = (0, f64::NEG_INFINITY);
    for (at, (_, scores)) in models.iter().enumerate() {
        if let Some(value) = scores.mean(metric, k)
            && value > best.1
        {
            best = (at, value);
        }
    }
    best.0
}

/// All metrics at one `k`, of the models of which they are defined.
fn figures_at(
    models: &[(String, Scores)],
    against: usize,
    place: usize,
    ask: &Ask<'_>,
) -> Vec<(usize, Figure)> {
    let k = models[0].1.ks[place];
    let defined: Vec<(Metric, usize, f64)> = Metric::ALL
        .into_iter()
        .flat_map(|metric| models.iter().enumerate().map(move |(at, model)| (metric, at, model)))
        .filter_map(|(metric, at, (_, scores))| Some((metric, at, scores.mean(metric, k)?)))
        .collect();
    let column = |metric: Metric, at: usize| models[at].1.column(metric, place);
    let own = defined.iter().filter(|(metric, ..)| metric.is_of_customers());
    let columns: Vec<&[f64]> = own.map(|(metric, at, _)| column(*metric, *at)).collect();
    let mut drawn = drawn_means(&columns, ask.bootstrap).into_iter();
    let mut figures = Vec::with_capacity(defined.len());
    for of_metric in defined.chunk_by(|a, b| a.0 == b.0) {
        let metric = of_metric[0].0;
        let most = of_metric.iter().map(|(.., value)| *value).fold(f64::NEG_INFINITY, f64::max);
        let plain = |at: usize, value: f64| Figure {
            metric,
            k,
            customers: models[at].1.customers(),
            value,
            interval: None,
            is_best: metric.is_accuracy() && value > 0.0 && value >= most,
            paired: None,
            redrawn: None,
        };
        if !metric.is_of_customers() {
            figures.extend(of_metric.iter().map(|(_, at, value)| (*at, plain(*at, *value))));
            continue;
        }
        let draws: Vec<Vec<f64>> = drawn.by_ref().take(of_metric.len()).collect();
        let base = of_metric.iter().position(|(_, at, _)| *at == against);
        let base = base.map(|place| (column(metric, against), &draws[place]));
        let mut beside: Vec<(usize, Figure)> = of_metric
            .iter()
            .zip(&draws)
            .map(|((_, at, value), draws)| {
                let values = column(metric, *at);
                let Interval { low, high, .. } = Interval::percentile(*value, &mut draws.clone());
                let redraws = ask.redraws.as_ref();
                let figure = Figure {
                    customers: values.iter().filter(|value| !value.is_nan()).count(),
                    interval: Some([low, high]),
                    paired: base
                        .filter(|_| *at != against)
                        .and_then(|base| paired((values, draws), base, ask.bootstrap)),
                    redrawn: redraws.and_then(|r| r.of(&models[*at].1.customers, values)),
                    ..plain(*at, *value)
                };
                (*at, figure)
            })
            .collect();
        let p_values: Vec<Option<f64>> =
            beside.iter().map(|(_, figure)| figure.paired.as_ref()?.p_value).collect();
        for ((_, figure), p_holm) in beside.iter_mut().zip(holm(&p_values)) {
            figure.paired.iter_mut().for_each(|paired| paired.p_holm = p_holm);
        }
        figures.append(&mut beside);
    }
    figures
}

/// Values and the means of their draws, less those of the base, customer by customer.
fn paired(
    own: (&[f64], &Vec<f64>),
    base: (&[f64], &Vec<f64>),
    bootstrap: Bootstrap,
) -> Option<Paired> {
    let difference: Vec<f64> = own.0.iter().zip(base.0).map(|(a, b)| a - b).collect();
    let value = mean_where(&difference, |_| true);
    if value.is_nan() {
        return None;
    }
    let are_alike = own.0.iter().zip(base.0).all(|(a, b)| a.is_nan() == b.is_nan());
    let mut draws: Vec<f64> = match are_alike {
        // Of the same customers, the mean difference is the difference of the means.
        true => own.1.iter().zip(base.1).map(|(a, b)| a - b).collect(),
        false => drawn_means(&[&difference], bootstrap).into_iter().flatten().collect(),
    };
    let Interval { low, high, .. } = Interval::percentile(value, &mut draws);
    let moments: Moments = difference.iter().copied().filter(|value| !value.is_nan()).collect();
    let test = estimate::mean(&moments, LEVEL);
    Some(Paired {
        value,
        interval: [low, high],
        p_value: test.ok().and_then(|test| test.p_value),
        p_holm: None,
        refused: test.err(),
    })
}

/// The mean of each column in each draw of customers, over those of whom it is defined; a draw of none is left out.
fn drawn_means(columns: &[&[f64]], bootstrap: Bootstrap) -> Vec<Vec<f64>> {
    let customers = columns.first().map_or(0, |column| column.len());
    let flag = |value: &f64| if value.is_nan() { 0.0 } else { 1.0 };
    // Who is defined, where that is not everybody: mostly the same for several columns.
    let mut flags: Vec<Vec<f64>> = Vec::new();
    let (mut values, mut counted) = (Vec::with_capacity(columns.len()), Vec::new());
    for column in columns {
        if !column.iter().any(|value| value.is_nan()) {
            values.push(Cow::Borrowed(*column));
            counted.push(None);
            continue;
        }
        values.push(column.iter().map(|v| if v.is_nan() { 0.0 } else { *v }).collect());
        let own: Vec<f64> = column.iter().map(flag).collect();
        let known = flags.iter().position(|flags| *flags == own);
        counted.push(Some(known.unwrap_or(flags.len())));
        if known.is_none() {
            flags.push(own);
        }
    }
    let values = values.iter().map(|column: &Cow<'_, [f64]>| &**column);
    let all: Vec<&[f64]> = values.chain(flags.iter().map(Vec::as_slice)).collect();
    let mut sums = bootstrap.totals(customers, &all);
    let counts = sums.split_off(columns.len());
    let everybody = vec![customers as f64; bootstrap.draws as usize];
    let mean = |(sums, counted): (Vec<f64>, Option<usize>)| {
        let counts = counted.map_or(&everybody, |flags| &counts[flags]);
        let means = sums.iter().zip(counts).filter(|(_, count)| **count > 0.0);
        means.map(|(sum, count)| sum / count).collect()
    };
    sums.into_iter().zip(counted).map(mean).collect()
}
