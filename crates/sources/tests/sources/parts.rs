//! Do all parts of a shop together hold what it holds as a whole?

use std::collections::BTreeMap;
use std::fmt::Write;

use tercet_engine::Engine;
use tercet_sources::{BY_CUSTOMER, PartRows, Reading, check, load};
use tercet_types::tables::sources as tables;

use crate::shop::{Shop, quarantined};

/// A shop of some dozens of customers with every kind of row: returns, visitors who log in later or on each
/// other's devices, bots, rows that fail, rows that name nothing, rows after the as-of date.
fn messy() -> Shop {
    let mut shop = Shop::new();
    let mut lines = String::from(
        "order_id,customer_id,product_id,occurred_at,quantity,amount_minor,kind,original_order_id\n",
    );
    let mut events =
        String::from("visitor_id,customer_id,occurred_at,event_type,product_id,user_agent\n");
    let (mut sent, mut used) = (
        String::from("customer_id,promotion_id,exposed_on\n"),
        String::from("customer_id,promotion_id,redeemed_on\n"),
    );
    for customer in 0..60 {
        let day = 1 + customer % 28;
        for order in 0..customer % 4 {
            let id = format!("o{customer}-{order}");
            let product = ["p1", "p2", "p3", "p9"][(customer + order) % 4];
            let _ = writeln!(lines, "{id},c{customer},{product},2017-01-{day:02} 10:00:00,2,240,,");
            if (customer + order) % 5 == 0 {
                let _ = writeln!(
                    lines,
                    "{id}r,c{customer},{product},2017-01-{day:02} 18:00:00,-1,-120,return,{id}"
                );
            }
            if customer % 11 == 0 {
                let _ = writeln!(
                    lines,
                    "{id}x,c{customer},{product},2017-01-29 18:00:00,-2,-240,return,"
                );
            }
        }
        if customer % 9 == 0 {
            let _ =
                writeln!(lines, "b{customer},c{customer},p1,2017-01-{day:02} 11:00:00,many,120,,");
            let _ = writeln!(lines, "f{customer},c{customer},p1,2017-02-{day:02} 11:00:00,1,120,,");
        }
        // Device v<n> is of customer n, and every fifth is used by the next customer too.
        let hour = customer % 12;
        for minute in [5, 20, 50] {
            let who = match (customer % 3, minute) {
                (0, _) | (1, 5) => String::new(),
                (_, 50) if customer % 5 == 0 => format!("c{}", customer + 1),
                _ => format!("c{customer}"),
            };
            let agent = if customer % 17 == 3 { "crawler" } else { "browser" };
            let _ = writeln!(
                events,
                "v{customer},{who},2017-01-{day:02} {hour:02}:{minute:02}:00,view_item,p{},{agent}",
                1 + customer % 3
            );
        }
        if customer % 2 == 0 {
            let promotion = if customer % 13 == 0 { "m9" } else { "m1" };
            let _ = writeln!(sent, "c{customer},{promotion},2017-01-{day:02}");
            let _ = writeln!(used, "c{customer},{promotion},2017-01-{day:02}");
        }
    }
    let customers: String = (0..50).fold("customer_id,region,tier\n".to_owned(), |mut text, c| {
        let _ = writeln!(text, "c{c},north,{}", c % 4);
        text
    });
    shop.table("customers", &format!("{customers}c3,south,1\n")).columns =
        BTreeMap::from([("tier".to_owned(), "tier".to_owned())]);
    shop.table("transactions", &lines);
    shop.table("interactions", &events);
    shop.table("exposures", &sent);
    shop.table("redemptions", &used);
    shop.sources.prepare.bot_user_agents = vec!["crawler".to_owned()];
    shop.sources.prepare.unsold_days = Some(10);
    shop
}

/// The rows of a registered table, as sorted texts.
fn rows(shop: &Shop, table: &str) -> Vec<String> {
    let columns = shop.engine.columns(table).unwrap();
    let names: Vec<String> = columns.into_iter().map(|column| column.name).collect();
    let mut rows = shop.rows(&names.join(","), &format!("from {table}"));
    rows.sort_unstable();
    rows
}

/// Reads the shop in parts: the rows of every table, the quarantine, and the health as JSON.
fn in_parts(
    shop: &Shop,
    parts: usize,
) -> (BTreeMap<&'static str, Vec<String>>, Vec<String>, String) {
    let mut reading = Reading::open(&shop.engine, &shop.sources, shop.as_of, parts).unwrap();
    assert_eq!(reading.parts(), parts);
    let (mut found, mut rejected) = (BTreeMap::<&str, Vec<String>>::new(), Vec::new());
    let mut homes: BTreeMap<String, usize> = BTreeMap::new();
    let mut part = 0;
    let leave = |_: &Engine, at: usize, rows: PartRows| Ok((at, rows));
    let take = |(at, rows_of_part): (usize, PartRows)| {
        assert_eq!(at, part);
        rejected.extend(quarantine_rows(&rows_of_part.quarantine));
        assert_eq!(rows_of_part.tables.len(), BY_CUSTOMER.len());
        for (table, frame) in rows_of_part.tables {
            shop.engine.register(table, &frame).unwrap();
            found.entry(table).or_default().extend(rows(shop, table));
            for customer in shop.rows("customer_id", &format!("from {table}")) {
                assert_eq!(*homes.entry(customer.clone()).or_insert(part), part, "{customer}");
            }
        }
        part += 1;
        Ok(())
    };
    reading.each_part(leave, take).unwrap();
    assert_eq!(part, parts);
    let loaded = reading.finish().unwrap();
    rejected.extend(quarantine_rows(&loaded.quarantine));
    for table in ["products", "promotions", "promotion_products"] {
        found.insert(table, rows(shop, table));
    }
    for rows in found.values_mut() {
        rows.sort_unstable();
    }
    rejected.sort_unstable();
    (found, rejected, serde_json::to_string_pretty(&loaded.health).unwrap())
}

fn quarantine_rows(frame: &tercet_engine::Frame) -> Vec<String> {
    let (table, file) = (frame.text("table").unwrap(), frame.text("source_file").unwrap());
    let (row, raw) = (frame.i64("source_row").unwrap(), frame.text("raw").unwrap());
    let (check, reason) = (frame.text("check").unwrap(), frame.text("reason").unwrap());
    (0..frame.rows())
        .map(|i| {
            [&table[i], &check[i], &reason[i], &file[i], &row[i].to_string(), &raw[i]]
                .map(String::as_str)
                .join("|")
        })
        .collect()
}

#[test]
fn a_shop_in_parts_is_the_shop() {
    let shop = messy();
    let loaded = load(&shop.engine, &shop.sources, shop.as_of).unwrap();
    let whole: BTreeMap<&str, Vec<String>> =
        tables::ALL.iter().map(|table| (table.name, rows(&shop, table.name))).collect();
    let mut rejected = quarantine_rows(&loaded.quarantine);
    rejected.sort_unstable();
    assert!(quarantined(&loaded).len() > 5, "{rejected:?}");
    assert!(whole.values().all(|rows| !rows.is_empty()));
    let health = serde_json::to_value(&loaded.health).unwrap();
    for parts in [2, 7] {
        let (found, thrown, said) = in_parts(&shop, parts);
        assert_eq!(found, whole, "{parts} parts");
        assert_eq!(thrown, rejected, "{parts} parts");
        let said: serde_json::Value = serde_json::from_str(&said).unwrap();
        assert_eq!(without_examples(said), without_examples(health.clone()), "{parts} parts");
        let checked = check(&shop.engine, &shop.sources, shop.as_of, parts).unwrap();
        assert_eq!(
            without_examples(serde_json::to_value(checked).unwrap()),
            without_examples(
                serde_json::to_value(check(&shop.engine, &shop.sources, shop.as_of, 1).unwrap())
                    .unwrap()
            ),
        );
    }
}

/// Which failures are shown as examples, and the order of checks, may hang on the parts.
fn without_examples(mut health: serde_json::Value) -> serde_json::Value {
    for table in health["tables"].as_array_mut().unwrap() {
        let checks = table["checks"].as_array_mut().unwrap();
        for check in checks.iter_mut() {
            check["examples"] = serde_json::Value::Null;
        }
        checks.sort_by_key(|check| format!("{}{}", check["check"], check["detail"]));
    }
    health
}

#[test]
fn what_is_wrong_is_told_whether_in_parts_or_not() {
    let mut shop = messy();
    shop.source("transactions", "nowhere.csv");
    let codes: Vec<&str> = [1, 3]
        .map(|parts| {
            let mut reading =
                Reading::open(&shop.engine, &shop.sources, shop.as_of, parts).unwrap();
            reading.each_part(|_, _, _| Ok(()), |()| Ok(())).unwrap_err().code()
        })
        .to_vec();
    assert_eq!(codes, ["T0906", "T0906"]);
    for parts in [1, 3] {
        let health = check(&shop.engine, &shop.sources, shop.as_of, parts).unwrap();
        let failed = health.table("transactions").unwrap().check("source").unwrap();
        assert!(failed.detail.contains("T0906"), "{}", failed.detail);
    }
    let error = Reading::open(&shop.engine, &shop.sources, shop.as_of, 100_000).err().unwrap();
    assert_eq!(error.code(), "T0210");
}
