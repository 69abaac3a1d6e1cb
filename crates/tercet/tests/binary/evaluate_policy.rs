//! What do the logs of runs, and tables, say of other policies?

use serde_json::Value as Json;
use tercet_engine::Frame;

use crate::support::{Project, project};

/// The starter with much drawn, and two weeks decided whose outcomes are known.
fn explored(epsilon: f64, measurement_share: f64) -> Project {
    let shop = project();
    shop.set("exploration.epsilon", epsilon);
    shop.set("exploration.measurement_share", measurement_share);
    shop.set("exploration.limit_share", 0.5);
    for monday in WEEKS {
        shop.weekly(&["--as-of", monday]);
    }
    shop
}

const WEEKS: [&str; 2] = ["2026-02-02", "2026-02-09"];

fn json(shop: &Project, flags: &[&str]) -> Json {
    let all = [&["--quiet", "evaluate-policy", "--format", "json"], flags].concat();
    shop.run(&all).fine().json()["evaluation"].clone()
}

/// The views of the only policy.
fn views(evaluation: &Json) -> &Vec<Json> {
    let policies = evaluation["policies"].as_array().unwrap();
    assert_eq!(policies.len(), 1);
    policies[0]["views"].as_array().unwrap()
}

fn view<'a>(evaluation: &'a Json, of: &str) -> &'a Json {
    views(evaluation).iter().find(|view| view["of"] == of).unwrap()
}

fn number(value: &Json) -> f64 {
    value.as_f64().unwrap_or_else(|| panic!("no number: {value}"))
}

fn estimate<'a>(view: &'a Json, estimator: &str) -> &'a Json {
    let values = view["values"].as_array().unwrap();
    &values.iter().find(|value| value["estimator"] == estimator).unwrap()["value"]
}

#[test]
fn a_log_that_draws_everything_is_worth_what_it_brought() {
    // What the log did is the uniform policy: nothing is weighed.
    let shop = explored(1.0, 0.0);
    let found = json(&shop, &["--policy", "uniform"]);
    assert_eq!(found["runs"].as_array().unwrap().len(), 2);
    let rounds = found["rounds"].as_u64().unwrap();
    assert_eq!(found["left_out"]["control"].as_u64().unwrap() + rounds, 120);
    for (of, estimators) in [("offers", ["IPS", "SNIPS"]), ("slates", ["SIPS", "SNSIPS"])] {
        let view = view(&found, of);
        for estimator in estimators {
            let value = estimate(view, estimator);
            for end in ["value", "low", "high"] {
                let (found, logged) = (number(&value[end]), number(&view["logged"][end]));
                assert!((found - logged).abs() < 1e-6 * logged.abs(), "{estimator} {end}");
            }
        }
        let (weights, rounds) = (&view["weights"], number(&view["weights"]["rounds"]));
        assert_eq!(weights["are_fair"], true);
        assert!((number(&weights["effective_rounds"]) / rounds - 1.0).abs() < 1e-9);
    }
    // What was paid for the offers' products, added up by hand.
    let total = number(&view(&found, "offers")["logged"]["value"]) * rounds as f64;
    let paid: f64 = shop.runs().iter().map(|run| paid(&shop, run)).sum();
    assert!((total - paid).abs() < 1e-6 * paid && paid > 0.0, "{total} {paid}");
}

/// What customers paid, in cents, for products of their offers in the week of a run, offer by offer.
fn paid(shop: &Project, run: &str) -> f64 {
    let rows = |file: &str| -> Vec<Vec<String>> {
        let text = shop.text(file);
        text.lines().skip(1).map(|line| line.split(',').map(str::to_owned).collect()).collect()
    };
    let header = shop.text("data/promotion_products.csv");
    let columns: Vec<&str> = header.lines().next().unwrap().split(',').collect();
    let at = |name: &str| columns.iter().position(|column| *column == name).unwrap();
    let (promotion, level, value) = (at("promotion_id"), at("level"), at("value"));
    let scopes = rows("data/promotion_products.csv");
    let products = rows("data/products.csv");
    let header = shop.text("data/products.csv");
    let product_columns: Vec<String> =
        header.lines().next().unwrap().split(',').map(str::to_owned).collect();
    let holds = |offer: &str, product: &str| {
        let row = products.iter().find(|row| row[0] == product).unwrap();
        scopes.iter().filter(|scope| scope[promotion] == offer).any(|scope| {
            scope[level] == "product" && scope[value] == product
                || product_columns
                    .iter()
                    .zip(row)
                    .any(|(column, cell)| *column == scope[level] && *cell == scope[value])
        })
    };
    let lines = rows("data/transactions.csv");
    let monday = WEEKS.into_iter().find(|monday| run.starts_with(monday)).unwrap();
    let first: u32 = monday[8..].parse().unwrap();
    let days: Vec<String> = (first..first + 7).map(|day| format!("2026-02-{day:02}")).collect();
    let of = |customer: &str, offer: &str| -> f64 {
        lines
            .iter()
            .filter(|line| line[1] == customer && holds(offer, &line[2]))
            .filter(|line| days.iter().any(|day| line[3].starts_with(day.as_str())))
            .map(|line| (line[5].parse::<f64>().unwrap() * 100.0).round())
            .sum()
    };
    shop.offers(run).iter().map(|offer| of(&offer.customer_id, &offer.promotion_id)).sum()
}

#[test]
fn a_plan_is_judged_alike_by_whatever_names_it() {
    let shop = explored(0.3, 0.2);
    let planned = json(&shop, &["--policy", "planned"]);
    let slates = view(&planned, "slates");
    let (value, logged) = (estimate(slates, "SIPS"), &slates["logged"]);
    // Two thirds of what was done is the plan: the values lie within each other's intervals.
    let holds = |of: &Json, number: f64| {
        (of["low"].as_f64().unwrap()..of["high"].as_f64().unwrap()).contains(&number)
    };
    assert!(holds(value, number(&logged["value"])) && holds(logged, number(&value["value"])));
    assert_eq!(planned["policies"][0]["unsupported"], 0);
    // The wildcard may get what the other slots may.
    assert_eq!(
        estimate(view(&planned, "slots"), "PI")["refused"],
        "the slots were not drawn independently"
    );

    // The same plan as a table.
    let mut table = "customer_id,slot,promotion_id,as_of,probability\n".to_owned();
    for run in shop.runs() {
        let log = shop.table(&run, "allocation/decisions");
        let (ids, slots) = (log.text("customer_id").unwrap(), log.i32("slot").unwrap());
        let planned = log.text_or_null("planned_promotion_id").unwrap();
        let monday = &run[..10];
        for row in 0..log.rows() {
            let promotion = planned[row].as_deref().unwrap_or_default();
            table.push_str(&format!("{},{},{promotion},{monday},1\n", ids[row], slots[row]));
        }
    }
    shop.file("mine.csv", table);
    let mine = shop.path().join("mine.csv").to_str().unwrap().to_owned();
    assert_eq!(views(&json(&shop, &["--policy", &mine])), views(&planned));

    // The plan of one of the runs, for its own week alone.
    let run = shop.runs().remove(0);
    let week = json(&shop, &["--policy", "planned", "--from", &run[..10]]);
    let named = json(&shop, &["--run", &run]);
    for (of, estimator) in [("offers", "IPS"), ("slates", "SNSIPS")] {
        let value = |found| estimate(view(found, of), estimator).clone();
        assert_eq!(value(&named), value(&week));
    }

    // A slate that is never empty tells nothing of no offers.
    let nothing = json(&shop, &["--policy", "nothing", "--reward", "order"]);
    let refused = &estimate(&views(&nothing)[0], "SIPS")["refused"];
    assert_eq!(refused, "the log never did what the policy would do");

    // As a table to read, and as CSV.
    let told = shop.run(&["evaluate-policy", "--reward", "margin"]).fine().stdout;
    assert!(told.contains("margin, EUR per customer and week") && told.contains("effective of"));
    let lines = shop.run(&["--quiet", "evaluate-policy", "--format", "csv"]).fine().lines();
    assert_eq!((lines[0][0].as_str(), lines[1][2].as_str()), ("policy", "IPS"));

    // Policies that are none, of nobody, and rewards that are none.
    shop.file("half.csv", "customer_id,slot,promotion_id,probability\nC001,1,W06-1,0.5\n");
    let half = shop.path().join("half.csv").to_str().unwrap().to_owned();
    shop.run(&["evaluate-policy", "--policy", &half]).refused(
        3,
        "T0720",
        &["half.csv: row 1: customer 'C001', slot 1", "the policy does not sum to one"],
    );
    shop.file("slots.csv", "customer_id,slot,promotion_id\nC001,1,W06-1\nC001,9,W06-1\n");
    let slots = shop.path().join("slots.csv").to_str().unwrap().to_owned();
    shop.run(&["evaluate-policy", "--policy", &slots]).refused(3, "T1054", &["row 2 names slot 9"]);
    for slot in ["0", "-1", "1.5"] {
        shop.file("slots.csv", format!("customer_id,slot,promotion_id\nC001,{slot},W06-1\n"));
        let none = shop.run(&["evaluate-policy", "--policy", &slots]);
        none.refused(3, "T1054", &["row 1 is of slot", "which is none"]);
    }
    shop.file("nobody.csv", "customer_id,slot,promotion_id\nX,1,W06-1\n");
    let nobody = shop.path().join("nobody.csv").to_str().unwrap().to_owned();
    shop.run(&["evaluate-policy", "--policy", &nobody]).refused(3, "T1054", &["no customer"]);
    shop.run(&["evaluate-policy", "--reward", "fame"]).refused(2, "T1055", &["'fame'"]);
}

#[test]
fn slots_that_share_nothing_are_judged_apart() {
    let shop = project();
    let mut config: toml::Table = toml::from_str(&shop.text("tercet.toml")).unwrap();
    let slots = config["slots"].as_array_mut().unwrap();
    slots.truncate(2);
    for slot in slots {
        slot.as_table_mut().unwrap().remove("otherwise");
    }
    shop.file("tercet.toml", toml::to_string(&config).unwrap());
    shop.set("exploration.epsilon", 0.4);
    shop.set("exploration.limit_share", 0.5);
    for monday in WEEKS {
        shop.weekly(&["--as-of", monday]);
    }
    let found = json(&shop, &["--policy", "planned"]);
    let slots = view(&found, "slots");
    let value = number(&estimate(slots, "PI")["value"]);
    let (low, high) = (&slots["logged"]["low"], &slots["logged"]["high"]);
    assert!((number(low)..number(high)).contains(&value), "{slots}");
    // Slots of their own weigh less unevenly than whole slates.
    let effective = |of: &str| number(&view(&found, of)["weights"]["mean_error"]);
    assert!(effective("slots") <= effective("slates"));
}

#[test]
fn a_log_without_draws_is_refused() {
    let shop = project();
    shop.run(&["evaluate-policy"]).refused(6, "T1050", &["no complete run"]);
    shop.weekly(&["--as-of", WEEKS[1]]);
    shop.run(&["evaluate-policy"]).refused(
        3,
        "T0720",
        &["nothing was drawn at random", "[exploration]"],
    );
    // A week that is not over.
    shop.set("exploration.epsilon", 0.3);
    shop.weekly(&[]);
    shop.run(&["evaluate-policy", "--from", "2026-02-16"]).refused(
        3,
        "T1052",
        &["2026-02-15", "no run's window is over"],
    );
}

#[test]
fn a_log_that_was_changed_is_refused() {
    let shop = project();
    shop.set("exploration.epsilon", 0.3);
    let run = shop.weekly(&["--as-of", WEEKS[1]]);
    let log = shop.table(&run, "allocation/decisions");
    let refused = |log: &Frame, code: &str, words: &str| {
        shop.rewrite(&run, "allocation/decisions", log);
        shop.run(&["evaluate-policy"]).refused(3, code, &[words]);
    };
    let rest: Vec<String> =
        log.columns().into_iter().filter(|column| column != "propensity").collect();
    let rest: Vec<&str> = rest.iter().map(String::as_str).collect();
    refused(&log.only(&rest).unwrap(), "T1051", "there is no 'propensity'");
    let missing = log.with(vec![("propensity", vec![f64::NAN; log.rows()].into())]).unwrap();
    refused(&missing, "T0720", "a propensity does not lie above 0");
    let alike = log.with(vec![("propensity", vec![0.5; log.rows()].into())]).unwrap();
    refused(&alike, "T1057", "do not follow from plan.json and candidates");
    shop.rewrite(&run, "allocation/decisions", &log);
    shop.run(&["evaluate-policy"]).fine();

    // Weeks the wrong way round.
    let turned = shop.run(&["evaluate-policy", "--from", WEEKS[1], "--to", WEEKS[0]]);
    turned.refused(2, "T1047", &[WEEKS[1], "lies after --to"]);
    shop.run(&["lift", "--from", WEEKS[1], "--to", WEEKS[0]]).refused(2, "T1047", &["--to"]);

    // Two runs of a Monday: it is said which is read.
    let again = shop.weekly(&["--as-of", WEEKS[1], "--seed", "9"]);
    let told = shop.run(&["evaluate-policy"]).fine().stderr;
    let read = run.clone().max(again);
    assert!(told.contains(&format!("warning: two runs of {}: {read} is read", WEEKS[1])), "{told}");

    // Parts keep no candidates.
    shop.set("run.parts", 2);
    shop.weekly(&["--as-of", WEEKS[0]]);
    let parts = shop.run(&["evaluate-policy", "--to", WEEKS[0]]);
    parts.refused(2, "T1053", &["its customers are in 2 parts"]);
}

#[test]
fn any_table_with_propensities_will_do() {
    let shop = project();
    let mut log = "shown,chance,clicked,who\n".to_owned();
    for n in 0..200 {
        // A is shown three times in four, and clicked by every second; B by every fifth.
        let (shown, chance) = if n % 4 == 3 { ("B", 0.25) } else { ("A", 0.75) };
        let clicked = if shown == "A" { n / 4 % 2 } else { u32::from(n / 4 % 5 == 0) };
        log.push_str(&format!("{shown},{chance},{clicked},{}\n", n / 2));
    }
    shop.file("log.csv", &log);
    shop.file("policy.csv", "shown,probability,expected\nA,0.4,0.5\nB,0.6,0.25\n");
    let place = |name: &str| shop.path().join(name).to_str().unwrap().to_owned();
    let flags = |policy: &str| -> Vec<String> {
        ["--quiet", "evaluate-policy", "--log", &place("log.csv"), "--policy", &place(policy)]
            .into_iter()
            .chain(["--action", "shown", "--reward", "clicked", "--format", "json"])
            .map(str::to_owned)
            .collect()
    };
    let typed = |policy: &str, more: &[&str]| {
        let flags = flags(policy);
        let all: Vec<&str> = flags.iter().map(String::as_str).chain(more.iter().copied()).collect();
        shop.run(&all)
    };
    let found = typed("policy.csv", &["--propensity", "chance"]).fine().json();
    let view = &found["policies"][0]["views"][0];
    let value = |estimator: &str| number(&estimate(view, estimator)["value"]);
    let near =
        |found: f64, expect: f64| assert!((found - expect).abs() < 1e-12, "{found} {expect}");
    near(value("IPS"), 0.4 * 0.5 + 0.6 * 0.2);
    near(value("SNIPS"), 0.32);
    // The same is expected of every round.
    assert_eq!(estimate(view, "DM")["refused"], "all units are alike");
    near(value("DR"), 0.32);
    near(number(&view["logged"]["value"]), 0.75 * 0.5 + 0.25 * 0.2);
    assert_eq!(view["weights"]["units"], 200);
    let found = typed("policy.csv", &["--propensity", "chance", "--unit", "who"]).fine().json();
    assert_eq!(found["policies"][0]["views"][0]["weights"]["units"], 100);

    typed("policy.csv", &[]).refused(3, "T1051", &["no column 'propensity'"]);
    typed("policy.csv", &["--propensity", "clicked"]).refused(
        3,
        "T0720",
        &["row 1: ", "a propensity"],
    );
    shop.file("half.csv", "shown,probability\nA,0.4\nB,0.5\n");
    typed("half.csv", &["--propensity", "chance"]).refused(
        3,
        "T0720",
        &["from row 1 on", "sum to one"],
    );
    shop.file("twice.csv", "shown,probability\nA,0.4\nA,0.6\n");
    typed("twice.csv", &["--propensity", "chance"]).refused(3, "T1054", &["second time"]);
    let without = ["evaluate-policy", "--log", &place("log.csv")];
    shop.run(&without).refused(2, "T1056", &["--policy"]);
}
