//! How does the past become an ensemble?

use std::num::NonZeroUsize;

use hessboost::config::{GrowPolicy, TrainingParams, TreeMethod};
use hessboost::data::{DMatrix, FeatureType};
use hessboost::error::HessboostError;
use hessboost::objective::{Objective as Loss, RegLoss, Tweedie};
use hessboost::training::{TrainResult, Trainer};
use tercet_types::{Error, Result};

use super::{Ensemble, FeatureSchema, Matrix, Objective, Params, Tree};

/// The name of the validation set in the trainer's messages.
const VALIDATION: &str = "validation";
const MAX_ROUNDS: usize = 100_000;

/// Rows with what happened: `labels` and `weights` have one entry per row.
#[derive(Clone, Copy, Debug)]
pub struct TrainingSet<'a> {
    /// The features.
    pub matrix: &'a Matrix,
    /// What was observed.
    pub labels: &'a [f32],
    /// How much each row counts, `>= 0`; `None` counts every row once.
    pub weights: Option<&'a [f32]>,
}

/// What happened during one training.
#[derive(Clone, Debug, PartialEq)]
pub struct TrainingLog {
    /// The rounds that were grown, the discarded ones included.
    pub rounds_grown: usize,
    /// The rounds that were kept: up to the best one on the validation set.
    pub rounds_kept: usize,
    /// The validation metric: `rmse`, `logloss` or `tweedie-nloglik@p`; empty without validation.
    pub metric: String,
    /// The metric on the validation set after each grown round; smaller is better.
    pub validation: Vec<f64>,
}

/// Grows an [`Ensemble`] from labelled rows.
pub trait TreeLearner {
    /// The library behind it, for the model card.
    fn name(&self) -> &'static str;

    /// Trains on `training`; with `validation` stops early on it (the caller cuts in time).
    ///
    /// # Errors
    /// `T0403` for shapes that do not fit, `T0404` for unusable labels or weights,
    /// `T0405` for settings out of range.
    fn train(
        &self,
        params: &Params,
        training: &TrainingSet<'_>,
        validation: Option<&TrainingSet<'_>>,
        schema: &FeatureSchema,
    ) -> Result<(Ensemble, TrainingLog)>;
}

/// Trains with the built-in learner, [`Hessboost`].
///
/// # Errors
/// As [`TreeLearner::train`].
pub fn train(
    params: &Params,
    training: &TrainingSet<'_>,
    validation: Option<&TrainingSet<'_>>,
    schema: &FeatureSchema,
) -> Result<(Ensemble, TrainingLog)> {
    Hessboost.train(params, training, validation, schema)
}

/// Histogram gradient boosting by the `hessboost` crate: the same model on any number of threads.
#[derive(Clone, Copy, Debug, Default)]
pub struct Hessboost;

impl TreeLearner for Hessboost {
    fn name(&self) -> &'static str {
        "hessboost"
    }

    fn train(
        &self,
        params: &Params,
        training: &TrainingSet<'_>,
        validation: Option<&TrainingSet<'_>>,
        schema: &FeatureSchema,
    ) -> Result<(Ensemble, TrainingLog)> {
        let result = fit(params, training, validation, schema)?;
        let model = &result.model;
        let kept = model.best_iteration().map_or(model.num_boost_rounds(), |best| best + 1);
        let trees: Vec<Tree> = model
            .trees()
            .iter()
            .zip(model.tree_weights())
            .take(kept * model.trees_per_iteration())
            .map(|(tree, weight)| Tree::from_hessboost(tree, weight))
            .collect();
        let metric = result.history.metrics().first().cloned().unwrap_or_default();
        let validation =
            result.history.series(VALIDATION, &metric).map(Iterator::collect).unwrap_or_default();
        let log = TrainingLog {
            rounds_grown: model.num_boost_rounds(),
            rounds_kept: trees.len(),
            metric,
            validation,
        };
        let ensemble = Ensemble::new(schema.clone(), params.objective, model.base_score(), trees)?;
        Ok((ensemble, log))
    }
}

/// The library's own model, before it is copied into ours.
pub(crate) fn fit(
    params: &Params,
    training: &TrainingSet<'_>,
    validation: Option<&TrainingSet<'_>>,
    schema: &FeatureSchema,
) -> Result<TrainResult> {
    schema.validate()?;
    let settings = settings(params, training.weights.is_some())?;
    let mut rows = data(training, schema, "training")?;
    if counts_rows(params, training.weights.is_some()) {
        let each_row: Vec<u64> = (0..training.matrix.rows() as u64).collect();
        rows = rows.with_split_groups(&each_row).map_err(|error| failed(error, "training"))?;
    }
    let held_out = validation.map(|set| data(set, schema, VALIDATION)).transpose()?;
    let mut trainer = Trainer::new(&settings, &rows, params.rounds);
    if let Some(held_out) = &held_out {
        trainer = trainer.eval(held_out, VALIDATION);
        if let Some(patience) = params.early_stopping_rounds.and_then(NonZeroUsize::new) {
            trainer = trainer.early_stopping_rounds(patience);
        }
    }
    trainer.train().map_err(|error| failed(error, "training"))
}

/// Whether rows per leaf must be counted; unweighted squared error has them as its second
/// derivatives already.
fn counts_rows(params: &Params, weighted: bool) -> bool {
    params.min_rows_per_leaf > 1 && (weighted || params.objective != Objective::SquaredError)
}

fn settings(params: &Params, weighted: bool) -> Result<TrainingParams> {
    if params.rounds == 0 || params.rounds > MAX_ROUNDS {
        return Err(Error::config(
            "T0405",
            format!("model settings: rounds is {}, expected 1 to {MAX_ROUNDS}", params.rounds),
        ));
    }
    let objective = match params.objective {
        Objective::SquaredError => Loss::SquaredError(RegLoss::default()),
        Objective::Logistic => Loss::BinaryLogistic(RegLoss::default()),
        Objective::Tweedie { variance_power } => Loss::Tweedie(
            Tweedie::new(f64::from(variance_power))
                .map_err(|error| failed(error, "model settings"))?,
        ),
    };
    let counted = counts_rows(params, weighted);
    let rows = if counted { 0.0 } else { params.min_rows_per_leaf as f64 };
    let mut builder = TrainingParams::builder()
        .objective(objective)
        .tree_method(TreeMethod::Hist)
        .eta(params.learning_rate)
        .min_child_weight(params.min_child_weight.max(rows))
        .min_child_groups(if counted { params.min_rows_per_leaf } else { 1 })
        .subsample(params.subsample)
        .colsample_bytree(params.column_sample)
        .lambda(params.l2)
        .seed(params.seed)
        .max_bin(params.bins);
    builder = match params.max_depth {
        Some(depth) => builder.max_depth(depth),
        None => builder.unlimited_depth(),
    };
    builder = match params.leaves {
        Some(leaves) => builder.grow_policy(GrowPolicy::LossGuide).max_leaves(leaves),
        None => builder.grow_policy(GrowPolicy::DepthWise),
    };
    if params.max_depth.is_none() && params.leaves.is_none() {
        return Err(Error::config(
            "T0405",
            "model settings: neither leaves nor max_depth bounds the trees",
        )
        .hint("set one of them"));
    }
    builder.build().map_err(|error| failed(error, "model settings"))
}

fn data(set: &TrainingSet<'_>, schema: &FeatureSchema, name: &str) -> Result<DMatrix> {
    let matrix = set.matrix;
    if matrix.columns() != schema.len() {
        return Err(Error::data(
            "T0403",
            format!(
                "{name} rows: {} columns but {} named features",
                matrix.columns(),
                schema.len()
            ),
        ));
    }
    if matrix.rows() == 0 || matrix.columns() == 0 {
        return Err(Error::data(
            "T0404",
            format!(
                "{name} rows: {} rows x {} columns, nothing to learn from",
                matrix.rows(),
                matrix.columns()
            ),
        )
        .hint("widen the training window, or fall back to a recommender without learning"));
    }
    let types: Vec<FeatureType> = schema
        .levels
        .iter()
        .map(
            |levels| {
                if levels.is_some() { FeatureType::Categorical } else { FeatureType::Numerical }
            },
        )
        .collect();
    let build = || {
        let rows = matrix.shared()?.with_feature_types(&types)?.with_labels(set.labels)?;
        match set.weights {
            Some(weights) => rows.with_weights(weights),
            None => Ok(rows),
        }
    };
    build().map_err(|error| failed(error, &format!("{name} rows")))
}

fn failed(error: HessboostError, place: &str) -> Error {
    let message = format!("{place}: {error}");
    match error {
        HessboostError::InvalidParameter { .. } => Error::config("T0405", message),
        HessboostError::DimensionMismatch { .. } => Error::data("T0403", message),
        _ => Error::data("T0404", message),
    }
}

#[cfg(test)]
mod tests {
    use hessboost::model::Iterations;

    use super::*;
    use crate::gbdt::Explainer;

    const LEVELS: usize = 40;

    /// A congruential generator: numbers in [0, 1).
    fn draws(seed: u64) -> impl FnMut() -> f32 {
        let mut state = seed;
        move || {
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1_442_695_040_888_963_407);
            (state >> 40) as f32 / (1_u64 << 24) as f32
        }
    }

    fn schema() -> FeatureSchema {
        FeatureSchema::numeric(["recency_days", "spend", "noise"])
            .with("category", Some((0..LEVELS).map(|level| format!("c{level}")).collect()))
    }

    /// Order values: many zeros, missing values in two columns, a jagged category.
    fn rows(count: usize, seed: u64, objective: Objective) -> (Matrix, Vec<f32>) {
        let mut draw = draws(seed);
        let (mut values, mut labels) = (Vec::new(), Vec::new());
        for _ in 0..count {
            let (recency, spend, noise) = (draw(), draw() * 50.0, draw());
            let level = (draw() * LEVELS as f32).floor();
            let missing = draw() < 0.1;
            let signal = 2.0 * recency + spend / 20.0 + (level * 7.0 % 5.0) - 3.0
                + f32::from(u8::from(missing));
            labels.push(match objective {
                Objective::SquaredError => signal + draw(),
                Objective::Logistic => f32::from(u8::from(1.0 / (1.0 + (-signal).exp()) > draw())),
                Objective::Tweedie { .. } => {
                    if draw() < 0.5 {
                        0.0
                    } else {
                        signal.abs()
                    }
                }
            });
            values.extend([if missing { f32::NAN } else { recency }, spend, noise]);
            values.push(if draw() < 0.05 { f32::NAN } else { level });
        }
        (Matrix::new(count, 4, values).unwrap(), labels)
    }

    fn params(objective: Objective) -> Params {
        Params { objective, rounds: 60, leaves: Some(12), learning_rate: 0.2, ..Params::default() }
    }

    const OBJECTIVES: [Objective; 3] =
        [Objective::SquaredError, Objective::Logistic, Objective::Tweedie { variance_power: 1.4 }];

    #[test]
    fn our_walk_predicts_what_the_library_predicts() {
        for objective in OBJECTIVES {
            let (matrix, labels) = rows(700, 1, objective);
            let weights: Vec<f32> = (0..700).map(|row| 0.5 + (row % 3) as f32).collect();
            let training =
                TrainingSet { matrix: &matrix, labels: &labels, weights: Some(&weights) };
            let (later, later_labels) = rows(300, 2, objective);
            let validation = TrainingSet { matrix: &later, labels: &later_labels, weights: None };
            let settings = Params { early_stopping_rounds: Some(5), ..params(objective) };
            let (ensemble, log) =
                train(&settings, &training, Some(&validation), &schema()).unwrap();
            let theirs = fit(&settings, &training, Some(&validation), &schema()).unwrap().model;
            let rows = DMatrix::from_dense(later.values(), 300, 4).unwrap();
            let theirs = theirs.predict(&rows, Iterations::Best).unwrap();
            for (mine, theirs) in ensemble.predict(&later).unwrap().iter().zip(theirs.as_slice()) {
                let tolerance = 1e-5 * f64::from(theirs.abs()).max(1.0);
                assert!(
                    (mine - f64::from(*theirs)).abs() < tolerance,
                    "{objective:?}: {mine} {theirs}"
                );
            }
            assert!(
                ensemble.trees().iter().any(|tree| !tree.level_sets.is_empty()),
                "{objective:?}"
            );
            assert_eq!(log.rounds_kept, ensemble.rounds());
            let best = log.validation.iter().copied().fold(f64::INFINITY, f64::min);
            assert_eq!(log.validation[log.rounds_kept - 1], best);
            assert!(log.rounds_grown <= log.rounds_kept + 5);
        }
    }

    #[test]
    fn numeric_rows_side_by_side_predict_what_one_row_does() {
        let (matrix, labels) = rows(301, 9, Objective::SquaredError);
        let numbers: Vec<f32> = (0..301).flat_map(|row| matrix.row(row)[..3].to_vec()).collect();
        let matrix = Matrix::new(301, 3, numbers).unwrap();
        let schema = FeatureSchema::numeric(["recency_days", "spend", "noise"]);
        let training = TrainingSet { matrix: &matrix, labels: &labels, weights: None };
        let (ensemble, _) =
            train(&params(Objective::SquaredError), &training, None, &schema).unwrap();
        for (row, margin) in ensemble.predict_margin(&matrix).unwrap().into_iter().enumerate() {
            let add = |sum: f64, walk: &super::super::tree::Walk| {
                sum + f64::from(walk.value(matrix.row(row)))
            };
            assert_eq!(margin, ensemble.walks.iter().fold(ensemble.base_margin(), add));
        }
    }

    #[test]
    fn the_same_model_on_any_number_of_threads() {
        let (matrix, labels) = rows(900, 3, Objective::SquaredError);
        let training = TrainingSet { matrix: &matrix, labels: &labels, weights: None };
        let settings =
            Params { subsample: 0.7, column_sample: 0.5, ..params(Objective::SquaredError) };
        let on = |threads: usize| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            pool.install(|| {
                let (ensemble, _) = train(&settings, &training, None, &schema()).unwrap();
                (ensemble.predict(&matrix).unwrap(), ensemble.to_json().unwrap())
            })
        };
        assert_eq!(on(1), on(3));
    }

    #[test]
    fn a_model_reads_back_bit_by_bit_and_a_changed_file_is_refused() {
        for objective in OBJECTIVES {
            let (matrix, labels) = rows(400, 4, objective);
            let training = TrainingSet { matrix: &matrix, labels: &labels, weights: None };
            let (ensemble, _) = train(&params(objective), &training, None, &schema()).unwrap();
            let text = ensemble.to_json().unwrap();
            let read = Ensemble::from_json(&text).unwrap();
            assert_eq!(read, ensemble);
            assert_eq!(read.predict(&matrix).unwrap(), ensemble.predict(&matrix).unwrap());
            let check = |text: &str, expect: &str| {
                let error = Ensemble::from_json(text).unwrap_err();
                assert_eq!((error.code(), error.to_string().as_str()), ("T0402", expect));
            };
            check(&text[..text.len() / 2], "model: the file is not a model file");
            check("{}", "model: the file is not a model file");
            check(
                &text.replacen("recency_days", "recency_day", 1),
                "model: the file does not match its checksum",
            );
            check(
                &text.replacen("\"version\":1", "\"version\":2", 1),
                "model: the file has format 'tercet-ensemble' version 2, expected 'tercet-ensemble' version 1",
            );
        }
    }

    #[test]
    fn contributions_sum_to_the_margin_and_importances_to_one() {
        for objective in OBJECTIVES {
            let (matrix, labels) = rows(500, 5, objective);
            let training = TrainingSet { matrix: &matrix, labels: &labels, weights: None };
            let (ensemble, _) = train(&params(objective), &training, None, &schema()).unwrap();
            let players: Vec<usize> = (0..matrix.columns()).collect();
            let explainer = Explainer::new(&ensemble, &players).unwrap();
            for (row, margin) in
                ensemble.predict_margin(&matrix).unwrap().iter().enumerate().take(50)
            {
                let parts = explainer.contributions(matrix.row(row)).unwrap();
                let sum = explainer.expected_margin() + parts.iter().sum::<f64>();
                assert!((sum - margin).abs() < 1e-9, "{objective:?}: {sum} {margin}");
            }
            let importances = ensemble.importances();
            assert!((importances.iter().map(|(_, share)| share).sum::<f64>() - 1.0).abs() < 1e-9);
            assert!(importances[2].1 < 0.2, "noise has {}", importances[2].1);
        }
    }

    #[test]
    fn leaves_hold_enough_rows_and_trees_stay_in_bounds() {
        for objective in OBJECTIVES {
            let (matrix, labels) = rows(600, 6, objective);
            let training = TrainingSet { matrix: &matrix, labels: &labels, weights: None };
            let settings = Params { min_rows_per_leaf: 50, rounds: 5, ..params(objective) };
            let (ensemble, _) = train(&settings, &training, None, &schema()).unwrap();
            for (tree, walk) in ensemble.trees().iter().zip(&ensemble.walks) {
                assert!(tree.leaves() <= 12 && tree.leaves() > 1);
                let mut reached = std::collections::BTreeMap::<usize, usize>::new();
                for row in 0..matrix.rows() {
                    let mut leaf = 0;
                    while tree.left[leaf] != 0 {
                        let left = walk.goes_left(leaf, matrix.row(row));
                        leaf = if left { tree.left[leaf] } else { tree.right[leaf] } as usize;
                    }
                    *reached.entry(leaf).or_default() += 1;
                }
                assert!(reached.values().all(|rows| *rows >= 50), "{objective:?}: {reached:?}");
            }
        }
    }

    #[test]
    fn what_cannot_be_trained_is_named() {
        let (matrix, labels) = rows(50, 7, Objective::Logistic);
        let check = |settings: Params,
                     matrix: &Matrix,
                     labels: &[f32],
                     schema: &FeatureSchema,
                     code: &str| {
            let training = TrainingSet { matrix, labels, weights: None };
            assert_eq!(train(&settings, &training, None, schema).unwrap_err().code(), code);
        };
        let squared = || params(Objective::SquaredError);
        check(squared(), &matrix, &labels[1..], &schema(), "T0403");
        check(squared(), &matrix, &labels, &FeatureSchema::numeric(["one"]), "T0403");
        check(squared(), &Matrix::new(0, 4, vec![]).unwrap(), &[], &schema(), "T0404");
        check(squared(), &matrix, &[f32::NAN; 50], &schema(), "T0404");
        check(params(Objective::Logistic), &matrix, &[2.0; 50], &schema(), "T0404");
        check(Params { learning_rate: -1.0, ..squared() }, &matrix, &labels, &schema(), "T0405");
        check(Params { rounds: 0, ..squared() }, &matrix, &labels, &schema(), "T0405");
        check(Params { leaves: None, ..squared() }, &matrix, &labels, &schema(), "T0405");
        check(
            params(Objective::Tweedie { variance_power: 2.5 }),
            &matrix,
            &labels,
            &schema(),
            "T0405",
        );
    }

    #[test]
    fn one_kind_of_label_gives_a_constant_model() {
        for (objective, label) in OBJECTIVES.into_iter().zip([4.0, 0.0, 2.5]) {
            let (matrix, _) = rows(60, 8, objective);
            let labels = [label; 60];
            let training = TrainingSet { matrix: &matrix, labels: &labels, weights: None };
            let (ensemble, _) = train(&params(objective), &training, None, &schema()).unwrap();
            for prediction in ensemble.predict(&matrix).unwrap() {
                assert!(
                    (prediction - f64::from(label)).abs() < 0.05,
                    "{objective:?}: {prediction}"
                );
            }
        }
    }
}
