//! Does every kind of bad input end in a named error or in quarantine?

use tercet_sources::{CHECKS, Policy};

use crate::shop::{PROMOTION_PRODUCTS, PROMOTIONS, Shop, TRANSACTIONS, quarantined};

/// One more line of transactions, and where it must end up.
fn check_line(line: &str, expect: &str) {
    let mut shop = Shop::new();
    shop.table("transactions", &format!("{TRANSACTIONS}{line}\n"));
    let loaded = shop.load().unwrap_or_else(|error| panic!("{line}: {error}"));
    let found = quarantined(&loaded);
    assert_eq!(found, [format!("transactions|{expect}")], "{line}");
    assert!(
        loaded.quarantine.text("raw").unwrap()[0].starts_with("{\"order_id\":\"o9\""),
        "{line}"
    );
    let health = loaded.health.table("transactions").unwrap();
    assert_eq!((health.rows_in, health.rows_out, health.quarantined), (6, 5, 1), "{line}");
}

#[test]
fn bad_lines_go_to_quarantine_with_their_reason() {
    check_line("o9,c1,p1,2017-01-20 10:00:00,abc,120", "type|6|quantity 'abc' is not a number");
    check_line(
        "o9,c1,p1,2017-01-20 10:00:00,1,12.5",
        "type|6|amount_minor '12.5' is not a whole number",
    );
    check_line("o9,c1,p1,soon,1,120", "type|6|occurred_at 'soon' is not a time");
    check_line(
        "o9,c1,p1,2017-02-30 10:00:00,1,120",
        "type|6|occurred_at '2017-02-30 10:00:00' is not a time",
    );
    check_line("o9,c1,p1,2017-01-20 10:00:00,NaN,120", "range|6|quantity NaN is not finite");
    check_line("o9,c1,p1,2017-01-20 10:00:00,1,nan", "range|6|amount_minor nan is not finite");
    check_line("o9,c1,p1,2017-01-20 10:00:00,inf,120", "range|6|quantity inf is not finite");
    check_line(
        "o9,c1,p1,2017-01-20 10:00:00,-1,120",
        "range|6|the quantity is negative, the amount positive",
    );
    check_line("o9,,p1,2017-01-20 10:00:00,1,120", "not_null|6|customer_id is missing");
    check_line("o9,c1,p1,,1,120", "not_null|6|occurred_at is missing");
    let huge = "x".repeat(300);
    check_line(
        &format!("o9,{huge},p1,2017-01-20 10:00:00,1,120"),
        &format!("id_length|6|customer_id {}… has 300 bytes", "x".repeat(20)),
    );
}

#[test]
fn missing_files_columns_and_sources() {
    let mut shop = Shop::new();
    shop.source("products", "nowhere.csv");
    let (code, text) = shop.failure();
    assert_eq!(code, "T0906", "{text}");
    assert!(text.contains("products") && text.contains("nowhere.csv"), "{text}");
    let health = shop.check().unwrap();
    assert_eq!(health.status(), Policy::Stop);
    assert_eq!(health.table("products").unwrap().check("source").unwrap().status, Policy::Stop);

    let mut shop = Shop::new();
    shop.table("products", "sku,product_name\np1,Milk\n");
    let (code, text) = shop.failure();
    assert_eq!(code, "T0203");
    assert!(text.contains("no column gives 'product_id'") && text.contains("sku"), "{text}");

    let mut shop = Shop::new();
    shop.source("transactions", "transactions.csv")
        .columns
        .insert("quantity".into(), "cast(quantitty as double)".into());
    let (code, text) = shop.failure();
    assert_eq!(code, "T0203");
    assert!(text.contains("did you mean 'quantity'"), "{text}");

    let mut shop = Shop::new();
    shop.sources.specs.remove(0);
    assert_eq!(shop.failure().0, "T0208");
    let mut shop = Shop::new();
    shop.source("product", "products.csv");
    let (code, text) = shop.failure();
    assert_eq!(code, "T0201");
    assert!(text.contains("did you mean 'products'"), "{text}");
}

#[test]
fn wrong_policies_are_refused() {
    for name in ["transactions.rnge", "transaction.range", "range"] {
        let mut shop = Shop::new();
        shop.sources.contract.policies.insert(name.into(), Policy::Stop);
        assert_eq!(shop.failure().0, "T0207", "{name}");
    }
    assert!(CHECKS.contains(&"range"));
}

#[test]
fn corrupt_and_truncated_parquet() {
    let mut shop = Shop::new();
    crate::formats::parquet(&shop, "products.parquet");
    shop.source("products", "products.parquet");
    let whole = std::fs::read(shop.folder.path().join("products.parquet")).unwrap();
    shop.file("products.parquet", &whole[..whole.len() / 2]);
    let (code, text) = shop.failure();
    assert_eq!(code, "T0905", "{text}");
    assert!(text.contains("products.parquet"), "{text}");
    let mut corrupt = whole.clone();
    for byte in &mut corrupt[4..whole.len() / 2] {
        *byte = 0xAA;
    }
    shop.file("products.parquet", &corrupt);
    assert_eq!(shop.failure().0, "T0905");
    shop.file("products.parquet", b"no parquet at all");
    assert_eq!(shop.failure().0, "T0905");
}

#[test]
fn empty_tables() {
    let mut shop = Shop::new();
    shop.table(
        "transactions",
        "order_id,customer_id,product_id,occurred_at,quantity,amount_minor\n",
    );
    let (code, text) = shop.failure();
    assert_eq!(code, "T0205", "{text}");
    let mut shop = Shop::new();
    shop.table("interactions", "visitor_id,occurred_at,event_type\n");
    let loaded = shop.load().unwrap();
    let interactions = loaded.health.table("interactions").unwrap();
    assert_eq!(interactions.check("empty").unwrap().status, Policy::Warn);
    let mut shop = Shop::new();
    shop.file("products.csv", "");
    shop.source("products", "products.csv");
    assert_eq!(shop.failure().0, "T0914");
}

#[test]
fn no_customers_and_one_customer() {
    let mut shop = Shop::new();
    shop.table("customers", "customer_id,region\n");
    shop.load().unwrap();
    assert_eq!(
        shop.rows("customer_id,is_visitor", "from customers"),
        ["c1|false", "c2|false", "c3|false"]
    );
    let mut shop = Shop::new();
    let header = TRANSACTIONS.lines().next().unwrap();
    shop.table("transactions", &format!("{header}\no1,c1,p1,2017-01-03 10:00:00,1,120\n"));
    shop.load().unwrap();
    assert_eq!(shop.rows("customer_id", "from customers"), ["c1"]);
}

#[test]
fn duplicate_keys_keep_the_first_row() {
    let mut shop = Shop::new();
    shop.table(
        "products",
        "product_id,product_name\np1,Milk\np2,Bread\np3,Salt\np4,Oil\np5,Tea\np1,Cream\n",
    );
    let loaded = shop.load().unwrap();
    assert_eq!(quarantined(&loaded), ["products|key|6|the key p1 is there already"]);
    assert_eq!(shop.rows("product_name", "from products where product_id = 'p1'"), ["Milk"]);
}

#[test]
fn negative_prices_and_inverted_windows() {
    let mut shop = Shop::new();
    shop.sources.contract.quarantine_share_max = 0.5;
    shop.table(
        "products",
        "product_id,price_minor,margin_rate\np1,120,0.3\np2,-5,0.3\np3,90,1.7\np4,1,\n",
    );
    shop.table("promotions", &format!("{PROMOTIONS}m3,2017-02-12,2017-02-01,percent,0.2\nm4,2017-02-01,2017-02-02,percent,20\n"));
    let loaded = shop.load().unwrap();
    assert_eq!(
        quarantined(&loaded)[..4],
        [
            "products|range|2|price_minor is negative: -5",
            "products|range|3|margin_rate is not between 0 and 1: 1.7",
            "promotions|range|3|valid_from 2017-02-12 lies after valid_to 2017-02-01",
            "promotions|range|4|value_rate is not between 0 and 1: 20.0",
        ]
    );
}

#[test]
fn promotions_without_products() {
    let mut shop = Shop::new();
    shop.sources.contract.quarantine_share_max = 0.5;
    shop.table(
        "promotions",
        &format!(
            "{PROMOTIONS}m3,2017-02-01,2017-02-12,percent,0.2\nm4,2017-02-01,2017-02-12,percent,0.2\n"
        ),
    );
    // p77 is sold without being listed, p99 is nowhere; m9 is no promotion.
    shop.table("transactions", &format!("{TRANSACTIONS}o9,c1,p77,2017-01-20 10:00:00,1,120\n"));
    shop.table(
        "promotion_products",
        &format!("{PROMOTION_PRODUCTS}m3,product,p99\nm4,product,p77\nm9,product,p1\n"),
    );
    let loaded = shop.load().unwrap();
    assert_eq!(
        quarantined(&loaded),
        [
            "promotion_products|reference|6|promotion_id is not in promotions: m9",
            "promotions|eligible|3|promotion m3 has no eligible product"
        ]
    );
    let listed = loaded.health.table("promotion_products").unwrap();
    assert_eq!(listed.rows_out, 5);
}

#[test]
fn unknown_references() {
    let mut shop = Shop::new();
    shop.table("customers", "customer_id\nc1\nc2\n");
    shop.table("transactions", &format!("{TRANSACTIONS}o9,c8,p77,2017-01-20 10:00:00,1,120\n"));
    let loaded = shop.load().unwrap();
    let health = loaded.health.table("transactions").unwrap();
    assert_eq!(health.rows_out, 6, "nothing is dropped");
    assert_eq!(health.check("reference").unwrap().status, Policy::Warn);
    assert_eq!(shop.rows("product_name", "from products where product_id = 'p77'"), ["-"]);
    assert_eq!(shop.rows("customer_id", "from customers"), ["c1", "c2", "c3", "c8"]);

    shop.sources.contract.policies.insert("transactions.reference".into(), Policy::Stop);
    let (code, text) = shop.failure();
    assert_eq!(code, "T0204");
    assert!(text.contains("p77"), "{text}");
    shop.sources.contract.policies.insert("transactions.reference".into(), Policy::Quarantine);
    shop.sources.contract.quarantine_share_max = 0.5;
    assert_eq!(quarantined(&shop.load().unwrap()).len(), 2, "each row once");
}

#[test]
fn what_comes_later_is_set_aside() {
    let mut shop = Shop::new();
    shop.as_of = "2017-01-20".parse().unwrap();
    let loaded = shop.load().unwrap();
    let health = loaded.health.table("transactions").unwrap();
    assert_eq!((health.rows_in, health.rows_out, health.quarantined), (5, 3, 0));
    assert_eq!(health.check("future").unwrap().rows, 2);
    assert_eq!(health.newest.unwrap().to_string(), "2017-01-10");
    shop.sources.contract.policies.insert("transactions.future".into(), Policy::Stop);
    assert_eq!(shop.failure().0, "T0204");
    shop.sources.contract.policies.insert("transactions.future".into(), Policy::Quarantine);
    assert_eq!(quarantined(&shop.load().unwrap()).len(), 2);
}

#[test]
fn stale_data_is_told() {
    let mut shop = Shop::new();
    shop.as_of = "2017-04-01".parse().unwrap();
    let health = shop.check().unwrap();
    assert_eq!(
        health.table("transactions").unwrap().check("freshness").unwrap().status,
        Policy::Warn
    );
    shop.sources.contract.policies.insert("transactions.freshness".into(), Policy::Stop);
    assert_eq!(shop.failure().0, "T0204");
}

#[test]
fn a_tenth_of_garbage_survives_and_most_garbage_stops() {
    let lines = |garbage: usize| {
        let mut text = TRANSACTIONS.lines().next().unwrap().to_owned() + "\n";
        for i in 0..100 {
            if i < garbage {
                text += "\u{1}\u{2}garbage \"\"x,,???,not a time,1e999,§\n";
            } else {
                text += &format!("o{i},c{},p1,2017-01-{:02} 10:00:00,1,120\n", i % 9, i % 28 + 1);
            }
        }
        text
    };
    let mut shop = Shop::new();
    shop.table("transactions", &lines(10));
    let loaded = shop.load().unwrap();
    assert_eq!(loaded.quarantine.rows(), 10);
    assert_eq!(loaded.health.table("transactions").unwrap().rows_out, 90);
    shop.table("transactions", &lines(60));
    let (code, text) = shop.failure();
    assert_eq!(code, "T0206");
    assert!(text.contains("60 of 100 rows (60 %)"), "{text}");
    assert_eq!(shop.check().unwrap().status(), Policy::Stop);
}

#[test]
fn ragged_lines_do_not_stop_the_rest() {
    let mut shop = Shop::new();
    shop.table("transactions", &format!("{TRANSACTIONS}o9,c1,p1\n"));
    let loaded = shop.load().unwrap();
    assert_eq!(quarantined(&loaded), ["transactions|not_null|6|occurred_at is missing"]);
}
