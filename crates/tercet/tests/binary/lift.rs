//! Does the report of a campaign find what was put into the data, and refuse what cannot be told?

use serde_json::Value as Json;
use tercet_engine::Frame;

use crate::support::{Output, Project, at, run};

/// A simulated shop in which offers of the last three weeks did nothing: they were never sent.
fn shop() -> Project {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("shop");
    run(&[
        "simulate",
        "--customers",
        "1200",
        "--products",
        "300",
        "--promotions",
        "60",
        "--weeks",
        "12",
        "--seed",
        "5",
        "--quiet",
        "--out",
        out.to_str().unwrap(),
    ])
    .fine();
    let shop = at(folder, "shop");
    shop.set("run.engine", "popular");
    shop.set("lift.planned_weeks", 2);
    shop
}

/// The Mondays of the last three weeks of [`shop`]; the data end before the first day of a fourth.
fn mondays(shop: &Project) -> [String; 3] {
    let config: toml::Table = shop.text("tercet.toml").parse().unwrap();
    let as_of: tercet_types::Date = config["run"]["as_of"].as_str().unwrap().parse().unwrap();
    [21, 14, 7].map(|days| as_of.plus_days(-days).to_string())
}

/// Customers whom a run sent offers.
fn treated(shop: &Project, run: &str) -> Vec<String> {
    let mut ids = shop.table(run, "delivery/offers").text("customer_id").unwrap();
    ids.dedup();
    ids
}

fn metric<'a>(report: &'a Json, name: &str) -> &'a Json {
    let metrics = report["comparisons"][0]["lift"]["metrics"].as_array().unwrap();
    metrics.iter().find(|metric| metric["metric"] == name).unwrap()
}

fn number(value: &Json) -> f64 {
    value.as_f64().unwrap_or_else(|| panic!("{value} is no number"))
}

#[track_caller]
fn holds(interval: &Json, truth: f64) {
    let (low, high) = (number(&interval["low"]), number(&interval["high"]));
    assert!(low < truth && truth < high, "{truth} is not in {interval}");
}

fn lift(shop: &Project, flags: &[&str]) -> Output {
    shop.run(&[&["lift", "--format", "json"], flags].concat())
}

#[test]
fn what_was_added_to_the_treated_is_found() {
    let shop = shop();
    let [first, second, third] = mondays(&shop);
    lift(&shop, &[]).refused(6, "T1040", &["no complete run"]);
    let run = shop.weekly(&["--as-of", &first]);
    shop.weekly(&["--as-of", &second]);

    // Nobody was sent anything: what differs is chance.
    let nothing = lift(&shop, &[]).fine().json();
    let campaign = &nothing["campaign"];
    assert_eq!((campaign["weeks"].as_u64(), campaign["weeks_after"].as_u64()), (Some(2), Some(1)));
    let comparison = &nothing["comparisons"][0];
    assert_eq!(comparison["ratio"]["overall"]["alarm"], false);
    holds(&comparison["lift"]["total_margin"], 0.0);
    assert!(number(&metric(&nothing, "revenue_minor")["explained"]) > 0.05);
    assert_eq!(comparison["lift"]["looks"].as_array().unwrap().len(), 2);
    assert_eq!(comparison["lift"]["looks"][1]["planned"]["verdict"], "ended_without");

    // Every treated customer buys for 50.00 more in the first week; half of it comes off the week after the campaign.
    let ids = treated(&shop, &run);
    let header = "order_id,customer_id,product_id,occurred_at,quantity,amount_minor,kind\n";
    let line = |id: &String, order: &str, day: &str, minor: i64, kind: &str| {
        format!("{order}{id},{id},1,{day}T12:00:00,1,{minor},{kind}\n")
    };
    let rows: String = ids
        .iter()
        .map(|id| {
            line(id, "extra", &first, 5_000, "sale") + &line(id, "less", &third, -2_500, "return")
        })
        .collect();
    std::fs::write(shop.path().join("extra.csv"), format!("{header}{rows}")).unwrap();
    shop.set("sources.extra.table", "transactions");
    shop.set("sources.extra.path", "extra.csv");
    let found = lift(&shop, &[]).fine().json();
    let revenue = metric(&found, "revenue_minor");
    holds(
        &revenue["difference"],
        5_000.0 * ids.len() as f64 / number(&found["comparisons"][0]["lift"]["treated"]),
    );
    assert!(number(&revenue["adjusted"]["p_value"]) < 1e-6);
    assert!(number(&revenue["relative"]["low"]) > 0.0);
    let conversion = metric(&found, "conversion_rate");
    assert!(number(&conversion["treatment"]) > 0.95, "{conversion}");
    let lift_of = &found["comparisons"][0]["lift"];
    assert_eq!(lift_of["looks"][1]["planned"]["verdict"], "wins");
    let week = |at: usize| number(&lift_of["weeks"][at]["revenue"]["value"]);
    assert!(week(0) > 3_000.0 && week(1).abs() < 1_500.0, "{} {}", week(0), week(1));
    assert!(number(&lift_of["after"]["revenue"]["high"]) < 0.0, "{}", lift_of["after"]);
    assert!(number(&lift_of["with_after"]["revenue"]["low"]) > 0.0);

    // The same again reads nothing, and says the same.
    let again = lift(&shop, &[]).fine();
    assert!(again.stderr.contains("done before"), "{}", again.stderr);
    assert_eq!(again.json(), found);
    let id = found["measurement"].as_str().unwrap();
    assert_eq!(lift(&shop, &["--measurement", id]).fine().json(), found);
    for file in
        ["report.html", "lift.json", "measurement.json", "units.parquet", "outcomes.parquet"]
    {
        assert!(shop.path().join("lift").join(id).join(file).exists(), "{file}");
    }
    let reading = shop.path().join("lift").join(id).join("reading");
    assert!(std::fs::read_dir(reading).is_ok_and(|left| left.count() == 0), "what was read stays");
    let page = shop.text(&format!("lift/{id}/report.html"));
    assert!(page.contains("Offers brought") && page.contains("Was it only pulled forward?"));

    // Measured from its second week on, nothing that happened under offers is a covariate, and the first week's weeks
    // after end where the second begins.
    let late = lift(&shop, &["--from", &second]).fine().json();
    assert_eq!(late["campaign"]["known_until"], -1);
    let early = lift(&shop, &["--to", &first]).fine().json();
    assert_eq!(
        (&early["campaign"]["weeks"], &early["campaign"]["weeks_after"]),
        (&1.into(), &0.into())
    );

    // In parts, the same customers come to the same figures, bit for bit.
    shop.set("run.parts", 3);
    let parted = lift(&shop, &[]).fine().json();
    assert_eq!(parted["campaign"]["parts"], 3);
    assert!(parted["comparisons"] == found["comparisons"], "in parts, other figures");
}

#[test]
fn logs_that_were_changed_are_refused() {
    let shop = shop();
    let run = shop.weekly(&["--as-of", &mondays(&shop)[0]]);
    let assigned = shop.table(&run, "allocation/assignments");
    let twice = Frame::stacked(&[assigned.clone(), assigned.clone()]).unwrap();
    shop.rewrite(&run, "allocation/assignments", &twice);
    lift(&shop, &[]).refused(3, "T1042", &["a customer stands in it twice"]);
    let arms = vec!["control".to_owned(); assigned.rows()];
    let held_out = assigned.with(vec![("arm", arms.into())]).unwrap();
    shop.rewrite(&run, "allocation/assignments", &held_out);
    lift(&shop, &[]).refused(3, "T1042", &["control were sent offers"]);
    shop.rewrite(&run, "allocation/assignments", &assigned);
    lift(&shop, &[]).fine();
}

#[test]
fn what_cannot_be_told_is_refused_by_name() {
    let shop = shop();
    let [first, second, _] = mondays(&shop);
    shop.set("rules.holdout_rate", 0.0);
    shop.weekly(&["--as-of", &first]);
    lift(&shop, &[]).refused(3, "T1045", &["nobody was held out"]);
    shop.set("rules.holdout_rate", 0.2);
    shop.weekly(&["--as-of", &second]);
    let since = format!("held out since {second}: measure the weeks from there, --from {second}");
    lift(&shop, &[]).refused(3, "T1045", &["nobody was held out", &since]);
    lift(&shop, &["--from", &second, "--experiment", "new"]).refused(
        6,
        "T1045",
        &["engine test 'new'"],
    );
    lift(&shop, &["--from", "2031-01-06"]).refused(6, "T1040", &["no complete run"]);
    lift(&shop, &["--measurement", "none"]).refused(6, "T1040", &["no measurement 'none'"]);
    shop.set("lift.margin_rate", 30.0);
    lift(&shop, &[]).refused(2, "T1043", &["margin_rate"]);
    shop.set("lift.margin_rate", 0.3);
    // A column of currencies that is not the project's.
    shop.set("sources.transactions.columns.currency", "'SEK'");
    lift(&shop, &["--from", &second]).refused(3, "T1046", &["SEK"]);
}
