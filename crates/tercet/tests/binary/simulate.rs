//! Is a simulated shop one that tercet can read and decide for, the same on any number of threads?

use std::collections::BTreeMap;

use crate::support::{Project, at, files, run};

fn simulate(name: &'static str, flags: &[&str]) -> (Project, String) {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join(name);
    let base = ["--quiet", "simulate", "--out", out.to_str().unwrap(), "--customers", "200"];
    let small = ["--products", "400", "--promotions", "40", "--weeks", "10"];
    let done = run(&[&base[..], &small, flags].concat()).fine();
    (at(folder, name), done.stdout)
}

#[test]
fn a_simulated_shop_is_checked_and_decided() {
    let (shop, said) = simulate("shop", &[]);
    for word in
        ["simulated shop of 200 customers", "The Complete Journey, 26 weeks", "redemption rate"]
    {
        assert!(said.contains(word), "'{word}' is not in: {said}");
    }
    shop.run(&["check"]).fine();
    let id = shop.weekly(&[]);
    assert!(!shop.offers(&id).is_empty());

    // All of it went in: no table quarantined, every customer known, and what the sources promise is used.
    let health: serde_json::Value =
        serde_json::from_str(&shop.text(&format!("runs/{id}/sources/health.json"))).unwrap();
    let tables: BTreeMap<&str, &serde_json::Value> = health["tables"]
        .as_array()
        .unwrap()
        .iter()
        .map(|table| (table["table"].as_str().unwrap(), table))
        .collect();
    assert_eq!(tables.len(), 8, "{:?}", tables.keys());
    for (name, table) in &tables {
        assert_eq!(table["quarantined"], 0, "{name}: {table}");
    }
    let master = shop.table(&id, "features/customer_master");
    let segments: std::collections::BTreeSet<String> =
        master.text("behaviour").unwrap().into_iter().collect();
    for segment in ["transaction_only", "browsing_only", "both"] {
        assert!(segments.contains(segment), "{segments:?}");
    }
    // A visitor without a name is never taken for the customer of that number.
    let ids = master.text("customer_id").unwrap();
    let named = ids.iter().filter(|id| id.parse::<u32>().is_ok_and(|id| (1..=200).contains(&id)));
    assert_eq!(named.count(), 200);
    assert!(
        ids.len() > 200 && ids.iter().all(|id| id.starts_with('v') || id.len() <= 3),
        "{ids:?}"
    );
    let page = shop.text(&format!("runs/{id}/delivery/report.html"));
    assert!(page.contains("simulated"), "the report does not say that it is simulated");
}

#[test]
fn a_seed_gives_the_same_bytes_and_another_does_not() {
    let (one, _) = simulate("shop", &["--threads", "1"]);
    let written = files(&one.path());
    assert!(written.contains_key("truth/FORMULA.md") && written.contains_key("simulation.json"));
    let (three, _) = simulate("shop", &["--threads", "3"]);
    assert!(written == files(&three.path()), "threads change the files");
    // The written world makes the same world again.
    let world = one.path().join("world.toml");
    let (again, _) = simulate("shop", &["--world", world.to_str().unwrap()]);
    assert!(written == files(&again.path()), "world.toml is not the whole world");
    let (other, _) = simulate("shop", &["--seed", "2"]);
    let lines = "data/transactions/part-00000.parquet";
    assert!(written[lines] != files(&other.path())[lines]);
}

#[test]
fn what_is_there_is_never_overwritten() {
    let (shop, _) = simulate("shop", &[]);
    let before = files(&shop.path());
    let out = shop.path();
    let out = out.to_str().unwrap();
    run(&["simulate", "--out", out]).refused(4, "T1029", &["simulation.json"]);
    assert!(before == files(&shop.path()));
    // Nor what a broken-off attempt, or somebody else, left.
    std::fs::remove_file(shop.path().join("simulation.json")).unwrap();
    run(&["simulate", "--out", out]).refused(4, "T1029", &["tercet.toml"]);
}

#[test]
fn what_cannot_be_simulated_is_refused_before_anything_is_written() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("shop");
    let out_text = out.to_str().unwrap();
    let world = folder.path().join("world.toml");
    let world_text = world.to_str().unwrap();
    let check = |text: &str, flags: &[&str], exit: i32, code: &str, words: &[&str]| {
        std::fs::write(&world, text).unwrap();
        let base = ["simulate", "--out", out_text, "--world", world_text];
        run(&[&base[..], flags].concat()).refused(exit, code, words);
        assert!(!out.exists());
    };
    check("", &["--weeks", "1"], 2, "T1102", &["weeks"]);
    check("[purchases]\nloyalty = 2.0\n", &[], 2, "T1101", &["purchases.loyalty"]);
    check("[purchases]\nloyal = 1.0\n", &[], 2, "T1028", &["loyal"]);
    check("start_on = \"2025-01-07\"\n", &[], 2, "T1101", &["start_on"]);
}
