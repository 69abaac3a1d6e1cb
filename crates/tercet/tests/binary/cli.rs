//! Does every verb answer, in the form asked for, and refuse with a remedy?

use serde_json::Value as Json;

use crate::support::{MONDAY, Project, files, project, run};

#[test]
fn every_verb_explains_itself_with_examples() {
    let check = |verb: &str, words: &[&str]| {
        let help = run(&[verb, "--help"]).fine().stdout;
        assert!(help.contains(&format!("Usage: tercet {verb}")), "{help}");
        assert!(help.contains("Examples:"), "{verb}: {help}");
        assert!(help.contains(&format!("\n  tercet {verb}")), "{verb}: no example in {help}");
        for word in words.iter().chain(&["--project", "--quiet"]) {
            assert!(help.contains(word), "{verb}: '{word}' is not in {help}");
        }
    };
    check("demo", &["--dir"]);
    check("init", &["--example", "starter", "complete-journey"]);
    check("check", &["--as-of", "--all", "--format"]);
    check("run", &["--as-of", "--seed", "--engine", "--select", "--dry-run"]);
    check("backtest", &["--from", "--to", "--engines", "--without-interactions", "--format"]);
    check("runs", &["--format"]);
    check("offers", &["--customer", "--run", "--format"]);
    check("explain", &["--customer", "--others", "--format"]);
    check("simulate", &["--out", "--customers", "--promotions", "--seed", "--world", "--threads"]);
    let all = run(&["--help"]).fine().stdout;
    let verbs =
        ["demo", "init", "check", "run", "backtest", "runs", "offers", "explain", "simulate"];
    for verb in verbs {
        assert!(all.contains(&format!("\n  {verb} ")), "{verb}: {all}");
    }
    assert!(run(&["--version"]).fine().stdout.starts_with("tercet "));
}

#[test]
fn init_makes_projects_and_overwrites_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let check = |name: &str, arguments: &[&str], expect: &[&str]| {
        let target = folder.path().join(name);
        let done = run(&[&["init", target.to_str().unwrap()], arguments].concat()).fine();
        assert!(done.stdout.contains(name), "{}", done.stdout);
        assert!(done.stderr.contains("next: tercet check"), "{}", done.stderr);
        let written = files(&target);
        for file in expect {
            assert!(written.contains_key(*file), "{file} is not in {:?}", written.keys());
        }
        assert!(written.keys().all(|file| !file.ends_with(".partial")), "{:?}", written.keys());
    };
    check("shop", &[], &["tercet.toml", "data/transactions.csv", "data/promotions.csv"]);
    check("shop", &[], &["tercet.toml"]); // Again: equal files are no conflict.
    check(
        "grocery",
        &["--example", "complete-journey"],
        &["tercet.toml", "PROVENANCE.md", "data/transactions.parquet", "data/coupons.parquet"],
    );

    let shop = folder.path().join("shop");
    let shop = shop.to_str().unwrap();
    run(&["init", shop, "--example", "corner"]).refused(2, "T1010", &["corner", "starter"]);
    std::fs::write(folder.path().join("shop/tercet.toml"), "# mine").unwrap();
    let before = files(folder.path());
    run(&["init", shop]).refused(4, "T1011", &["tercet.toml", "is already there"]);
    run(&["init", shop, "--example", "complete-journey"]).refused(4, "T1011", &["tercet.toml"]);
    assert!(before == files(folder.path()), "a refused init wrote");
}

#[test]
fn check_reports_every_table_in_three_forms() {
    let shop = project();
    let before = shop.files();
    let json = shop.run(&["check", "--format", "json"]).fine().json();
    let tables = json["tables"].as_array().unwrap();
    for name in ["customers", "products", "transactions", "promotions", "promotion_products"] {
        let table = tables.iter().find(|table| table["table"] == name);
        let table = table.unwrap_or_else(|| panic!("{name} is not in {json}"));
        assert!(table["rows_out"].as_u64().unwrap() > 0, "{table}");
        let checks = table["checks"].as_array().unwrap();
        assert!(checks.iter().all(|check| check["status"] == "ok"), "{table}");
    }
    let csv = shop.run(&["check", "--format", "csv"]).fine().lines();
    assert_eq!(csv[0], ["table", "check", "status", "rows", "detail"]);
    assert!(csv.iter().any(|line| line[..4] == ["transactions", "future", "ok", "0"]), "{csv:?}");
    for flag in ["--all", "--verbose"] {
        let table = shop.run(&["check", flag]).fine().stdout;
        assert!(table.contains("transactions") && table.contains("freshness"), "{table}");
    }
    assert!(before == shop.files(), "check wrote");
    // Earlier than the newest line: those lines do not exist yet.
    let earlier = shop.run(&["check", "--as-of", "2026-02-09", "--format", "csv"]).fine().lines();
    let future = earlier.iter().find(|line| line[..2] == ["transactions", "future"]).unwrap();
    assert_ne!(future[3], "0", "{future:?}");
}

#[test]
fn check_names_problems_first_each_with_its_remedy() {
    let check = |break_it: &dyn Fn(&Project), code: i32, heading: &str, expect: &[&str]| {
        let shop = project();
        break_it(&shop);
        let done = shop.run(&["check"]);
        assert_eq!(done.code, code, "{}", done.stderr);
        let page = &done.stdout;
        assert!(page.starts_with(heading), "{page}");
        let (problems, tables) = page.split_once("\nTables\n").unwrap();
        assert_eq!(problems.matches("remedy: ").count(), expect.len(), "{page}");
        let mut rest = problems;
        for words in expect {
            let at = rest.find(words).unwrap_or_else(|| panic!("'{words}' is not in {rest}"));
            rest = &rest[at..];
        }
        assert!(!problems.contains(" ok"), "{problems}");
        for table in ["products", "transactions", "promotions", "promotion_products"] {
            let lines = tables.lines().filter(|line| line.split_whitespace().next() == Some(table));
            assert_eq!(lines.count(), 1, "{table}: {tables}");
        }
        let next = if code == 0 { "next: tercet run" } else { "type 'tercet check' again" };
        assert!(done.stderr.contains(next), "{}", done.stderr);
        page.clone()
    };
    let page = check(&|_| (), 0, "No problems", &[]);
    assert!(page.contains("2026-01-05 to 2026-02-15"), "{page}");
    let bad_lines = |count| {
        move |shop: &Project| {
            shop.append("data/transactions.csv", &"O1,C1,P001,soon,1,1.00,MARKET\n".repeat(count));
        }
    };
    let page = check(
        &bad_lines(1),
        0,
        "1 to look at",
        &["quarantine transactions.type  1 row with a cell"],
    );
    assert!(page.contains("for example: occurred_at 'soon' is not a time"), "{page}");
    let breaks = |shop: &Project| {
        bad_lines(900)(shop);
        shop.append("data/transactions.csv", "O2,C1,P999,2026-02-01,1,1.00\n");
        std::fs::remove_file(shop.path().join("data/promotions.csv")).unwrap();
    };
    let share = "stop       transactions.quarantine_share  900 of";
    let source = "stop       promotions.source  T0906";
    let rows = "quarantine transactions.type  900 rows with a cell";
    check(&breaks, 3, "3 to look at", &[share, source, rows]);
    let unknown = |shop: &Project| {
        shop.append("data/transactions.csv", "O2,C1,P999,2026-02-01,1,1.00\n");
    };
    let named = "warn       transactions.reference  1 row whose product_id";
    check(&unknown, 0, "1 to look at", &[named]);
}

#[test]
fn equal_runs_agree_in_all_that_their_manifests_vouch_for() {
    let (one, two) = (project(), project());
    let id = one.weekly(&[]);
    assert_eq!(two.weekly(&[]), id);
    let (mut files, mut others) = (one.files(), two.files());
    let manifest: Json =
        serde_json::from_str(&one.text(&format!("runs/{id}/manifest.json"))).unwrap();
    let stages = manifest["stages"].as_array().unwrap();
    let pages: Vec<&str> = stages
        .iter()
        .flat_map(|stage| stage["pages"].as_array().into_iter().flatten())
        .map(|page| page.as_str().unwrap())
        .collect();
    assert_eq!(pages, [format!("{id}/delivery/report.html")]);
    let hashed = stages.iter().flat_map(|stage| stage["files"].as_array().unwrap());
    assert!(hashed.count() > 15, "{manifest}");
    // Even the pages agree, but for how long the stages took.
    for page in pages {
        let timeless = |bytes: Option<Vec<u8>>| {
            let html = String::from_utf8(bytes.unwrap()).unwrap();
            let (before, rest) = html.split_once("<section id=\"timings\">").unwrap();
            let (timings, after) = rest.split_once("</section>").unwrap();
            assert!(timings.contains("Allocation"), "{timings}");
            format!("{before}{after}")
        };
        let path = format!("runs/{page}");
        let (here, there) = (timeless(files.remove(&path)), timeless(others.remove(&path)));
        assert!(here == there, "{page} differs in more than its timings");
    }
    assert!(files.keys().eq(others.keys()), "{:?} {:?}", files.keys(), others.keys());
    for (name, bytes) in &files {
        assert!(others[name] == *bytes, "{name} differs between equal runs");
    }
}

#[test]
fn a_week_is_run_listed_shown_and_explained() {
    let shop = project();
    let first = shop.run(&["run"]).fine();
    for stage in ["sources", "features", "models", "scoring", "allocation", "delivery", "report:"] {
        assert!(first.stderr.contains(stage), "{stage} is not in {}", first.stderr);
    }
    let id = first.stdout.split_whitespace().next().unwrap().to_owned();
    assert!(id.starts_with(&format!("{MONDAY}-tercet-")), "{id}");

    let files = shop.files();
    let again = shop.run(&["run"]).fine();
    assert_eq!(again.stdout, first.stdout);
    assert!(again.stderr.contains("nothing to do"), "{}", again.stderr);
    assert!(files == shop.files(), "a complete run was written again");

    let listed = shop.run(&["runs", "--format", "csv"]).fine().lines();
    assert_eq!(listed[0], ["run", "as of", "engine", "seed", "outcome"]);
    assert_eq!(listed[1][..4], [&id, MONDAY, "tercet", "7"]);
    assert!(shop.run(&["runs"]).fine().stdout.contains(&id));

    offers_are_shown(&shop, &id);
    explanations_are_given(&shop, &id);
    stages_are_selected(&shop, &id);
}

fn offers_are_shown(shop: &Project, id: &str) {
    let stored = shop.offers(id);
    let shown = shop.run(&["offers", "--format", "json"]).fine().json();
    let shown: Vec<(&str, i32, &str)> = shown
        .as_array()
        .unwrap()
        .iter()
        .map(|row| {
            let text = |name: &str| row[name].as_str().unwrap();
            (text("customer"), text("slot").parse().unwrap(), text("promotion"))
        })
        .collect();
    let kept: Vec<_> =
        stored.iter().map(|o| (o.customer_id.as_str(), o.slot, o.promotion_id.as_str())).collect();
    assert_eq!(shown, kept);
    let customer = stored[0].customer_id.as_str();
    let one = shop.run(&["offers", "--customer", customer, "--format", "csv"]).fine().lines();
    assert_eq!(one[0], ["customer", "slot", "promotion", "code", "valid", "value", "why"]);
    assert_eq!(one.len() - 1, stored.iter().filter(|o| o.customer_id == customer).count());
    assert!(one[1..].iter().all(|line| line[0] == customer), "{one:?}");
    let named = shop.run(&["offers", "--run", id]).fine();
    assert!(named.stdout.contains("EUR"), "{}", named.stdout);
    shop.run(&["offers", "--customer", "C999"]).refused(6, "T1012", &["C999", id]);
    shop.run(&["offers", "--run", "2020-01-01-x"]).refused(6, "T1013", &["2020-01-01-x"]);
}

fn explanations_are_given(shop: &Project, id: &str) {
    let decisions = shop.decisions(id);
    let of = |arm: &str| {
        decisions.iter().find(|decision| decision.arm == arm).unwrap().customer_id.clone()
    };
    let (treated, control) = (of("treatment"), of("control"));
    let explain = |customer: &str| -> Json {
        shop.run(&["explain", "--customer", customer, "--format", "json"]).fine().json()
    };
    let told = explain(&treated);
    assert_eq!(told["run_id"], id);
    assert_eq!(told["about"]["arm"], "treatment");
    assert_eq!(told["about"]["segment"], "transaction only");
    let offers = told["offers"].as_array().unwrap();
    assert_eq!(offers.len(), 3);
    for offer in offers {
        assert!(!offer["why"].as_str().unwrap().is_empty(), "{offer}");
    }
    assert!(!told["others"].as_array().unwrap().is_empty(), "{told}");
    let why = told["others"][0]["why not"].as_str().unwrap();
    assert!(["worth at least as much", "STATION"].iter().any(|w| why.contains(w)), "{told}");

    let told = explain(&control);
    assert_eq!(told["about"]["arm"], "control");
    for offer in told["offers"].as_array().unwrap() {
        assert_eq!(offer["promotion"], "—", "{told}");
        assert!(offer["why"].as_str().unwrap().contains("control"), "{told}");
    }
    let read = shop.run(&["explain", "--customer", &treated]).fine().stdout;
    for word in ["What was decided", "The best of the rest", "favourite", "discovery", "wildcard"] {
        assert!(read.contains(word), "'{word}' is not in {read}");
    }
    shop.run(&["explain", "--customer", "C999"]).refused(6, "T1012", &["C999"]);
}

fn stages_are_selected(shop: &Project, id: &str) {
    let before = shop.outcome();
    let check = |select: &str, worked: &[&str], skipped: &[&str]| {
        let done = shop.run(&["run", "--select", select]).fine();
        let line = |stage: &str| {
            let lines = done.stderr.lines().find(|line| line.starts_with(stage));
            lines.unwrap_or_else(|| panic!("no {stage} in {}", done.stderr)).to_owned()
        };
        for stage in worked {
            assert!(!line(stage).contains("done before"), "{select}: {}", done.stderr);
        }
        for stage in skipped {
            assert!(line(stage).contains("done before"), "{select}: {}", done.stderr);
        }
        assert_eq!(shop.runs(), [id]);
        assert!(before == shop.outcome(), "{select} changed the outcome");
    };
    check("scoring", &["scoring"], &["sources", "features", "models", "allocation", "delivery"]);
    check(
        "allocation+",
        &["allocation", "delivery"],
        &["sources", "features", "models", "scoring"],
    );
}

#[test]
fn a_dry_run_writes_nothing() {
    let shop = project();
    let before = shop.files();
    let dry = shop.run(&["run", "--dry-run"]).fine().stdout;
    assert!(dry.contains("would be made") && dry.contains("files read: 4"), "{dry}");
    assert!(before == shop.files(), "a dry run wrote");
    assert!(!shop.path().join("runs").exists(), "a dry run made the folder of runs");

    shop.set("delivery.publish_to", "outbox");
    shop.append("data/transactions.csv", &"O1,C1,P001,soon,1,1.00\n".repeat(900));
    let dry = shop.run(&["run", "--dry-run"]).fine().stdout;
    assert!(dry.contains("would publish to outbox"), "{dry}");
    assert!(dry.contains("would stop: transactions"), "{dry}");
    assert!(!shop.path().join("outbox").exists(), "a dry run published");
}

/// The metrics that each engine and pair is measured by.
const METRICS: [&str; 9] = [
    "hit_rate_at_3",
    "precision_at_3",
    "ndcg_at_3",
    "spend_captured_minor",
    "discovery_hit_rate_at_3",
    "discovery_spend_minor",
    "redemptions_caught",
    "new_product_offer_share",
    "coverage",
];

#[test]
fn a_backtest_reports_every_engine_pool_and_metric() {
    let shop = project();
    let arguments =
        ["backtest", "--from", "2026-02-02", "--to", "2026-02-09", "--draws", "100", "--format"];
    let done = shop.run(&[&arguments[..], &["json"]].concat()).fine();
    assert!(done.stderr.contains("2026-02-02") && done.stderr.contains("2026-02-09"));
    let found = done.json();
    let engines = ["tercet", "personal", "personal-decayed", "legacy", "popular"];
    let names: Vec<&String> = found["engines"].as_object().unwrap().keys().collect();
    assert_eq!(names.len(), engines.len(), "{names:?}");
    let check = |figure: &Json, place: &str| {
        let at = |key: &str| {
            figure[key].as_f64().unwrap_or_else(|| panic!("{place}: no {key} in {figure}"))
        };
        assert!(at("low") <= at("value") && at("value") <= at("high"), "{place}: {figure}");
    };
    for engine in engines {
        for pool in ["narrow", "broad", "all"] {
            for metric in METRICS {
                let place = format!("{engine} {pool} {metric}");
                check(&found["engines"][engine][pool][metric], &place);
                if engine != "tercet" {
                    let pair = format!("tercet-{engine}");
                    check(
                        &found["paired"][&pair][pool][metric],
                        &format!("{pair} {pool} {metric}"),
                    );
                }
            }
        }
        let rate = found["engines"][engine]["narrow"]["hit_rate_at_3"]["value"].as_f64().unwrap();
        assert!(rate > 0.0 && rate <= 1.0, "{engine}: {rate}");
    }
    assert!(shop.text("backtest.html").contains("<svg"));
    assert!(shop.runs().is_empty(), "a replay is no run");

    let again = shop.run(&[&arguments[..], &["json"]].concat()).fine();
    assert_eq!(again.stdout, done.stdout, "the same replay gives the same figures");
    let some = ["--engines", "legacy,popular", "--quiet", "--report", "some.html"];
    let some = [&arguments[..], &["csv"], &some].concat();
    // A relative report lies where it was typed, so it is typed in the project's folder.
    let lines = crate::support::finish(shop.command(&some).current_dir(shop.path())).fine().lines();
    assert_eq!(lines[0][..3], ["engine", "metric", "value"]);
    assert!(lines.iter().any(|line| line[..2] == ["legacy", "hit_rate_at_3"]), "{lines:?}");
    assert!(shop.path().join("some.html").exists());
}

#[test]
fn a_backtest_of_several_seeds_is_of_all_their_weeks() {
    let shop = project();
    let replayed = |seeds: &str| {
        let days = ["--from", "2026-02-02", "--to", "2026-02-09", "--draws", "100"];
        let who = ["--engines", "tercet,popular", "--without", "alike+rhythm", "--format", "json"];
        shop.run(&[&["backtest"], &days[..], &who[..], &["--seed", seeds]].concat()).fine().json()
    };
    let each = ["7", "8"].map(replayed);
    let both = replayed("7,8");
    let weeks =
        ["2026-02-02, seed 7", "2026-02-02, seed 8", "2026-02-09, seed 7", "2026-02-09, seed 8"];
    assert_eq!(both["weeks"], serde_json::json!(weeks));
    assert_eq!(both["denominators"], each[0]["denominators"], "a customer-week counts once");
    for engine in ["tercet", "tercet without alike and rhythm", "popular"] {
        let rate = |found: &Json| {
            found["engines"][engine]["all"]["hit_rate_at_3"]["value"].as_f64().unwrap()
        };
        let customers = |found: &Json| {
            let segments = found["by_segment"][engine]["all"].as_object().unwrap();
            segments.values().map(|part| part["customers"].as_u64().unwrap()).collect::<Vec<_>>()
        };
        assert_eq!(customers(&both), customers(&each[0]), "{engine}");
        let mean = each.iter().map(rate).sum::<f64>() / 2.0;
        assert!((rate(&both) - mean).abs() < 1e-12, "{engine}: {} {mean}", rate(&both));
    }
}

#[test]
fn refusals_name_the_place_and_the_remedy() {
    let shop = project();
    let check = |arguments: &[&str], exit: i32, code: &str, words: &[&str]| {
        shop.run(arguments).refused(exit, code, words);
    };
    check(&["run", "--engine", "tercit"], 2, "T1015", &["tercit", "personal-decayed"]);
    check(&["offers"], 6, "T1013", &["no complete run", "tercet run"]);
    check(&["explain", "--customer", "C001"], 6, "T1013", &["tercet run"]);
    let days = ["--from", "2026-02-09", "--to", "2026-02-02"];
    check(&[&["backtest"], &days[..]].concat(), 2, "T1022", &["2026-02-09", "Monday"]);
    let engines = ["--from", "2026-02-02", "--to", "2026-02-02", "--engines", "tercet,magic"];
    check(&[&["backtest"], &engines[..]].concat(), 2, "T1015", &["magic"]);
    let seeds = |numbers: &str, words: &[&str]| {
        let days = ["--from", "2026-02-02", "--to", "2026-02-02"];
        let asked = shop.run(&[&["backtest"], &days[..], &["--seed", numbers]].concat());
        asked.refused(2, "T1097", words);
        assert!(!asked.stderr.contains("sources"), "something was read: {}", asked.stderr);
    };
    seeds("7,8,7", &["seed 7 is asked for twice", "--seed"]);
    let many: Vec<String> = (0..51).map(|seed| seed.to_string()).collect();
    seeds(&many.join(","), &["51 seeds", "--seed", "50"]);
    let typed = |arguments: &[&str], words: &[&str]| {
        let done = shop.run(arguments);
        assert_eq!(done.code, 2, "{}", done.stderr);
        for word in words {
            assert!(done.stderr.contains(word), "'{word}' is not in {}", done.stderr);
        }
    };
    typed(&["run", "--as-of", "2026-02-30"], &["2026-02-30", "not a date"]);
    typed(&["run", "--as-of", "monday"], &["monday", "not a date"]);
    typed(&["run", "--select", "score"], &["score", "not a stage"]);
    typed(&["run", "--seed=-1"], &["--seed"]);
    typed(&["explain"], &["--customer"]);
    typed(&["rnu"], &["rnu", "run"]);

    let with = |name: &str, value: &str, words: &[&str]| {
        let done = shop.run_with(&[(name, value)], &["run"]);
        done.refused(2, "T1002", words);
    };
    with("TERCET__RUN__SED", "9", &["sed", "did you mean 'seed'"]);
    with("TERCET__RUN__SEED", "nine", &["nine"]);
    with("TERCET__RULES__HOLDOUT_RATTE", "0.1", &["did you mean 'holdout_rate'"]);
    let short = [("TERCET_ASSIGNMENT_KEY", "abc")];
    shop.run_with(&short, &["run"]).refused(2, "T1009", &["TERCET_ASSIGNMENT_KEY", "openssl"]);

    let file = |text: &str, code: &str, words: &[&str]| {
        let shop = project();
        shop.append("tercet.toml", text);
        shop.run(&["run"]).refused(2, code, words);
    };
    file("\n[retention]\nkep_runs = 3\n", "T1002", &["tercet.toml", "line", "keep_runs"]);
    file("\n[retention\n", "T1002", &["tercet.toml", "line"]);
    file("\n[[slots]]\nname = \"x\"\nwhere = \"bought_befor\"\n", "T1016", &["slot 'x'"]);
    let six: String = (0..6).map(|n| format!("\n[[slots]]\nname = \"x{n}\"\n")).collect();
    file(&six, "T0602", &["9 slots"]);
    file("\n[audience]\nwhere = \"spend > 3\"\n", "T1019", &["[audience] where", "spend"]);
    file(
        "\n[[rules.pins]]\npromotion_id = \"W08-1\"\nslot = \"fourth\"\n",
        "T1017",
        &["fourth", "[[slots]]"],
    );
    file(
        "\n[[rules.pins]]\npromotion_id = \"W02-1\"\nslot = \"wildcard\"\n",
        "T1018",
        &["W02-1", MONDAY],
    );
    run(&["--project", "nowhere", "runs"]).refused(6, "T1001", &["nowhere", "tercet init"]);
    assert!(shop.runs().is_empty());
    let none = shop.run(&["runs"]).fine();
    assert!(none.stderr.contains("no runs yet"), "{}", none.stderr);
}
