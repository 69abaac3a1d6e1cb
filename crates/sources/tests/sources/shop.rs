//! How does a test get a small shop with files of its own?

use std::collections::BTreeMap;

use tercet_engine::{Engine, EngineOptions, Frame};
use tercet_sources::{Health, Loaded, SourceSpec, Sources, check, load};
use tercet_types::{Date, Result};

/// A shop in a temporary folder: three products, two promotions, a few lines of three customers.
pub(crate) struct Shop {
    pub folder: tempfile::TempDir,
    pub sources: Sources,
    pub engine: Engine,
    pub as_of: Date,
}

pub(crate) const PRODUCTS: &str =
    "product_id,product_name,price_minor,brand\np1,Milk,120,A\np2,Bread,250,B\np3,Salt,90,B\n";
pub(crate) const TRANSACTIONS: &str = "order_id,customer_id,product_id,occurred_at,quantity,amount_minor\n\
    o1,c1,p1,2017-01-03 10:00:00,1,120\n\
    o1,c1,p2,2017-01-03 10:00:00,2,500\n\
    o2,c2,p1,2017-01-10 11:30:00,1,120\n\
    o3,c3,p3,2017-01-20 18:45:10,1.5,135\n\
    o4,c1,p1,2017-01-28 09:00:00,1,120\n";
pub(crate) const PROMOTIONS: &str = "promotion_id,valid_from,valid_to,mechanic,value_rate\nm1,2017-01-02,2017-01-15,percent,0.2\nm2,2017-01-30,2017-02-12,percent,0.1\n";
pub(crate) const PROMOTION_PRODUCTS: &str =
    "promotion_id,level,value\nm1,product,p1\nm2,brand,B\nm2,product,p1\n";

impl Shop {
    pub(crate) fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let sources = Sources { base: folder.path().to_owned(), ..Sources::default() };
        let engine = Engine::new(EngineOptions::default()).unwrap();
        let as_of = "2017-01-30".parse().unwrap();
        let mut shop = Self { folder, sources, engine, as_of };
        shop.file("products.csv", PRODUCTS);
        shop.file("transactions.csv", TRANSACTIONS);
        shop.file("promotions.csv", PROMOTIONS);
        shop.file("promotion_products.csv", PROMOTION_PRODUCTS);
        for table in ["products", "transactions", "promotions", "promotion_products"] {
            shop.source(table, &format!("{table}.csv"));
        }
        shop
    }

    /// Writes a file below the shop's folder.
    pub(crate) fn file(&self, name: &str, content: impl AsRef<[u8]>) {
        let path = self.folder.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, content).unwrap();
    }

    /// The source of a table, made when there is none.
    pub(crate) fn source(&mut self, table: &str, path: &str) -> &mut SourceSpec {
        let spec = SourceSpec {
            table: table.to_owned(),
            path: Some(path.to_owned()),
            ..SourceSpec::default()
        };
        let found = self.sources.specs.iter().position(|spec| spec.table == table);
        let index = found.unwrap_or(self.sources.specs.len());
        if found.is_some() {
            self.sources.specs[index] = spec;
        } else {
            self.sources.specs.push(spec);
        }
        &mut self.sources.specs[index]
    }

    /// The content of a table as one CSV file.
    pub(crate) fn table(&mut self, table: &str, csv: &str) -> &mut SourceSpec {
        let name = format!("{table}.csv");
        self.file(&name, csv);
        self.source(table, &name)
    }

    pub(crate) fn load(&self) -> Result<Loaded> {
        load(&self.engine, &self.sources, self.as_of)
    }

    pub(crate) fn check(&self) -> Result<Health> {
        check(&self.engine, &self.sources, self.as_of, 1)
    }

    pub(crate) fn query(&self, sql: &str) -> Frame {
        self.engine.query(sql, &BTreeMap::new()).unwrap()
    }

    /// The rows of a query, each as text, joined by '|'.
    pub(crate) fn rows(&self, columns: &str, rest: &str) -> Vec<String> {
        let parts: Vec<String> =
            columns.split(',').map(|c| format!("coalesce(cast({c} as varchar), '-')")).collect();
        self.query(&format!("select {} as row {rest}", parts.join(" || '|' || ")))
            .text("row")
            .unwrap()
    }

    /// Code and message of the error that loading ends with.
    pub(crate) fn failure(&self) -> (String, String) {
        let error = self.load().unwrap_err();
        (error.code().to_owned(), format!("{error} / {}", error.hint_text().unwrap_or("no hint")))
    }
}

/// The quarantine as `table|check|row|reason`.
pub(crate) fn quarantined(loaded: &Loaded) -> Vec<String> {
    let frame = &loaded.quarantine;
    let (table, check) = (frame.text("table").unwrap(), frame.text("check").unwrap());
    let (row, reason) = (frame.i64("source_row").unwrap(), frame.text("reason").unwrap());
    (0..frame.rows())
        .map(|i| format!("{}|{}|{}|{}", table[i], check[i], row[i], reason[i]))
        .collect()
}
