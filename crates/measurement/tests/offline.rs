//! Does the referee agree with an independent computation, and does it refuse bad input?
#![expect(clippy::unwrap_used, reason = "a test that cannot go on should say where it stopped")]

use std::collections::BTreeMap;

use serde_json::Value;
use tercet_measurement::offline::{
    Bootstrap, Breadth, CustomerWeek, EngineSlates, Metric, Purchase, Scope, Slate, Summary, Week,
    WeekPromotion, referee,
};

fn oracle() -> Value {
    serde_json::from_str(include_str!("oracle/offline.json")).unwrap()
}

fn numbers(value: &Value) -> Vec<u32> {
    value.as_array().unwrap().iter().map(|n| n.as_u64().unwrap() as u32).collect()
}

fn rows(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().unwrap().iter()
}

fn week(value: &Value) -> Week {
    let promotion = |p: &Value| WeekPromotion {
        products: numbers(&p["products"]),
        breadth: if p["narrow"] == true { Breadth::Narrow } else { Breadth::Broad },
    };
    let purchase = |p: &Value| Purchase {
        product: p[0].as_u64().unwrap() as u32,
        spend_minor: p[1].as_i64().unwrap(),
    };
    let customer = |c: &Value| CustomerWeek {
        customer: c["customer"].as_u64().unwrap() as u32,
        purchases: rows(&c["purchases"]).map(purchase).collect(),
        bought_before: numbers(&c["bought_before"]),
        redeemed: (!c["redeemed"].is_null()).then(|| numbers(&c["redeemed"])),
        segment: c["segment"].as_str().unwrap().to_owned(),
    };
    Week {
        name: value["name"].as_str().unwrap().to_owned(),
        promotions: rows(&value["promotions"]).map(promotion).collect(),
        customers: rows(&value["customers"]).map(customer).collect(),
    }
}

fn slate(value: &Value) -> Slate {
    [0, 1, 2].map(|place| value[place].as_u64().map(|p| p as u32))
}

fn engine(oracle: &Value, name: &str) -> EngineSlates {
    let slates = Scope::ALL.map(|scope| {
        let of_week = |w: &Value| rows(&w["slates"][name][scope.name()]).map(slate).collect();
        (scope, rows(&oracle["weeks"]).map(of_week).collect())
    });
    EngineSlates { name: name.to_owned(), slates: BTreeMap::from(slates) }
}

fn inputs() -> (Vec<Week>, Vec<EngineSlates>) {
    let oracle = oracle();
    let weeks = rows(&oracle["weeks"]).map(week).collect();
    (weeks, vec![engine(&oracle, "tercet"), engine(&oracle, "personal")])
}

fn judge(seed: u64) -> Summary {
    let (weeks, engines) = inputs();
    let pairs = [("tercet", "personal")];
    referee(&weeks, &engines, &pairs, Bootstrap { draws: 200, seed }).unwrap()
}

#[track_caller]
fn close(got: f64, expect: &Value, place: &str) {
    let expect = expect.as_f64().unwrap();
    assert!((got - expect).abs() <= 1e-9 * expect.abs().max(1.0), "{place}: {got} not {expect}");
}

#[test]
fn values_agree_with_numpy() {
    let (summary, oracle) = (judge(1), oracle());
    for (name, scopes) in &summary.engines {
        for (scope, metrics) in scopes {
            assert_eq!(metrics.len(), 9);
            for (metric, interval) in metrics {
                let expect = &oracle["expect"]["all"][name][scope.name()][metric.name()];
                close(interval.value, expect, &format!("{name} {scope:?} {metric:?}"));
            }
        }
    }
    for (key, parts) in [("by_week", &summary.by_week), ("by_segment", &summary.by_segment)] {
        for (name, scopes) in parts {
            for (scope, of_part) in scopes {
                assert_eq!(of_part.len(), 3, "{key}");
                for (part, breakdown) in of_part {
                    let expect = &oracle["expect"][key][name][part][scope.name()];
                    assert_eq!(Some(breakdown.customers), expect["customers"].as_u64(), "{part}");
                    for (metric, &value) in &breakdown.metrics {
                        let place = format!("{key} {name} {part} {scope:?} {metric:?}");
                        close(value, &expect[metric.name()], &place);
                    }
                }
            }
        }
    }
}

#[test]
fn intervals_are_ordered_paired_and_the_same_on_any_number_of_threads() {
    let summary = judge(1);
    let pool = |threads| rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
    assert_eq!(pool(1).install(|| judge(1)), summary);
    assert_eq!(pool(5).install(|| judge(1)), summary);
    assert_ne!(judge(2), summary);
    for (scope, metrics) in &summary.paired["tercet-personal"] {
        for (metric, pair) in metrics {
            assert!(pair.low <= pair.value && pair.value <= pair.high, "{scope:?} {metric:?}");
            let value = |name: &str| summary.engines[name][scope][metric].value;
            let (a, b) = (value("tercet"), value("personal"));
            assert!((pair.value - (a - b)).abs() < 1e-12);
            let relative = pair.relative.unwrap();
            assert!((relative.value - (a / b - 1.0)).abs() < 1e-12);
        }
    }
}

#[test]
fn an_engine_against_its_twin_differs_by_nothing() {
    let (weeks, mut engines) = inputs();
    engines[1] = EngineSlates { name: "twin".to_owned(), ..engines[0].clone() };
    let pairs = [("tercet", "twin")];
    let summary = referee(&weeks, &engines, &pairs, Bootstrap { draws: 50, seed: 9 }).unwrap();
    for metrics in summary.paired["tercet-twin"].values() {
        assert!(metrics.values().all(|pair| (pair.low, pair.value, pair.high) == (0.0, 0.0, 0.0)));
    }
}

#[test]
fn the_summary_survives_json_with_the_keys_that_readers_rely_on() {
    let summary = judge(1);
    let text = serde_json::to_string(&summary).unwrap();
    let value: Value = serde_json::from_str(&text).unwrap();
    let keys: Vec<&str> = value["engines"]["tercet"]["narrow"]
        .as_object()
        .unwrap()
        .keys()
        .map(String::as_str)
        .collect();
    assert_eq!(keys, Metric::ALL.map(Metric::name));
    let pair = &value["paired"]["tercet-personal"]["all"]["spend_captured_minor"];
    assert!(pair["low"].is_f64() && pair["relative"]["high"].is_f64(), "{pair}");
    assert!(value["by_week"]["tercet"]["broad"]["2017-09-04"]["coverage"].is_f64());
    assert!(value["denominators"]["narrow"]["redemptions"].is_u64());
    let back: Summary = serde_json::from_str(&text).unwrap();
    assert_eq!((&back.weeks, &back.denominators), (&summary.weeks, &summary.denominators));
    assert_eq!(back.by_segment["personal"][&Scope::All]["both"].metrics.len(), 9);
}

#[test]
fn no_customers_and_no_sales_give_zeros() {
    let (mut weeks, mut engines) = inputs();
    weeks[0].customers.iter_mut().for_each(|row| row.purchases.clear());
    weeks[1].customers.clear();
    weeks.truncate(2);
    for slates in engines.iter_mut().flat_map(|engine| engine.slates.values_mut()) {
        slates.truncate(2);
        slates[1].clear();
    }
    let pairs = [("tercet", "personal")];
    let summary = referee(&weeks, &engines, &pairs, Bootstrap { draws: 20, seed: 1 }).unwrap();
    let metrics = &summary.engines["tercet"][&Scope::All];
    assert_eq!(metrics[&Metric::HitRateAt3].value, 0.0);
    assert!(metrics[&Metric::Coverage].value > 0.0);
    assert!(summary.paired["tercet-personal"][&Scope::All][&Metric::HitRateAt3].relative.is_none());
    assert_eq!(summary.denominators[&Scope::All].buying_customer_weeks, 0);
}

#[test]
fn bad_input_is_refused_by_name() {
    let check = |spoil: &dyn Fn(&mut Vec<Week>, &mut Vec<EngineSlates>),
                 code: &str,
                 words: &str| {
        let (mut weeks, mut engines) = inputs();
        spoil(&mut weeks, &mut engines);
        let pairs = [("tercet", "personal")];
        let error = referee(&weeks, &engines, &pairs, Bootstrap { draws: 5, seed: 1 }).unwrap_err();
        assert_eq!(error.code(), code, "{error}");
        assert!(error.to_string().contains(words), "{error}");
        assert!(error.hint_text().is_some());
    };
    fn first(engines: &mut [EngineSlates], slate: Slate) {
        engines[0].slates.get_mut(&Scope::All).unwrap()[0][0] = slate;
    }
    check(&|w, _| w[0].promotions[3].products = vec![2, 2], "T0701", "promotion 3");
    check(&|w, _| w[1].customers[0].bought_before = vec![2, 1], "T0701", "week 2017-09-11");
    check(&|w, _| w[1].name = w[0].name.clone(), "T0701", "stands twice");
    check(&|w, _| w[0].customers[1].customer = w[0].customers[0].customer, "T0701", "twice");
    check(&|w, _| w[0].customers[1].redeemed = Some(vec![99]), "T0701", "redeemed");
    let refund = Purchase { product: 1, spend_minor: -1 };
    check(&|w, _| w[0].customers[1].purchases = vec![refund], "T0701", "negative");
    check(&|_, e| first(e, [Some(99), None, None]), "T0702", "no candidate");
    check(&|_, e| first(e, [Some(1), None, Some(1)]), "T0702", "stands twice");
    check(&|_, e| e[0].slates.values_mut().for_each(|s| s[0].truncate(1)), "T0702", "1 slates");
    check(&|_, e| drop(e[1].slates.remove(&Scope::All)), "T0702", "scopes");
    check(&|_, e| e[1].name = "tercet".to_owned(), "T0704", "twice");
    check(&|_, e| e[1].name = "popular".to_owned(), "T0704", "personal");
    let (weeks, engines) = inputs();
    let error = referee(&weeks, &engines, &[], Bootstrap { draws: 0, seed: 1 }).unwrap_err();
    assert_eq!(error.code(), "T0703");
}
