//! Are recommenders held against each other on any table, and settings found on what is held back to choose them?

use std::path::Path;

use serde_json::Value as Json;
use tempfile::TempDir;

use crate::support::{Output, run};

/// Customers who each buy two products of their own again and again, one a day, the first more often; and a third
/// product that everybody buys now and then.
fn orders() -> Vec<(String, i32, String)> {
    let mut rows = Vec::new();
    for customer in 0..60 {
        for day in 0..12 {
            let product = match day % 4 {
                3 => 0,
                2 => 100 + customer % 20,
                _ => 10 + customer % 30,
            };
            rows.push((format!("c{customer}"), 17_400 + day, format!("p{product}")));
        }
    }
    rows
}

fn write(folder: &Path, name: &str, text: &str) -> String {
    let path = folder.join(name);
    std::fs::write(&path, text).unwrap();
    path.to_str().unwrap().to_owned()
}

/// The orders as interactions with a time, as sequences and as baskets.
fn tables(folder: &Path) -> [String; 3] {
    let rows = orders();
    let lines: Vec<String> =
        rows.iter().map(|(c, day, p)| format!("{c},{p},{}", i64::from(*day) * 86_400)).collect();
    let interactions = format!("USER_ID,ITEM_ID,TIMESTAMP\n{}\n", lines.join("\n"));
    let (mut sequences, mut baskets) =
        (String::from("customer,products\n"), String::from("customer,baskets\n"));
    for own in rows.chunk_by(|a, b| a.0 == b.0) {
        let products: Vec<&str> = own.iter().map(|row| row.2.as_str()).collect();
        sequences.push_str(&format!("{},\"[{}]\"\n", own[0].0, products.join(", ")));
        baskets.push_str(&format!("{},\"[[{}]]\"\n", own[0].0, products.join("], [")));
    }
    [
        write(folder, "interactions.csv", &interactions),
        write(folder, "sequences.csv", &sequences),
        write(folder, "baskets.csv", &baskets),
    ]
}

fn evaluate(data: &str, flags: &[&str]) -> Output {
    run(&[&["--quiet", "evaluate", "--data", data, "--models", "popular,personal"], flags].concat())
}

/// A metric of a model at a `k`.
fn value(said: &Json, model: &str, metric: &str, k: u64) -> f64 {
    let models = said["comparison"]["models"].as_array().unwrap();
    let model = models.iter().find(|one| one["model"] == model).unwrap();
    let figures = model["figures"].as_array().unwrap();
    let figure = figures.iter().find(|one| one["metric"] == metric && one["k"] == k);
    figure.unwrap_or_else(|| panic!("{metric}@{k}: {model:#}"))["value"].as_f64().unwrap()
}

#[test]
fn the_same_orders_are_judged_alike_in_every_form() {
    let folder = tempfile::tempdir().unwrap();
    let [interactions, sequences, baskets] = tables(folder.path());
    let page = folder.path().join("page.html");
    let kept = folder.path().join("kept.json");
    let files = ["--report", page.to_str().unwrap(), "--out", kept.to_str().unwrap()];
    let flags = ["--split", "leave-last-out", "--seen", "keep", "--k", "1,2", "--json"];
    let first = evaluate(&interactions, &[&flags[..], &files].concat()).fine();
    let said = first.json();
    // The last day is the third product's, which popularity alone puts first.
    assert_eq!(said["comparison"]["customers"], 60);
    assert_eq!(value(&said, "popular", "recall", 1), 1.0);
    assert_eq!(value(&said, "personal", "recall", 1), 0.0);
    assert_eq!(said["comparison"]["against"], "popular");
    assert_eq!(std::fs::read_to_string(&kept).unwrap(), first.stdout);
    let html = std::fs::read_to_string(&page).unwrap();
    assert!(html.contains("popular ranks best by ndcg@1: 1.0000") && !html.contains("<script"));
    for (data, more) in [(&sequences, &[][..]), (&baskets, &["--split", "leave-last-basket"])] {
        let other = evaluate(
            data,
            &[&flags[2..], more, &["--split", "leave-last-out"][more.len()..]].concat(),
        );
        let other = other.fine().json();
        for (metric, k) in [("ndcg", 1), ("map", 2), ("novelty", 2), ("coverage", 2)] {
            for model in ["popular", "personal"] {
                assert_eq!(
                    value(&said, model, metric, k),
                    value(&other, model, metric, k),
                    "{metric}"
                );
            }
        }
    }

    // Rows in another order change nothing, and neither does another call.
    let text = std::fs::read_to_string(&interactions).unwrap();
    let mut lines: Vec<&str> = text.lines().collect();
    lines[1..].reverse();
    let turned = write(folder.path(), "turned.csv", &lines.join("\n"));
    let again = evaluate(&turned, &[&flags[..], &["--draws", "200"]].concat()).fine().json();
    let same = evaluate(&interactions, &[&flags[..], &["--draws", "200"]].concat()).fine().json();
    assert_eq!(again["comparison"], same["comparison"]);
}

#[test]
fn splits_judge_what_they_say() {
    let folder = tempfile::tempdir().unwrap();
    let [interactions, sequences, _] = tables(folder.path());
    let check = |data: &str, flags: &[&str], customers: u64, split: &str| {
        let said = evaluate(data, &[flags, &["--json", "--draws", "100"]].concat()).fine().json();
        assert_eq!(said["comparison"]["customers"], customers, "{flags:?}");
        assert_eq!(said["protocol"]["split"]["kind"], split);
        said
    };
    let time = check(
        &interactions,
        &["--split", "time", "--from", "2017-08-30", "--days", "2"],
        60,
        "time",
    );
    // Days 8 and 9 of twelve: the first of the customer's own products twice.
    assert_eq!(value(&time, "personal", "hit_rate", 10), 1.0);
    assert_eq!(time["protocol"]["folds"][0]["truth_lines"], 120);
    check(&interactions, &["--split", "rolling", "--weeks", "1"], 60, "rolling");
    let random = check(&sequences, &["--split", "random", "--seen", "keep"], 60, "random");
    assert_eq!(random["protocol"]["folds"][0]["truth_lines"], 60);
    let drawn = check(
        &sequences,
        &["--split", "random", "--test-share", "0.5", "--redraws", "3"],
        51,
        "random",
    );
    let recall = &drawn["comparison"]["models"][0]["figures"][0];
    assert_eq!(recall["redrawn"]["redraws"], 3);

    let tests = "prefix,target\n\"[p10, p10]\",p0\n\"[p11]\",p999\n";
    let tests = write(folder.path(), "tests.csv", tests);
    let given = check(&sequences, &["--test", &tests, "--k", "1"], 2, "given");
    assert_eq!(value(&given, "popular", "recall", 1), 0.5);
    assert_eq!(given["protocol"]["folds"][0]["truth_lines_of_new_products"], 1);
    let page = evaluate(&sequences, &["--test", &tests]).fine().stdout;
    assert!(page.contains("1 of the 2 lines to be found are of products that nobody"), "{page}");

    let validation = check(&sequences, &["--validation"], 60, "leave-last-out");
    assert_eq!(validation["protocol"]["judged"], "validation");
    let known = check(&sequences, &["--fit-without-validation"], 60, "leave-last-out");
    assert_eq!(known["protocol"]["folds"][0]["training_lines"], 60 * 10);
}

#[test]
fn what_cannot_be_judged_is_refused_by_name() {
    let folder = tempfile::tempdir().unwrap();
    let [interactions, sequences, _] = tables(folder.path());
    let text = std::fs::read_to_string(&interactions).unwrap();
    let broken =
        |name: &str, from: &str, to: &str| write(folder.path(), name, &text.replacen(from, to, 1));
    let check = |data: &str, flags: &[&str], exit: i32, code: &str, words: &[&str]| {
        evaluate(data, flags).refused(exit, code, words);
    };
    let no_product = broken("product.csv", "c0,p10,", "c0,,");
    check(&no_product, &[], 3, "T1092", &["column 'ITEM_ID': row 1 holds nothing"]);
    let no_time = broken("time.csv", &format!("{}\n", 17_401 * 86_400), "soon\n");
    check(&no_time, &[], 3, "T1092", &["column 'TIMESTAMP': row 2 holds soon"]);
    check(&interactions, &["--product", "TIMESTAMPS"], 3, "T1061", &["did you mean 'TIMESTAMP'?"]);
    let odd = broken("odd.csv", "USER_ID", "who");
    check(&odd, &[], 3, "T1091", &["which column holds the customer?", "--customer"]);
    check(&sequences, &["--split", "time", "--from", "2017-08-29"], 2, "T1093", &["needs days"]);
    check(&sequences, &["--split", "leave-last-basket"], 2, "T1093", &["needs orders"]);
    check(&interactions, &["--split", "given"], 2, "T1093", &["--part"]);
    check(&interactions, &["--split", "time"], 2, "T1093", &["--from"]);
    check(&interactions, &["--split", "random", "--shares", "8:2"], 2, "T1093", &["8:1:1"]);
    check(&interactions, &["--k", "0"], 2, "T0733", &["k is [0]"]);
    check(&interactions, &["--test-share", "0"], 2, "T0733", &["a share of 0"]);
    check(&interactions, &["--against", "who"], 2, "T1094", &["'who'"]);
    let single = write(folder.path(), "single.csv", "customer,product\nc1,p1\nc2,p1\n");
    check(&single, &[], 3, "T0731", &["nobody is left to judge"]);
    let settings = write(folder.path(), "s.toml", "[recommenders.popular]\nwindow = 3\n");
    check(&interactions, &["--settings", &settings], 2, "T0409", &["popular", "window"]);
    let unknown = ["--quiet", "evaluate", "--data", &interactions, "--models", "unheard"];
    run(&unknown).refused(2, "T0409", &["unheard", "popular"]);

    // One customer, one product, and more places than products, are no faults.
    let one = write(folder.path(), "one.csv", "customer,product\nc1,p1\nc1,p1\nc1,p1\n");
    let said = evaluate(&one, &["--seen", "keep", "--k", "50", "--json"]).fine().json();
    assert_eq!(value(&said, "popular", "recall", 50), 1.0);
    assert_eq!(value(&said, "popular", "precision", 50), 0.02);
    let dropped = evaluate(&one, &["--json"]).fine().json();
    assert_eq!(value(&dropped, "popular", "recall", 10), 0.0);
}

fn tune(folder: &TempDir, data: &str, flags: &[&str]) -> Output {
    let trials = folder.path().join("trials.jsonl");
    let base = ["--quiet", "tune", "--data", data, "--trials", trials.to_str().unwrap()];
    run(&[&base[..], &["--model", "popular", "--seen", "keep", "--k", "1"], flags].concat())
}

#[test]
fn settings_are_found_and_a_search_goes_on_where_it_stopped() {
    let folder = tempfile::tempdir().unwrap();
    let [interactions, ..] = tables(folder.path());
    let out = folder.path().join("best.toml");
    let whole = tune(&folder, &interactions, &["--budget", "14", "--json"]).fine().json();
    let trials = folder.path().join("trials.jsonl");
    let kept = std::fs::read_to_string(&trials).unwrap();
    assert_eq!(kept.lines().count(), 14);
    std::fs::write(
        &trials,
        kept.lines().take(5).map(|line| format!("{line}\n")).collect::<String>(),
    )
    .unwrap();
    let flags = ["--budget", "14", "--json", "--out", out.to_str().unwrap()];
    let resumed = tune(&folder, &interactions, &flags).fine().json();
    let settings = |said: &Json| -> Vec<Json> {
        said["trials"].as_array().unwrap().iter().map(|one| one["settings"].clone()).collect()
    };
    assert_eq!(settings(&whole), settings(&resumed));
    assert_eq!(whole["best"]["settings"], resumed["best"]["settings"]);
    assert_eq!(whole["trials"][0]["settings"]["window_days"], 28, "the defaults come first");

    // What was found is read back.
    let found = std::fs::read_to_string(&out).unwrap();
    assert!(found.contains("[recommenders.popular]\nwindow_days = "), "{found}");
    let flags = ["--settings", out.to_str().unwrap(), "--seen", "keep", "--k", "1", "--json"];
    let said = evaluate(&interactions, &[&flags[..], &["--validation"]].concat()).fine().json();
    assert_eq!(value(&said, "popular", "ndcg", 1), whole["best"]["value"].as_f64().unwrap());

    // Another study leaves these trials alone, and no time is no trial.
    tune(&folder, &interactions, &["--budget", "2", "--metric", "recall"]).fine();
    assert_eq!(std::fs::read_to_string(&trials).unwrap().lines().count(), 16);
    let late = tune(&folder, &interactions, &["--minutes", "0", "--metric", "map"]);
    late.refused(3, "T1095", &["no trial could be judged"]);
    std::fs::write(&trials, "{}\n").unwrap();
    tune(&folder, &interactions, &[]).refused(3, "T1095", &["line 1 is no trial"]);
}

#[test]
fn tables_that_are_not_as_usual_are_read_with_care() {
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str, text: &str| write(folder.path(), name, text);
    let said = |data: &str, flags: &[&str]| {
        evaluate(data, &[flags, &["--json", "--k", "1", "--seen", "keep"]].concat()).fine().json()
    };
    let fold = |said: &Json, key: &str| said["protocol"]["folds"][0][key].as_u64().unwrap();

    // Dates without hyphens are days, not numbers of days; what is no instant is refused.
    let dated =
        "customer,product,date\nc1,p1,20240430\nc1,p2,20240501\nc2,p2,20240430\nc2,p1,20240501\n";
    let place = file("dated.csv", dated);
    let of_day = said(&place, &["--split", "time", "--from", "2024-05-01"]);
    assert_eq!((fold(&of_day, "judged"), fold(&of_day, "truth_lines")), (2, 2));
    let stamped = file("stamped.csv", &dated.replace("20240501", "20240501123000"));
    let words = &["column 'date': row 2 holds 20240501123000"];
    evaluate(&stamped, &[]).refused(3, "T1092", words);
    let counted = file("counted.csv", &dated.replace("20240501", "20241301"));
    evaluate(&counted, &[]).refused(3, "T1092", &["column 'date': row 2 holds 20241301"]);

    // Digits that are a date with an hour as well as an instant are refused; what other numbers count is said.
    let in_digits = |first: &str, second: &str| {
        file("digits.csv", &dated.replace("20240430", first).replace("20240501", second))
    };
    let refused = |first: &str, second: &str, words: &[&str]| {
        evaluate(&in_digits(first, second), &[]).refused(3, "T1092", words);
    };
    refused("2024043007", "2024050112", &["2024043007, a date in digits or an instant"]);
    refused("202404300730", "202405011230", &["202404300730, a date in digits or an instant"]);
    refused("1714435200", "1714521600000", &["row 2 holds 1714521600000, and others"]);
    let read_as = |first: &str, second: &str, words: &str| {
        let place = in_digits(first, second);
        let loud = run(&["evaluate", "--data", &place, "--models", "popular", "--json"]).fine();
        let line = format!("column 'date' is read as {words}");
        assert_eq!(loud.stderr.matches(&line).count(), 1, "{line}: {}", loud.stderr);
    };
    read_as("1714435200", "1714521600", "seconds since 1970: 2024-04-30 to 2024-05-01");
    read_as("1714435200000", "1714521600000", "milliseconds since 1970: 2024-04-30 to 2024-05-01");
    read_as("3", "17", "numbers of days: 3 to 17");

    // With orders, the last is judged whole; where one product is asked for, not the largest id.
    let mut orders = String::from("customer,product,order\n");
    for customer in 0..40 {
        orders.push_str(&format!("c{customer},p1,a{customer}\n"));
        for product in 1..=3 {
            orders.push_str(&format!("c{customer},p{product},b{customer}\n"));
        }
    }
    let place = file("orders.csv", &orders);
    let whole = said(&place, &[]);
    assert_eq!(whole["protocol"]["split"]["kind"], "leave-last-basket");
    assert_eq!(fold(&whole, "truth_lines"), 120);
    let one = said(&place, &["--split", "leave-last-out"]);
    assert_eq!(fold(&one, "truth_lines"), 40);
    let found = value(&one, "popular", "recall", 1);
    assert!(found > 0.0 && found < 1.0, "{found}");

    // A customer of two rows has the baskets of the second after those of the first.
    let rows = "customer,baskets\nc1,\"[[p1], [p2]]\"\nc1,\"[[p3], [p4]]\"\n";
    let rows = said(&file("rows.csv", rows), &[]);
    assert_eq!((fold(&rows, "training_lines"), fold(&rows, "truth_lines")), (3, 1));

    // What is judged in a table of its own is never learnt from.
    let lists = file("lists.csv", "customer,products\nc1,\"[p1, p2]\"\nc2,\"[p2, p1]\"\n");
    let tests = file("tests.csv", "prefix,target\n\"[p1]\",p2\n");
    let flags = ["--test", &tests, "--split", "leave-last-out"];
    evaluate(&lists, &flags).refused(2, "T1093", &["--test", "--split given"]);
    assert_eq!(fold(&said(&lists, &["--test", &tests, "--split", "given"]), "judged"), 1);

    // A column that was only guessed is passed over aloud where it cannot be read; one that was named is not.
    let priced = "customer,product,value,pos,part\nc1,p1,$1.94,first,left\nc1,p2,2,2,right\nc2,p2,1,1,left\n";
    let priced = file("priced.csv", priced);
    let verb = ["evaluate", "--data", &priced, "--models", "popular,personal", "--json"];
    let loud = run(&verb).fine();
    assert_eq!(loud.json()["protocol"]["values_are_known"], false);
    for (holds, column) in [("value", "value"), ("position", "pos"), ("part", "part")] {
        let line = format!("not used as {holds}: column '{column}'");
        assert_eq!(loud.stderr.matches(&line).count(), 1, "{line}: {}", loud.stderr);
    }
    let asked = ["recommend", "--data", &priced, "--for", "c1", "--model", "popular"];
    let loud = run(&asked).fine();
    assert!(loud.stderr.contains("not used as value: column 'value'"), "{}", loud.stderr);
    evaluate(&priced, &["--value", "value"]).refused(3, "T1062", &["'value'", "$1.94"]);
    evaluate(&priced, &["--position", "pos"]).refused(3, "T1062", &["'pos'", "first"]);
    evaluate(&priced, &["--part", "part"]).refused(3, "T1092", &["'part'", "left"]);
}

#[test]
fn a_product_in_two_rows_has_the_attributes_of_both() {
    let folder = tempfile::tempdir().unwrap();
    let bought = write(folder.path(), "bought.csv", "customer,product\nc1,p1\nc1,p2\nc2,p2\n");
    let known = "product,type\np1,tea\np2,red\np1,green|tea\n";
    let known = write(folder.path(), "known.csv", known);
    for kind in ["tea", "green"] {
        let with = format!("type={kind}");
        let flags = ["--data", &bought, "--attributes", &known, "--for", "c1"];
        let verb =
            [&["--quiet", "recommend", "--model", "popular"], &flags[..], &["--where", &with]]
                .concat();
        let page = run(&verb).fine().stdout;
        assert!(page.contains("p1") && !page.contains("p2"), "{with}: {page}");
    }
}
