//! Which kinds of files and folders can be read?

use tercet_engine::{ColumnData, Frame, Location};

use crate::shop::{PRODUCTS, Shop};

const NAMES: [&str; 3] = ["p1|Milk|120", "p2|Bread|250", "p3|Salt|90"];

fn check(shop: &Shop) {
    let loaded = shop.load().unwrap();
    assert_eq!(loaded.quarantine.rows(), 0, "{:?}", loaded.health);
    assert_eq!(
        shop.rows("product_id,product_name,price_minor", "from products order by product_id"),
        NAMES
    );
    assert!(loaded.input_files.iter().all(|file| !file.fingerprint.is_empty()));
}

#[test]
fn csv_plain_and_compressed() {
    let mut shop = Shop::new();
    check(&shop);
    shop.file("products.csv.gz", include_bytes!("files/products.csv.gz"));
    shop.source("products", "products.csv.gz");
    check(&shop);
    shop.file("products.csv.zst", include_bytes!("files/products.csv.zst"));
    shop.source("products", "products.csv.zst");
    check(&shop);
    shop.file("products.txt", PRODUCTS.replace(',', ";"));
    let spec = shop.source("products", "products.txt");
    spec.delimiter = Some(';');
    check(&shop);
}

#[test]
fn json_lines() {
    let mut shop = Shop::new();
    shop.file(
        "products.jsonl",
        "{\"product_id\":\"p1\",\"product_name\":\"Milk\",\"price_minor\":120,\"brand\":\"A\"}\n\
         {\"product_id\":\"p2\",\"product_name\":\"Bread\",\"price_minor\":250,\"brand\":\"B\"}\n\
         {\"product_id\":\"p3\",\"product_name\":\"Salt\",\"price_minor\":90,\"brand\":\"B\"}\n",
    );
    shop.source("products", "products.jsonl");
    check(&shop);
}

pub(crate) fn parquet(shop: &Shop, path: &str) {
    let text = |values: [&str; 3]| ColumnData::from(values.map(str::to_owned).to_vec());
    let frame = Frame::of(vec![
        ("product_id", text(["p1", "p2", "p3"])),
        ("product_name", text(["Milk", "Bread", "Salt"])),
        ("price_minor", ColumnData::from(vec![120_i64, 250, 90])),
        ("brand", text(["A", "B", "B"])),
    ])
    .unwrap();
    let place = Location::new(".", shop.folder.path()).unwrap();
    shop.engine.store(&place).unwrap().put_table(path, &frame).unwrap();
}

#[test]
fn parquet_files() {
    let mut shop = Shop::new();
    parquet(&shop, "products.parquet");
    shop.source("products", "products.parquet");
    check(&shop);
}

#[test]
fn globs_hive_folders_and_several_sources() {
    let mut shop = Shop::new();
    let header = "order_id,customer_id,product_id,occurred_at,quantity,amount_minor\n";
    shop.file("tx/store=north/a.csv", format!("{header}o1,c1,p1,2017-01-28 10:00:00,1,120\n"));
    shop.file("tx/store=south/a.csv", format!("{header}o2,c2,p1,2017-01-27 10:00:00,1,120\n"));
    shop.file("tx/store=south/b.csv", format!("{header}o3,c2,p1,bad,1,120\n"));
    let hive = shop.source("transactions", "tx/");
    hive.columns.insert("store_id".into(), "store".into());
    shop.sources.contract.quarantine_share_max = 0.5;
    let loaded = shop.load().unwrap();
    assert_eq!(
        shop.rows("order_id,store_id", "from transactions"),
        ["o1|north", "o2|south"],
        "in order of file and row"
    );
    let file = loaded.quarantine.text("source_file").unwrap();
    assert_eq!(file, ["tx/store=south/b.csv"]);
    assert_eq!(loaded.quarantine.i64("source_row").unwrap(), [1]);

    shop.source("transactions", "tx/*/a.csv");
    shop.load().unwrap();
    assert_eq!(shop.rows("order_id,store_id", "from transactions"), ["o1|-", "o2|-"]);

    let mut second = shop.sources.specs[1].clone();
    second.path = Some("transactions.csv".into());
    second.columns.insert("till".into(), "'t' || order_id".into());
    shop.sources.specs.push(second);
    let loaded = shop.load().unwrap();
    assert_eq!(shop.rows("order_id,till", "from transactions limit 3"), ["o1|-", "o2|-", "o1|to1"]);
    assert_eq!(loaded.health.table("transactions").unwrap().sources.len(), 2);
}

#[test]
fn loading_twice_gives_the_same() {
    let shop = Shop::new();
    let first = shop.load().unwrap();
    let tables = |shop: &Shop| {
        [
            "customers",
            "products",
            "transactions",
            "promotions",
            "promotion_products",
            "interactions",
        ]
        .map(|table| shop.query(&format!("select * from {table}")))
    };
    let before = tables(&shop);
    let second = shop.load().unwrap();
    assert_eq!(first.health, second.health);
    assert_eq!(first.input_files, second.input_files);
    for (a, b) in before.iter().zip(&tables(&shop)) {
        assert!(a.same_as(b));
    }
}
