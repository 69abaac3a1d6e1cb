//! Is what keeps the contract prepared as a shop needs it?

use tercet_sources::{NoiseRule, pseudonym};

use crate::shop::{Shop, TRANSACTIONS, quarantined};

const LINES: &str =
    "order_id,customer_id,product_id,occurred_at,quantity,amount_minor,kind,original_order_id\n";
const EVENTS: &str = "visitor_id,occurred_at,event_type,customer_id,product_id,user_agent\n";

#[test]
fn returns_net_against_their_orders() {
    let mut shop = Shop::new();
    shop.table(
        "transactions",
        &format!(
            "{LINES}o1,c1,p1,2017-01-03 10:00:00,2,240,,\n\
             o2,c1,p1,2017-01-10 10:00:00,1,120,sale,\n\
             r1,c1,p1,2017-01-10 15:00:00,1,120,return,o2\n\
             r2,c1,p1,2017-01-12 15:00:00,-1,-120,,\n\
             r3,c2,p2,2017-01-12 15:00:00,-1,-250,,\n\
             o4,c3,p3,2017-01-13 15:00:00,1,90,,\n\
             o4,c3,p3,2017-01-13 15:05:00,1,90,cancellation,\n"
        ),
    );
    let loaded = shop.load().unwrap();
    assert_eq!(
        shop.rows("order_id,quantity,amount_minor,kind,original_order_id", "from transactions"),
        ["o1|2.0|240|-|-", "r2|-1.0|-120|return|o1", "r3|-1.0|-250|return|-"]
    );
    let health = loaded.health.table("transactions").unwrap();
    let told: Vec<String> = (health.checks.iter().filter(|check| check.check == "returns"))
        .map(|check| format!("{} {}", check.rows, check.detail))
        .collect();
    assert_eq!(
        told,
        [
            "2 netted with a purchase of the same day",
            "1 kept as negative lines that name the purchase they take back",
            "1 kept as negative lines without a purchase"
        ]
    );
}

#[test]
fn a_return_never_changes_what_was_known_before_it() {
    let mut shop = Shop::new();
    shop.table(
        "transactions",
        &format!("{LINES}o1,c1,p1,2017-01-03 10:00:00,2,240,,\nr1,c1,p1,2017-01-28 10:00:00,-2,-240,return,o1\n"),
    );
    let known = |shop: &Shop| {
        shop.load().unwrap();
        shop.rows(
            "order_id,quantity,amount_minor",
            "from transactions where occurred_at < '2017-01-20'",
        )
    };
    let late = known(&shop);
    shop.as_of = "2017-01-20".parse().unwrap();
    assert_eq!(late, known(&shop));
}

#[test]
fn browsing_becomes_sessions_without_bots() {
    let mut shop = Shop::new();
    let mut events = EVENTS.to_owned();
    events += "v1,2017-01-20 10:00:00,view_item,,p1,Mozilla\n";
    events += "v1,2017-01-20 10:29:00,view_item,,p2,Mozilla\n";
    events += "v1,2017-01-20 11:00:00,view_item,,p1,Mozilla\n";
    events += "v2,2017-01-20 11:00:00,view_item,,p1,Googlebot/2.1\n";
    events += "v3,2017-01-20 09:00:00,view_item,,p1,\n";
    for second in 0..30 {
        events += &format!("v3,2017-01-20 12:00:{second:02},view_item,,p1,\n");
    }
    events += "v3,2017-01-21 12:00:00,view_item,,p1,\n";
    shop.table("interactions", &events);
    shop.sources.prepare.bot_events_per_hour = 20;
    let loaded = shop.load().unwrap();
    assert_eq!(
        shop.rows("session_id", "from interactions"),
        [
            "v1-20170120T100000.000000",
            "v1-20170120T100000.000000",
            "v1-20170120T110000.000000",
            "v3-20170120T090000.000000"
        ]
    );
    let health = loaded.health.table("interactions").unwrap();
    assert_eq!(health.check("bots").unwrap().rows, 32);
    assert_eq!(health.rows_out, 4);
}

#[test]
fn visitors_become_customers_at_login() {
    let mut shop = Shop::new();
    shop.table(
        "interactions",
        &format!(
            "{EVENTS}v1,2017-01-20 10:00:00,view_item,,p1,\n\
             v1,2017-01-21 10:00:00,login,c1,,\n\
             v1,2017-01-22 10:00:00,view_item,,p1,\n\
             v1,2017-01-23 10:00:00,login,c2,,\n\
             v1,2017-01-24 10:00:00,view_item,,p1,\n\
             v9,2017-01-24 10:00:00,view_item,,p2,\n"
        ),
    );
    shop.load().unwrap();
    assert_eq!(
        shop.rows("customer_id,stitched_on", "from interactions"),
        ["c1|2017-01-21", "c1|-", "c1|-", "c2|-", "c2|-", "v9|-"]
    );
    assert_eq!(
        shop.rows("customer_id,is_visitor", "from customers"),
        ["c1|false", "c2|false", "c3|false", "v9|true"]
    );
    // A log-in after the as-of date is not known.
    shop.as_of = "2017-01-21".parse().unwrap();
    shop.load().unwrap();
    assert_eq!(shop.rows("customer_id,stitched_on", "from interactions"), ["v1|-"]);
}

#[test]
fn noise_goes_by_rule() {
    let mut shop = Shop::new();
    shop.sources.prepare.noise = vec![NoiseRule {
        name: "staff".into(),
        table: "transactions".into(),
        predicate: "customer_id = 'c2'".into(),
    }];
    let loaded = shop.load().unwrap();
    assert_eq!(quarantined(&loaded), ["transactions|noise|3|the noise rule 'staff' holds"]);
    assert_eq!(loaded.health.table("transactions").unwrap().check("noise").unwrap().rows, 1);
    shop.sources.prepare.noise[0].predicate = "custmer_id = 'c2'".into();
    let (code, text) = shop.failure();
    assert!(code == "T0203" && text.contains("custmer_id"), "{code} {text}");
}

#[test]
fn discontinued_products_are_dated() {
    let mut shop = Shop::new();
    shop.table("products", "product_id,brand,discontinued_on\np1,A,\np2,B,2017-01-15\np3,B,\n");
    shop.sources.prepare.unsold_days = Some(7);
    shop.load().unwrap();
    assert_eq!(
        shop.rows("product_id,discontinued_on", "from products"),
        ["p1|-", "p2|2017-01-15", "p3|2017-01-27"]
    );
    assert_eq!(
        shop.rows("promotion_id,value,discontinued_on", "from promotion_products"),
        ["m1|p1|-", "m2|B|-", "m2|p1|-"]
    );
}

#[test]
fn pseudonyms_are_the_same_everywhere_and_no_id_is_left() {
    let mut shop = Shop::new();
    let key = [7; 32];
    shop.sources.pseudonym_key = Some(key);
    shop.sources.prepare.pseudonym_columns = vec!["customers.email".into()];
    let spec = shop.table("customers", "customer_id,mail,note\nsecret1,a@b.c,likes tea\nsecret1,a@b.c,x\nsecret2,d,y\ns3,,\ns4,,\n");
    spec.columns.insert("email".into(), "mail".into());
    shop.table("transactions", &format!("{TRANSACTIONS}o9,secret1,p1,2017-01-20 10:00:00,x,120\n"));
    shop.table("interactions", &format!("{EVENTS}secret1,2017-01-20 10:00:00,view_item,,p1,\n"));
    let loaded = shop.load().unwrap();
    let hidden = pseudonym(&key, "secret1");
    assert_eq!(hidden.len(), 32);
    let mail = pseudonym(&key, "a@b.c");
    assert_eq!(
        shop.rows("email", &format!("from customers where customer_id = '{hidden}'")),
        [mail]
    );
    assert_eq!(shop.rows("customer_id", "from interactions"), std::slice::from_ref(&hidden));
    let quarantine = &loaded.quarantine;
    assert_eq!(quarantine.rows(), 2);
    for column in ["raw", "reason"] {
        for text in quarantine.text(column).unwrap() {
            assert!(
                !text.contains("secret") && !text.contains("a@b") && !text.contains("tea"),
                "{text}"
            );
        }
    }
    assert!(quarantine.text("raw").unwrap()[0].contains(&hidden));
    assert!(!format!("{:?}", loaded.health).contains("secret"));
}

#[test]
fn four_weeks_are_enough() {
    let mut shop = Shop::new();
    let mut lines = TRANSACTIONS.lines().next().unwrap().to_owned() + "\n";
    for day in 2..30 {
        lines += &format!("o{day},c{},p1,2017-01-{day:02} 10:00:00,1,120\n", day % 5);
    }
    shop.table("transactions", &lines);
    let loaded = shop.load().unwrap();
    assert_eq!(loaded.health.table("transactions").unwrap().rows_out, 28);
    assert_eq!(shop.query("select * from exposures").rows(), 0);
    assert_eq!(shop.query("select * from redemptions").rows(), 0);
}
