//! Do the master tables say what hand-made rows imply?

#![allow(
    clippy::unwrap_used,
    clippy::allow_attributes,
    reason = "a failed test should stop at once"
)]

mod support;

use std::collections::BTreeMap;

use support::{Shop, column, day, lines};
use tercet_engine::{Engine, Frame};
use tercet_features::{PAIR_FEATURES, Settings, build_master, index, labels};
use tercet_types::segment::Behaviour;

fn shop() -> Shop {
    Shop {
        customers: lines(
            "ann|2017-01-01|north|true||small
             bob||south|false||large
             cas|||||small
             dan||||true|
             eve|2017-09-01||||",
        ),
        products: lines(
            "milk|FOOD|DAIRY|MILK|own|m1|||2017-08-20|
             oats|FOOD|CEREAL|OATS|big|m2|300|0.5||
             soap|HOME|BATH|SOAP|big|m2||||2017-06-01
             tea|FOOD|DRINK|TEA|own|m1||||",
        ),
        // As of 2017-09-04; ann buys milk every ten days, bob lapsed, cas only looks, dan is known by name.
        transactions: lines(
            "o1|ann|milk|2017-08-05T09:00:00|1|100||
             o2|ann|milk|2017-08-15T09:00:00|2|220||
             o3|ann|milk|2017-08-25T09:00:00|1|120|30|
             o3|ann|oats|2017-08-25T09:00:00|1|280||
             o4|bob|soap|2017-05-01T12:00:00|1|500||
             o5|ann|oats|2017-08-30T10:00:00|1|-280||
             o6|ann|tea|2017-09-04T00:00:00|1|900||
             o7|bob|milk|2017-09-05T00:00:00|1|100||",
        ),
        interactions: lines(
            "v1|2017-08-30T10:00:00|view_item|ann|oats||mobile
             v1|2017-08-30T10:05:00|add_to_cart|ann|oats||desktop
             v1|2017-08-31T10:05:00|purchase|ann|oats||desktop
             v1|2017-05-01T10:00:00|view_item|ann|oats||desktop
             v1|2017-09-01T10:00:00|view_item|ann|||desktop
             v2|2017-09-02T10:00:00|view_item|cas||DAIRY|mobile
             v2|2017-09-04T10:00:00|view_item|bob|tea||tablet",
        ),
        promotions: lines(
            "p1|2017-09-01|2017-09-10|percent|0.25|
             p2|2017-09-01|2017-09-10|money_off||
             p3|2017-09-05|2017-09-10|money_off||50
             p4|2017-08-01|2017-08-31|percent||
             p5|2017-09-01|2017-09-10|percent||",
        ),
        promotion_products: lines(
            "p1|category|DAIRY
             p1|product|oats
             p2|brand|big
             p3|department|FOOD
             p4|manufacturer|m1
             p5|product_type|SOAP",
        ),
        ..Shop::default()
    }
}

fn made() -> Engine {
    let engine = shop().engine(2);
    index(&engine).unwrap();
    build_master(&engine, day("2017-09-04"), &Settings::default()).unwrap();
    engine
}

fn all(engine: &Engine, table: &str, order: &str) -> Frame {
    engine.query(&format!("select * from {table} order by {order}"), &BTreeMap::new()).unwrap()
}

#[test]
fn customers() {
    let engine = made();
    let master = all(&engine, "customer_master", "customer_ix");
    let check = |name: &str, expect: &[&str]| assert_eq!(column(&master, name), expect, "{name}");
    check("customer_id", &["ann", "bob", "cas", "dan", "eve"]);
    check("behaviour", &["both", "transaction_only", "browsing_only", "neither", "neither"]);
    check("lifecycle", &["returning", "lapsed", "never", "never", "never"]);
    check("recency_days", &["10", "126", "-", "-", "-"]);
    check("frequency", &["3", "1", "0", "0", "0"]);
    check("monetary_minor", &["440", "500", "0", "0", "0"]);
    check("median_gap_days", &["10.0", "-", "-", "-", "-"]);
    check("orders_4w", &["2", "0", "0", "0", "0"]);
    check("orders_8w", &["3", "0", "0", "0", "0"]);
    check("basket_mean_minor", &["146", "500", "-", "-", "-"]);
    check("device", &["desktop", "-", "mobile", "-", "-"]);
    check("region", &["north", "south", "-", "-", "-"]);
    check("consent", &["true", "false", "true", "true", "true"]);
    check("suppressed", &["false", "false", "false", "true", "false"]);
    check("profile_household", &["small", "large", "small", "-", "-"]);
    check("r_score", &["2", "1", "-", "-", "-"]);
}

#[test]
fn thresholds_in_place_of_quintiles() {
    let engine = shop().engine(1);
    index(&engine).unwrap();
    let mut settings = Settings::default();
    settings.rfm.recency_days = Some([7, 14, 28, 56]);
    settings.rfm.frequency = Some([2, 3, 4, 5]);
    settings.rfm.monetary_minor = Some([100, 200, 300, 500]);
    build_master(&engine, day("2017-09-04"), &settings).unwrap();
    let rfm = all(&engine, "customer_rfm", "customer_id");
    let check = |name: &str, expect: &[&str]| assert_eq!(column(&rfm, name), expect, "{name}");
    check("r_score", &["4", "1"]);
    check("f_score", &["3", "1"]);
    check("m_score", &["4", "5"]);
    check("rfm_segment", &["loyal", "at_risk"]);
}

#[test]
fn products() {
    let engine = made();
    let master = all(&engine, "product_master", "product_ix");
    let check = |name: &str, expect: &[&str]| assert_eq!(column(&master, name), expect, "{name}");
    check("product_id", &["milk", "oats", "soap", "tea"]);
    check("price_minor", &["110", "300", "500", "-"]);
    check("price_is_estimated", &["true", "false", "true", "false"]);
    check("price_band", &["1", "1", "1", "-"]);
    check("margin_rate", &["0.3", "0.5", "0.3", "0.3"]);
    check("repurchase_days", &["10.0", "-", "-", "-"]);
    check("is_newly_launched", &["true", "false", "false", "false"]);
    check("is_discontinued", &["false", "false", "true", "false"]);
    check("buyers_4w", &["1", "1", "0", "0"]);
}

#[test]
fn promotions() {
    let engine = made();
    let eligible = engine
        .query(
            "select r.promotion_id, i.product_id from eligible_products e
             join promotion_index r on r.promotion_ix = e.promotion_ix
             join product_index i on i.product_ix = e.product_ix order by 1, 2",
            &BTreeMap::new(),
        )
        .unwrap();
    // Discontinued soap is out; p3 is not known yet.
    assert_eq!(column(&eligible, "promotion_id"), ["p1", "p1", "p2", "p4", "p4"]);
    assert_eq!(column(&eligible, "product_id"), ["milk", "oats", "oats", "milk", "tea"]);
    let master = all(&engine, "promotion_master", "promotion_ix");
    let check = |name: &str, expect: &[&str]| assert_eq!(column(&master, name), expect, "{name}");
    check("promotion_id", &["p1", "p2", "p4", "p5"]);
    check("breadth", &["2", "1", "2", "0"]);
    check("is_candidate", &["true", "true", "false", "false"]);
    check("buyers_4w", &["1", "1", "1", "0"]);
    check("value_is_estimated", &["false", "true", "true", "true"]);
    // 30 off the one coupon line of 120 for p4; p2 has none of its own: the median over all promotions.
    check("discount_rate", &["0.25", "0.25", "0.25", "0.2"]);
    check("bought_4w_rate", &["1.0", "1.0", "0.5", "-"]);
}

#[test]
fn facts_add_up() {
    let engine = shop().engine(2);
    index(&engine).unwrap();
    let facts = build_master(&engine, day("2017-09-04"), &Settings::default()).unwrap();
    assert_eq!(facts.customers, 5);
    let counts: Vec<usize> = facts.behaviours.iter().map(|(_, count)| *count).collect();
    assert_eq!(facts.behaviours[2].0, Behaviour::Both);
    assert_eq!(counts, [1, 1, 1, 2]);
    assert_eq!((facts.promotions, facts.candidates, facts.promotions_without_products), (4, 2, 1));
    assert_eq!(facts.profile_columns, ["household"]);
}

#[test]
fn pairs_and_labels() {
    let engine = made();
    let made = support::pair_values(&engine, day("2017-09-04"), &[1, 0], &[0, 1]);
    assert_eq!(made.len(), 4 * PAIR_FEATURES.len());
    let check = |row: usize, name: &str, expect: f32| {
        let place = PAIR_FEATURES.iter().position(|f| f.name == name).unwrap();
        let found = made[row * PAIR_FEATURES.len() + place];
        let same = (found - expect).abs() < 1e-4 || (found.is_nan() && expect.is_nan());
        assert!(same, "{row} {name}: {found}, not {expect}");
    };
    check(0, "own_days", 3.0);
    check(0, "own_age_days", 10.0);
    check(0, "own_interval_days", 10.0);
    check(0, "own_due_ratio", 1.0);
    check(1, "own_days", 1.0);
    check(1, "own_interval_days", f32::NAN);
    check(
        0,
        "own_lines_14d",
        2.0 * 0.5_f32.powf(10.0 / 14.0) + 0.5_f32.powf(20.0 / 14.0) + 0.5_f32.powf(30.0 / 14.0),
    );
    check(0, "promotion_breadth", 2.0);
    check(0, "promotion_buyers_12w_rate", 1.0);
    check(0, "promotion_price_minor", 180.0);
    check(0, "promotion_repeat_rate", 4.0);
    check(0, "customer_orders_12w", 3.0);
    check(0, "customer_tenure_days", 30.0);
    check(0, "type_new_affinity", 0.0);
    check(0, "neighbour_types", f32::NAN);
    // Oats on one day; what is bought is no look, and May is forgotten.
    check(0, "looked_14d", 0.5_f32.powf(5.0 / 14.0));
    check(0, "looked_60d", 0.5_f32.powf(5.0 / 60.0));
    check(0, "looked_age_days", 5.0);
    check(0, "looked_type_60d", 0.5_f32.powf(5.0 / 60.0));
    check(2, "looked_14d", 0.0);
    check(2, "looked_age_days", f32::NAN);
    check(2, "own_days", 0.0);
    check(2, "own_age_days", f32::NAN);
    check(2, "customer_tenure_days", 126.0);

    let week = labels(&engine, day("2017-09-04"), &[3, 0]).unwrap();
    assert_eq!(column(&week, "customer_ix"), ["0", "1", "1"]);
    assert_eq!(column(&week, "promotion_ix"), ["3", "0", "3"]);
    assert_eq!(column(&week, "spend_minor"), ["900", "100", "100"]);
    assert_eq!(column(&week, "discovered"), ["1", "1", "1"]);

    let dairy =
        "select c.* from customer_category c join product_master p on p.category_ix = c.category_ix
        where p.product_id = 'milk' order by customer_ix";
    let close = engine.query(dairy, &BTreeMap::new()).unwrap();
    assert_eq!(column(&close, "customer_ix"), ["0", "2"]);
    assert_eq!(column(&close, "last_event_days"), ["-", "2"]);
    assert_eq!(column(&close, "last_order_days"), ["10", "-"]);
}

#[test]
fn personal_columns_are_refused() {
    let check = |header: &str, value: &dyn Fn(usize) -> String, expect: Option<&str>| {
        let engine = shop().engine(1);
        let rows: Vec<String> = (0..40).map(|row| format!("c{row}")).collect();
        let frame = Frame::of(vec![
            ("customer_id", rows.into()),
            (header, (0..40).map(value).collect::<Vec<_>>().into()),
        ])
        .unwrap()
        .conform(&tercet_types::tables::sources::CUSTOMERS)
        .unwrap();
        engine.register("customers", &frame).unwrap();
        index(&engine).unwrap();
        let error = build_master(&engine, day("2017-09-04"), &Settings::default()).err();
        assert_eq!(error.as_ref().map(|e| e.code()), expect, "{header}");
        assert!(error.is_none_or(|e| e.hint_text().is_some()));
    };
    check("date_of_birth", &|_| "1970-01-01".to_owned(), Some("T0303"));
    check("contact", &|row| format!("a{}@b.example", row % 3), Some("T0303"));
    check("loyalty_card", &|row| format!("{row}"), Some("T0303"));
    check("income", &|row| format!("{}", row % 4), None);
    check("odd \"name\" of\tcolumn", &|_| "x".to_owned(), Some("T0303"));
    check("odd \"quoted\" column", &|_| "x".to_owned(), None);
}

#[test]
fn a_profile_column_that_is_not_there() {
    let engine = shop().engine(1);
    index(&engine).unwrap();
    let mut settings = Settings::default();
    settings.profile.columns = Some(vec!["shoe_size".to_owned()]);
    let error = build_master(&engine, day("2017-09-04"), &settings).unwrap_err();
    assert_eq!(error.code(), "T0304");
}
