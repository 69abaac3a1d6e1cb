//! Do results of `evaluate` and `tune` spare what is there already, whatever is asked for?

use std::path::Path;

use tempfile::TempDir;

use crate::support::{Output, run};

/// Customers with orders of two products each, day by day, and the table's place.
fn table(folder: &Path) -> String {
    let mut text = String::from("customer_id,product_id,time,order_id\n");
    for customer in 0..40 {
        for day in 0..8 {
            for product in [customer % 7, 10 + (customer + day) % 5] {
                let line = format!("c{customer},p{product},{},{customer}-{day}\n", 17_400 + day);
                text.push_str(&line);
            }
        }
    }
    place(folder, "orders.csv", &text)
}

fn place(folder: &Path, name: &str, text: &str) -> String {
    let path = folder.join(name);
    std::fs::write(&path, text).unwrap();
    path.to_str().unwrap().to_owned()
}

fn evaluate(data: &str, flags: &[&str]) -> Output {
    run(&[&["--quiet", "evaluate", "--data", data, "--draws", "50"], flags].concat())
}

fn tune(folder: &TempDir, data: &str, flags: &[&str]) -> Output {
    let trials = folder.path().join("trials.jsonl");
    let base = ["--quiet", "tune", "--data", data, "--trials", trials.to_str().unwrap()];
    run(&[&base[..], flags].concat())
}

#[test]
fn nothing_that_is_read_is_written_over() {
    let folder = tempfile::tempdir().unwrap();
    let data = table(folder.path());
    let text = std::fs::read_to_string(&data).unwrap();
    let same = format!("{}/./orders.csv", folder.path().display());
    let new = folder.path().join("new").to_str().unwrap().to_owned();
    let config = "[project]\nname = \"shop\"\n\n[recommenders.popular]\nwindow_days = 9\n";
    let config_place = place(folder.path(), "tercet.toml", config);
    for flags in [
        &["--out", &data][..],
        &["--report", &same],
        &["--out", &new, "--report", &new],
        &["--settings", &config_place, "--out", &config_place],
    ] {
        evaluate(&data, flags).refused(2, "T1068", &["hint: name another file"]);
    }
    let popular = ["--model", "popular", "--budget", "1"];
    tune(&folder, &data, &[&popular[..], &["--out", &same]].concat()).refused(2, "T1068", &[]);
    let both = ["--quiet", "tune", "--data", &data, "--trials", &new, "--out", &new];
    run(&[&both[..], &popular].concat()).refused(2, "T1068", &["--trials"]);
    let replaced = tune(&folder, &data, &[&popular[..], &["--out", &config_place]].concat());
    replaced.refused(2, "T1094", &["would be lost"]);
    assert_eq!(std::fs::read_to_string(&config_place).unwrap(), config);
    assert_eq!(std::fs::read_to_string(&data).unwrap(), text);
    assert!(!folder.path().join("new").exists() && !folder.path().join("trials.jsonl").exists());

    // A configuration holds the same sections as a file of settings.
    let flags = ["--models", "popular", "--settings", &config_place, "--json"];
    let said = evaluate(&data, &flags).fine().json();
    assert_eq!(said["models"]["popular"]["settings"]["window_days"], 9);
}

#[test]
fn other_sections_are_kept() {
    let folder = tempfile::tempdir().unwrap();
    let data = table(folder.path());
    let others = "[recommenders.short]\nestimator = \"popular\"\nwindow_days = 7\n";
    let popular = "\n[recommenders.popular]\nwindow_days = 9\n";
    let out = place(folder.path(), "settings.toml", &format!("{others}{popular}"));
    let flags = ["--model", "short", "--budget", "2", "--settings", &out, "--out", &out];
    tune(&folder, &data, &flags).fine();
    let found: toml::Table = toml::from_str(&std::fs::read_to_string(&out).unwrap()).unwrap();
    let sections = found["recommenders"].as_table().unwrap();
    assert_eq!(sections.len(), 2);
    assert_eq!(sections["popular"]["window_days"].as_integer(), Some(9));
    assert_eq!(sections["short"]["estimator"].as_str(), Some("popular"));
}

#[test]
fn settings_inside_settings_are_written_too() {
    let folder = tempfile::tempdir().unwrap();
    let data = table(folder.path());
    let out = folder.path().join("blend.toml").to_str().unwrap().to_owned();
    let flags = ["--model", "blend", "--budget", "2", "--out", &out];
    let said = tune(&folder, &data, &flags).fine();
    assert!(said.stdout.contains("2 trials"), "{}", said.stdout);
    evaluate(&data, &["--models", "blend", "--settings", &out, "--json"]).fine();
}

#[test]
fn models_too_large_for_the_data_are_left_out_of_all() {
    let folder = tempfile::tempdir().unwrap();
    let mut text = String::from("customer_id,product_id,time\n");
    for product in 0..20_010 {
        text.push_str(&format!("c{},p{product},{}\n", product % 670, 17_400 + product / 670));
    }
    for customer in 0..670 {
        text.push_str(&format!("c{customer},p{customer},17440\nc{customer},p{customer},17441\n"));
    }
    let data = place(folder.path(), "many.csv", &text);
    let few = "[recommenders.als]\nfactors = 2\niterations = 1\n";
    let settings = place(folder.path(), "settings.toml", few);
    let at = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    let (page, kept) = (at("page.html"), at("kept.json"));
    let with = ["--settings", &settings, "--k", "5"];
    let flags = [&with[..], &["--report", &page, "--out", &kept]].concat();
    let printed = evaluate(&data, &flags).fine().stdout;
    let words = "ease is left out, as the data are too large for it";
    assert!(printed.contains(words), "{printed}");
    assert!(std::fs::read_to_string(&page).unwrap().contains(words));
    let said: serde_json::Value =
        serde_json::from_str(&std::fs::read_to_string(&kept).unwrap()).unwrap();
    assert_eq!(said["protocol"]["models_left_out"][0]["model"], "ease");
    assert!(said["models"].get("ease").is_none() && said["models"].get("popular").is_some());
    // No name and no interval is broken in the middle.
    for whole in ["popular-decayed", "decayed-frequency", ".0000–.0000"] {
        assert!(printed.contains(whole), "{whole} is not in:\n{printed}");
    }
    let named = ["--models", "ease,popular"];
    evaluate(&data, &named).refused(3, "T0408", &["item-to-item"]);
}

#[test]
fn other_attributes_are_another_study() {
    let folder = tempfile::tempdir().unwrap();
    let data = table(folder.path());
    let trials = |content: &str| {
        let attributes = place(folder.path(), "products.csv", content);
        let flags = ["--model", "popular", "--budget", "1", "--attributes", &attributes, "--json"];
        tune(&folder, &data, &flags).fine();
        std::fs::read_to_string(folder.path().join("trials.jsonl")).unwrap().lines().count()
    };
    assert_eq!(trials("product_id,type\np0,a\np1,b\n"), 1);
    assert_eq!(trials("product_id,type\np0,a\np1,b\n"), 1);
    assert_eq!(trials("product_id,type\np0,b\np1,b\n"), 2);
}
