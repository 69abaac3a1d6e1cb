//! Are lists of the right customers, products and lengths, wherever they go?

use std::collections::BTreeSet;

use tercet_engine::{Engine, EngineOptions, Location};

use crate::support::{MONDAY, Project, project, run};

/// What a customer bought before the Monday, by the starter's own file.
fn bought(shop: &Project, customer: &str) -> BTreeSet<String> {
    let text = shop.text("data/transactions.csv");
    let lines = text.lines().skip(1).map(|line| line.split(',').collect::<Vec<_>>());
    let own = lines.filter(|cells| cells[1] == customer && cells[3] < MONDAY);
    own.map(|cells| cells[2].to_owned()).collect()
}

/// The products of a category.
fn of_category(shop: &Project, category: &str) -> BTreeSet<String> {
    let text = shop.text("data/products.csv");
    let lines = text.lines().skip(1).map(|line| line.split(',').collect::<Vec<_>>());
    lines.filter(|cells| cells[2] == category).map(|cells| cells[0].to_owned()).collect()
}

/// The lines of a list without its header, held to be ranked.
#[track_caller]
fn list(shop: &Project, flags: &[&str]) -> Vec<Vec<String>> {
    let mut lines = shop.run(&[flags, &["--print", "csv"]].concat()).fine().lines();
    assert_eq!(lines.remove(0).last().unwrap(), "score");
    let score = |line: &Vec<String>| line.last().unwrap().parse::<f64>().unwrap();
    for (rank, pair) in (1..).zip(lines.windows(2)) {
        assert_eq!([&pair[0][1], &pair[1][1]], [&rank.to_string(), &(rank + 1).to_string()]);
        assert!(score(&pair[0]) >= score(&pair[1]), "{pair:?}");
    }
    lines
}

fn products(lines: &[Vec<String>]) -> Vec<&str> {
    lines.iter().map(|line| line[2].as_str()).collect()
}

#[test]
fn filters_come_before_ranking() {
    let shop = project();
    let own = bought(&shop, "C050");
    let of_customer = ["recommend", "--for", "C050", "--model", "personal"];
    let all = list(&shop, &[&of_customer[..], &["-k", "5"]].concat());
    assert_eq!(all.len(), 5);
    assert!(all.iter().all(|line| line[0] == "C050" && own.contains(&line[2])), "{all:?}");
    assert!(!all[0][3].is_empty(), "a product has its name");

    let new = list(&shop, &[&of_customer[..], &["-k", "99", "--seen", "drop"]].concat());
    assert!(!new.is_empty() && new.iter().all(|line| !own.contains(&line[2])), "{new:?}");

    let dairy = of_category(&shop, "dairy");
    let only =
        list(&shop, &[&of_customer[..], &["-k", "99", "--where", "category=dairy"]].concat());
    assert!(only.len() > 1 && products(&only).iter().all(|product| dairy.contains(*product)));

    let given = "P020,P001,P007";
    let again = list(&shop, &[&of_customer[..], &["--products", given]].concat());
    let mut ranked = products(&again);
    ranked.sort_unstable();
    assert_eq!(ranked, ["P001", "P007", "P020"]);

    shop.file("stock.csv", "product_id\nP001\nP999\nP007\n");
    let stock = shop.path().join("stock.csv");
    let among = list(&shop, &[&of_customer[..], &["--among", stock.to_str().unwrap()]].concat());
    assert!(products(&among).iter().all(|product| ["P001", "P007"].contains(product)));
}

#[test]
fn a_product_has_customers_and_products_like_it() {
    let shop = project();
    let product = ["--for-product", "P001", "--customers", "7", "--model", "personal"];
    let found = list(&shop, &[&["recommend"], &product[..]].concat());
    assert_eq!(found.len(), 7);
    let customers: BTreeSet<&String> = found.iter().map(|line| &line[0]).collect();
    assert!(customers.len() == 7 && found.iter().all(|line| line[2] == "P001"));
    assert!(bought(&shop, &found[0][0]).contains("P001"), "who buys it most buys it");

    let fresh = ["recommend", "--for-product", "P001", "--model", "popular", "--seen", "drop"];
    let fresh = list(&shop, &fresh);
    assert!(
        !fresh.is_empty() && fresh.iter().all(|line| !bought(&shop, &line[0]).contains("P001"))
    );

    let like = list(&shop, &["similar", "--to", "P001", "-k", "4"]);
    assert_eq!(like.len(), 4);
    assert!(like.iter().all(|line| line[0] == "P001" && line[2] != "P001"), "{like:?}");
}

#[test]
fn lists_of_everybody_go_to_files_that_agree() {
    let shop = project();
    let csv = shop.path().join("lists.csv");
    let parquet = shop.path().join("lists.parquet");
    let folder = format!("{}/", shop.path().join("lists").display());
    let asked = |out: &str| shop.run(&["recommend", "--model", "popular", "-k", "2", "--out", out]);
    // What else is in the folder is no list.
    shop.file("lists/about.md", "of last week");
    for out in [csv.to_str().unwrap(), parquet.to_str().unwrap(), &folder] {
        let said = asked(out).fine();
        assert!(said.stderr.contains("lines written"), "{}", said.stderr);
    }
    // A part that these lists would not replace is read with them, whichever it is.
    let part = |name: &str| shop.path().join("lists").join(name);
    asked(&folder).refused(4, "T1089", &["part-00000.parquet: lists are already there"]);
    std::fs::rename(part("part-00000.parquet"), part("part-00001.parquet")).unwrap();
    asked(&folder).refused(4, "T1089", &["part-00001.parquet"]);
    std::fs::rename(part("part-00001.parquet"), part("part-00000.parquet")).unwrap();
    let lines = shop.text("lists.csv");
    let lines: Vec<Vec<&str>> =
        lines.lines().skip(1).map(|line| line.split(',').collect()).collect();
    let engine = Engine::new(EngineOptions::default()).unwrap();
    for place in ["lists.parquet", "lists/part-00000.parquet"] {
        let store = engine.store(&Location::new(".", &shop.path()).unwrap()).unwrap();
        let frame = engine.load(&store, place, "lists").unwrap();
        assert_eq!(frame.rows(), lines.len(), "{place}");
        let found =
            frame.text("customer_id").unwrap().into_iter().zip(frame.text("product_id").unwrap());
        assert!(found.zip(&lines).all(|((c, p), line)| c == line[0] && p == line[2]), "{place}");
    }
    let customers: BTreeSet<&str> = lines.iter().map(|line| line[0]).collect();
    assert_eq!(lines.len(), 2 * customers.len(), "two products for everybody");
}

#[test]
fn a_table_needs_no_project() {
    let shop = project();
    shop.file(
        "orders.csv",
        "customer,product,date\nann,tea,2026-01-01\nann,milk,2026-01-02\nbob,tea,2026-01-03\n",
    );
    let data = shop.path().join("orders.csv");
    let data = data.to_str().unwrap();
    let found = list(
        &shop,
        &["recommend", "--data", data, "--model", "popular", "--for", "bob", "--seen", "drop"],
    );
    assert_eq!(products(&found), ["milk"]);
}

#[test]
fn tables_and_lists_of_many_pieces_are_read_and_written_whole() {
    const CUSTOMERS: usize = 9_000;
    let folder = tempfile::tempdir().unwrap();
    let place = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    // Not customer by customer; everybody has two of twelve products.
    let row = |row: usize| {
        let (customer, second) = (row * 7_001 % CUSTOMERS, row >= CUSTOMERS);
        let product = (customer + usize::from(second) * 5) % 12;
        format!("c{customer:05},p{product:02},2026-01-{:02}\n", 1 + usize::from(second))
    };
    let rows: Vec<String> = (0..2 * CUSTOMERS).map(row).collect();
    let table = |name: &str, rows: &[String]| {
        std::fs::write(place(name), format!("customer,product,date\n{}", rows.concat())).unwrap();
        place(name)
    };
    let data = table("bought.csv", &rows);
    let asked = |data: &str, out: &str| {
        let flags = ["--model", "popular", "--seen", "drop", "--out", out];
        run(&[&["recommend", "--data", data], &flags[..]].concat())
    };
    let outs = [place("lists.csv"), place("lists.parquet"), format!("{}/", place("lists"))];
    outs.iter().for_each(|out| _ = asked(&data, out).fine());
    let text = std::fs::read_to_string(&outs[0]).unwrap();
    let lines: Vec<Vec<&str>> =
        text.lines().skip(1).map(|line| line.split(',').collect()).collect();
    assert_eq!(lines.len(), 10 * CUSTOMERS);
    let engine = Engine::new(EngineOptions::default()).unwrap();
    let store = engine.store(&Location::new(".", folder.path()).unwrap()).unwrap();
    for place in ["lists.parquet", "lists/part-00000.parquet"] {
        let frame = engine.load(&store, place, "lists").unwrap();
        let (customers, products) =
            (frame.text("customer_id").unwrap(), frame.text("product_id").unwrap());
        let found = customers.into_iter().zip(frame.i32("rank").unwrap()).zip(products);
        let found: Vec<_> = found.map(|((c, rank), p)| vec![c, rank.to_string(), p]).collect();
        assert!(found.iter().zip(&lines).all(|(own, line)| own[..] == line[..3]), "{place}");
        assert_eq!(found.len(), lines.len(), "{place}");
    }
    // Row by row, wherever a piece of the table ends.
    let mut wrong = rows.clone();
    wrong[16_999] = "c00001,p01,soon\n".to_owned();
    let error = asked(&table("wrong.csv", &wrong), &outs[0]);
    error.refused(3, "T1092", &["column 'date': row 17000 holds soon"]);
    assert!(std::fs::read_to_string(&outs[0]).unwrap() == text, "a refusal changed the lists");
    // Rows in another order say the same.
    wrong.clone_from(&rows);
    wrong.reverse();
    asked(&table("turned.csv", &wrong), &outs[0]).fine();
    assert!(std::fs::read_to_string(&outs[0]).unwrap() == text);
}

#[test]
fn what_nobody_knows_is_refused() {
    let shop = project();
    let check = |flags: &[&str], exit: i32, code: &str, words: &[&str]| {
        shop.run(flags).refused(exit, code, words);
    };
    check(&["recommend", "--for", "C999"], 6, "T1086", &["C999"]);
    check(&["similar", "--to", "P999"], 6, "T1086", &["P999"]);
    check(
        &["recommend", "--for", "C050", "--where", "colour=red"],
        6,
        "T1086",
        &["colour", "category"],
    );
    check(&["recommend", "--for", "C050", "--where", "category=diary"], 6, "T1086", &["dairy"]);
    check(&["recommend", "--for", "C050", "--where", "dairy"], 2, "T1086", &["ATTRIBUTE=VALUE"]);
    check(&["recommend"], 2, "T1088", &["--out"]);
    check(
        &["similar", "--to", "P001", "--model", "popular"],
        2,
        "T1087",
        &["popular", "item-to-item"],
    );
    check(&["recommend", "--for", "C050", "--model", "magic"], 2, "T0409", &["magic", "popular"]);
}
