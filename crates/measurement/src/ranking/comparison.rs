//! Which model ranks better, and how sure are we?

use std::borrow::Cow;

use serde::Serialize;
use tercet_types::{Error, Result};

use super::history::Histories;
use super::metric::Metric;
use super::scores::{Scores, mean_where};
use super::split::is_drawn;
use crate::Moments;
use crate::estimate::{self, LEVEL, Refusal};
use crate::holm::holm;
use crate::offline::{Bootstrap, Interval};

/// A share of the judged customers, drawn several times over by a hash of their ids.
#[derive(Clone, Copy, Debug)]
pub struct Redraws<'a> {
    histories: &'a Histories,
    share: f64,
    count: u32,
    seed: u64,
}

/// The most redraws.
const REDRAWS_MAX: u32 = 1_000;

impl<'a> Redraws<'a> {
    /// So many draws of a share of the customers.
    ///
    /// # Errors
    /// `T0733` (config) for a share that is none, or a count of 0 or above 1,000.
    pub fn new(histories: &'a Histories, share: f64, count: u32, seed: u64) -> Result<Self> {
        if share > 0.0 && share <= 1.0 && (1..=REDRAWS_MAX).contains(&count) {
            return Ok(Self { histories, share, count, seed });
        }
        Err(Error::config("T0733", format!("{count} redraws of a share of {share}")).hint(format!(
            "give a share above 0 and up to 1, such as 0.2, and 1 to {REDRAWS_MAX} redraws"
        )))
    }

    /// Whether a customer is judged in any of the draws.
    pub fn any(&self, customer: u32) -> bool {
        (0..self.count).any(|draw| self.holds(draw, customer))
    }

    fn holds(&self, draw: u32, customer: u32) -> bool {
        let seed = self.seed.wrapping_add(u64::from(draw));
        is_drawn(self.histories.customer_key(customer), seed, self.share)
    }
}

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
    /// True of the largest of all models, where more is better.
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

/// A metric over redrawn shares of the customers.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Redrawn {
    /// The mean over redraws.
    pub mean: f64,
    /// Their standard deviation; none of one redraw.
    pub deviation: Option<f64>,
    /// How many there were.
    pub redraws: u32,
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
    for (place, &k) in first.ks.iter().enumerate() {
        for metric in Metric::ALL {
            for (model, figure) in metric_figures(models, against, metric, place, k, ask) {
                figures[model].figures.push(figure);
            }
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

/// One metric at one `k` of all models of which it is defined.
fn metric_figures(
    models: &[(String, Scores)],
    against: usize,
    metric: Metric,
    place: usize,
    k: usize,
    ask: &Ask<'_>,
) -> Vec<(usize, Figure)> {
    let means: Vec<Option<f64>> = models.iter().map(|(_, s)| s.mean(metric, k)).collect();
    let most = means.iter().flatten().copied().fold(f64::NEG_INFINITY, f64::max);
    let figure = |at: usize, value: f64| Figure {
        metric,
        k,
        customers: models[at].1.customers(),
        value,
        interval: None,
        is_best: metric.is_accuracy() && value >= most,
        paired: None,
        redrawn: None,
    };
    let known = || means.iter().enumerate().filter_map(|(at, mean)| mean.map(|mean| (at, mean)));
    if matches!(metric, Metric::Coverage | Metric::Gini) {
        return known().map(|(at, value)| (at, figure(at, value))).collect();
    }
    let own: Vec<&[f64]> = known().map(|(at, _)| models[at].1.column(metric, place)).collect();
    let base = means[against].map(|_| models[against].1.column(metric, place));
    let differences: Vec<Vec<f64>> = match base {
        Some(base) => {
            let less = |own: &&[f64]| own.iter().zip(base).map(|(a, b)| a - b).collect();
            own.iter().map(less).collect()
        }
        None => Vec::new(),
    };
    let all: Vec<&[f64]> =
        own.iter().copied().chain(differences.iter().map(Vec::as_slice)).collect();
    let mut drawn = drawn_means(&all, ask.bootstrap).into_iter();
    let mut figures: Vec<(usize, Figure)> = known()
        .zip(&own)
        .zip(drawn.by_ref())
        .map(|(((at, value), values), mut draws)| {
            let Interval { low, high, .. } = Interval::percentile(value, &mut draws);
            let customers = values.iter().filter(|value| !value.is_nan()).count();
            let redrawn =
                ask.redraws.as_ref().and_then(|r| redrawn(r, &models[at].1.customers, values));
            (at, Figure { customers, interval: Some([low, high]), redrawn, ..figure(at, value) })
        })
        .collect();
    let tested = figures.iter_mut().zip(&differences).zip(drawn);
    let mut paired: Vec<&mut Paired> = tested
        .filter(|((figure, _), _)| figure.0 != against)
        .filter_map(|((figure, difference), mut draws)| {
            figure.1.paired = paired(difference, &mut draws);
            figure.1.paired.as_mut()
        })
        .collect();
    let p_values: Vec<Option<f64>> = paired.iter().map(|paired| paired.p_value).collect();
    paired.iter_mut().zip(holm(&p_values)).for_each(|(paired, p)| paired.p_holm = p);
    figures
}

fn paired(difference: &[f64], draws: &mut [f64]) -> Option<Paired> {
    let value = mean_where(difference, |_| true);
    if value.is_nan() {
        return None;
    }
    let Interval { low, high, .. } = Interval::percentile(value, draws);
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
    let is_whole = |column: &[f64]| !column.iter().any(|value| value.is_nan());
    let values = columns.iter().map(|column| match is_whole(column) {
        true => Cow::Borrowed(*column),
        false => column.iter().map(|v| if v.is_nan() { 0.0 } else { *v }).collect(),
    });
    let flag = |value: &f64| if value.is_nan() { 0.0 } else { 1.0 };
    let flags = columns.iter().filter(|column| !is_whole(column));
    let flags = flags.map(|column| column.iter().map(flag).collect());
    let all: Vec<Cow<'_, [f64]>> = values.chain(flags).collect();
    let slices: Vec<&[f64]> = all.iter().map(|column| &**column).collect();
    let mut totals = bootstrap.totals(customers, &slices);
    let mut counts = totals.split_off(columns.len()).into_iter();
    let everybody = vec![customers as f64; bootstrap.draws as usize];
    totals
        .into_iter()
        .zip(columns)
        .map(|(sums, column)| {
            let counts = if is_whole(column) { Some(everybody.clone()) } else { counts.next() };
            let counts = counts.unwrap_or_default();
            let means = sums.iter().zip(counts).filter(|(_, count)| *count > 0.0);
            means.map(|(sum, count)| sum / count).collect()
        })
        .collect()
}

fn redrawn(redraws: &Redraws<'_>, customers: &[u32], values: &[f64]) -> Option<Redrawn> {
    let means: Moments = (0..redraws.count)
        .map(|draw| mean_where(values, |at| redraws.holds(draw, customers[at])))
        .filter(|mean| !mean.is_nan())
        .collect();
    let redraws = u32::try_from(means.count()).ok().filter(|count| *count > 0)?;
    Some(Redrawn { mean: means.mean(), deviation: means.variance().map(f64::sqrt), redraws })
}
