//! What did units do week by week, and which of their offers were used?

#![allow(
    clippy::unwrap_used,
    clippy::allow_attributes,
    reason = "a failed test should stop at once"
)]

mod support;

use support::{Shop, day, lines};
use tercet_engine::{Engine, Frame};
use tercet_features::{Attribution, FirstSales, OutcomeAsk, Outcomes, index_shop, outcomes};

const MONDAY: &str = "2017-02-06";

fn ask(attribution: &[Attribution]) -> OutcomeAsk {
    OutcomeAsk {
        first_day: day(MONDAY),
        until: day("2017-02-20"),
        weeks_before: 2,
        novelty_weeks: 4,
        margin_rate: 0.5,
        attribution: attribution.to_vec(),
        click_days: 1,
    }
}

/// Ann is unit 0 from the first Monday on, bob unit 1 from the second. Milk has a margin of its own, tea the
/// default. Jam is first sold four weeks after the data begin, cake was launched in the campaign.
fn shop() -> Shop {
    Shop {
        products: lines(
            "milk|FOOD|DAIRY|MILK|own|m1|100|0.2||
            tea|FOOD|DRINKS|TEA|own|m2|100|||
            jam|FOOD|SWEET|JAM|own|m3|200|||
            cake|FOOD|SWEET|CAKE|own|m3|200||2017-02-06|",
        ),
        promotions: lines(
            "r|2017-02-01|2017-02-20|percent|0.1|
            s|2017-02-01|2017-02-20|money_off||20
            t|2017-02-01|2017-02-20|money_off||20",
        ),
        promotion_products: lines(
            "r|product|milk\ns|category|SWEET\nt|product|milk\nt|product|tea",
        ),
        transactions: lines(
            "o0|ann|tea|2017-01-09T10:00:00|1|100||
            o1|ann|milk|2017-01-31T10:00:00|2|201|
            o2|ann|milk|2017-02-07T10:00:00|1|91|10
            o2|ann|jam|2017-02-07T10:00:00|1|200|
            o3|ann|milk|2017-02-08T10:00:00|-1|-91|
            o4|ann|cake|2017-02-14T10:00:00|1|180|20
            o5|bob|tea|2017-02-07T10:00:00|1|100|
            o6|bob|tea|2017-02-15T10:00:00|1|100|
            o7|ann|tea|2017-02-21T10:00:00|9|900|
            o8|eve|tea|2017-02-07T10:00:00|9|900|",
        ),
        interactions: lines("v1|2017-02-14T09:00:00|view_item|bob|tea||"),
        exposures: lines("ann|s|2017-02-06"),
        redemptions: lines(
            "ann|r|2017-02-07\nann|x|2017-02-14\nbob|x|2017-02-01\nbob|x|2017-02-16",
        ),
        ..Shop::default()
    }
}

fn measured(engine: &Engine, ask: &OutcomeAsk) -> Outcomes {
    index_shop(engine).unwrap();
    let sales = FirstSales::of(engine, ask).unwrap();
    sales.register(engine, ask).unwrap();
    let monday = i64::from(ask.first_day.days());
    let units = vec![
        ("unit", vec![0_i32, 1].into()),
        ("customer_id", vec!["ann".to_owned(), "bob".to_owned()].into()),
        ("entered_day", vec![monday, monday + 7].into()),
    ];
    engine.register("units", &Frame::of(units).unwrap()).unwrap();
    let text = |ids: [&str; 4]| ids.map(str::to_owned).to_vec();
    let offers = vec![
        ("unit", vec![0_i32, 0, 0, 1].into()),
        ("week", vec![0_i32, 0, 1, 1].into()),
        ("promotion_id", text(["r", "s", "t", "t"]).into()),
        ("from_day", vec![monday, monday, monday + 7, monday + 7].into()),
        ("to_day", vec![monday + 6, monday + 6, monday + 13, monday + 13].into()),
    ];
    engine.register("outcome_offers", &Frame::of(offers).unwrap()).unwrap();
    outcomes(engine, ask).unwrap()
}

fn rows(found: &Outcomes, names: &[&str]) -> Vec<Vec<i64>> {
    let columns: Vec<Vec<i64>> = names.iter().map(|name| found.weeks.i64(name).unwrap()).collect();
    (0..found.weeks.rows()).map(|row| columns.iter().map(|column| column[row]).collect()).collect()
}

#[test]
fn money_products_and_coupons_of_a_week() {
    let found = measured(&shop().engine(2), &ask(&[Attribution::Code]));
    let check = |names: &[&str], expect: &[&[i64]]| {
        assert_eq!(rows(&found, names), expect, "{names:?}");
    };
    // The return takes its money off; what lies before a unit entered, and behind the last week, is not there.
    check(
        &["unit", "week", "orders", "revenue_minor", "margin_minor", "discount_minor"],
        &[
            &[0, -1, 1, 201, 40, 0],
            &[0, 0, 1, 200, 20 - 10 + 100 - 18, 10],
            &[0, 1, 1, 180, 100 - 20, 20],
            &[1, -1, 0, 0, 0, 0],
            &[1, 1, 1, 100, 50, 0],
        ],
    );
    // Bob's tea of the week before he entered is known all the same: it makes the next one a repeat.
    check(
        &["repeats", "first_purchases", "new_products"],
        &[&[0, 1, 0], &[1, 1, 1], &[0, 1, 1], &[0, 0, 0], &[1, 0, 0]],
    );
    check(&["coupons_used", "first_coupons"], &[&[0, 0], &[1, 1], &[1, 0], &[1, 1], &[1, 0]]);
}

#[test]
fn an_offer_is_used_by_a_click_that_an_order_follows() {
    use Attribution::{Click, Code};
    // Ann clicks s the day before she orders, and t on the day of an order of something else. Bob clicks t two days
    // before his, which is too early, looks at it on the day, and clicks what nobody sent him.
    let shop = Shop {
        interactions: lines(
            "v1|2017-02-06T09:00:00|select_promotion|ann||||s
            v2|2017-02-14T09:00:00|select_promotion|ann||||t
            v3|2017-02-13T09:00:00|select_promotion|bob||||t
            v4|2017-02-15T09:00:00|view_promotion|bob||||t
            v5|2017-02-15T09:00:00|select_promotion|bob||||s",
        ),
        ..shop()
    };
    let check = |rules: &[Attribution], used: [i64; 5], by: &[(&str, u64, i64)]| {
        let found = measured(&shop.engine(2), &ask(rules));
        assert_eq!(rows(&found, &["offers_used"]), used.map(|used| vec![used]), "{rules:?}");
        let found: Vec<_> =
            found.attributed.iter().map(|(rule, (n, minor))| (rule.as_str(), *n, *minor)).collect();
        assert_eq!(found, by, "{rules:?}");
    };
    check(&[Click], [0, 1, 1, 0, 0], &[("click", 2, 200)]);
    check(&[Code, Click], [0, 2, 1, 0, 0], &[("click", 2, 200), ("code", 1, 0)]);
}

#[test]
fn an_offer_is_used_once_by_the_first_rule_that_says_so() {
    use Attribution::{Click, Code, Purchase};
    let check = |rules: &[Attribution], used: [i64; 5], paid: [i64; 5], by: &[(&str, u64, i64)]| {
        let found = measured(&shop().engine(2), &ask(rules));
        let expect: Vec<Vec<i64>> = used.iter().zip(paid).map(|(u, p)| vec![*u, p]).collect();
        assert_eq!(rows(&found, &["offers_used", "attributed_minor"]), expect, "{rules:?}");
        let found: Vec<_> =
            found.attributed.iter().map(|(rule, (n, minor))| (rule.as_str(), *n, *minor)).collect();
        assert_eq!(found, by, "{rules:?}");
    };
    // Milk came back: nothing was paid with r.
    check(&[Code], [0, 1, 0, 0, 0], [0, 0, 0, 0, 0], &[("code", 1, 0)]);
    // The jam was bought with s, the tea with t.
    check(
        &[Code, Purchase],
        [0, 2, 0, 0, 1],
        [0, 200, 0, 0, 100],
        &[("code", 1, 0), ("purchase", 2, 300)],
    );
    check(&[Purchase, Code], [0, 2, 0, 0, 1], [0, 200, 0, 0, 100], &[("purchase", 3, 300)]);
    check(&[Click], [0, 0, 0, 0, 0], [0, 0, 0, 0, 0], &[]);
    // Sent to ann: two in the first week, of which s was shown and r was used, one in the second.
    let found = measured(&shop().engine(1), &ask(&[Code]));
    assert_eq!(
        rows(&found, &["contacts", "offers_sent", "offers_seen"]),
        [[0, 0, 0], [1, 2, 2], [1, 1, 0], [0, 0, 0], [1, 1, 0]]
    );
}
