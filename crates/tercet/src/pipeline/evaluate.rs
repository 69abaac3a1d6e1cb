//! How do estimators rank what was held back of a table?

use std::sync::Once;

use serde::{Deserialize, Serialize};
use tercet_measurement::ranking::{Fold, Histories, Line, Redraws, Referee, Scores, Split, Stage};
use tercet_models::{
    Attributes, Fitted, Purchase, Purchases, Query, Recommender, Seen, Training, Wanted,
};
use tercet_types::Result;

use crate::output::{Progress, now};

/// Customers who are ranked for at a time.
const BATCH: usize = 4_096;

/// Histories to rank, and what is known of their products and customers.
pub(crate) struct Ground {
    pub(crate) histories: Histories,
    pub(crate) products: Attributes,
    pub(crate) customers: Attributes,
    /// What of the table was passed over.
    pub(crate) remarks: Remarks,
}

/// Lines about a table that are said once, however many estimators are judged on it.
pub(crate) struct Remarks {
    lines: Vec<String>,
    said: Once,
}

impl From<Vec<String>> for Remarks {
    fn from(lines: Vec<String>) -> Self {
        Self { lines, said: Once::new() }
    }
}

impl Remarks {
    fn say(&self, progress: &Progress) {
        self.said.call_once(|| self.lines.iter().for_each(|line| progress.say(line)));
    }
}

/// How lists are made and judged.
pub(crate) struct Protocol<'a> {
    pub(crate) split: Split,
    pub(crate) stage: Stage,
    pub(crate) seen: Seen,
    pub(crate) ks: &'a [usize],
    /// Only customers drawn by these are asked for.
    pub(crate) redraws: Option<Redraws<'a>>,
}

/// What an estimator did on all folds.
pub(crate) struct Judgement {
    pub(crate) scores: Scores,
    pub(crate) cost: Cost,
}

/// What it cost, over all folds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Cost {
    /// CPU seconds of all threads to fit; none where the system does not tell.
    pub(crate) fit_cpu_seconds: Option<f64>,
    /// The same to rank for everybody who is judged, and to judge.
    pub(crate) rank_cpu_seconds: Option<f64>,
    /// Seconds by the clock to fit.
    pub(crate) fit_seconds: f64,
    /// The same to rank and judge.
    pub(crate) rank_seconds: f64,
}

/// What a protocol comes to on a table, before any estimator.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct FoldFacts {
    /// The fold; nothing where there is one.
    pub(crate) fold: String,
    /// Lines to learn from.
    pub(crate) training_lines: usize,
    /// Customers who are judged.
    pub(crate) judged: usize,
    /// Customers of whom something is held back and nothing known: nobody ranks for them.
    pub(crate) unknown_customers: usize,
    /// Lines to be found.
    pub(crate) truth_lines: usize,
    /// Lines to be found whose product nobody in the training took up.
    pub(crate) truth_lines_of_new_products: usize,
    /// Lines to be found whose product the customer knows.
    pub(crate) truth_lines_of_known_products: usize,
}

/// A fold, and what is learnt from it as estimators take it.
pub(crate) struct Cut<'a> {
    fold: Fold<'a>,
    history: Purchases,
}

/// Cuts the histories.
///
/// # Errors
/// `T0731` and `T0733` of the split.
pub(crate) fn cut<'a>(ground: &'a Ground, protocol: &Protocol<'_>) -> Result<Vec<Cut<'a>>> {
    let folds = protocol.split.folds(&ground.histories, protocol.stage)?;
    let with_history = |fold| Ok(Cut { history: purchases(&fold)?, fold });
    folds.into_iter().map(with_history).collect()
}

/// What the folds hold.
pub(crate) fn fold_facts(cuts: &[Cut<'_>]) -> Vec<FoldFacts> {
    cuts.iter()
        .map(|Cut { fold, .. }| {
            let (buyers, _) = fold.buyers();
            let judged = fold.judged();
            let truth = || judged.iter().flat_map(|customer| fold.truth(*customer));
            FoldFacts {
                fold: fold.name.clone(),
                training_lines: fold.training().count(),
                judged: judged.len(),
                unknown_customers: fold.unknown_customers(),
                truth_lines: truth().count(),
                truth_lines_of_new_products: truth()
                    .filter(|line| buyers[line.product as usize] == 0)
                    .count(),
                truth_lines_of_known_products: judged
                    .iter()
                    .map(|customer| known_again(fold, *customer))
                    .sum(),
            }
        })
        .collect()
}

/// How many lines to be found are of products that the customer knows.
fn known_again(fold: &Fold<'_>, customer: u32) -> usize {
    let mut known: Vec<u32> = fold.known(customer).map(|line| line.product).collect();
    known.sort_unstable();
    fold.truth(customer).filter(|line| known.binary_search(&line.product).is_ok()).count()
}

/// Fits the estimator on every fold, ranks for everybody who is judged, and judges.
///
/// # Errors
/// Those of the estimator, and `T0731` to `T0733` of the referee.
pub(crate) fn rank_and_judge(
    ground: &Ground,
    cuts: &[Cut<'_>],
    protocol: &Protocol<'_>,
    estimator: &dyn Recommender,
    progress: &Progress,
) -> Result<Judgement> {
    ground.remarks.say(progress);
    let mut cost = Cost::default();
    let mut parts = Vec::with_capacity(cuts.len());
    for Cut { fold, history } in cuts {
        let training = Training {
            history,
            as_of: fold.training_day(),
            products: &ground.products,
            customers: &ground.customers,
        };
        let clock = Clock::start();
        let fitted = estimator.fit(&training)?;
        clock.stop(&mut cost.fit_cpu_seconds, &mut cost.fit_seconds);
        let clock = Clock::start();
        parts.push(rank(fold, protocol, &*fitted, history, progress)?);
        clock.stop(&mut cost.rank_cpu_seconds, &mut cost.rank_seconds);
    }
    let scores = Scores::pooled(parts).ok_or_else(|| {
        tercet_types::Error::internal("T1090", "a split gave no fold").hint("report this")
    })?;
    Ok(Judgement { scores, cost })
}

/// Ranks for everybody who is judged, a batch at a time.
fn rank(
    fold: &Fold<'_>,
    protocol: &Protocol<'_>,
    fitted: &dyn Fitted,
    history: &Purchases,
    progress: &Progress,
) -> Result<Scores> {
    let wanted = |customer| protocol.redraws.as_ref().is_none_or(|r| r.any(customer));
    let referee = Referee::new(fold, protocol.ks, wanted)?;
    let wanted = Wanted { k: referee.longest(), seen: protocol.seen, among: None };
    let mut scores = referee.scores();
    let meter = progress.count("customers", referee.judged().len() as u64);
    for batch in referee.judged().chunks(BATCH) {
        let known: Vec<Vec<Purchase>> =
            batch.iter().map(|customer| fold.known(*customer).map(purchase).collect()).collect();
        let queries: Vec<Query<'_>> = batch
            .iter()
            .zip(&known)
            .map(|(customer, lines)| Query {
                customer: (!history.of(*customer).is_empty()).then_some(*customer),
                lines,
                as_of: fold.day_of(*customer),
            })
            .collect();
        let lists = fitted.recommend(&queries, &wanted);
        let lists: Vec<Vec<u32>> = lists
            .into_iter()
            .map(|list| list.into_iter().map(|(product, _)| product).collect())
            .collect();
        referee.add(&mut scores, &lists)?;
        meter.advance(batch.len() as u64);
    }
    Ok(scores)
}

/// The lines to learn from, as estimators take them.
fn purchases(fold: &Fold<'_>) -> Result<Purchases> {
    let histories = fold.histories();
    let lines = fold.training().map(|(customer, line)| (customer, purchase(line))).collect();
    Purchases::new(histories.customers(), histories.products(), lines)
}

/// A line as estimators take it.
pub(crate) const fn purchase(line: &Line) -> Purchase {
    Purchase {
        day: line.day,
        order: line.order,
        product: line.product,
        spend_minor: line.spend_minor,
    }
}

/// Time of the process and of the wall.
struct Clock {
    cpu: Option<f64>,
    wall: std::time::Instant,
}

impl Clock {
    fn start() -> Self {
        Self { cpu: cpu_seconds(), wall: now() }
    }

    /// Adds what passed.
    fn stop(self, cpu: &mut Option<f64>, wall: &mut f64) {
        *wall += self.wall.elapsed().as_secs_f64();
        let passed = self.cpu.zip(cpu_seconds()).map(|(before, after)| after - before);
        *cpu = passed.map(|passed| cpu.unwrap_or(0.0) + passed);
    }
}

/// CPU seconds of this process, where the system tells: Linux, in hundredths.
fn cpu_seconds() -> Option<f64> {
    const TICKS_PER_SECOND: f64 = 100.0;
    let stat = std::fs::read_to_string("/proc/self/stat").ok()?;
    // Behind the command's name, which may hold anything: user time is the 12th field, system time the 13th.
    let fields: Vec<&str> = stat.rsplit_once(')')?.1.split_whitespace().collect();
    let ticks = |at: usize| fields.get(at)?.parse::<f64>().ok();
    Some((ticks(11)? + ticks(12)?) / TICKS_PER_SECOND)
}
