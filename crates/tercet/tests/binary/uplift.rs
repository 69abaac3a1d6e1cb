//! Does uplift find whom a treatment changes, send nobody where nobody is changed, and refuse what is no trial?

use std::path::{Path, PathBuf};

use tempfile::TempDir;

use crate::support::{Output, run};

/// The rows of a trial with two treatments. `letter` makes city customers, who buy
/// little otherwise, buy, and others stay away; `call` does
/// nothing. Who got what, and what else decides, follows from a congruential generator.
fn rows(count: usize) -> Vec<[String; 6]> {
    let mut state = 20_u64;
    let mut draw = || {
        state =
            state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 11) as f64 / (1_u64 << 53) as f64
    };
    let row = |number: usize| {
        let place = ["city", "town", "farm"][(draw() * 3.0) as usize];
        let arm = ["nothing", "letter", "call"][(draw() * 3.0) as usize];
        let age = 20.0 + 50.0 * draw();
        let effect = match (arm, place) {
            ("letter", "city") => 0.4,
            ("letter", _) => -0.1,
            _ => 0.0,
        };
        let base = if place == "city" { 0.05 } else { 0.3 };
        let bought = draw() < base + age / 400.0 + effect;
        let spent = if bought { 5.0 + (draw() * 10.0).round() } else { 0.0 };
        [
            format!("c{number}"),
            place.to_owned(),
            format!("{age:.1}"),
            arm.to_owned(),
            u8::from(bought).to_string(),
            spent.to_string(),
        ]
    };
    (0..count).map(row).collect()
}

/// A folder with a table of these rows.
fn table(rows: &[[String; 6]]) -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("trial.csv");
    let lines: Vec<String> = rows.iter().map(|row| row.join(",")).collect();
    let text = format!("id,place,age,arm,bought,spent\n{}\n", lines.join("\n"));
    std::fs::write(&path, text).unwrap();
    (folder, path)
}

fn fit(path: &Path, more: &[&str]) -> Output {
    let base = ["--quiet", "uplift", "fit", "--data", path.to_str().unwrap(), "--key", "id"];
    run(&[&base[..], &["--treatment", "arm", "--control", "nothing"], more].concat())
}

#[test]
fn whom_a_treatment_changes_is_found_and_sent_to() {
    let (folder, path) = table(&rows(4_000));
    let model = folder.path().join("model.json");
    let kept = ["--model", model.to_str().unwrap(), "--format", "json"];
    let how = ["--outcome", "bought", "--ignore", "spent", "--splits", "4"];
    let said = fit(&path, &[&how[..], &kept].concat()).fine().json();
    assert_eq!(said["sample_ratio"]["alarm"], false);
    let [call, letter] = [0, 1].map(|arm| said["arms"][arm].clone());
    assert_eq!([&call["arm"], &letter["arm"]], ["call", "letter"]);
    assert_eq!([&call["usable"], &letter["usable"]], [false, true]);
    let qini =
        |ranking: usize| letter["rankings"][ranking]["scikit_uplift_qini_auc"].as_f64().unwrap();
    // City customers buy less, so that whoever sends to buyers sends to the wrong ones.
    assert!(qini(0) > 0.1 && qini(1) < 0.0, "{letter:#}");
    assert!(letter["effect"]["value"].as_f64().unwrap() > 0.0);
    assert!(said["advice"]["by_uplift"].is_object());
    assert!(said["policy"]["over_nobody"]["low"].as_f64().unwrap() > 0.0);

    // The letter goes to the city, whatever the row is called.
    let apply = ["--quiet", "uplift", "apply", "--model", model.to_str().unwrap()];
    let done = run(&[&apply[..], &["--data", path.to_str().unwrap()]].concat()).fine();
    let lines = done.lines();
    assert_eq!(lines[0], ["id", "uplift call", "uplift letter", "expected outcome", "send"]);
    let place_of = rows(4_000);
    let rightly = lines[1..]
        .iter()
        .zip(&place_of)
        .filter(|(line, row)| (line[4] == "letter") == (row[1] == "city") && line[0] == row[0]);
    assert!(rightly.count() > 3_600);
    let out = folder.path().join("uplift.parquet");
    let flags = ["--data", path.to_str().unwrap(), "--out", out.to_str().unwrap()];
    run(&[&apply[..], &flags].concat()).fine();
    assert!(out.is_file());

    // Any outcome will do, and a page is for people.
    let page = fit(
        &path,
        &["--outcome", "spent", "--ignore", "bought", "--arms", "call", "--splits", "2"],
    );
    let page = page.fine().stdout;
    for words in
        ["no usable heterogeneity: send to all or to nobody", "over sending to nobody", "NIR"]
    {
        assert!(page.contains(words), "'{words}' is not in: {page}");
    }
}

#[test]
fn what_is_no_trial_is_refused_by_name() {
    let fine = rows(600);
    let check = |change: &dyn Fn(usize, &mut [String; 6]),
                 flags: &[&str],
                 exit: i32,
                 code: &str,
                 words: &[&str]| {
        let mut rows = fine.clone();
        rows.iter_mut().enumerate().for_each(|(number, row)| change(number, row));
        let (_folder, path) = table(&rows);
        let quick = ["--splits", "2", "--learner", "t"];
        fit(&path, &[&quick[..], flags].concat()).refused(exit, code, words);
    };
    let same = |_: usize, _: &mut [String; 6]| ();
    let bought = ["--outcome", "bought", "--ignore", "spent"];
    let with = |more: &[&'static str]| [&bought[..], more].concat();
    check(&same, &["--outcome", "bougth"], 3, "T1061", &["'bougth'", "did you mean 'bought'?"]);
    check(&same, &with(&["--arms", "leter"]), 3, "T1064", &["'leter'", "'letter'"]);
    check(
        &|_, row| row[3] = "nothing".to_owned(),
        &bought,
        3,
        "T1064",
        &["everybody got 'nothing'"],
    );
    check(
        &|_, row| row[3] = "letter".to_owned(),
        &bought,
        3,
        "T1064",
        &["nobody got the arm 'nothing'"],
    );
    check(
        &|n, row| {
            if n == 4 {
                row[3].clear()
            }
        },
        &bought,
        3,
        "T1064",
        &["row 5"],
    );
    let few = |n: usize, row: &mut [String; 6]| {
        if n > 50 && row[3] == "call" {
            row[3] = "letter".to_owned();
        }
    };
    check(&few, &bought, 3, "T1065", &["'call'", "at least 100"]);
    check(&|_, row| row[4] = "0".to_owned(), &bought, 3, "T1066", &["is 0 in every row"]);
    let negative = ["--outcome", "spent", "--ignore", "bought"];
    check(
        &|n, row| {
            if n == 7 {
                row[5] = "-3".to_owned()
            }
        },
        &negative,
        3,
        "T1066",
        &["row 8 is -3"],
    );
    check(
        &|n, row| {
            if n == 2 {
                row[4] = "NaN".to_owned()
            }
        },
        &bought,
        3,
        "T1062",
        &["row 3 holds NaN"],
    );
    check(
        &|n, row| {
            if n == 2 {
                row[4].clear()
            }
        },
        &bought,
        3,
        "T1062",
        &["row 3 holds nothing"],
    );
    check(
        &|n, row| {
            if n == 9 {
                row[0] = "c1".to_owned()
            }
        },
        &bought,
        3,
        "T1067",
        &["rows 2 and 10"],
    );
    check(
        &|n, row| {
            if n == 9 {
                row[0].clear()
            }
        },
        &bought,
        3,
        "T1067",
        &["row 10"],
    );
    check(
        &|n, row| row[1] = format!("place {n}"),
        &bought,
        3,
        "T1063",
        &["'place'", "600 different texts"],
    );
    let outcome = |_: usize, row: &mut [String; 6]| {
        if row[3] == "letter" {
            row[2] = "99".to_owned();
        }
    };
    check(&outcome, &bought, 3, "T1069", &["'age'", "--ignore age"]);
    check(&same, &["--outcome", "bought", "--features", "bought"], 2, "T1069", &["'bought'"]);
    check(&same, &with(&["--shares", "1,2"]), 2, "T1068", &["2 sizes for 3 arms"]);
    check(&same, &with(&["--propensity", "age"]), 2, "T1068", &["one treatment"]);
    let chance =
        ["--outcome", "bought", "--features", "place", "--arms", "call", "--propensity", "age"];
    check(&same, &chance, 3, "T1068", &["no chance between 0 and 1"]);
    let (folder, path) = table(&fine);
    let other = folder.path().join("other.json");
    std::fs::write(&other, "{}").unwrap();
    let [model, data] = [&other, &path].map(|path| path.to_str().unwrap());
    let apply = run(&["uplift", "apply", "--model", model, "--data", data]);
    apply.refused(3, "T1070", &["not a model of uplift"]);
}
