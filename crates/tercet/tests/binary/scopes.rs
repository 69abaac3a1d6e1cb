//! Do promotions of a store or a channel reach only whom they may, and does every empty slot name its rule?

use std::collections::{BTreeMap, BTreeSet};

use crate::support::{MONDAY, Offer, Project, project};

/// The promotion of the starter that holds in one store.
const STATION_ONLY: &str = "W08-3";

/// The store of most orders of each customer, of equals the one visited last, from the starter's own file.
fn home_stores(shop: &Project) -> BTreeMap<String, String> {
    let mut orders: BTreeMap<(String, String), BTreeMap<String, String>> = BTreeMap::new();
    for line in shop.text("data/transactions.csv").lines().skip(1) {
        let cells: Vec<&str> = line.split(',').collect();
        if !cells[4].starts_with('-') && cells[3] < MONDAY {
            let visit = (cells[1].to_owned(), cells[6].to_owned());
            orders.entry(visit).or_default().insert(cells[0].to_owned(), cells[3][..10].to_owned());
        }
    }
    let mut homes: BTreeMap<String, (usize, String, String)> = BTreeMap::new();
    for ((customer, store), visits) in orders {
        let last = visits.values().max().unwrap().clone();
        let better = (visits.len(), last, store);
        let home = homes.entry(customer).or_insert_with(|| better.clone());
        if (better.0, &better.1) > (home.0, &home.1) {
            *home = better;
        }
    }
    homes.into_iter().map(|(customer, (_, _, store))| (customer, store)).collect()
}

fn who_got(offers: &[Offer], promotion: &str) -> BTreeSet<String> {
    let found = offers.iter().filter(|offer| offer.promotion_id == promotion);
    found.map(|offer| offer.customer_id.clone()).collect()
}

/// Gives some promotions a channel scope.
fn with_channel_scope(shop: &Project, promotions: &[&str], scope: &str) {
    shop.edit("data/promotions.csv", |row, cells| {
        let is_scoped = promotions.contains(&cells[0].as_str());
        cells.push(match (row, is_scoped) {
            (0, _) => "channel_scope".to_owned(),
            (_, true) => scope.to_owned(),
            _ => String::new(),
        });
    });
}

/// Says in which channel the third slot is shown.
fn with_slot_channel(shop: &Project, channel: &str) {
    let text = shop.text("tercet.toml");
    let slot = "name = \"wildcard\"\n";
    assert!(text.contains(slot));
    shop.file("tercet.toml", text.replace(slot, &format!("{slot}channel = \"{channel}\"\n")));
}

#[test]
fn a_promotion_of_one_store_reaches_those_at_home_there() {
    let shop = project();
    let homes = home_stores(&shop);
    let at_station: BTreeSet<&String> =
        homes.iter().filter(|(_, store)| *store == "STATION").map(|(id, _)| id).collect();
    assert!((10..30).contains(&at_station.len()), "{at_station:?}");
    for engine in ["tercet", "legacy", "personal", "personal-decayed", "popular"] {
        let id = shop.weekly(&["--engine", engine]);
        let got = who_got(&shop.offers(&id), STATION_ONLY);
        assert!(!got.is_empty(), "{engine}: nobody got it");
        assert!(got.iter().all(|id| at_station.contains(id)), "{engine}: {got:?}");
    }
    let id = shop.weekly(&[]);
    let master = shop.table(&id, "features/customer_master");
    let known = master.text("customer_id").unwrap().into_iter();
    let known: BTreeMap<String, String> =
        known.zip(master.text("home_store_id").unwrap()).collect();
    assert_eq!(known, homes);

    let decisions = shop.decisions(&id);
    let elsewhere = decisions
        .iter()
        .find(|d| d.arm == "treatment" && !at_station.contains(&d.customer_id))
        .map(|decision| decision.customer_id.as_str());
    let told =
        shop.run(&["explain", "--customer", elsewhere.unwrap(), "--format", "json"]).fine().json();
    assert_eq!(told["about"]["home store"], "MARKET");
    let others = told["others"].as_array().unwrap().iter();
    let why = others.clone().find(|row| row["promotion"].as_str().unwrap().contains(STATION_ONLY));
    let why = why.unwrap()["why not"].as_str().unwrap();
    assert_eq!(why, "it holds in store STATION; the customer shops in MARKET");
}

#[test]
fn what_the_customer_table_says_of_the_store_goes_first() {
    let shop = project();
    let mut table = "customer_id,home_store_id\n".to_owned();
    let homes = home_stores(&shop);
    for (number, customer) in homes.keys().enumerate() {
        let store = ["STATION", "MARKET", ""][number % 3];
        table += &format!("{customer},{store}\n");
    }
    shop.source("customers", &table);
    let got = who_got(&shop.offers(&shop.weekly(&[])), STATION_ONLY);
    assert!(!got.is_empty());
    for (number, (customer, home)) in homes.iter().enumerate() {
        let is_at_station = number % 3 == 0 || (number % 3 == 2 && home == "STATION");
        assert!(is_at_station || !got.contains(customer), "{customer} is not at home there");
    }
    let moved = homes.iter().enumerate().any(|(number, (customer, home))| {
        number % 3 == 0 && home == "MARKET" && got.contains(customer)
    });
    assert!(moved, "nobody of MARKET whom the table puts to STATION got it");
}

#[test]
fn a_promotion_of_a_channel_reaches_those_who_use_it_and_slots_shown_in_it() {
    const WEB: [&str; 2] = ["W08-1", "W08-4"];
    let shop = project();
    with_channel_scope(&shop, &WEB, "Web|app");
    let of_web = |id: &str| -> Vec<Offer> {
        let offers = shop.offers(id).into_iter();
        offers.filter(|offer| WEB.contains(&offer.promotion_id.as_str())).collect()
    };
    let nobody = of_web(&shop.weekly(&[]));
    assert!(nobody.is_empty(), "nobody browses: {nobody:?}");

    let browses = |customer: &str| customer[1..].parse::<usize>().unwrap().is_multiple_of(2);
    let mut table = "visitor_id,occurred_at,event_type,customer_id\n".to_owned();
    for customer in home_stores(&shop).keys().filter(|customer| browses(customer)) {
        table += &format!("{customer},2026-02-12 09:00:00,view_item,{customer}\n");
    }
    shop.source("interactions", &table);
    let online = of_web(&shop.weekly(&[]));
    assert!(online.len() > 10, "{online:?}");
    assert!(online.iter().all(|offer| browses(&offer.customer_id)), "{online:?}");

    // Who sees a slot on the web is on the web.
    with_slot_channel(&shop, "web");
    let shown = of_web(&shop.weekly(&[]));
    assert!(shown.iter().all(|offer| browses(&offer.customer_id) || offer.slot == 3), "{shown:?}");
    assert!(shown.iter().any(|offer| !browses(&offer.customer_id)), "{shown:?}");

    // Who agreed to the store alone gets nothing there, whatever the promotion.
    let agreed = |customer: &str| customer < "C030";
    let mut table = "customer_id,channels\n".to_owned();
    for customer in home_stores(&shop).keys() {
        table += &format!("{customer},{}\n", if agreed(customer) { "web|store" } else { "store" });
    }
    shop.source("customers", &table);
    let id = shop.weekly(&[]);
    let decisions = shop.decisions(&id);
    for decision in decisions.iter().filter(|d| d.arm == "treatment" && !agreed(&d.customer_id)) {
        let is_web = decision.promotion_id.as_deref().is_some_and(|id| WEB.contains(&id));
        assert!(!is_web, "{decision:?}");
        if decision.slot == 3 {
            assert_eq!(decision.empty_reason.as_deref(), Some("channel"), "{decision:?}");
        }
    }
    assert!(of_web(&id).len() > 10);
}

#[test]
fn a_slot_that_the_offer_limit_empties_says_so() {
    let shop = project();
    shop.set("rules.offers_max", 2);
    let reasons = |id: &str| -> BTreeSet<String> {
        let decisions = shop.decisions(id).into_iter().filter(|d| d.arm == "treatment");
        decisions.filter_map(|decision| decision.empty_reason).collect()
    };
    assert_eq!(reasons(&shop.weekly(&[])), BTreeSet::from(["offers_max".to_owned()]));
    let told = shop.run(&["offers", "--format", "csv"]).fine().lines();
    let customer = told[1][0].clone();
    let told = shop.run(&["explain", "--customer", &customer]).fine().stdout;
    assert!(told.contains("as many offers as one run may make"), "{told}");
    // Contacts of earlier weeks are another rule.
    shop.set("rules.contacts_max", 1);
    shop.edit("data/promotions.csv", |_, cells| {
        if cells[0].starts_with("W08") {
            cells[6] = "2026-03-15".to_owned();
        }
    });
    let second = shop.weekly(&["--as-of", "2026-02-23"]);
    assert_eq!(reasons(&second), BTreeSet::from(["contacts".to_owned()]));
}

#[test]
fn a_promotion_pinned_twice_for_the_same_is_refused_and_for_others_it_holds() {
    let pins = |shop: &Project, predicates: [&str; 2]| {
        let pin = |slot: &str, predicate: &str| {
            let mut pin = toml::Table::new();
            for (key, value) in [("promotion_id", "W08-5"), ("slot", slot), ("where", predicate)] {
                pin.insert(key.to_owned(), value.into());
            }
            toml::Value::from(pin)
        };
        let pins = vec![pin("favourite", predicates[0]), pin("wildcard", predicates[1])];
        shop.set("rules.pins", pins);
    };
    let refused = |predicates: [&str; 2], whom: &str| {
        let shop = project();
        pins(&shop, predicates);
        let words = ["W08-5", "pinned twice", whom, "'favourite'", "'wildcard'"];
        shop.run(&["run"]).refused(2, "T1025", &words);
        assert!(shop.runs().is_empty());
    };
    refused(["", ""], "everybody");
    refused(["", "frequency >= 8"], "everybody");
    refused(["frequency >= 8", " frequency >= 8"], "frequency >= 8");

    // The more special pin first, the one for all others after it.
    let shop = project();
    pins(&shop, ["frequency >= 8", ""]);
    let id = shop.weekly(&[]);
    let master = shop.table(&id, "features/customer_master");
    let known = master.text("customer_id").unwrap().into_iter();
    let orders: BTreeMap<String, i64> = known.zip(master.i64("frequency").unwrap()).collect();
    let decisions = shop.decisions(&id);
    let pinned: Vec<_> = decisions.iter().filter(|decision| decision.is_forced).collect();
    for decision in &pinned {
        let slot = if orders[&decision.customer_id] >= 8 { 1 } else { 3 };
        let found = (decision.slot, decision.promotion_id.as_deref());
        assert_eq!(found, (slot, Some("W08-5")), "{decision:?}");
    }
    let treated: BTreeSet<&str> = decisions
        .iter()
        .filter(|decision| decision.arm == "treatment")
        .map(|decision| decision.customer_id.as_str())
        .collect();
    assert_eq!(pinned.len(), treated.len());
}
