//! Do the decisions of a week keep every rule, and are they the same wherever they are made?

use std::collections::{BTreeMap, BTreeSet};

use tercet_engine::{Engine, EngineOptions};

use crate::support::{Decision, MONDAY, Offer, Project, at, counts, finish, project, run};

/// The Monday after [`MONDAY`].
const NEXT_MONDAY: &str = "2026-02-23";

/// Offers per promotion.
fn per_promotion(offers: &[Offer]) -> BTreeMap<String, usize> {
    counts(offers.iter().map(|offer| offer.promotion_id.clone()))
}

/// Customers of the starter project.
fn customers() -> impl Iterator<Item = String> {
    (1..=60).map(|number| format!("C{number:03}"))
}

/// Lets the promotions of the week hold for three weeks more, so that the next Mondays have some too.
fn with_long_promotions(shop: &Project) {
    shop.edit("data/promotions.csv", |_, cells| {
        if cells[0].starts_with("W08") {
            cells[6] = "2026-03-15".to_owned();
        }
    });
}

/// Adds a column to the promotions, filled for some of them.
fn with_promotion_column(shop: &Project, name: &str, values: &[(&str, &str)]) {
    shop.edit("data/promotions.csv", |row, cells| {
        let found = values.iter().find(|(promotion, _)| cells[0] == *promotion);
        cells.push(match (row, found) {
            (0, _) => name.to_owned(),
            (_, Some((_, value))) => (*value).to_owned(),
            _ => String::new(),
        });
    });
}

#[test]
fn every_customer_is_decided_once_per_slot_and_control_gets_nothing() {
    let shop = project();
    let id = shop.weekly(&[]);
    let decisions = shop.decisions(&id);
    assert_eq!(decisions.len(), 60 * 3);
    let cells: BTreeSet<(&str, i32)> =
        decisions.iter().map(|d| (d.customer_id.as_str(), d.slot)).collect();
    let expect: Vec<String> = customers().collect();
    let expect: BTreeSet<(&str, i32)> =
        expect.iter().flat_map(|id| (1..=3).map(move |slot| (id.as_str(), slot))).collect();
    assert_eq!(cells, expect);
    let mut given: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for decision in &decisions {
        let Decision { customer_id, arm, promotion_id, empty_reason, .. } = decision;
        assert_eq!(promotion_id.is_none(), empty_reason.is_some(), "{decision:?}");
        match arm.as_str() {
            "control" => assert_eq!(empty_reason.as_deref(), Some("control"), "{decision:?}"),
            "treatment" => given.entry(customer_id).or_default().extend(promotion_id.as_deref()),
            other => panic!("an arm '{other}'"),
        }
    }
    for (customer, promotions) in &given {
        let different: BTreeSet<&&str> = promotions.iter().collect();
        assert_eq!(different.len(), promotions.len(), "{customer}: {promotions:?}");
        assert!(!promotions.is_empty(), "{customer} was treated and has candidates");
    }
    let control = 60 - given.len();
    assert!((2..=12).contains(&control), "{control} of 60 customers in control, a tenth asked for");
    let kept: BTreeSet<(String, i32)> = decisions
        .iter()
        .filter(|decision| decision.promotion_id.is_some())
        .map(|decision| (decision.customer_id.clone(), decision.slot))
        .collect();
    let offers = shop.offers(&id);
    let sent: BTreeSet<(String, i32)> =
        offers.iter().map(|offer| (offer.customer_id.clone(), offer.slot)).collect();
    assert_eq!(sent, kept);
    assert_eq!(sent.len(), offers.len());
}

#[test]
fn the_published_files_agree_wherever_they_lie() {
    let shop = project();
    shop.set("delivery.json_lines", true);
    shop.set("delivery.publish_to", "outbox");
    let id = shop.weekly(&[]);
    let folder = format!("runs/{id}/delivery");
    let key = |offer: &Offer| {
        let code = offer.code.clone().unwrap_or_default();
        (offer.customer_id.clone(), offer.slot.to_string(), offer.promotion_id.clone(), code)
    };
    let stored: Vec<_> = shop.offers(&id).iter().map(key).collect();
    let csv = shop.text(&format!("{folder}/offers.csv"));
    let lines: Vec<_> = csv
        .lines()
        .skip(1)
        .map(|line| {
            let cells: Vec<&str> = line.split(',').collect();
            (cells[0].to_owned(), cells[1].to_owned(), cells[2].to_owned(), cells[4].to_owned())
        })
        .collect();
    assert_eq!(lines, stored);
    let json: Vec<_> = shop
        .text(&format!("{folder}/offers.jsonl"))
        .lines()
        .map(|line| {
            let row: serde_json::Value = serde_json::from_str(line).unwrap();
            assert_eq!((&row["run_id"], &row["arm"]), (&id.as_str().into(), &"treatment".into()));
            assert_eq!(row["valid_from"], MONDAY);
            let text = |name: &str| row[name].as_str().unwrap().to_owned();
            (text("customer_id"), row["slot"].to_string(), text("promotion_id"), text("code"))
        })
        .collect();
    assert_eq!(json, stored);

    let files = shop.files();
    for name in ["offers.parquet", "offers.csv", "offers.jsonl"] {
        let (here, there) = (format!("{folder}/{name}"), format!("outbox/{id}/{name}"));
        assert!(files[&here] == files[&there], "{name} was published with other bytes");
    }
    let latest: serde_json::Value = serde_json::from_str(&shop.text("outbox/latest.json")).unwrap();
    assert_eq!((&latest["run_id"], &latest["offers"]), (&id.into(), &stored.len().into()));
}

#[test]
fn the_same_inputs_give_the_same_bytes_on_any_number_of_threads() {
    let run = |threads: &str| {
        let shop = project();
        shop.run_with(&[("TERCET__RUN__THREADS", threads)], &["run"]).fine();
        (shop.runs(), shop.outcome())
    };
    let (ids, files) = run("1");
    assert!(files.len() > 20, "{:?}", files.keys());
    for threads in ["2", "5"] {
        let (other_ids, other) = run(threads);
        assert_eq!(ids, other_ids);
        for (name, bytes) in &files {
            assert!(other.get(name) == Some(bytes), "{name} differs with {threads} threads");
        }
        assert_eq!(files.len(), other.len());
    }
}

#[test]
fn what_a_run_hangs_on_names_it_and_the_holdout_stays() {
    let shop = project();
    shop.set("rules.repeat_gap_weeks", 0);
    shop.set("rules.contact_window_weeks", 0);
    let first = shop.weekly(&[]);
    let control = |id: &str| -> BTreeSet<String> {
        let decisions = shop.decisions(id).into_iter();
        decisions.filter(|d| d.arm == "control").map(|d| d.customer_id).collect()
    };
    let mut ids = BTreeSet::from([first.clone()]);
    let mut check = |flags: &[&str]| {
        let id = shop.weekly(flags);
        assert!(ids.insert(id.clone()), "{flags:?} gave {id} again");
        assert_eq!(control(&id), control(&first), "{flags:?} moved the holdout");
    };
    check(&["--seed", "8"]);
    check(&["--as-of", "2026-02-09"]);
    check(&["--engine", "popular"]);
    shop.append("data/transactions.csv", "O9999,C001,P001,2026-02-14 10:00:00,1,7.14,MARKET\n");
    check(&[]);
    shop.set("rules.offers_max", 2);
    check(&[]);
    let two = shop.runs().len();
    assert_eq!(two, ids.len());

    // Another key is another run, and another holdout only where none was logged before.
    let key = [("TERCET_ASSIGNMENT_KEY", "00112233445566778899aabbccddeeff")];
    let with_key = |flags: &[&str]| {
        let done = shop.run_with(&key, &[&["run"], flags].concat()).fine();
        done.stdout.split_whitespace().next().unwrap().to_owned()
    };
    let id = with_key(&[]);
    assert!(ids.insert(id.clone()));
    assert_eq!(control(&id), control(&first));
    assert_ne!(control(&with_key(&["--as-of", "2026-02-02"])), control(&first));
}

#[test]
fn each_engine_can_decide() {
    let shop = project();
    let mut slates = BTreeSet::new();
    for (engine, kind) in [
        ("tercet", "order_value"),
        ("legacy", "rank_score"),
        ("personal", "rank_score"),
        ("personal-decayed", "rank_score"),
        ("popular", "rank_score"),
    ] {
        let id = shop.weekly(&["--engine", engine]);
        let decisions = shop.decisions(&id);
        assert!(decisions.iter().all(|d| d.value_kind == kind), "{engine}");
        let offers = shop.offers(&id);
        assert!(offers.len() > 100, "{engine}: {} offers", offers.len());
        slates.insert(
            offers
                .iter()
                .map(|o| format!("{}{}", o.customer_id, o.promotion_id))
                .collect::<String>(),
        );
        let shown = shop.run(&["offers", "--run", &id, "--quiet"]).fine();
        assert!(!shown.stdout.is_empty(), "{engine}");
    }
    assert_eq!(slates.len(), 5, "two engines decided alike");
}

#[test]
fn a_run_says_by_what_offers_are_valued_and_why() {
    let shop = project();
    let check = |because: &str, said: &str| {
        let done = shop.run(&["run"]).fine();
        let id = done.stdout.split_whitespace().next().unwrap();
        let cards = shop.text(&format!("runs/{id}/models/models.json"));
        let cards: serde_json::Value = serde_json::from_str(&cards).unwrap();
        assert_eq!(cards["value_kind"], "order_value");
        let why = cards["value_because"].as_str().unwrap();
        assert!(why.contains(because), "{why}");
        assert!(done.stderr.contains(said), "{}", done.stderr);
        assert!(shop.text(&format!("runs/{id}/delivery/report.html")).contains("order value"));
        assert!(shop.decisions(id).iter().all(|row| row.value_kind == "order_value"));
    };
    check("0 of 2,000 randomised customer-weeks", "offers are valued by order value: 0 of 2,000");
    shop.set("model.value", "order");
    check("[model] value", "past weeks");
    // Nobody was offered anything before.
    shop.set("model.value", "incremental");
    check("0 offers of the last 16 weeks", "offers are valued by order value: 0 offers");
}

#[test]
fn a_promotion_is_not_repeated_within_its_gap() {
    let check = |gap: i64, repeats: bool| {
        let shop = project();
        with_long_promotions(&shop);
        shop.set("rules.repeat_gap_weeks", gap);
        let first = shop.offers(&shop.weekly(&[]));
        let id = shop.weekly(&["--as-of", NEXT_MONDAY]);
        let second = shop.offers(&id);
        let pair = |offer: &Offer| (offer.customer_id.clone(), offer.promotion_id.clone());
        let earlier: BTreeSet<_> = first.iter().map(pair).collect();
        let again = second.iter().filter(|offer| earlier.contains(&pair(offer))).count();
        assert!(!second.is_empty(), "nothing was left to offer");
        assert_eq!(again > 0, repeats, "gap of {gap} weeks: {again} offers repeated");
        if !repeats {
            let frequency = Some("frequency".to_owned());
            assert!(shop.decisions(&id).iter().any(|d| d.empty_reason == frequency));
        }
    };
    check(0, true);
    check(1, false);
    check(2, false);
}

#[test]
fn a_customer_is_contacted_no_more_often_than_the_rule_says() {
    let shop = project();
    with_long_promotions(&shop);
    shop.set("rules.repeat_gap_weeks", 0);
    shop.set("rules.contacts_max", 1);
    shop.set("rules.contact_window_weeks", 1);
    let first = shop.reached(&shop.weekly(&[]));
    assert!(first.len() > 40);
    let second = shop.weekly(&["--as-of", NEXT_MONDAY]);
    assert!(shop.reached(&second).is_disjoint(&first));
    // Two weeks later the window has passed.
    let third = shop.reached(&shop.weekly(&["--as-of", "2026-03-02"]));
    assert!(!third.is_disjoint(&first), "nobody is reached after the window");
}

#[test]
fn caps_budgets_and_groups_hold() {
    let shop = project();
    with_promotion_column(&shop, "cap", &[("W08-4", "5"), ("W08-1", "0")]);
    with_promotion_column(&shop, "budget_minor", &[("W08-6", "40")]);
    with_promotion_column(&shop, "exclusivity_group", &[("W08-2", "hot"), ("W08-3", "hot")]);
    shop.set("rules.cap_default", 30);
    let id = shop.weekly(&[]);
    let offers = shop.offers(&id);
    let found = per_promotion(&offers);
    assert_eq!(found.get("W08-1"), None, "{found:?}");
    assert_eq!(found["W08-4"], 5, "{found:?}");
    assert!(found.values().all(|count| *count <= 30), "{found:?}");
    let decisions = shop.decisions(&id);
    let cost = |promotion: &str| -> i64 {
        let placed = decisions.iter().filter(|d| d.promotion_id.as_deref() == Some(promotion));
        placed.map(|decision| decision.expected_cost_minor).sum()
    };
    assert!(cost("W08-6") <= 40 && found["W08-6"] > 0, "{} for {found:?}", cost("W08-6"));
    let hot = offers.iter().filter(|o| ["W08-2", "W08-3"].contains(&o.promotion_id.as_str()));
    let hot = counts(hot.map(|offer| offer.customer_id.clone()));
    assert!(hot.values().all(|count| *count == 1) && !hot.is_empty(), "{hot:?}");

    let shop = project();
    shop.set("rules.budget_minor", 500);
    shop.set("rules.offers_max", 2);
    let id = shop.weekly(&[]);
    let decisions = shop.decisions(&id);
    let spent: i64 = decisions.iter().map(|decision| decision.expected_cost_minor).sum();
    assert!(spent > 400 && spent <= 500, "{spent} of a budget of 500");
    assert!(decisions.iter().any(|d| d.empty_reason.as_deref() == Some("total_budget")));
    let plan = shop.text(&format!("runs/{id}/allocation/plan.json"));
    let plan: serde_json::Value = serde_json::from_str(&plan).unwrap();
    let certificate = &plan["certificate"];
    let figure = |name: &str| certificate[name].as_f64().unwrap();
    let (value, bound) = (figure("value_minor"), figure("bound_minor"));
    assert!(figure("greedy_minor") <= value && value <= bound, "{certificate}");
    assert!(figure("gap") < 0.1, "{certificate}");
    assert_eq!(certificate["prices"][0]["limit"], "total_budget");
    assert!(certificate["prices"][0]["price_minor"].as_f64().unwrap() > 0.0, "{certificate}");
    let page = shop.text(&format!("runs/{id}/delivery/report.html"));
    assert!(page.contains("Which limit costs how much"));
    let slates = counts(shop.offers(&id).into_iter().map(|offer| offer.customer_id));
    assert!(slates.values().all(|count| *count <= 2), "{slates:?}");
}

#[test]
fn a_budget_in_margin_holds_and_needs_margins() {
    let shop = project();
    let text = "\n[[rules.budgets]]\nname = \"spring\"\nmeasure = \"margin\"\nbudget_minor = 400\n";
    shop.append("tercet.toml", text);
    let refused = shop.run(&["run"]);
    refused.refused(2, "T1096", &["'spring' is in margin", "margin_rate", "default_margin_rate"]);
    // By order value none is asked for.
    let by_orders = project();
    by_orders.append("tercet.toml", text);
    by_orders.set("model.value", "order");
    by_orders.weekly(&[]);
    // All products but one coffee say theirs; then that one does, too.
    let told = |silent: &str| {
        let shop = project();
        shop.append("tercet.toml", text);
        shop.edit("data/products.csv", |row, cells| {
            let rate = if cells[0] == silent { "" } else { "0.25" };
            cells.push(if row == 0 { "margin_rate" } else { rate }.to_owned());
        });
        shop.run(&["run"])
    };
    told("P001").refused(2, "T1096", &["not every product of promotion 'W08-2'"]);
    told("").fine();
    shop.set("features.product.default_margin_rate", 0.3);
    let id = shop.weekly(&[]);
    // What offers bring is not known: of margin each loses what it costs.
    let decisions = shop.decisions(&id);
    let spent: i64 = decisions.iter().map(|decision| decision.expected_cost_minor).sum();
    assert!(spent > 300 && spent <= 400, "{spent} of a budget of 400");
    assert!(decisions.iter().any(|d| d.empty_reason.as_deref() == Some("budget")));
    let plan = shop.text(&format!("runs/{id}/allocation/plan.json"));
    let plan: serde_json::Value = serde_json::from_str(&plan).unwrap();
    let left = serde_json::json!([["spring", 400, 400 - spent]]);
    assert_eq!(plan["margin_budgets_minor"], left);
    let price = &plan["certificate"]["prices"][0];
    assert_eq!((&price["limit"], &price["promotion"]), (&"budget".into(), &"spring".into()));
    let page = shop.text(&format!("runs/{id}/delivery/report.html"));
    assert!(page.contains("spring (margin)"));
}

#[test]
fn little_worth_is_not_sent() {
    let shop = project();
    let all = shop.offers(&shop.weekly(&[]));
    shop.set("rules.value_min_minor", 400);
    let some = shop.offers(&shop.weekly(&[]));
    assert!(!some.is_empty() && some.len() < all.len(), "{} of {}", some.len(), all.len());
    assert!(some.iter().all(|offer| offer.value_minor >= 400));
}

#[test]
fn a_predicate_over_single_pairs_says_what_the_same_over_their_kinds_says() {
    let shop = project();
    let by_kind = shop.weekly(&[]);
    // Met by every pair, and no fact of its kind.
    let asked = |line: &str| match line.strip_suffix('"') {
        Some(before) if line.starts_with("where = ") => {
            format!("{before} and days_bought >= 0\"\n")
        }
        _ => format!("{line}\n"),
    };
    let text = shop.text("tercet.toml");
    let changed: String = text.lines().map(asked).collect();
    assert_eq!(changed.matches("days_bought").count(), 2, "{changed}");
    shop.file("tercet.toml", changed);
    let by_pair = shop.weekly(&[]);
    assert_ne!(by_kind, by_pair);
    assert!(shop.offers(&by_kind).len() > 100);
    assert_eq!(shop.offers(&by_kind), shop.offers(&by_pair));
}

#[test]
fn the_marketer_pins_and_excludes() {
    let shop = project();
    shop.set("rules.excluded", vec!["W08-4"]);
    let mut pin = toml::Table::new();
    pin.insert("promotion_id".to_owned(), "W08-5".into());
    pin.insert("slot".to_owned(), "wildcard".into());
    pin.insert("where".to_owned(), "frequency >= 8".into());
    shop.set("rules.pins", vec![toml::Value::from(pin)]);
    let id = shop.weekly(&[]);
    let offers = shop.offers(&id);
    assert_eq!(per_promotion(&offers).get("W08-4"), None);
    let master = shop.table(&id, "features/customer_master");
    let often: BTreeSet<String> = master
        .text("customer_id")
        .unwrap()
        .into_iter()
        .zip(master.i64("frequency").unwrap())
        .filter_map(|(customer, orders)| (orders >= 8).then_some(customer))
        .collect();
    assert!(often.len() > 5 && often.len() < 55, "{} buy often", often.len());
    for decision in shop.decisions(&id).iter().filter(|d| d.arm == "treatment" && d.slot == 3) {
        let pinned = often.contains(&decision.customer_id);
        assert_eq!(decision.is_forced, pinned, "{decision:?}");
        if pinned {
            assert_eq!(decision.promotion_id.as_deref(), Some("W08-5"), "{decision:?}");
        }
    }
}

#[test]
fn consent_and_suppression_come_first() {
    let shop = project();
    let mut table = "customer_id,consent,suppressed\n".to_owned();
    for (number, customer) in customers().enumerate() {
        let (consent, suppressed) = match number % 4 {
            0 => ("false", "false"),
            1 => ("true", "true"),
            2 => ("true", ""),
            _ => ("", "false"),
        };
        table += &format!("{customer},{consent},{suppressed}\n");
    }
    shop.source("customers", &table);
    let id = shop.weekly(&[]);
    let reached = shop.reached(&id);
    for (number, customer) in customers().enumerate() {
        assert!(number % 4 > 1 || !reached.contains(&customer), "{customer} must not be contacted");
    }
    assert!(reached.len() > 15, "{reached:?}");
    for decision in shop.decisions(&id) {
        let number: usize = decision.customer_id[1..].parse().unwrap();
        if (number - 1) % 4 <= 1 {
            assert_eq!(decision.empty_reason.as_deref(), Some("consent"), "{decision:?}");
        }
    }
    // Offers are refused in words, too.
    let told = shop.run(&["explain", "--customer", "C001"]).fine().stdout;
    assert!(told.contains("consent") || told.contains("contact"), "{told}");
}

#[test]
fn the_audience_is_who_it_says() {
    let shop = project();
    shop.set("audience.where", "frequency >= 6");
    shop.set("audience.limit", 12);
    shop.set("rules.holdout_rate", 0.0);
    let id = shop.weekly(&[]);
    let master = shop.table(&id, "features/customer_master");
    let mut known: Vec<(i64, i64, String)> = master
        .i64("monetary_minor")
        .unwrap()
        .into_iter()
        .zip(master.i64("frequency").unwrap())
        .zip(master.text("customer_id").unwrap())
        .map(|((spend, orders), customer)| (-spend, orders, customer))
        .filter(|(_, orders, _)| *orders >= 6)
        .collect();
    known.sort();
    assert!(known.len() > 12, "{known:?}");
    let expect: BTreeSet<String> = known.into_iter().take(12).map(|known| known.2).collect();
    assert_eq!(shop.reached(&id), expect);

    // A promotion's own audience.
    let shop = project();
    with_promotion_column(&shop, "audience", &[("W08-1", "customer_id <= 'C010'")]);
    let offers = shop.offers(&shop.weekly(&[]));
    let tea: BTreeSet<&str> = offers
        .iter()
        .filter(|offer| offer.promotion_id == "W08-1")
        .map(|offer| offer.customer_id.as_str())
        .collect();
    assert!(!tea.is_empty() && tea.iter().all(|customer| *customer <= "C010"), "{tea:?}");
}

#[test]
fn scores_from_outside_stand_in_for_the_model() {
    let shop = project();
    shop.set("model.external_scores", "data/scores.csv");
    shop.set(
        "slots",
        toml::Value::Array(vec![
            toml::Table::from_iter([("name".to_owned(), "only".into())]).into(),
        ]),
    );
    let scores = |favourite: fn(usize) -> usize| {
        let mut table = "customer_id,promotion_id,value\n".to_owned();
        for (number, customer) in customers().enumerate() {
            for promotion in 1..=6 {
                let value = if promotion == favourite(number) { 9.5 } else { 0.25 };
                table += &format!("{customer},W08-{promotion},{value}\n");
            }
        }
        table
    };
    let check = |favourite: fn(usize) -> usize| {
        shop.file("data/scores.csv", scores(favourite));
        let id = shop.weekly(&[]);
        let offers = shop.offers(&id);
        assert!(offers.len() > 40, "{}", offers.len());
        for offer in &offers {
            let number: usize = offer.customer_id[1..].parse().unwrap();
            let expect = format!("W08-{}", favourite(number - 1));
            assert_eq!((&offer.promotion_id, offer.value_minor), (&expect, 950), "{offer:?}");
        }
        id
    };
    let first = check(|number| number % 6 + 1);
    let second = check(|number| (number + 3) % 6 + 1);
    assert_ne!(first, second, "other scores are another run");
    shop.file("data/scores.csv", "customer_id,promotion_id,worth\nC001,W08-1,3\n");
    shop.run(&["run"]).refused(3, "T0502", &["external_scores", "'value' is missing"]);
    shop.file("data/scores.csv", "customer_id,promotion_id,value\nC001,W08-1,NaN\n");
    let done = shop.run(&["run"]);
    done.refused(3, "T0503", &["external_scores", "W08-1"]);
}

#[test]
fn who_redeemed_a_promotion_does_not_get_it_again() {
    let shop = project();
    let mut table = "customer_id,promotion_id,redeemed_on\n".to_owned();
    for customer in customers() {
        table += &format!("{customer},W08-1,2026-02-14\n");
    }
    shop.source("redemptions", &table);
    let offers = shop.offers(&shop.weekly(&[]));
    assert_eq!(per_promotion(&offers).get("W08-1"), None);
    assert!(offers.len() > 100);
}

#[test]
fn old_runs_go_and_the_newest_stay() {
    let shop = project();
    shop.set("retention.keep_runs", 2);
    shop.set("rules.repeat_gap_weeks", 0);
    shop.set("rules.contact_window_weeks", 0);
    let mondays = ["2026-01-26", "2026-02-02", "2026-02-09", "2026-02-16"];
    let ids: Vec<String> =
        mondays.iter().map(|day| shop.weekly(&["--as-of", day, "--engine", "popular"])).collect();
    assert_eq!(shop.runs(), [ids[3].as_str(), ids[2].as_str()]);
    let left = shop.files();
    for gone in &ids[..2] {
        assert!(left.keys().all(|name| !name.contains(gone.as_str())), "{gone} left files");
    }
    // Runs that the contact rules still look at stay.
    let shop = project();
    shop.set("retention.keep_runs", 1);
    shop.set("rules.repeat_gap_weeks", 2);
    for day in mondays {
        shop.weekly(&["--as-of", day, "--engine", "popular"]);
    }
    let kept = shop.runs();
    assert!(kept.len() >= 3 && kept[0].starts_with("2026-02-16"), "{kept:?}");
}

#[test]
fn codes_are_handed_out_once() {
    let shop = project();
    with_long_promotions(&shop);
    with_promotion_column(&shop, "code_pool", &[("W08-1", "tea"), ("W08-4", "bread")]);
    shop.set("rules.repeat_gap_weeks", 0);
    shop.set("rules.contact_window_weeks", 0);
    shop.set("delivery.code_pools", "pools");
    let pool = |name: &str, count: usize| {
        let codes: String = (0..count).map(|n| format!("{name}-{n:04}\n")).collect();
        shop.file(&format!("pools/{name}.txt"), codes);
    };
    pool("tea", 400);
    pool("bread", 3);
    shop.run(&["run"]).refused(3, "T0803", &["W08-4", "'bread' lacks"]);
    assert!(shop.runs().is_empty());
    pool("bread", 400);

    let mut handed: BTreeSet<String> = BTreeSet::new();
    let mut check = |id: &str| {
        let offers = shop.offers(id);
        for offer in &offers {
            let code = offer.code.clone().unwrap();
            match offer.promotion_id.as_str() {
                "W08-1" | "W08-4" => {
                    let pool = if offer.promotion_id == "W08-1" { "tea-" } else { "bread-" };
                    assert!(code.starts_with(pool), "{offer:?}");
                    assert!(handed.insert(code), "{offer:?}: handed out twice");
                }
                _ => assert!(code.ends_with('8'), "{offer:?}"),
            }
        }
        assert!(offers.iter().any(|offer| offer.promotion_id == "W08-1"), "no code was needed");
    };
    check(&shop.weekly(&[]));
    check(&shop.weekly(&["--as-of", NEXT_MONDAY]));
    check(&shop.weekly(&["--engine", "popular", "--as-of", "2026-03-02"]));
    // Codes of runs that retention has deleted are still somebody's.
    shop.set("retention.keep_runs", 1);
    check(&shop.weekly(&["--as-of", "2026-03-09", "--engine", "popular"]));
    check(&shop.weekly(&["--as-of", "2026-03-09", "--engine", "popular", "--seed", "8"]));

    // A stage that runs again takes the codes it had, and nobody else's.
    let before = shop.outcome();
    let newest = ["run", "--as-of", "2026-03-09", "--engine", "popular", "--seed", "8"];
    shop.run(&[&newest[..], &["--select", "delivery"]].concat()).fine();
    assert!(before == shop.outcome(), "delivery handed out other codes");

    shop.file("pools/tea.txt", "tea-x\ntea-x\n");
    let done = shop.run(&["run", "--seed", "9"]);
    done.refused(3, "T0804", &["'tea'", "twice"]);
}

#[test]
fn pseudonyms_replace_ids_everywhere_and_look_ups_still_work() {
    let shop = project();
    shop.set("project.pseudonym_key_env", "SHOP_KEY");
    shop.run(&["run"]).refused(2, "T1014", &["SHOP_KEY"]);
    let key = [("SHOP_KEY", "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f")];
    let done = shop.run_with(&key, &["run"]).fine();
    let id = done.stdout.split_whitespace().next().unwrap().to_owned();
    let offers = shop.offers(&id);
    assert!(offers.len() > 100);
    let known: BTreeSet<String> = customers().collect();
    assert!(offers.iter().all(|offer| !known.contains(&offer.customer_id)));
    let csv = shop.text(&format!("runs/{id}/delivery/offers.csv"));
    assert!(customers().all(|customer| !csv.contains(&format!("{customer},"))));
    let told = known.iter().find_map(|customer| {
        let arguments = ["offers", "--customer", customer, "--format", "json"];
        let shown = finish(shop.command(&arguments).envs(key));
        (shown.code == 0).then(|| shown.json())
    });
    assert!(!told.unwrap().as_array().unwrap().is_empty());
}

/// Asserts that two runs know the same of every customer, and decided the same but for some columns; customers may
/// have other numbers.
fn known_and_decided_alike(shop: &Project, one: &str, other: &str, but_for: &str) {
    let check = |table: &str, sql: &str| {
        let rows = |run: &str| {
            let engine = Engine::new(EngineOptions::default()).unwrap();
            engine.register("t", &shop.table(run, table)).unwrap();
            engine.query(sql, &BTreeMap::new()).unwrap()
        };
        assert!(rows(one).same_as(&rows(other)), "{table}");
    };
    check("features/customer_master", "select * exclude (customer_ix) from t order by customer_id");
    let decided = format!("select * exclude ({but_for}) from t order by customer_id, slot");
    check("allocation/decisions", &decided);
}

#[test]
fn a_shop_in_parts_is_known_and_decided_as_the_whole() {
    let shop = project();
    // Values that hang on nobody else: what engines learn, they learn from the customers they look at.
    let mut table = "customer_id,promotion_id,value\n".to_owned();
    for (number, customer) in customers().enumerate() {
        for promotion in 1..=6 {
            let value = (number * 7 + promotion * 11) % 23;
            table += &format!("{customer},W08-{promotion},{value}.5\n");
        }
    }
    shop.file("data/scores.csv", table);
    shop.set("model.external_scores", "data/scores.csv");
    let whole = shop.weekly(&[]);
    shop.set("run.parts", 5);
    let parted = shop.weekly(&[]);
    assert_ne!(whole, parted);
    assert_eq!(shop.offers(&parted), shop.offers(&whole));
    for table in ["features/product_master", "features/promotion_master"] {
        assert!(shop.table(&whole, table).same_as(&shop.table(&parted, table)), "{table}");
    }
    known_and_decided_alike(&shop, &whole, &parted, "run_id, decision_id");
    // Both tell of a customer.
    let told = shop.offers(&parted)[0].customer_id.clone();
    for run in [&whole, &parted] {
        let shown = shop.run(&["offers", "--run", run, "--customer", &told]).fine();
        assert!(shown.stdout.contains(&told));
        shop.run(&["explain", "--run", run, "--customer", &told]).fine();
    }
    // The product's own models, in parts.
    shop.set("model.external_scores", "");
    let tercet = shop.weekly(&[]);
    let offers = shop.offers(&tercet);
    assert!(offers.len() > 100);
    let csv: usize = (0..5)
        .map(|part| {
            let path = format!("runs/{tercet}/delivery/offers/part-{part:04}.csv");
            shop.text(&path).lines().count() - 1
        })
        .sum();
    assert_eq!(csv, offers.len());
    let files = shop.files();
    let lines = |run: &str, file: &str| {
        let path = format!("{run}/sources/transactions{file}");
        files.contains_key(&format!("runs/{path}.parquet"))
    };
    assert!(lines(&whole, "") && !lines(&whole, "/part-0000"));
    assert!(lines(&parted, "/part-0000") && lines(&parted, "/part-0004") && !lines(&parted, ""));
    // Every part has something of everything that the shop has much of.
    let rows: Vec<usize> = (0..5)
        .map(|part| shop.table(&parted, &format!("sources/transactions/part-{part:04}")).rows())
        .collect();
    let all = shop.table(&whole, "sources/transactions").rows();
    assert_eq!(rows.iter().sum::<usize>(), all);
    assert!(rows.iter().all(|rows| *rows > 0), "{rows:?}");
    // A dry run and a check look at the same parts.
    shop.run(&["run", "--dry-run"]).fine();
    shop.run(&["check"]).fine();
    // However many are looked at at a time.
    let left = || {
        let mut files = shop.files();
        files.retain(|path, _| path.contains(&tercet) && !path.ends_with(".html"));
        files
    };
    let mut of_threads = [1, 3].map(|threads| {
        shop.set("run.threads", threads);
        assert_eq!(shop.weekly(&["--select", "sources+"]), tercet);
        left()
    });
    let [one, three] = &mut of_threads;
    assert!(one.len() > 50, "{}", one.len());
    assert!(one == three, "threads change what a run leaves");
}

#[test]
fn parts_of_more_customers_than_are_looked_at_at_a_time_are_decided_as_the_whole() {
    const CUSTOMERS: usize = 8_400;
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("shop");
    let size = ["--customers", "8400", "--products", "120", "--promotions", "24", "--weeks", "6"];
    run(&[&["--quiet", "simulate", "--out", out.to_str().unwrap()], &size[..]].concat()).fine();
    let shop = at(folder, "shop");
    let mut table = "customer_id,promotion_id,value\n".to_owned();
    for customer in 1..=CUSTOMERS {
        for promotion in 0..24 {
            let value = (customer * 7 + promotion * 11) % 23;
            table += &format!("{customer},{},{value}.5\n", promotion + 1);
        }
    }
    shop.file("data/scores.csv", table);
    shop.set("model.external_scores", "data/scores.csv");
    let whole = shop.weekly(&[]);
    shop.set("run.parts", 2);
    let parted = shop.weekly(&[]);
    let offers = shop.offers(&parted);
    assert!(offers.len() > CUSTOMERS, "{}", offers.len());
    assert_eq!(offers, shop.offers(&whole));
    // Whom a customer is like is looked for among those that are there: reasons may say so in one run alone.
    known_and_decided_alike(&shop, &whole, &parted, "run_id, decision_id, reason_codes");
}
