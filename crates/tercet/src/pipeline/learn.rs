//! What do past weeks teach about next week?

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use tercet_engine::Engine;
use tercet_features::{PAIR_FEATURES, Pairs, Topic, TrainingPairs};
use tercet_models::calibration::{Calibration, by_decile};
use tercet_models::gbdt::{
    Ensemble, FeatureSchema, Matrix, Objective, Params, TrainingLog, TrainingSet, train,
};
use tercet_models::{
    DUE_FEATURES, NeighbourFeature, NeighbourParams, due_features, neighbour_features, quality,
};
use tercet_types::{DAYS_PER_WEEK, Date, Error, Result};

use super::answers::{ANSWERS_FILE, Answers, Line, TrialFacts};
use super::lessons::{Lessons, lends};
use super::shop::Shop;
use super::week::Week;
use super::worth::{INCREMENTAL_MARGIN, ORDER_VALUE};
use crate::config::{Config, ModelValue};

/// The three ensembles behind an order value, and what says what an offer brings.
pub(crate) struct Models {
    /// Spend on eligible products in a week, minor units.
    pub(crate) spend: Ensemble,
    /// Probability of buying any eligible product in a week.
    pub(crate) response: Ensemble,
    /// Probability of buying an eligible product never bought before.
    pub(crate) discovery: Ensemble,
    /// What offers bring, where that is asked for and earlier offers tell.
    pub(crate) answers: Option<Answers>,
}

/// What the report says about one model.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct ModelCard {
    /// What it predicts.
    pub(crate) name: String,
    /// Rows trained on, and rows held out.
    pub(crate) rows: [usize; 2],
    /// Trees kept.
    pub(crate) trees: usize,
    /// Metrics on the held-out week: name, value.
    pub(crate) metrics: Vec<(String, f64)>,
    /// Mean predicted, mean observed and rows, by decile of the held-out week.
    pub(crate) calibration: Vec<(f64, f64, usize)>,
    /// Shares of the gain, the largest first.
    pub(crate) importances: Vec<(String, f64)>,
}

/// `models.json` beside the ensembles.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct ModelCards {
    /// Fingerprint of all that was learnt.
    pub(crate) version: String,
    /// Mondays trained on.
    pub(crate) trained_on: Vec<Date>,
    /// The Monday held out: it stopped the training, and the metrics are of it.
    pub(crate) held_out: Date,
    /// What the labels are.
    pub(crate) labels: String,
    /// The models.
    pub(crate) cards: Vec<ModelCard>,
    /// What extra purchases were read off, when offers are valued by what they bring.
    #[serde(default)]
    pub(crate) answers: Option<Line>,
    /// What offers that chance made or not say of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) trial: Option<TrialFacts>,
    /// By what offers are valued: `value_kind` of the log.
    #[serde(default)]
    pub(crate) value_kind: String,
    /// Why by that, in words.
    #[serde(default)]
    pub(crate) value_because: String,
}

impl ModelCards {
    /// By what offers are valued, and why.
    pub(crate) fn valued_by(&self) -> String {
        let what = match self.value_kind.as_str() {
            INCREMENTAL_MARGIN => "the margin that they bring",
            _ => "order value",
        };
        format!("offers are valued by {what}: {}", self.value_because)
    }
}

/// Fewest days of purchases before a Monday that is learnt from.
const HISTORY_DAYS_MIN: i32 = 14;

/// Seeds of the three models lie this far apart.
const SEED_STEP: u64 = 1_000_003;

/// Smaller fits than this say nothing.
const POSITIVES_MIN: usize = 20;

/// Why no model was trained, in words.
pub(crate) const TOO_SHORT: &str =
    "too little history to train a model: offers are ranked by what sells";

impl Models {
    /// Trains on the weeks before the Monday; `None` when the history is too short.
    ///
    /// The newest past week decides when to stop and is what the metrics are of. Labels are purchases of
    /// eligible products: what would have been bought into a promotion, shown or not. What tells of topics in
    /// `without` is kept from the models.
    pub(crate) fn fit(
        engine: &Engine,
        shop: &Shop,
        week: &Week,
        config: &Config,
        seed: u64,
        lessons: &mut Lessons,
        without: &[Topic],
    ) -> Result<Option<(Self, ModelCards)>> {
        let first_day = (0..shop.history.customers())
            .filter_map(|customer| {
                shop.history.of(customer as u32).first().map(|purchase| purchase.day)
            })
            .min();
        let Some(first_day) = first_day else { return Ok(None) };
        let mondays: Vec<Date> = (1..=config.model.training_weeks as i32)
            .map(|back| week.as_of.plus_days(-back * DAYS_PER_WEEK))
            .filter(|monday| monday.days() - HISTORY_DAYS_MIN >= first_day)
            .collect();
        let known: BTreeSet<i32> = week
            .promotions
            .iter()
            .filter(|(_, known)| {
                !known.products.is_empty() && (known.is_candidate || lends(&known.id))
            })
            .map(|(ix, _)| *ix)
            .collect();
        if mondays.len() < 2 || known.is_empty() {
            return Ok(None);
        }
        let weeks = lessons.of(engine, shop, config, &mondays, &known)?;
        lessons.forget_before(mondays[mondays.len() - 1]);
        let held_out = Sample::of(&weeks[..1], without)?;
        let training = Sample::of(&weeks[1..], without)?;
        if training.positives().min(held_out.positives()) < POSITIVES_MIN {
            return Ok(None);
        }
        let one = |place: u64, name: &str, objective, label: fn(&Sample) -> &[f32]| {
            let params = Params {
                objective,
                rounds: config.model.rounds,
                leaves: Some(config.model.leaves),
                max_depth: None,
                learning_rate: config.model.learning_rate,
                min_rows_per_leaf: config.model.leaf_rows_min,
                min_child_weight: config.model.leaf_weight_min,
                subsample: config.model.row_share,
                column_sample: 0.6,
                l2: 5.0,
                early_stopping_rounds: Some(config.model.early_stopping_rounds),
                seed: seed.wrapping_add(place.wrapping_mul(SEED_STEP)),
                bins: 63,
            };
            fit_one(name, &params, &training, &held_out, label)
        };
        // Side by side: each training has stretches that one thread does alone.
        let (spend, response, discovery) = std::thread::scope(|scope| {
            let spend = scope.spawn(|| {
                one(0, "order value", Objective::Tweedie { variance_power: 1.3 }, |sample| {
                    &sample.spend
                })
            });
            let response =
                scope.spawn(|| one(1, "response", Objective::Logistic, |sample| &sample.bought));
            let discovery = one(2, "discovery", Objective::Logistic, |sample| &sample.discovered);
            (joined(spend), joined(response), discovery)
        });
        let ((spend, first), (response, second), (discovery, third)) =
            (spend?, response?, discovery?);
        let answers = match config.model.value {
            ModelValue::Order => None,
            ModelValue::Auto | ModelValue::Incremental => {
                Some(Answers::fit(engine, shop, week, config, seed, lessons)?)
            }
        };
        let (value_kind, value_because) = match &answers {
            None => (ORDER_VALUE, "[model] value is \"order\"".to_owned()),
            Some(Err(lacking)) => (ORDER_VALUE, lacking.words()),
            Some(Ok((_, Some(trial)))) => (INCREMENTAL_MARGIN, trial.words()),
            Some(Ok((answers, None))) => (INCREMENTAL_MARGIN, answers.line.words()),
        };
        let (answers, trial) = match answers.and_then(Result::ok) {
            Some((answers, trial)) => (Some(answers), trial),
            None => (None, None),
        };
        let line = answers.as_ref().map(|answers| answers.line);
        let models = Self { spend, response, discovery, answers };
        let cards = ModelCards {
            version: models.version()?,
            trained_on: mondays[1..].to_vec(),
            held_out: mondays[0],
            labels: "purchases of a promotion's eligible products in a past week, whether or not the customer saw \
                     the promotion: responses to a promotion itself are not observable in these data"
                .to_owned(),
            cards: vec![first, second, third],
            answers: line,
            trial,
            value_kind: value_kind.to_owned(),
            value_because,
        };
        Ok(Some((models, cards)))
    }

    /// The files of the models stage.
    pub(crate) fn files(&self) -> Result<Vec<(&'static str, Vec<u8>)>> {
        let mut files = vec![
            (SPEND_FILE, self.spend.to_json()?.into_bytes()),
            (RESPONSE_FILE, self.response.to_json()?.into_bytes()),
            (DISCOVERY_FILE, self.discovery.to_json()?.into_bytes()),
        ];
        if let Some(answers) = &self.answers {
            files.push((ANSWERS_FILE, answers.to_json()?));
        }
        Ok(files)
    }

    /// Reads the files of the models stage, of which `cards` say which there are.
    pub(crate) fn read(
        cards: &ModelCards,
        mut file: impl FnMut(&str) -> Result<Vec<u8>>,
    ) -> Result<Self> {
        let answers = match cards.answers {
            Some(_) => Some(Answers::from_json(&file(ANSWERS_FILE)?)?),
            None => None,
        };
        let mut ensemble = |name: &str| -> Result<Ensemble> {
            let bytes = file(name)?;
            let text = std::str::from_utf8(&bytes).map_err(|cause| {
                Error::data("T0402", format!("{name}: not a model file")).cause(cause)
            })?;
            Ensemble::from_json(text).map_err(|error| error.context(name))
        };
        Ok(Self {
            spend: ensemble(SPEND_FILE)?,
            response: ensemble(RESPONSE_FILE)?,
            discovery: ensemble(DISCOVERY_FILE)?,
            answers,
        })
    }

    /// Fingerprint of all that was learnt.
    pub(crate) fn version(&self) -> Result<String> {
        let mut hasher = blake3::Hasher::new();
        for (_, bytes) in self.files()? {
            hasher.update(&bytes);
        }
        Ok(hasher.finalize().to_hex().as_str()[..12].to_owned())
    }
}

const SPEND_FILE: &str = "order_value.json";
const RESPONSE_FILE: &str = "response.json";
const DISCOVERY_FILE: &str = "discovery.json";

/// Fills the columns of rows to learn from that come from models of other customers and of rhythm.
pub(super) fn fill_from_models(
    pairs: &mut Pairs,
    shop: &Shop,
    eligibility: &tercet_models::Eligibility,
    as_of: Date,
) -> Result<()> {
    let mut customers: Vec<u32> = pairs.customer_ix.iter().map(|ix| *ix as u32).collect();
    customers.dedup();
    let found = neighbour_features(
        &shop.history,
        eligibility,
        &shop.product_types,
        as_of.days(),
        &customers,
        &NeighbourParams::default(),
    )?;
    let mut place = vec![0_usize; shop.history.customers()];
    for (at, customer) in customers.iter().enumerate() {
        place[*customer as usize] = at;
    }
    let due = due_features(&shop.history, eligibility, as_of.days(), &customers)?;
    for (column, name) in DUE_FEATURES.into_iter().enumerate() {
        pairs.fill(name, |customer, promotion| {
            due.get(place[customer as usize], promotion as u32)[column]
        })?;
    }
    for feature in NeighbourFeature::ALL {
        pairs.fill(feature.name(), |customer, promotion| {
            found.get(feature, place[customer as usize], promotion as u32)
        })?;
    }
    Ok(())
}

/// The names of the pair features; all are numeric.
pub(super) fn schema() -> FeatureSchema {
    FeatureSchema::numeric(PAIR_FEATURES.iter().map(|feature| feature.name))
}

/// Weeks put one below the other.
struct Sample {
    matrix: Matrix,
    weights: Vec<f32>,
    spend: Vec<f32>,
    bought: Vec<f32>,
    discovered: Vec<f32>,
}

impl Sample {
    fn of(weeks: &[TrainingPairs], without: &[Topic]) -> Result<Self> {
        let rows = weeks.iter().map(|week| week.pairs.rows()).sum();
        let flag = |flag: &bool| if *flag { 1.0 } else { 0.0 };
        let mut values = Vec::with_capacity(rows * PAIR_FEATURES.len());
        weeks.iter().for_each(|week| values.extend_from_slice(&week.pairs.values));
        // A tree finds no split on what is always missing, so that the models do not ask for it later either.
        for (place, feature) in PAIR_FEATURES.iter().enumerate() {
            if without.contains(&feature.topic()) {
                values
                    .iter_mut()
                    .skip(place)
                    .step_by(PAIR_FEATURES.len())
                    .for_each(|v| *v = f32::NAN);
            }
        }
        Ok(Self {
            matrix: Matrix::new(rows, PAIR_FEATURES.len(), values)?,
            weights: weeks
                .iter()
                .flat_map(|week| week.weights.iter().map(|weight| *weight as f32))
                .collect(),
            // Net returns do not make a promotion worth less than nothing.
            spend: weeks
                .iter()
                .flat_map(|week| week.spend_minor.iter().map(|minor| (*minor).max(0) as f32))
                .collect(),
            bought: weeks.iter().flat_map(|week| week.bought.iter().map(flag)).collect(),
            discovered: weeks.iter().flat_map(|week| week.discovered.iter().map(flag)).collect(),
        })
    }

    fn positives(&self) -> usize {
        self.discovered.iter().filter(|flag| **flag > 0.0).count()
    }
}

/// What a thread found; a panic in it goes on in the thread that waits.
pub(super) fn joined<T>(thread: std::thread::ScopedJoinHandle<'_, T>) -> T {
    thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
}

fn fit_one(
    name: &str,
    params: &Params,
    training: &Sample,
    held_out: &Sample,
    label: fn(&Sample) -> &[f32],
) -> Result<(Ensemble, ModelCard)> {
    let set = |sample| -> TrainingSet<'_> {
        let sample: &Sample = sample;
        TrainingSet {
            matrix: &sample.matrix,
            labels: label(sample),
            weights: Some(&sample.weights),
        }
    };
    let (ensemble, log): (Ensemble, TrainingLog) =
        train(params, &set(training), Some(&set(held_out)), &schema())?;
    let predicted = ensemble.predict(&held_out.matrix)?;
    // Sampled rows stand for as many as they weigh.
    let observed: Vec<f64> = label(held_out).iter().map(|value| f64::from(*value)).collect();
    let (many_predicted, many_observed) = unsampled(&predicted, &observed, &held_out.weights);
    let calibration: Calibration = by_decile(&many_predicted, &many_observed)?;
    let mut metrics = vec![
        ("rows predicted".to_owned(), many_predicted.len() as f64),
        ("mean predicted".to_owned(), mean(&many_predicted)),
        ("mean observed".to_owned(), mean(&many_observed)),
        ("Spearman".to_owned(), quality::spearman(&many_predicted, &many_observed)?),
    ];
    if params.objective == Objective::Logistic {
        metrics.push(("AUC".to_owned(), quality::auc(&many_predicted, &many_observed)?));
        metrics.push(("log loss".to_owned(), quality::log_loss(&many_predicted, &many_observed)?));
    } else {
        metrics.push(("RMSE".to_owned(), quality::rmse(&many_predicted, &many_observed)?));
        metrics.push(("MAE".to_owned(), quality::mae(&many_predicted, &many_observed)?));
    }
    let mut importances = ensemble.importances();
    importances.sort_by(|a, b| b.1.total_cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
    let card = ModelCard {
        name: name.to_owned(),
        rows: [training.weights.len(), held_out.weights.len()],
        trees: log.rounds_kept,
        metrics,
        calibration: calibration
            .bins
            .iter()
            .map(|bin| (bin.mean_predicted, bin.mean_observed, bin.count))
            .collect(),
        importances,
    };
    Ok((ensemble, card))
}

/// Rows repeated by their rounded weights, so that unweighted measures speak of the unsampled week.
fn unsampled(predicted: &[f64], observed: &[f64], weights: &[f32]) -> (Vec<f64>, Vec<f64>) {
    let mut many = (Vec::new(), Vec::new());
    for ((predicted, observed), weight) in predicted.iter().zip(observed).zip(weights) {
        let times = weight.round().max(1.0) as usize;
        many.0.extend(std::iter::repeat_n(*predicted, times));
        many.1.extend(std::iter::repeat_n(*observed, times));
    }
    many
}

fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len().max(1) as f64
}
