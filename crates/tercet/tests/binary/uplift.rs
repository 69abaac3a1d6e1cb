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
    let page = folder.path().join("page.html");
    let kept = ["--model", model.to_str().unwrap(), "--report", page.to_str().unwrap()];
    let kept = [&kept[..], &["--format", "json"]].concat();
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
    // The curve ends at the average effect.
    let curve = letter["rankings"][0]["qini_curve"].as_array().unwrap();
    let ends = [&curve[10], &letter["effect"]["value"]].map(|end| end.as_f64().unwrap());
    assert!(curve.len() == 11 && (ends[0] - ends[1]).abs() < 1e-12, "{ends:?}");
    let html = std::fs::read_to_string(&page).unwrap();
    let curves = html.matches("<h3>Qini curve</h3>").count();
    assert_eq!((curves, html.contains("<script")), (2, false));
    assert!(
        html.contains("Choose by uplift: customers differ, and choosing among them pays most.")
    );

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
    let flags = ["--data", path.to_str().unwrap(), "--format", "json"];
    let rows_of = run(&[&apply[..], &flags].concat()).fine().json();
    let (first, line) = (&rows_of[0], &lines[1]);
    assert_eq!([&first["id"], &first["send"]], [&line[0], &line[4]]);
    for (column, cell) in [("uplift call", &line[1]), ("expected outcome", &line[3])] {
        assert_eq!(first[column].as_f64().unwrap(), cell.parse::<f64>().unwrap());
    }
    let unknown = ["--data", path.to_str().unwrap(), "--out", "uplift.xlsx"];
    run(&[&apply[..], &unknown].concat()).refused(2, "T1068", &["neither in .csv nor in .parquet"]);

    // Any outcome will do, and a page is for people.
    let page = fit(
        &path,
        &["--outcome", "spent", "--ignore", "bought", "--arms", "call", "--splits", "2"],
    );
    let page = page.fine().stdout;
    for words in ["no usable heterogeneity: send to all or to nobody", "by uplift vs nobody", "NIR"]
    {
        assert!(page.contains(words), "'{words}' is not in: {page}");
    }

    // NIR takes arms of one size.
    let mut uneven = rows(1_500);
    uneven
        .iter_mut()
        .filter(|row| row[3] == "letter")
        .for_each(|row| row[3] = "nothing".to_owned());
    let (_folder, path) = table(&uneven);
    let flags = ["--outcome", "bought", "--ignore", "spent", "--splits", "2", "--learner", "t"];
    let said =
        fit(&path, &[&flags[..], &["--shares", "2,1", "--format", "json"]].concat()).fine().json();
    assert!(said["policy"]["selected"].is_null(), "{:#}", said["policy"]);
}

/// A trial whose letters come in two kinds of paper that do the same, with a column that says the kind of an arm.
fn with_kinds(kind: impl Fn(usize, &str) -> &'static str) -> (TempDir, PathBuf) {
    let (folder, path) = table(&rows(3_000));
    let text = std::fs::read_to_string(&path).unwrap();
    let line = |(number, line): (usize, &str)| {
        let papers = ["letter white", "letter blue"];
        let line = line.replace("letter", papers[number % 2]);
        let arm = line.split(',').nth(3).unwrap();
        let kind = if number == 0 { "type" } else { kind(number, arm) };
        format!("{line},{kind}")
    };
    let lines: Vec<String> = text.lines().enumerate().map(line).collect();
    std::fs::write(&path, lines.join("\n")).unwrap();
    (folder, path)
}

#[test]
fn arms_of_a_kind_are_drawn_towards_each_other() {
    let flags = ["--outcome", "bought", "--ignore", "spent", "--splits", "2", "--learner", "t"];
    let flags =
        [&flags[..], &["--shares", "2,2,1,1", "--kind", "type", "--format", "json"]].concat();
    let (_folder, path) = with_kinds(|_, arm| match arm {
        "nothing" => "",
        "call" => "phone",
        _ => "post",
    });
    let said = fit(&path, &flags).fine().json();
    let arms: Vec<(&str, &str, f64)> = said["arms"]
        .as_array()
        .unwrap()
        .iter()
        .map(|arm| {
            (
                arm["arm"].as_str().unwrap(),
                arm["kind"].as_str().unwrap(),
                arm["own_effect_kept"].as_f64().unwrap(),
            )
        })
        .collect();
    assert_eq!(arms[0], ("call", "phone", 1.0));
    assert_eq!(
        arms[1..].iter().map(|arm| (arm.0, arm.1)).collect::<Vec<_>>(),
        [("letter blue", "post"), ("letter white", "post")]
    );
    // Papers do the same: what tells them apart is chance.
    assert!(arms[1..].iter().all(|arm| arm.2 < 0.5), "{arms:?}");

    let (_folder, path) = with_kinds(|number, arm| match arm {
        "letter blue" if number > 1_000 => "gift",
        _ => "post",
    });
    let words = ["kind 'type': arm 'letter blue'", "of 'post' in row", "of 'gift' in row 10"];
    fit(&path, &flags).refused(3, "T1064", &words);
    let (_folder, path) = with_kinds(|_, _| "");
    fit(&path, &flags).refused(3, "T1064", &["kind 'type': row", "has none"]);
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
    check(
        &same,
        &with(&["--shares", "1,2,3"]),
        3,
        "T1071",
        &["'nothing' has", "of 100 planned", "--despite-ratio"],
    );
    let old = |n: usize, row: &mut [String; 6]| {
        if n == 16 {
            row[2] = "old".to_owned();
        }
    };
    check(
        &old,
        &bought,
        3,
        "T1062",
        &["'age': row 17 holds 'old'", "599 numbers", "--categories age"],
    );
    check(&same, &with(&["--categories", "bought"]), 2, "T1069", &["it is no feature"]);
    // Rows are counted as they stand in the file, those of other arms too.
    let twice = |n: usize, row: &mut [String; 6]| {
        if n > 500 && row[3] == "call" {
            row[0] = "x".to_owned();
        }
    };
    let calls: Vec<usize> = (501..600).filter(|n| fine[*n][3] == "call").map(|n| n + 1).collect();
    let words = format!("'x' stands in rows {} and {}", calls[0], calls[1]);
    check(&twice, &with(&["--arms", "call"]), 3, "T1067", &[&words]);
    check(&same, &with(&["--propensity", "age"]), 2, "T1068", &["one treatment"]);
    let chance =
        ["--outcome", "bought", "--features", "place", "--arms", "call", "--propensity", "age"];
    check(&same, &chance, 3, "T1068", &["no chance between 0 and 1"]);
    // Numbers that are names are categories where somebody says so, and a trial may be read despite its sizes.
    let (folder, path) = table(&fine);
    let all = ["--categories", "place", "--shares", "1,2,3", "--despite-ratio", "--format", "json"];
    let quick = ["--splits", "2", "--learner", "t"];
    let said = fit(&path, &[&bought[..], &quick, &all].concat()).fine().json();
    assert_eq!(said["sample_ratio"]["alarm"], true);
    let (_empty, none) = table(&[]);
    fit(&none, &bought).refused(3, "T1072", &["the table has no rows"]);
    let missing = folder.path().join("missing.csv");
    fit(&missing, &bought).refused(6, "T0906", &["missing.csv", "the folder you are in"]);
    let other = folder.path().join("other.json");
    std::fs::write(&other, "{}").unwrap();
    let [model, data] = [&other, &path].map(|path| path.to_str().unwrap());
    let apply = run(&["uplift", "apply", "--model", model, "--data", data]);
    apply.refused(3, "T1070", &["not a model of uplift"]);
}

/// A trial whose treatment does nothing: active customers buy more, and were likelier to be treated.
fn confounded(count: usize) -> (TempDir, PathBuf) {
    let mut state = 7_u64;
    let mut draw = || {
        state =
            state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 11) as f64 / (1_u64 << 53) as f64
    };
    let row = |number: usize| {
        let (kind, chance, buys) =
            if draw() < 0.5 { ("active", 0.8, 0.5) } else { ("passive", 0.2, 0.1) };
        let arm = if draw() < chance { "letter" } else { "nothing" };
        let bought = u8::from(draw() < buys);
        format!("c{number},{kind},{:.1},{chance},{arm},{bought}", 20.0 + 50.0 * draw())
    };
    let lines: Vec<String> = (0..count).map(row).collect();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("trial.csv");
    let text = format!("id,kind,age,chance,arm,bought\n{}\n", lines.join("\n"));
    std::fs::write(&path, text).unwrap();
    (folder, path)
}

#[test]
fn customers_who_were_likelier_to_be_treated_are_no_effect() {
    let (folder, path) = confounded(4_000);
    let html = folder.path().join("page.html");
    let flags = ["--outcome", "bought", "--propensity", "chance", "--splits", "2"];
    let with = |more: &[&str]| fit(&path, &[&flags[..], more].concat()).fine();
    let said = with(&["--format", "json"]).json();
    let letter = &said["arms"][0];
    assert!(letter["mean"].as_f64().unwrap() - said["control"]["mean"].as_f64().unwrap() > 0.2);
    let effect = &letter["effect"];
    let [low, high] = ["low", "high"].map(|end| effect[end].as_f64().unwrap());
    assert!(low < 0.0 && high > 0.0 && high - low < 0.1, "{effect:#}");
    assert_eq!((effect, &said["effect_by"]), (&letter["robust_effect"], &"doubly_robust".into()));
    for left_out in ["rankings", "calibration"] {
        assert_eq!(letter[left_out].as_array().unwrap().len(), 0, "{left_out}");
    }
    let why = "rows had different chances of treatment";
    assert!(said["left_out"].as_str().unwrap().starts_with(why));

    // Worth counted the other way round, the estimate says to send to all.
    let page = with(&["--report", html.to_str().unwrap(), "--margin=-1"]).stdout;
    let html = std::fs::read_to_string(&html).unwrap();
    for (said, why) in [(&page, why), (&html, "Rows had different chances of treatment")] {
        assert!(said.contains(why) && said.contains("ffect (doubly robust)"), "{said}");
        for raw in ["Qini", "AUUC", "observed", "Welch", "+0.2", "+2"] {
            assert!(!said.contains(raw), "'{raw}' is in: {said}");
        }
    }
    for said in [&page, &html] {
        assert!(said.contains("the trial does not say that it pays"), "{said}");
    }

    // One chance for all: the arms are alike, and nothing is left out.
    let text = std::fs::read_to_string(&path).unwrap();
    let text = text.replace(",0.8,", ",0.5,").replace(",0.2,", ",0.5,");
    std::fs::write(&path, text).unwrap();
    let said = with(&["--format", "json"]).json();
    assert_eq!((&said["effect_by"], said["left_out"].is_null()), (&"welch".into(), true));
    assert_eq!(said["arms"][0]["rankings"].as_array().unwrap().len(), 2);
}
