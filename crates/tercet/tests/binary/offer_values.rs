//! Are offers valued by what they bring once chance has told it, by order value until then, and is the reason said?

use std::fmt::Write as _;

use crate::support::{Output, Project, project};

const CUSTOMERS: u64 = 1_200;
const TYPES: u64 = 16;
const WEEKS: [&str; 3] = ["2026-02-02", "2026-02-09", "2026-02-16"];

/// Numbers from 0 to 99 that hang on other numbers alone.
fn lot(words: &[u64]) -> u64 {
    let mixed = words.iter().fold(0x9e37_79b9_7f4a_7c15_u64, |state, word| {
        let state = (state ^ word).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        (state ^ (state >> 29)).wrapping_mul(0x94d0_49bb_1331_11eb)
    });
    (mixed >> 33) % 100
}

fn day(from: &str, days: i32) -> String {
    let from: tercet_types::Date = from.parse().unwrap();
    from.plus_days(days).to_string()
}

/// A shop where every customer buys some of a few types each week, and every type has a promotion; all customers get
/// what chance draws.
fn shop() -> Project {
    let shop = project();
    let mut products =
        "product_id,product_name,category,product_type,brand,price_cents\n".to_owned();
    let mut promotions =
        "promotion_id,promotion_name,mechanic,value_rate,value_minor,valid_from,valid_to,code,store_scope\n"
            .to_owned();
    let mut scopes = "promotion_id,level,value\n".to_owned();
    for of in 0..TYPES {
        for product in 0..3 {
            writeln!(
                products,
                "P{of}-{product},Thing {of} {product},C{},T{of},B,{}",
                of % 4,
                300 + 20 * product
            )
            .unwrap();
        }
        let rate = if of % 2 == 0 { "0.10" } else { "0.20" };
        writeln!(promotions, "O{of},Offer {of},percent,{rate},,2025-12-01,2026-03-29,CODE{of},")
            .unwrap();
        writeln!(scopes, "O{of},product_type,T{of}").unwrap();
    }
    let mut lines = "receipt,customer,product_id,bought_at,quantity,paid,store\n".to_owned();
    for week in 0..12_u64 {
        let monday = day("2025-11-24", 7 * week as i32);
        for customer in 0..CUSTOMERS {
            let of = (0..TYPES).filter(|of| {
                let is_liked = lot(&[customer, *of, 1]) < 25;
                lot(&[customer, *of, week, 2]) < if is_liked { 30 } else { 3 }
            });
            for of in of {
                let bought_at = day(&monday, lot(&[customer, week]) as i32 % 7);
                writeln!(
                    lines,
                    "R{customer}-{week},C{customer},P{of}-{},{bought_at} 10:00:00,1,3.20,M",
                    week % 3
                )
                .unwrap();
            }
        }
    }
    shop.file("data/products.csv", products);
    shop.file("data/promotions.csv", promotions);
    shop.file("data/promotion_products.csv", scopes);
    shop.file("data/transactions.csv", lines);
    shop.source("exposures", "customer_id,promotion_id,exposed_on\n");
    shop.source("redemptions", "customer_id,promotion_id,redeemed_on\n");
    shop.set("exploration.measurement_share", 1.0);
    shop.set("exploration.limit_share", 0.9);
    shop.set("rules.repeat_gap_weeks", 0);
    shop.set("model.response_weight", 0.0);
    shop.set("model.discovery_weight", 0.0);
    shop
}

/// What becomes of a run's offers: of those of what a customer likes a third bring a purchase, of the others one in
/// twenty, and most purchases use the offer.
fn answer(shop: &Project, run: &str, monday: &str) {
    let (mut exposures, mut redemptions, mut lines) = (String::new(), String::new(), String::new());
    for offer in shop.offers(run) {
        let number = |text: &str| text[1..].parse::<u64>().unwrap();
        let (customer, of) = (number(&offer.customer_id), number(&offer.promotion_id));
        let (customer_id, promotion_id) = (&offer.customer_id, &offer.promotion_id);
        writeln!(exposures, "{customer_id},{promotion_id},{monday}").unwrap();
        let is_liked = lot(&[customer, of, 1]) < 25;
        let week = number(&format!("w{}", monday.replace('-', "")));
        if lot(&[customer, of, week, 3]) < if is_liked { 33 } else { 5 } {
            let on = day(monday, 3);
            writeln!(lines, "E{customer}-{of}-{week},{customer_id},P{of}-1,{on} 12:00:00,1,3.20,M")
                .unwrap();
            if lot(&[customer, of, week, 4]) < 80 {
                writeln!(redemptions, "{customer_id},{promotion_id},{on}").unwrap();
            }
        }
    }
    shop.append("data/exposures.csv", &exposures);
    shop.append("data/redemptions.csv", &redemptions);
    shop.append("data/transactions.csv", &lines);
}

#[track_caller]
fn weekly(shop: &Project, monday: &str) -> (Output, String) {
    let done = shop.run(&["run", "--as-of", monday]).fine();
    let id = done.stdout.split_whitespace().next().unwrap().to_owned();
    (done, id)
}

#[test]
fn order_value_decides_until_chance_has_told_what_offers_bring() {
    let shop = shop();
    let check = |monday: &str, kind: &str, words: &[&str]| {
        let (done, id) = weekly(&shop, monday);
        let plan = shop.text(&format!("runs/{id}/allocation/plan.json"));
        let plan: serde_json::Value = serde_json::from_str(&plan).unwrap();
        let valued_by = plan["valued_by"].as_str().unwrap();
        let page = shop.text(&format!("runs/{id}/delivery/report.html"));
        for word in words {
            assert!(valued_by.contains(word), "'{word}' is not in: {valued_by}");
            assert!(done.stderr.contains(word), "'{word}' is not in: {}", done.stderr);
            assert!(page.contains(word), "'{word}' is not in the report of {monday}");
        }
        let decisions = shop.decisions(&id);
        assert!(decisions.iter().all(|row| row.value_kind == kind), "{monday}: not {kind}");
        assert!(shop.offers(&id).len() > 2_000, "{monday}: {} offers", shop.offers(&id).len());
        id
    };
    let first =
        check(WEEKS[0], "order_value", &["order value", "0 of 2,000 randomised customer-weeks"]);
    answer(&shop, &first, WEEKS[0]);
    let second =
        check(WEEKS[1], "order_value", &["order value", " of 2,000 randomised customer-weeks"]);
    answer(&shop, &second, WEEKS[1]);
    let third = check(
        WEEKS[2],
        "incremental_margin",
        &[
            "the margin that they bring",
            "randomised customer-weeks of the last 16 weeks an offer brought",
        ],
    );

    // A third of a quarter and a twentieth of the rest, less what is bought in the week anyway: 9.4 in a hundred.
    let cards = shop.text(&format!("runs/{third}/models/models.json"));
    let cards: serde_json::Value = serde_json::from_str(&cards).unwrap();
    let number = |name: &str| cards["trial"][name].as_f64().unwrap();
    let (brought, error) = (number("brought"), number("brought_error"));
    assert!((brought - 0.094).abs() < 4.0 * error && error < 0.02, "{brought} ± {error}");
    assert!(number("customer_weeks") >= 2_000.0);
    let kinds = cards["trial"]["kinds"].as_array().unwrap();
    assert_eq!(kinds.len(), 2, "{kinds:?}");
    // The runs it learnt from are named, and others than these would be another run.
    let manifest = shop.text(&format!("runs/{third}/manifest.json"));
    let manifest: serde_json::Value = serde_json::from_str(&manifest).unwrap();
    assert_eq!(manifest["tried"], serde_json::json!([first, second]));
    // What a customer likes is planned more often than the quarter that it is of all, but in the slot of what is new to
    // the customer: that is where offers bring most.
    let log = shop.table(&third, "allocation/decisions");
    let planned = log.text_or_null("planned_promotion_id").unwrap();
    let customers = log.text("customer_id").unwrap();
    let slots = log.i32("slot").unwrap();
    let liked = |((customer, planned), slot): ((&String, &Option<String>), &i32)| {
        let of = planned.as_ref().filter(|_| *slot != 2)?[1..].parse().unwrap();
        Some(lot(&[customer[1..].parse().unwrap(), of, 1]) < 25)
    };
    let liked: Vec<bool> = customers.iter().zip(&planned).zip(&slots).filter_map(liked).collect();
    let share = liked.iter().filter(|liked| **liked).count() as f64 / liked.len() as f64;
    assert!(share > 0.45, "{share} of what is planned is liked");

    // A budget in margin counts what offers bring, each by itself.
    let config = shop.text("tercet.toml");
    shop.append(
        "tercet.toml",
        "\n[[rules.budgets]]\nname = \"half\"\nmeasure = \"margin\"\nbudget_minor = 2000\n",
    );
    shop.set("features.product.default_margin_rate", 0.1);
    shop.set("exploration.measurement_share", 0.0);
    shop.set("model.response_weight", 1.0);
    let (_, fourth) = weekly(&shop, WEEKS[2]);
    let scores = shop.table(&fourth, "scoring/scores");
    let (customers, promotions) =
        (scores.text("customer_id").unwrap(), scores.text("promotion_id").unwrap());
    let (costs, losses) =
        (scores.i64("expected_cost_minor").unwrap(), scores.i64("margin_loss_minor").unwrap());
    assert!(losses.iter().zip(&costs).all(|(loss, cost)| (0..=*cost).contains(loss)));
    let rows = customers.iter().zip(&promotions).zip(&losses);
    let losses: std::collections::BTreeMap<(&String, &String), i64> =
        rows.map(|((customer, promotion), loss)| ((customer, promotion), *loss)).collect();
    let offers = shop.offers(&fourth);
    let lost = offers.iter().map(|offer| losses[&(&offer.customer_id, &offer.promotion_id)]);
    let lost: i64 = lost.sum();
    let plan = shop.text(&format!("runs/{fourth}/allocation/plan.json"));
    let plan: serde_json::Value = serde_json::from_str(&plan).unwrap();
    assert_eq!(plan["margin_budgets_minor"], serde_json::json!([["half", 2_000, 2_000 - lost]]));
    assert!((1_500..=2_000).contains(&lost), "{lost} of a budget of 2000");
    shop.file("tercet.toml", config);

    // A log that was changed is none to learn from; the run says so and goes on.
    let path = format!("runs/{first}/allocation/plan.json");
    let plan = shop.text(&path).replace("\"measurement_share\": 1.0", "\"measurement_share\": 0.5");
    shop.file(&path, plan);
    shop.set("run.seed", 8);
    check(
        WEEKS[2],
        "order_value",
        &["logs of earlier runs cannot be used", "propensities do not follow"],
    );
}

#[test]
fn without_logs_the_offers_are_those_of_order_value() {
    let shop = project();
    let offers = |value: Option<&str>| {
        if let Some(value) = value {
            shop.set("model.value", value);
        }
        shop.offers(&shop.weekly(&[]))
    };
    let (default, order) = (offers(None), offers(Some("order")));
    assert!(!default.is_empty() && default == order);
}

/// A shop in whose weeks chance decides nearly all, or nothing.
fn draw(shop: &Project, is_drawn: bool) {
    shop.set("exploration.epsilon", 0.0);
    shop.set("exploration.measurement_share", if is_drawn { 1.0 } else { 0.0 });
    shop.set("exploration.limit_share", 0.9);
    shop.set("rules.repeat_gap_weeks", 0);
    shop.set("rules.contact_window_weeks", 0);
}

/// The runs that a run learnt from, and in words what its offers were valued by.
#[track_caller]
fn tried_by(shop: &Project, run: &str) -> (Vec<String>, String) {
    let read = |file: &str| -> serde_json::Value {
        serde_json::from_str(&shop.text(&format!("runs/{run}/{file}"))).unwrap()
    };
    let tried = read("manifest.json")["tried"].as_array().cloned().unwrap_or_default();
    let tried = tried.iter().map(|id| id.as_str().unwrap().to_owned()).collect();
    (tried, read("allocation/plan.json")["valued_by"].as_str().unwrap().to_owned())
}

#[test]
fn logs_of_runs_that_drew_nothing_are_not_read() {
    let shop = project();
    draw(&shop, true);
    let drew = shop.weekly(&["--as-of", WEEKS[0]]);
    // Parts keep no chances: their log could not be learnt from.
    draw(&shop, false);
    shop.set("run.parts", 2);
    shop.weekly(&["--as-of", WEEKS[1]]);
    shop.set("run.parts", 1);
    let (tried, valued_by) = tried_by(&shop, &shop.weekly(&["--as-of", WEEKS[2]]));
    assert_eq!(tried, [drew]);
    assert!(valued_by.contains(" of 2,000 randomised customer-weeks"), "{valued_by}");
    assert!(!valued_by.contains(" 0 of 2,000"), "{valued_by}");
}

#[test]
fn draws_of_another_weekday_are_neither_used_nor_counted() {
    let shop = project();
    draw(&shop, true);
    let wednesday = shop.weekly(&["--as-of", "2026-02-04"]);
    let (tried, valued_by) = tried_by(&shop, &shop.weekly(&["--as-of", WEEKS[2]]));
    assert!(tried.is_empty(), "{tried:?}");
    assert!(valued_by.contains(" 0 of 2,000 randomised customer-weeks"), "{valued_by}");
    let (tried, valued_by) = tried_by(&shop, &shop.weekly(&["--as-of", "2026-02-11"]));
    assert_eq!(tried, [wednesday]);
    assert!(!valued_by.contains(" 0 of 2,000"), "{valued_by}");
}

#[test]
fn logs_without_chances_and_changed_ones_are_said_and_not_learnt_from() {
    let shop = project();
    draw(&shop, true);
    let run = shop.weekly(&["--as-of", WEEKS[0]]);
    let log = shop.table(&run, "allocation/decisions");
    let check = |log: &tercet_engine::Frame, seed: i64, words: &str| {
        shop.rewrite(&run, "allocation/decisions", log);
        shop.set("run.seed", seed);
        let next = shop.weekly(&["--as-of", WEEKS[1]]);
        let (tried, valued_by) = tried_by(&shop, &next);
        assert_eq!(tried, [run.as_str()]);
        assert!(valued_by.contains("logs of earlier runs cannot be used"), "{valued_by}");
        assert!(valued_by.contains(words), "'{words}' is not in: {valued_by}");
        assert!(shop.decisions(&next).iter().all(|row| row.value_kind == "order_value"));
    };
    let columns = log.columns();
    let rest: Vec<&str> =
        columns.iter().map(String::as_str).filter(|column| *column != "propensity").collect();
    check(&log.only(&rest).unwrap(), 11, "its log has no propensities: there is no 'propensity'");
    let alike = log.with(vec![("propensity", vec![0.5; log.rows()].into())]).unwrap();
    check(&alike, 12, "propensities do not follow from plan.json and candidates");
}

#[test]
fn runs_that_were_learnt_from_stay() {
    let shop = project();
    shop.set("retention.keep_runs", 1);
    let week = |monday: &str, is_drawn: bool| {
        draw(&shop, is_drawn);
        shop.weekly(&["--as-of", monday])
    };
    let first = week("2026-01-26", true);
    let idle = week(WEEKS[0], false);
    let second = week(WEEKS[1], true);
    let newest = week(WEEKS[2], true);
    assert_eq!(tried_by(&shop, &newest).0, [first.as_str(), second.as_str()]);
    assert_eq!(shop.runs(), [newest.as_str(), second.as_str(), first.as_str()], "{idle}");
    let again = shop.run(&["run", "--as-of", WEEKS[2]]).fine();
    assert!(again.stdout.starts_with(&newest), "{newest} became {}", again.stdout);
    assert!(again.stderr.contains("this run is complete"), "{}", again.stderr);
}
