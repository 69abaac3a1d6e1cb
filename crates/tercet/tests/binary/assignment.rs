//! Do arms stay whatever becomes of key and shares, and do the engines of a test keep to their customers?

use std::collections::{BTreeMap, BTreeSet};

use tercet_measurement::assignment::{Salt, bucket};

use crate::support::{MONDAY, Project, counts, project};

/// Mondays after [`MONDAY`].
const NEXT_MONDAY: &str = "2026-02-23";
const THIRD_MONDAY: &str = "2026-03-02";

const KEY: &str = "000102030405060708090a0b0c0d0e0f";
const OTHER_KEY: &str = "f0e1d2c3b4a5968778695a4b3c2d1e0f";

/// The starter with promotions for the next Mondays, and a test of `personal` against another engine, or none.
fn testing(baseline: &str, share: f64) -> Project {
    let shop = project();
    shop.edit("data/promotions.csv", |_, cells| {
        if cells[0].starts_with("W08") {
            cells[6] = "2026-03-15".to_owned();
        }
    });
    shop.set("run.engine", "personal");
    shop.set("rules.repeat_gap_weeks", 0);
    shop.set("experiment.name", "autumn");
    shop.set("experiment.baseline", baseline);
    shop.set("experiment.share", share);
    shop
}

fn weekly(shop: &Project, key: &str, flags: &[&str]) -> String {
    let flags = [&["--quiet", "run"], flags].concat();
    let done = shop.run_with(&[("TERCET_ASSIGNMENT_KEY", key)], &flags).fine();
    done.stdout.split_whitespace().next().unwrap().to_owned()
}

/// One row of the log of assignment.
#[derive(Clone, Debug, PartialEq)]
struct Row {
    arm: String,
    bucket: i32,
    share: f64,
    assigned_on: String,
    arm_since: String,
    is_kept: bool,
}

/// True for a run whose tables are files of customers in no order of their own.
fn is_in_parts(shop: &Project, run: &str) -> bool {
    shop.path().join("runs").join(run).join("allocation/assignments").is_dir()
}

/// The log of a run, by experiment and customer.
fn assigned(shop: &Project, run: &str) -> BTreeMap<(String, String), Row> {
    let log = shop.table(run, "allocation/assignments");
    let text = |name: &str| log.text(name).unwrap();
    let (experiments, customers, arms) = (text("experiment"), text("customer_id"), text("arm"));
    let (buckets, shares) = (log.i32("bucket").unwrap(), log.f64("share").unwrap());
    let (days, since) = (log.date("assigned_on").unwrap(), log.date("arm_since").unwrap());
    let kept = log.bool_or_null("is_kept").unwrap();
    assert!(customers.is_sorted() || is_in_parts(shop, run));
    let row = |at: usize| Row {
        arm: arms[at].clone(),
        bucket: buckets[at],
        share: shares[at],
        assigned_on: days[at].to_string(),
        arm_since: since[at].to_string(),
        is_kept: kept[at] == Some(true),
    };
    let rows: BTreeMap<_, _> = (0..log.rows())
        .map(|at| ((experiments[at].clone(), customers[at].clone()), row(at)))
        .collect();
    assert_eq!(rows.len(), log.rows());
    for (place, row) in &rows {
        let is_in = f64::from(row.bucket) < row.share * 10_000.0;
        assert_eq!(is_in, matches!(row.arm.as_str(), "control" | "test"), "{place:?} {row:?}");
    }
    rows
}

/// Who is in an arm of an experiment.
fn members(log: &BTreeMap<(String, String), Row>, experiment: &str, arm: &str) -> BTreeSet<String> {
    let of = log.iter().filter(|((of, _), row)| of == experiment && row.arm == arm);
    of.map(|((_, customer), _)| customer.clone()).collect()
}

/// Rows of the decision log: customer, arm, engine, arm of the test, promotion, kind of value, empty reason.
type Decided = (String, String, String, Option<String>, Option<String>, String, Option<String>);

fn decided(shop: &Project, run: &str) -> Vec<Decided> {
    let log = shop.table(run, "allocation/decisions");
    let text = |name: &str| log.text(name).unwrap();
    let or_null = |name: &str| log.text_or_null(name).unwrap();
    let (customers, slots) = (text("customer_id"), log.i32("slot").unwrap());
    let places: Vec<(&String, i32)> = customers.iter().zip(slots).collect();
    assert!(places.is_sorted() || is_in_parts(shop, run));
    let (arms, engines, kinds) = (text("arm"), text("engine"), text("value_kind"));
    let (tests, test_arms) = (or_null("experiment"), or_null("experiment_arm"));
    let (promotions, empties) = (or_null("promotion_id"), or_null("empty_reason"));
    (0..log.rows())
        .map(|at| {
            assert_eq!(tests[at].as_deref(), test_arms[at].as_ref().map(|_| "autumn"));
            (
                customers[at].clone(),
                arms[at].clone(),
                engines[at].clone(),
                test_arms[at].clone(),
                promotions[at].clone(),
                kinds[at].clone(),
                empties[at].clone(),
            )
        })
        .collect()
}

/// Checks a run's decisions against its log of assignment, and returns the offers of each promotion by engine.
fn check(shop: &Project, run: &str, baseline: &str) -> BTreeMap<(String, String), usize> {
    let log = assigned(shop, run);
    let arm_of = |experiment: &str, customer: &str| {
        log.get(&(experiment.to_owned(), customer.to_owned())).map(|row| row.arm.clone())
    };
    let rows = decided(shop, run);
    assert_eq!(rows.len(), 60 * 3);
    for (customer, arm, engine, test_arm, promotion, _, empty) in &rows {
        assert_eq!(arm_of("holdout", customer).as_ref(), Some(arm));
        if arm == "control" {
            assert_eq!((engine.as_str(), test_arm, promotion), ("personal", &None, &None));
            continue;
        }
        assert_eq!(&arm_of("autumn", customer), test_arm);
        let expected = if test_arm.as_deref() == Some("test") { "personal" } else { baseline };
        assert_eq!(engine, expected, "{customer}");
        if engine == "none" {
            assert_eq!((promotion, empty.as_deref()), (&None, Some("baseline")), "{customer}");
        }
    }
    counts(rows.into_iter().filter_map(|row| row.4.map(|promotion| (row.2, promotion))))
}

#[test]
fn an_engine_test_divides_customers_and_limits() {
    let shop = testing("popular", 0.4);
    shop.set("rules.cap_default", 9);
    shop.set("rules.budget_minor", 4_000);
    let id = weekly(&shop, KEY, &[]);
    let offers = check(&shop, &id, "popular");
    let log = assigned(&shop, &id);
    let (test, baseline) =
        (members(&log, "autumn", "test").len(), members(&log, "autumn", "baseline").len());
    assert!(test >= 12 && baseline >= 20, "{test} {baseline}");
    let engines = counts(offers.keys().map(|(engine, _)| engine.clone()));
    assert_eq!(engines.keys().collect::<Vec<_>>(), ["personal", "popular"]);
    // Nine offers of a promotion, of which each side may make its part and no more.
    let of_test = 9 * test / (test + baseline);
    for ((engine, promotion), count) in &offers {
        let most = if engine == "personal" { of_test } else { 9 - of_test };
        assert!(*count <= most, "{engine} {promotion}: {count} of {most}");
    }
    assert!(offers.iter().any(|((engine, _), count)| engine == "popular" && *count == 9 - of_test));
    let costs: i64 = shop.decisions(&id).iter().map(|row| row.expected_cost_minor).sum();
    assert!(costs > 0 && costs <= 4_000, "{costs}");
    let plan: serde_json::Value =
        serde_json::from_str(&shop.text(&format!("runs/{id}/allocation/plan.json"))).unwrap();
    let budget = |plan: &serde_json::Value| plan["total_budget_minor"][0].as_i64().unwrap();
    assert_eq!(budget(&plan) + budget(&plan["baseline"]), 4_000);
    let report = shop.text(&format!("runs/{id}/delivery/report.html"));
    assert!(
        report.contains("else popular (engine test &#x27;autumn&#x27;)")
            || report.contains("else popular (engine test 'autumn')"),
        "the report is silent"
    );

    // A customer of either side can be explained.
    for arm in ["test", "baseline"] {
        let customer = members(&log, "autumn", arm).into_iter().next().unwrap();
        let told = shop.run(&["explain", "--customer", &customer, "--format", "json"]).fine();
        let told = told.json();
        assert_eq!(told["offers"].as_array().unwrap().len(), 3);
        let about = told["about"]["engine test"].as_str().unwrap();
        assert!(about.starts_with(&format!("autumn: {arm}, decided by p")), "{about}");
    }

    // Part by part the arms are the same, and the limits hold of all parts together.
    shop.set("run.parts", 3);
    let parts = weekly(&shop, KEY, &[]);
    assert_eq!(
        counts(shop.files().keys().filter(|file| file.contains("assignments/part-")).map(|_| ()))
            .len(),
        1
    );
    let offers = check(&shop, &parts, "popular");
    let by_part = shop.table(&parts, "allocation/assignments");
    assert_eq!(by_part.rows(), log.len());
    let all = counts(offers.iter().flat_map(|((_, id), count)| vec![id.clone(); *count]));
    assert!(all.values().all(|count| *count <= 9), "{all:?}");
}

#[test]
fn a_staged_roll_out_lets_nobody_go_and_the_log_is_taken_over() {
    let shop = testing("popular", 0.1);
    shop.set("rules.holdout_rate", 0.3);
    let first = assigned(&shop, &weekly(&shop, KEY, &[]));
    let (control, test) =
        (members(&first, "holdout", "control"), members(&first, "autumn", "test"));
    assert!(control.len() >= 9 && test.len() < 15, "{} {}", control.len(), test.len());
    assert!(first.values().all(|row| row.assigned_on == MONDAY && row.arm_since == MONDAY));

    shop.set("experiment.share", 0.6);
    let id = weekly(&shop, KEY, &["--as-of", NEXT_MONDAY]);
    check(&shop, &id, "popular");
    let second = assigned(&shop, &id);
    let more = members(&second, "autumn", "test");
    assert!(more.is_superset(&test) && more.len() >= 15, "{test:?} {more:?}");
    assert_eq!(members(&second, "holdout", "control"), control);
    for (place, row) in &second {
        let before = &first[place];
        assert_eq!((&row.assigned_on, row.bucket), (&before.assigned_on, before.bucket));
        let since = if row.arm == before.arm { MONDAY } else { NEXT_MONDAY };
        assert_eq!((row.arm_since.as_str(), row.is_kept), (since, false), "{place:?}");
    }

    // Neither a smaller share and rate nor another key moves anybody; the report says so.
    shop.set("experiment.share", 0.1);
    shop.set("rules.holdout_rate", 0.1);
    let id = weekly(&shop, OTHER_KEY, &["--as-of", THIRD_MONDAY]);
    check(&shop, &id, "popular");
    let third = assigned(&shop, &id);
    assert!(third.values().any(|row| row.is_kept));
    for (place, row) in &third {
        let before = Row { is_kept: row.is_kept, ..second[place].clone() };
        assert_eq!(*row, before, "{place:?}");
    }
    let report = shop.text(&format!("runs/{id}/delivery/report.html"));
    assert!(report.contains("keep the arm that was logged"), "the report is silent");

    // Part by part the log is taken over, too.
    shop.set("run.parts", 2);
    let parts = weekly(&shop, OTHER_KEY, &["--as-of", THIRD_MONDAY]);
    assert_eq!(assigned(&shop, &parts), third);
    shop.set("run.parts", 3);
    let next = weekly(&shop, KEY, &["--as-of", "2026-03-09"]);
    for (place, row) in assigned(&shop, &next) {
        assert_eq!(Row { is_kept: third[&place].is_kept, ..row }, third[&place], "{place:?}");
    }
}

#[test]
fn who_comes_into_another_part_keeps_arms_and_contacts() {
    let shop = testing("popular", 0.4);
    shop.set("rules.repeat_gap_weeks", 2);
    shop.set("run.parts", 4);
    let log_ins = |customers: u32| {
        let rows = (1..=customers).map(|n| format!("till,2026-02-10 10:00:00,login,C{n:03}\n"));
        format!("visitor_id,occurred_at,event_type,customer_id\n{}", rows.collect::<String>())
    };
    shop.source("interactions", &log_ins(1));
    let first = weekly(&shop, KEY, &[]);
    // Half of the customers log in at one device: from now on they are in one part.
    shop.source("interactions", &log_ins(30));
    let second = weekly(&shop, KEY, &["--as-of", NEXT_MONDAY]);
    let parts = |run: &str| -> BTreeMap<String, usize> {
        let table = |part: usize| format!("allocation/assignments/part-{part:04}");
        let of_part = |part: usize| {
            let customers = shop.table(run, &table(part)).text("customer_id").unwrap();
            customers.into_iter().map(move |customer| (customer, part))
        };
        (0..4).flat_map(of_part).collect()
    };
    let (before, after) = (parts(&first), parts(&second));
    let moved: Vec<&String> = before.keys().filter(|id| before[*id] != after[*id]).collect();
    assert!(moved.len() > 10 && moved.len() < 30, "{moved:?}");
    assert_eq!(assigned(&shop, &second), assigned(&shop, &first));
    let offers = |run: &str| -> BTreeSet<(String, String)> {
        decided(&shop, run).into_iter().filter_map(|row| Some((row.0, row.4?))).collect()
    };
    let (early, late) = (offers(&first), offers(&second));
    assert!(moved.iter().any(|id| late.iter().any(|(customer, _)| customer == *id)));
    let again: Vec<_> = early.intersection(&late).collect();
    assert!(again.is_empty(), "{again:?}");
}

#[test]
fn a_baseline_without_an_engine_gets_nothing_and_uses_nothing_up() {
    let shop = testing("none", 0.5);
    shop.set("rules.cap_default", 10);
    let id = weekly(&shop, KEY, &[]);
    let offers = check(&shop, &id, "none");
    let log = assigned(&shop, &id);
    let (test, baseline) =
        (members(&log, "autumn", "test").len(), members(&log, "autumn", "baseline").len());
    let most = 10 * test / (test + baseline);
    assert!(offers.values().all(|count| *count <= most), "{offers:?}");
    assert!(offers.values().any(|count| *count == most), "{offers:?}");

    // With everybody in the test all of it is to be had; with nobody, nothing is offered.
    shop.set("experiment.share", 1.0);
    let id = weekly(&shop, KEY, &[]);
    assert!(check(&shop, &id, "none").values().any(|count| *count == 10));
    shop.set("experiment.share", 0.0);
    let id = weekly(&shop, KEY, &[]);
    assert_eq!(check(&shop, &id, "none").len(), 0);
    shop.set("experiment.baseline", "popular");
    let id = weekly(&shop, KEY, &[]);
    assert!(check(&shop, &id, "popular").values().any(|count| *count == 10));
}

#[test]
fn tests_that_cannot_be_are_refused_before_anything_is_read() {
    let shop = testing("personal", 0.5);
    shop.run(&["run"]).refused(2, "T1036", &["'personal' is the engine under test"]);
    shop.set("experiment.baseline", "nobody");
    shop.run(&["run"]).refused(2, "T1015", &["nobody"]);
    shop.set("experiment.baseline", "popular");
    shop.set("experiment.share", 1.5);
    shop.run(&["run"]).refused(2, "T0713", &["1.5"]);
    shop.set("experiment.share", 0.5);
    shop.set("experiment.name", "two words");
    shop.run(&["run"]).refused(2, "T1036", &["two words"]);
    assert!(!shop.path().join("runs").exists());
}

#[test]
fn a_predicate_can_ask_for_the_bucket() {
    let shop = project();
    shop.set("run.engine", "popular");
    let sql = format!("keyed_bucket('{KEY}', 'engine_ab:newsletter', customer_id, 10000) < 5000");
    shop.set("audience.where", sql);
    let reached = shop.reached(&shop.weekly(&[]));
    let bytes = u128::from_str_radix(KEY, 16).unwrap().to_be_bytes();
    let is_in = |id: &String| bucket(&bytes, Salt::Experiment("newsletter"), id) < 5_000;
    assert!(reached.len() > 15 && reached.iter().all(is_in), "{reached:?}");
}

#[test]
fn customers_lost_from_one_arm_raise_the_alarm() {
    let shop = project();
    shop.set("run.engine", "popular");
    shop.set("rules.holdout_rate", 0.5);
    let id = weekly(&shop, KEY, &[]);
    let report = shop.text(&format!("runs/{id}/delivery/report.html"));
    assert!(!report.contains("Sample ratio mismatch"), "a false alarm");
    let control = members(&assigned(&shop, &id), "holdout", "control");
    assert!(control.len() >= 20, "{control:?}");
    // A broken export drops all but four of them.
    let lost: BTreeSet<&String> = control.iter().skip(4).collect();
    shop.edit("data/transactions.csv", |_, cells| {
        if cells.iter().any(|cell| lost.contains(cell)) {
            cells.clear();
        }
    });
    let flags = ["--quiet", "run", "--seed", "8"];
    let done = shop.run_with(&[("TERCET_ASSIGNMENT_KEY", KEY)], &flags).fine();
    let words = "ALARM: the arms of 'holdout' are not as planned: all groups are off alike";
    assert!(done.stdout.contains(words), "{}", done.stdout);
    let id = done.stdout.split_whitespace().next().unwrap();
    let report = shop.text(&format!("runs/{id}/delivery/report.html"));
    assert!(report.contains("Sample ratio mismatch"), "the report is silent");
}
