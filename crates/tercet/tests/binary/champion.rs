//! Does the engine decide that did best on the weeks just past, and does the report say so?

use crate::support::{Project, project};

/// Lets three engines compete on two weeks.
fn contested(shop: &Project) {
    shop.set("champion.engines", vec!["popular", "legacy", "personal"]);
    shop.set("champion.weeks", 2);
    shop.set("run.engine", "champion");
}

fn contest(shop: &Project, run: &str) -> serde_json::Value {
    serde_json::from_str(&shop.text(&format!("runs/{run}/models/champion.json"))).unwrap()
}

#[test]
fn the_best_of_the_weeks_just_past_decides() {
    let shop = project();
    contested(&shop);
    let done = shop.run(&["run"]).fine();
    let [run] = &shop.runs()[..] else { panic!("one run: {:?}", shop.runs()) };
    assert!(run.contains("-champion-"), "{run}");
    let found = contest(&shop, run);
    let champion = found["champion"].as_str().unwrap();
    assert!(done.stderr.contains(&format!("{champion} did best by spend_captured_minor")));
    let standings = found["standings"].as_array().unwrap();
    assert_eq!(standings.len(), 3, "nothing is ablated where the product's own engine has no part");
    let value = |name: &str| {
        let standing = standings.iter().find(|standing| standing["name"] == name).unwrap();
        standing["figure"]["value"].as_f64().unwrap()
    };
    assert!(["popular", "legacy", "personal"].iter().all(|name| value(champion) >= value(name)));
    let engines = shop.table(run, "allocation/decisions").text("engine").unwrap();
    assert!(!engines.is_empty() && engines.iter().all(|engine| engine == champion));
    assert!(shop.text(&format!("runs/{run}/delivery/report.html")).contains("Who decides"));

    // The same figures as a backtest of these weeks.
    let weeks: Vec<&str> =
        found["weeks"].as_array().unwrap().iter().map(|week| week.as_str().unwrap()).collect();
    let replay = ["backtest", "--from", weeks[0], "--to", weeks[1], "--format", "json"];
    let replay = [&replay[..], &["--engines", "popular,legacy,personal"]].concat();
    let replayed = shop.run(&replay).fine().json();
    let scope = found["scope"].as_str().unwrap();
    for name in ["popular", "legacy", "personal"] {
        let figure = &replayed["engines"][name][scope]["spend_captured_minor"]["value"];
        assert_eq!(figure.as_f64().unwrap(), value(name), "{name}");
    }

    // A resumed run has its champion, and does not hold the contest again.
    let before = shop.outcome();
    let again = shop.run(&["run", "--select", "allocation+"]).fine();
    assert!(!again.stderr.contains("did best by"), "{}", again.stderr);
    assert_eq!(shop.outcome(), before);
}

#[test]
fn a_contest_that_cannot_be_held_is_refused() {
    let check = |key: &str, value: toml::Value, words: &[&str]| {
        let shop = project();
        contested(&shop);
        shop.file("scores.csv", "customer_id,promotion_id,value\n");
        shop.set(key, value);
        shop.run(&["run"]).refused(2, "T1058", words);
    };
    check(
        "champion.engines",
        toml::Value::Array(Vec::new()),
        &["[champion] engines", "at least one"],
    );
    check("champion.weeks", 0.into(), &["[champion] weeks is 0"]);
    check("run.parts", 2.into(), &["comes in parts", "tercet backtest"]);
    check("model.external_scores", "scores.csv".into(), &["external_scores"]);
    check("champion.metric", "redemptions_caught".into(), &["no engine could be judged"]);
    check("experiment.name", "autumn".into(), &["engine test", "[experiment]"]);
    let shop = project();
    contested(&shop);
    shop.set("champion.engines", vec!["personal", "magic"]);
    shop.run(&["run"]).refused(2, "T1015", &["magic"]);
}
