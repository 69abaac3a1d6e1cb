//! Which recommender ranks best, and how sure are we?

use serde::{Deserialize, Serialize};
use tercet_types::Result;

pub use super::reading::Reading;
pub use super::{Fact, Headline};

/// Everything the report of an evaluation shows. Any list may be empty.
///
/// Metrics go by the names of the evaluation's JSON (`ndcg`, `hit_rate`, …).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct EvaluationReport {
    /// The table that was judged on.
    pub data: String,
    /// The model that the others are held against.
    pub against: String,
    /// What the best is chosen by.
    pub primary: String,
    /// What came out, one sentence.
    pub summary: String,
    /// From what: data, split, seeds, versions.
    pub facts: Vec<Fact>,
    /// What to see first, about four.
    pub headlines: Vec<Headline>,
    /// What a reader must know before believing a number.
    pub notes: Vec<String>,
    /// The results, one entry per length of the lists.
    pub depths: Vec<Depth>,
    /// The models, in order of display.
    pub models: Vec<EvaluatedModel>,
}

/// Results where so many places of the lists count.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Depth {
    /// How many places.
    pub k: usize,
    /// Figures of the models, in the order of [`EvaluationReport::models`].
    pub figures: Vec<Vec<MetricFigure>>,
    /// Each other model less the one it is held against, in the primary metric.
    pub differences: Vec<(String, Reading)>,
    /// The probability of a difference as large by chance, corrected for the number of models, for each of them; or
    /// in words why there is none.
    pub chances: Vec<(String, String)>,
}

/// A figure of a model.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct MetricFigure {
    /// The metric's name.
    pub metric: String,
    /// The figure.
    pub value: f64,
    /// The ends of its interval; none of figures of all lists together.
    pub interval: Option<(f64, f64)>,
    /// True of the largest where more is better.
    pub is_best: bool,
}

/// A model that was judged.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct EvaluatedModel {
    /// What it is called.
    pub model: String,
    /// The estimator.
    pub estimator: String,
    /// Its settings where they are not the defaults, in words; may be empty.
    pub settings: String,
    /// Seconds of CPU to fit.
    pub fit_seconds: f64,
    /// Seconds of CPU to rank for everybody who was judged.
    pub rank_seconds: f64,
}

impl EvaluationReport {
    /// The report as one self-contained HTML file.
    ///
    /// # Errors
    /// `T0807` when the template fails, which is a bug.
    pub fn html(&self) -> Result<String> {
        super::evaluation_page::html(self)
    }

    /// A report with every section filled.
    pub fn sample() -> Self {
        super::evaluation_sample::sample()
    }
}
