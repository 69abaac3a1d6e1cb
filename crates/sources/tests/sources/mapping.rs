//! Do the shop's columns mean what the mapping says?

use std::collections::BTreeMap;

use tercet_sources::InputSpec;

use crate::shop::{Shop, quarantined};

#[test]
fn expressions_aliases_and_extra_columns() {
    let mut shop = Shop::new();
    let spec = shop.table(
        "transactions",
        "basket,who,what,at,n,value\n7,c1,p1,2017-01-28T10:00:00,2,1.99\n8,c2,p2,2017-01-28T11:00:00,1,oops\n\
         9,c2,p2,2017-01-28T11:00:00,1,3\n9,c3,p2,2017-01-28T11:00:00,1,3\n9,c4,p2,2017-01-28T11:00:00,1,3\n",
    );
    for (column, sql) in [
        ("order_id", "'b-' || basket"),
        ("customer_id", "who"),
        ("product_id", "what"),
        ("occurred_at", "at"),
        ("quantity", "n"),
        ("amount_minor", "cast(round(cast(value as double) * 100) as bigint)"),
        ("till", "upper(who)"),
    ] {
        spec.columns.insert(column.into(), sql.into());
    }
    let loaded = shop.load().unwrap();
    assert_eq!(
        shop.rows("order_id,amount_minor,till", "from transactions limit 2"),
        ["b-7|199|C1", "b-9|300|C2"]
    );
    assert_eq!(
        quarantined(&loaded),
        [
            "transactions|type|2|amount_minor cannot be told: a cell it is made of is not a whole number"
        ]
    );
}

#[test]
fn arithmetic_on_text_is_a_named_error() {
    let mut shop = Shop::new();
    shop.source("transactions", "transactions.csv")
        .columns
        .insert("quantity".into(), "quantity * 2".into());
    let (code, text) = shop.failure();
    assert_eq!(code, "T0202", "{text}");
    assert!(text.contains("cast(x as double)"), "{text}");
}

#[test]
fn a_query_joins_named_inputs() {
    let mut shop = Shop::new();
    shop.file("coupons.csv", "upc,campaign,product\n1,10,p1\n1,10,p2\n2,11,p3\n");
    shop.file(
        "campaigns.csv",
        "id,start,end\n10,2017-01-02,2017-01-15\n11,2017-01-30,2017-02-12\n",
    );
    for name in ["coupons", "campaigns"] {
        let path = format!("{name}.csv");
        shop.sources.inputs.insert(name.into(), InputSpec { path, ..InputSpec::default() });
    }
    let spec = shop.source("promotions", "");
    spec.path = None;
    spec.query = Some(
        "select distinct c.upc || '-' || c.campaign as promotion_id, d.start as valid_from, d.\"end\" as valid_to \
         from coupons c join campaigns d on c.campaign = d.id"
            .into(),
    );
    let spec = shop.source("promotion_products", "");
    spec.path = None;
    spec.query = Some(
        "select upc || '-' || campaign as promotion_id, 'product' as level, product as value, \
         _source_file, _source_row from coupons"
            .into(),
    );
    shop.file(
        "coupons.csv",
        "upc,campaign,product\n1,10,p1\n1,10,p2\n1,10,p2\n2,11,p3\n2,11,p1\n3,11,p3\n",
    );
    let loaded = shop.load().unwrap();
    assert_eq!(
        shop.rows("promotion_id,valid_from", "from promotions"),
        ["1-10|2017-01-02", "2-11|2017-01-30", "3-11|2017-01-30"]
    );
    assert_eq!(loaded.quarantine.i64("source_row").unwrap(), [3], "{:?}", quarantined(&loaded));
    assert!(loaded.quarantine.text("source_file").unwrap()[0].ends_with("coupons.csv"));
    assert!(loaded.input_files.iter().any(|file| file.path.ends_with("campaigns.csv")));
}

#[test]
fn personalize_and_merchant_columns_need_no_mapping() {
    let mut shop = Shop::new();
    shop.table(
        "interactions",
        "USER_ID,ITEM_ID,TIMESTAMP,EVENT_TYPE\nc1,p1,1485000000,view_item\nc9,p2,1485000600,view_item\n",
    );
    shop.table(
        "promotions",
        "promotion_id,long_title,promotion_effective_dates,generic_redemption_code,coupon_value_type,percent_off\n\
         m1,Spring,2017-01-02T00:00:00/2017-01-15T23:59:59,SAVE,percent_off,20\n\
         m2,Summer,2017-01-30T00:00:00/2017-02-12T23:59:59,,percent_off,10\n",
    );
    shop.load().unwrap();
    assert_eq!(
        shop.rows("visitor_id,occurred_at,event_type", "from interactions"),
        ["c1|2017-01-21T12:00:00|view_item", "c9|2017-01-21T12:10:00|view_item"]
    );
    assert_eq!(
        shop.rows("promotion_id,valid_from,valid_to,code,mechanic,value_rate", "from promotions"),
        ["m1|2017-01-02|2017-01-15|SAVE|percent|0.2", "m2|2017-01-30|2017-02-12|-|percent|0.1"]
    );
}

#[test]
fn mixed_time_zones_become_local_wall_time() {
    let mut shop = Shop::new();
    shop.sources.time_zone = "America/New_York".into();
    let header = "order_id,customer_id,product_id,occurred_at,quantity,amount_minor\n";
    let times = [
        ("2017-01-20 10:00:00", "2017-01-20T10:00:00"),
        ("2017-01-20T10:00:00Z", "2017-01-20T05:00:00"),
        ("2017-01-20T10:00:00+01:00", "2017-01-20T04:00:00"),
        ("2017-01-20 10:00:00.5 -0800", "2017-01-20T13:00:00.500"),
        ("1484906400", "2017-01-20T05:00:00"),
        ("1484906400000", "2017-01-20T05:00:00"),
        ("2017-01-20", "2017-01-20T00:00:00"),
        // The hour that summer time skips does not exist, yet tills write it.
        ("2016-03-13 02:30:00", "2016-03-13T02:30:00"),
    ];
    let lines: String = times.iter().map(|(text, _)| format!("o1,c1,p1,{text},1,120\n")).collect();
    shop.table("transactions", &format!("{header}{lines}"));
    let loaded = shop.load().unwrap();
    assert_eq!(quarantined(&loaded), Vec::<String>::new());
    let expect: Vec<&str> = times.iter().map(|(_, local)| *local).collect();
    assert_eq!(shop.rows("occurred_at", "from transactions"), expect);

    shop.sources.time_zone = "Nowhere/Land".into();
    assert_eq!(shop.failure().0, "T0202");
}

#[test]
fn where_leaves_rows_out_and_counts_them() {
    let mut shop = Shop::new();
    shop.source("transactions", "transactions.csv").filter = Some("customer_id <> 'c2'".into());
    let loaded = shop.load().unwrap();
    let health = loaded.health.table("transactions").unwrap().clone();
    assert_eq!((health.rows_in, health.rows_out), (4, 4));
    assert_eq!(health.check("where").unwrap().rows, 1);
}

#[test]
fn new_columns_are_noticed_and_vanished_ones_named() {
    let mut shop = Shop::new();
    let first = shop.load().unwrap();
    assert!(first.health.tables.iter().all(|table| table.new_columns.is_empty()));
    shop.sources.previous_columns = first.columns_seen;
    shop.file(
        "products.csv",
        "product_id,product_name,price_minor,brand,colour\np1,Milk,120,A,white\n",
    );
    let second = shop.load().unwrap();
    assert_eq!(second.health.table("products").unwrap().new_columns, ["colour"]);
    let spec = shop.source("products", "products.csv");
    spec.columns.insert("colour".into(), "colour".into());
    shop.load().unwrap();
    assert_eq!(
        shop.rows("product_id,colour", "from products where colour is not null"),
        ["p1|white"]
    );
    shop.file(
        "products.csv",
        "product_id,product_name,price_minor,brand,color\np1,Milk,120,A,white\n",
    );
    let (code, text) = shop.failure();
    assert_eq!(code, "T0203");
    assert!(
        text.contains("'colour' is missing") && text.contains("did you mean 'color'"),
        "{text}"
    );
}

#[test]
fn specifications_are_read_strictly() {
    let read = |json: &str| serde_json::from_str::<tercet_sources::SourceSpec>(json);
    let spec =
        read("{\"table\":\"products\",\"path\":\"p.csv\",\"format\":\"csv\",\"where\":\"x > 1\"}")
            .unwrap();
    assert_eq!(spec.filter.as_deref(), Some("x > 1"));
    assert!(read("{\"pth\":\"p.csv\"}").unwrap_err().to_string().contains("pth"));
    let policies = "{\"policies\":{\"transactions.range\":\"stop\"}}";
    assert!(serde_json::from_str::<tercet_sources::ContractOptions>(policies).is_ok());
    assert!(
        serde_json::from_str::<tercet_sources::ContractOptions>("{\"policies\":{\"a\":\"b\"}}")
            .is_err()
    );
    let none: BTreeMap<String, InputSpec> = BTreeMap::new();
    assert_eq!(tercet_sources::Sources::default().inputs, none);
}
