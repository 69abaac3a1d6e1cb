//! Is what customers will buy and be worth said of any table of purchases, and refused where it cannot be?

use std::path::PathBuf;

use tempfile::TempDir;

use crate::support::{Output, run};

/// Purchases of customers who buy at rates of their own for up to two years, and leave after some purchase.
fn purchases(customers: usize) -> Vec<String> {
    let mut state = 11_u64;
    let mut draw = || {
        state =
            state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 11) as f64 / (1_u64 << 53) as f64
    };
    let mut lines = Vec::new();
    for customer in 0..customers {
        let every_days = 10.0 + 200.0 * draw() * draw();
        let stays = 0.6 + 0.4 * draw();
        let mean = 5.0 + 50.0 * draw() * draw();
        let mut day = 300.0 * draw();
        while day < 360.0 {
            let date = tercet_types::Date::from_days(18_000 + day as i32);
            lines.push(format!("k{customer},{date},{:.2}", 0.5 - mean * (1.0 - draw()).ln()));
            if draw() > stays {
                break;
            }
            day += 1.0 - every_days * (1.0 - draw()).ln();
        }
    }
    lines
}

fn table(lines: &[String]) -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("orders.csv");
    std::fs::write(&path, format!("who,day,paid\n{}\n", lines.join("\n"))).unwrap();
    (folder, path)
}

fn ask(path: &std::path::Path, more: &[&str]) -> Output {
    ask_of(path, "paid", more)
}

fn ask_of(path: &std::path::Path, value: &str, more: &[&str]) -> Output {
    let base = ["--quiet", "customer-value", "--data", path.to_str().unwrap()];
    run(&[&base[..], &["--customer", "who", "--date", "day", "--value", value], more].concat())
}

#[test]
fn every_customer_gets_what_to_expect() {
    let lines = purchases(400);
    let (folder, path) = table(&lines);
    let said = ask(&path, &["--format", "json"]).fine().json();
    assert_eq!((&said["customers"], said["until"].as_str().is_some()), (&400.into(), true));
    for (model, parameters) in [("bg_nbd", 4), ("gamma_gamma", 3)] {
        let all = said[model]["parameters"].as_array().unwrap();
        assert_eq!(all.len(), parameters);
        for one in all {
            let [low, value, high] = ["low", "value", "high"].map(|key| one[key].as_f64().unwrap());
            assert!(0.0 < low && low < value && value < high, "{one}");
        }
    }
    let customers = said["by_customer"].as_array().unwrap();
    assert_eq!(customers.len(), 400);
    for one in customers {
        let number = |key: &str| one[key].as_f64().unwrap();
        assert!((0.0..=1.0).contains(&number("probability_alive")), "{one}");
        // Less than all purchases at full value, for later ones count less.
        let most = number("expected_purchases") * number("expected_value");
        assert!(0.0 < number("lifetime_value") && number("lifetime_value") < most, "{one}");
    }

    // The same numbers as CSV, in a file, and with half the margin.
    let csv = ask(&path, &["--format", "csv", "--margin", "0.5"]).fine().lines();
    assert_eq!((csv.len(), csv[0][0].as_str(), csv[0].len()), (401, "customer", 9));
    let half: f64 = csv[1][8].parse().unwrap();
    assert!((2.0 * half - customers[0]["lifetime_value"].as_f64().unwrap()).abs() < 1e-9);
    let out = folder.path().join("customers.parquet");
    let said = ask(&path, &["--format", "json", "--out", out.to_str().unwrap()]).fine().json();
    assert!(out.is_file() && said["by_customer"].is_null());

    // What comes after the last day does not count, in whatever order the rows stand.
    let until = ["--until", "2020-01-01", "--format", "csv"];
    let known = ask(&path, &until).fine().stdout;
    let mut kept: Vec<String> =
        lines.into_iter().filter(|line| line.split(',').nth(1).unwrap() <= "2020-01-01").collect();
    kept.reverse();
    let (_folder, path) = table(&kept);
    assert_eq!(ask(&path, &until).fine().stdout, known);
    // Who came back for nothing buys on, and has no part in what purchases are worth.
    kept.extend(["gift,2019-06-01,0".to_owned(), "gift,2019-07-01,0".to_owned()]);
    let (_folder, path) = table(&kept);
    let page = ask(&path, &[]).fine().stdout;
    for words in
        ["BG/NBD", "1 of them for nothing alone", "correlate", "The most valuable customers"]
    {
        assert!(page.contains(words), "'{words}' is not in: {page}");
    }
}

#[test]
fn what_is_no_table_of_purchases_is_refused() {
    let lines = purchases(60);
    let check = |lines: &[String], more: &[&str], exit: i32, code: &str, words: &[&str]| {
        let (_folder, path) = table(lines);
        ask(&path, more).refused(exit, code, words);
    };
    let with = |line: &str| [lines.clone(), vec![line.to_owned()]].concat();
    let (_folder, path) = table(&lines);
    ask_of(&path, "price", &[]).refused(3, "T1061", &["'price'", "paid"]);
    check(&with("k1,2019-05-01,much"), &[], 3, "T1062", &["much"]);
    check(&with("k1,01.05.2019,5"), &[], 3, "T1085", &["01.05.2019", "YYYY-MM-DD"]);
    check(&with(",2019-05-01,5"), &[], 3, "T1085", &["no customer"]);
    check(&with("k1,2019-05-01,2e9"), &[], 3, "T1085", &["2000000000"]);
    check(&lines[..1], &[], 3, "T0425", &["1 customers"]);
    let once: Vec<String> = (0..30).map(|one| format!("k{one},2019-05-{:02},5", 1 + one)).collect();
    check(&once, &[], 3, "T0426", &["second time"]);
    check(&lines, &["--weeks", "0"], 2, "T1085", &["--weeks"]);
    check(&lines, &["--out", "customers.xlsx"], 2, "T1068", &["neither in .csv"]);
}
