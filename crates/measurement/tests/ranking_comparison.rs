//! Are models put beside each other as they should be?
#![allow(
    clippy::unwrap_used,
    clippy::allow_attributes,
    reason = "a failed test should stop at once"
)]

use tercet_measurement::offline::Bootstrap;
use tercet_measurement::ranking::{
    Ask, Comparison, Figure, Histories, Line, Metric, Part, Redraws, Referee, Scores, Split, Stage,
    compare,
};

const TEST: Stage = Stage::Test { fit_validation: true };
const PRODUCTS: u32 = 12;

/// Each customer took up `n`, `n + 1` and then `n + 2`, or, one in three, `n` again.
fn histories(customers: u32) -> Histories {
    let line = |day: i32, product: u32| Line {
        day,
        order: day as u32,
        product: product % PRODUCTS,
        spend_minor: 250,
        part: Part::Train,
    };
    let own = |n: u32| {
        let last = if n.is_multiple_of(3) { n } else { n + 2 };
        [(n, line(1, n)), (n, line(2, n + 1)), (n, line(3, last))]
    };
    let keys = |count: u32| (0..u64::from(count)).map(|n| n * 0x9E37_79B9).collect::<Vec<u64>>();
    Histories::new(keys(customers), keys(PRODUCTS), (0..customers).flat_map(own).collect()).unwrap()
}

/// Judges a model that ranks so for every customer.
fn judged(histories: &Histories, ks: &[usize], list: impl Fn(u32) -> Vec<u32>) -> Scores {
    let folds = Split::LeaveLastOut.folds(histories, TEST).unwrap();
    let referee = Referee::new(&folds[0], ks, |_| true).unwrap();
    let mut scores = referee.scores();
    for part in referee.judged().chunks(7) {
        let lists: Vec<Vec<u32>> = part.iter().map(|customer| list(*customer)).collect();
        referee.add(&mut scores, &lists).unwrap();
    }
    scores
}

fn next(n: u32) -> Vec<u32> {
    vec![(n + 2) % PRODUCTS, n % PRODUCTS]
}

fn again(n: u32) -> Vec<u32> {
    vec![n % PRODUCTS]
}

fn ask<'a>() -> Ask<'a> {
    Ask {
        against: None,
        primary: Metric::Ndcg,
        bootstrap: Bootstrap { draws: 500, seed: 1 },
        redraws: None,
    }
}

fn figure(found: &Comparison, model: usize, metric: Metric, k: usize) -> &Figure {
    found.models[model].figures.iter().find(|f| (f.metric, f.k) == (metric, k)).unwrap()
}

#[test]
fn models_are_held_against_the_best() {
    let histories = histories(90);
    let models = [
        ("again".to_owned(), judged(&histories, &[1, 3], again)),
        ("next".to_owned(), judged(&histories, &[1, 3], next)),
        ("none".to_owned(), judged(&histories, &[1, 3], |_| Vec::new())),
    ];
    let found = compare(&models, &ask()).unwrap();
    assert_eq!((found.customers, found.against.as_str()), (90, "next"));
    let check = |model, metric, k, expect: f64| {
        let found = figure(&found, model, metric, k);
        assert!((found.value - expect).abs() < 1e-12, "{found:?}");
        let [low, high] = found.interval.unwrap();
        assert!(low <= expect && expect <= high, "{found:?}");
    };
    check(0, Metric::Recall, 1, 1.0 / 3.0);
    check(1, Metric::Recall, 1, 2.0 / 3.0);
    check(1, Metric::Recall, 3, 1.0);
    check(1, Metric::Precision, 3, 1.0 / 3.0);
    check(1, Metric::Mrr, 3, 2.0 / 3.0 + 1.0 / 6.0);
    check(1, Metric::ValueMinor, 3, 250.0);
    check(0, Metric::RepeatRecall, 1, 1.0);
    check(0, Metric::ExploreRecall, 1, 0.0);
    assert_eq!(figure(&found, 0, Metric::RepeatRecall, 1).customers, 30);
    assert!((figure(&found, 0, Metric::Coverage, 1).value - 1.0).abs() < 1e-12);
    let paired = figure(&found, 0, Metric::Recall, 3).paired.clone().unwrap();
    assert!((paired.value + 2.0 / 3.0).abs() < 1e-12 && paired.interval[1] < 0.0);
    let (p, holm) = (paired.p_value.unwrap(), paired.p_holm.unwrap());
    assert!(p < 1e-9 && (p..=2.0 * p).contains(&holm), "{paired:?}");
    assert!(figure(&found, 1, Metric::Recall, 3).paired.is_none());
    assert!(
        figure(&found, 1, Metric::Ndcg, 1).is_best && !figure(&found, 0, Metric::Ndcg, 1).is_best
    );
    assert_eq!((found.models[0].short_lists, found.models[2].short_lists), (90, 90));
    let has = |model: usize, metric| found.models[model].figures.iter().any(|f| f.metric == metric);
    assert!(has(0, Metric::Novelty) && !has(2, Metric::Novelty) && !has(2, Metric::Gini));
    let named = Ask { against: Some("again".to_owned()), ..ask() };
    let turned = compare(&models, &named).unwrap();
    let other = figure(&turned, 1, Metric::Recall, 3).paired.clone().unwrap();
    assert!((other.value + paired.value).abs() < 1e-12);
    assert_eq!(other.interval, [-paired.interval[1], -paired.interval[0]]);
}

#[test]
fn any_number_of_threads_gives_the_same_bits() {
    let histories = histories(300);
    let all = || {
        let models = [
            ("a".to_owned(), judged(&histories, &[2], again)),
            ("n".to_owned(), judged(&histories, &[2], next)),
        ];
        compare(&models, &ask()).unwrap()
    };
    let pool = rayon::ThreadPoolBuilder::new().num_threads(1).build().unwrap();
    assert!(pool.install(all) == all());
}

#[test]
fn redraws_judge_a_share_each() {
    let histories = histories(900);
    let redraws = Redraws::new(&histories, 0.2, 5, 7).unwrap();
    let folds = Split::LeaveLastOut.folds(&histories, TEST).unwrap();
    let referee = Referee::new(&folds[0], &[1], |customer| redraws.any(customer)).unwrap();
    // A customer escapes five draws of a fifth with a chance of 0.33.
    assert!((500..700).contains(&referee.judged().len()), "{}", referee.judged().len());
    let mut scores = referee.scores();
    let lists: Vec<Vec<u32>> = referee.judged().iter().map(|customer| again(*customer)).collect();
    referee.add(&mut scores, &lists).unwrap();
    let asked = Ask { redraws: Some(redraws), ..ask() };
    let found = compare(&[("again".to_owned(), scores)], &asked).unwrap();
    let redrawn = figure(&found, 0, Metric::Recall, 1).redrawn.unwrap();
    assert_eq!(redrawn.redraws, 5);
    // Shares of about 180 customers, one in three of whom hits: a standard error of 0.035 each.
    assert!((redrawn.mean - 1.0 / 3.0).abs() < 0.06, "{redrawn:?}");
    assert!((0.005..0.08).contains(&redrawn.deviation.unwrap()), "{redrawn:?}");
    for (share, count) in [(0.0, 5), (1.1, 5), (f64::NAN, 5), (0.5, 0), (0.5, 5_000)] {
        assert_eq!(Redraws::new(&histories, share, count, 7).unwrap_err().code(), "T0733");
    }
}

#[test]
fn a_customer_of_several_weeks_counts_once() {
    let line = |day: i32, product| Line {
        day,
        order: day as u32,
        product,
        spend_minor: 1,
        part: Part::Train,
    };
    // One customer buys product 1 in both weeks, the other in the last alone.
    let lines =
        vec![(0, line(0, 0)), (0, line(8, 1)), (0, line(15, 1)), (1, line(0, 0)), (1, line(20, 1))];
    let histories = Histories::new(vec![1, 2], vec![1, 2], lines).unwrap();
    let folds = Split::RollingWeeks { weeks: 2 }.folds(&histories, TEST).unwrap();
    let parts = folds.iter().enumerate().map(|(week, fold)| {
        let referee = Referee::new(fold, &[1], |_| true).unwrap();
        let mut scores = referee.scores();
        // Right in the second week alone.
        let lists: Vec<Vec<u32>> = referee.judged().iter().map(|_| vec![week as u32]).collect();
        referee.add(&mut scores, &lists).unwrap();
        scores
    });
    let pooled = Scores::pooled(parts.collect()).unwrap();
    assert_eq!((pooled.customers(), pooled.mean(Metric::Recall, 1)), (2, Some(0.75)));
    assert_eq!(pooled.mean(Metric::Coverage, 1), Some(1.0));
    assert!(Scores::pooled(vec![]).is_none());
}

#[test]
fn few_customers_and_malformed_lists_are_refused_by_name() {
    let few = histories(1);
    let models = [
        ("again".to_owned(), judged(&few, &[50], again)),
        ("next".to_owned(), judged(&few, &[50], next)),
    ];
    let found = compare(&models, &ask()).unwrap();
    let recall = figure(&found, 0, Metric::Recall, 50);
    assert_eq!((recall.value, recall.interval), (1.0, Some([1.0, 1.0])));
    let paired = figure(&found, 1, Metric::Mrr, 50).paired.clone().unwrap();
    assert!(paired.refused.is_some() && paired.p_value.is_none());

    let code =
        |models: &[(String, Scores)], ask: &Ask<'_>| compare(models, ask).unwrap_err().code();
    assert_eq!(code(&[], &ask()), "T0704");
    assert_eq!(code(&[models[0].clone(), models[0].clone()], &ask()), "T0704");
    assert_eq!(code(&models, &Ask { against: Some("who".to_owned()), ..ask() }), "T0704");
    let draws = Bootstrap { draws: 0, seed: 0 };
    assert_eq!(code(&models, &Ask { bootstrap: draws, ..ask() }), "T0703");
    let other = ("other".to_owned(), judged(&histories(4), &[50], again));
    assert_eq!(code(&[models[0].clone(), other], &ask()), "T0732");

    let past = histories(2);
    let folds = Split::LeaveLastOut.folds(&past, TEST).unwrap();
    for ks in [&[][..], &[0], &[3, 3], &[10_001]] {
        assert_eq!(Referee::new(&folds[0], ks, |_| true).unwrap_err().code(), "T0733");
    }
    assert_eq!(Referee::new(&folds[0], &[3], |_| false).unwrap_err().code(), "T0731");
    let referee = Referee::new(&folds[0], &[3], |_| true).unwrap();
    for lists in [&[vec![PRODUCTS]][..], &[vec![1, 2, 1]], &[vec![], vec![], vec![]]] {
        let error = referee.add(&mut referee.scores(), lists).unwrap_err();
        assert_eq!(error.code(), "T0732", "{error}");
    }
}
