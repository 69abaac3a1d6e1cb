//! Does bad input, a killed process or a full disk end in a named error, with nothing lost?

use std::fs::File;
use std::process::Stdio;

use crate::support::{Output, Project, TERCET, command, finish, names, project};

/// The stages, in their order.
const STAGES: [&str; 6] = ["sources", "features", "models", "scoring", "allocation", "delivery"];

/// Lines of the starter project's transactions.
const LINES: usize = 1_311;

/// Starts a run, kills it as soon as `reached` holds of the files of its runs (or lets it end), and
/// checks that it is not visible unless it is whole. A busy machine may let it end before it is seen.
fn killed_when(shop: &Project, reached: impl Fn(&[String]) -> bool) {
    let mut child = shop.command(&["--quiet", "run"]).stdout(Stdio::null()).spawn().unwrap();
    let runs = shop.path().join("runs");
    while child.try_wait().unwrap().is_none() {
        if reached(&names(&runs)) {
            child.kill().unwrap();
            child.wait().unwrap();
            break;
        }
        std::thread::yield_now();
    }
    visible_only_whole(shop);
}

/// Asserts that the project's run is visible exactly when its manifest is there.
fn visible_only_whole(shop: &Project) {
    let runs = shop.path().join("runs");
    let whole = names(&runs).iter().any(|name| name.ends_with("/manifest.json"));
    assert_eq!(shop.runs().is_empty(), !whole, "a half-written run is visible");
    if !whole {
        let asked = shop.run(&["offers"]);
        asked.refused(6, "T1013", &["no complete run"]);
    }
}

/// Kills runs of shops that `made` makes, after so many stages or files, and asserts that the same command then ends
/// with the bytes of a run that nobody killed.
fn resumes_with_the_same_bytes(
    made: fn() -> Project,
    after_stages: &[usize],
    after_files: &[usize],
) {
    let whole = made();
    whole.weekly(&[]);
    let expect = whole.outcome();
    let check = |place: &str, reached: &dyn Fn(&[String]) -> bool| {
        let shop = made();
        killed_when(&shop, reached);
        let done = shop.run(&["run"]).fine();
        assert_eq!(shop.runs(), whole.runs(), "{place}: {}", done.stderr);
        // Also nothing under a temporary name.
        let found = shop.outcome();
        let names: (Vec<_>, Vec<_>) = (found.keys().collect(), expect.keys().collect());
        assert_eq!(names.0, names.1, "{place}");
        for (name, bytes) in &expect {
            assert!(found[name] == *bytes, "{place}: {name} differs");
        }
    };
    let records =
        |names: &[String]| names.iter().filter(|name| name.ends_with("/stage.json")).count();
    for stage in after_stages {
        check(&format!("after stage {stage}"), &|names| records(names) >= *stage);
    }
    for count in after_files {
        check(&format!("after {count} files"), &|names| names.len() >= *count);
    }
}

#[test]
fn after_a_kill_the_same_command_resumes_with_the_same_bytes() {
    resumes_with_the_same_bytes(project, &[1, 2, 3, 4, 5, 6], &[1, 4, 17, 28]);
}

#[test]
fn after_a_kill_a_run_in_parts_resumes_with_the_same_bytes() {
    let in_parts = || {
        let shop = project();
        shop.set("run.parts", 3);
        shop
    };
    resumes_with_the_same_bytes(in_parts, &[1, 2, 4, 5], &[3, 24, 50]);
}

#[test]
fn a_run_that_is_killed_again_and_again_still_ends() {
    let whole = project();
    whole.weekly(&[]);
    let shop = project();
    for stage in 1..=5 {
        killed_when(&shop, |names| {
            names.iter().filter(|name| name.ends_with("/stage.json")).count() >= stage
        });
    }
    let done = shop.run(&["run"]).fine();
    let resumed = ["done before", "nothing to do"].iter().any(|words| done.stderr.contains(words));
    assert!(resumed, "{}", done.stderr);
    let found = shop.outcome();
    assert!(found == whole.outcome(), "the resumed run differs");
}

#[test]
fn two_runs_at_once_are_one_too_many() {
    let shop = project();
    let file = File::create(shop.path().join(".tercet.lock")).unwrap();
    let mut lock = fd_lock::RwLock::new(file);
    let held = lock.try_write().unwrap();
    shop.run(&["run"]).refused(4, "T1007", &["another run", ".tercet.lock"]);
    assert!(shop.runs().is_empty() && !shop.path().join("runs").exists());
    // Who only reads is not in the way.
    shop.run(&["check"]).fine();
    shop.run(&["run", "--dry-run"]).fine();
    drop(held);
    shop.weekly(&[]);
}

/// The largest file of each stage of a run, in the order of the stages, in blocks of 1,024 bytes.
fn blocks_of_stages(whole: &Project) -> Vec<usize> {
    let files = whole.files();
    let of_stage = |stage: &&str| {
        let part = format!("/{stage}/");
        let sizes = files.iter().filter(|(name, _)| name.contains(&part));
        sizes.map(|(_, bytes)| bytes.len()).max().unwrap() / 1_024
    };
    STAGES.iter().map(of_stage).collect()
}

/// Runs the starter project where no file may grow beyond a number of blocks: in the middle of the
/// write that does, `broken` says what becomes of the process. Then there is room, and it resumes.
fn without_room(trap: &str, broken: impl Fn(&Output)) {
    let whole = project();
    whole.weekly(&[]);
    let expect = whole.outcome();
    let sizes = blocks_of_stages(&whole);
    let check = |blocks: usize| {
        let done_before = sizes.iter().take_while(|size| **size < blocks).count();
        assert!(done_before < STAGES.len(), "{blocks} blocks are enough: {sizes:?}");
        let shop = project();
        let mut limited = command("bash");
        let script = format!("{trap}; ulimit -c 0; ulimit -f {blocks}; exec \"$@\"");
        limited.args(["-c", &script, "bash", TERCET, "--project"]).arg(shop.path()).arg("run");
        broken(&finish(&mut limited));
        assert!(shop.runs().is_empty(), "{blocks} blocks: a half-written run is visible");
        visible_only_whole(&shop);
        let done = shop.run(&["run"]).fine();
        let skipped = done.stderr.matches("done before").count();
        assert_eq!(skipped, done_before, "{blocks} blocks: {}", done.stderr);
        let found = shop.outcome();
        assert!(found == expect, "{blocks} blocks: the resumed run differs");
    };
    check(4);
    check(sizes[..3].iter().max().unwrap() - 1);
    check(sizes.iter().max().unwrap() - 1);
}

#[test]
fn a_full_disk_is_named_and_the_run_resumes() {
    without_room("trap '' XFSZ", |full| {
        full.refused(5, "T0908", &["the disk is full", "free some space"]);
    });
}

#[test]
fn a_run_that_dies_in_the_middle_of_a_write_resumes() {
    // The system's own signal at the write: no destructor runs, as with a kill, but always there.
    without_room("true", |died| {
        assert_eq!(died.code, -1, "it ended by itself: {}", died.stderr);
        assert!(!died.stderr.contains("error["), "{}", died.stderr);
    });
}

/// Edits a starter project, runs it, and expects a refusal that names the place.
fn refused(edit: impl Fn(&Project), exit: i32, code: &str, words: &[&str]) {
    let shop = project();
    edit(&shop);
    shop.run(&["run"]).refused(exit, code, words);
    assert!(shop.runs().is_empty(), "{code}: a run is visible");
}

#[test]
fn files_that_cannot_be_read_are_named() {
    refused(
        |shop| std::fs::remove_file(shop.path().join("data/products.csv")).unwrap(),
        6,
        "T0906",
        &["products.csv", "no such file"],
    );
    refused(|shop| shop.file("data/products.csv", ""), 3, "T0914", &["products.csv", "empty"]);
    refused(
        |shop| shop.edit("data/products.csv", |_, cells| drop(cells.remove(0))),
        3,
        "T0203",
        &["products", "product_id"],
    );
    refused(
        |shop| shop.edit("data/transactions.csv", |_, cells| drop(cells.remove(5))),
        3,
        "T0203",
        &["transactions", "paid"],
    );
    let parquet = |bytes: fn(Vec<u8>) -> Vec<u8>| {
        move |shop: &Project| {
            let id = shop.weekly(&[]);
            let name = format!("runs/{id}/sources/products.parquet");
            let whole = shop.files()[&name].clone();
            std::fs::remove_dir_all(shop.path().join("runs")).unwrap();
            shop.file("data/products.parquet", bytes(whole));
            shop.set("sources.products.path", "data/products.parquet");
            shop.set("sources.products.columns", toml::Table::new());
        }
    };
    let shop = project();
    parquet(|whole| whole)(&shop);
    shop.weekly(&[]);
    let words = ["products.parquet"];
    refused(parquet(|whole| whole[..whole.len() / 2].to_vec()), 3, "T0905", &words);
    refused(parquet(|_| b"no parquet at all".to_vec()), 3, "T0905", &words);
    refused(
        parquet(|mut whole| {
            let half = whole.len() / 2;
            whole[4..half].fill(0xAA);
            whole
        }),
        3,
        "T0905",
        &words,
    );
}

/// Replaces every `nth` line's cell by `value`.
fn spoil(shop: &Project, every: usize, cell: usize, value: &str) {
    shop.edit("data/transactions.csv", |row, cells| {
        if row > 0 && row % every == 0 {
            cells[cell] = value.to_owned();
        }
    });
}

#[test]
fn garbage_rows_are_counted_until_they_are_too_many() {
    let survives = |every: usize, cell: usize, value: &str, check: &str| {
        let shop = project();
        spoil(&shop, every, cell, value);
        let done = shop.run(&["run"]).fine();
        let bad = LINES / every;
        assert!(done.stderr.contains(&format!("{bad} in quarantine")), "{value}: {}", done.stderr);
        let id = &shop.runs()[0];
        let kept = shop.table(id, "sources/quarantine");
        assert_eq!(kept.rows(), bad, "{value}");
        let checks = kept.text("check").unwrap();
        assert!(checks.iter().all(|name| name == check), "{value}: {checks:?}");
        assert!(shop.offers(id).len() > 100, "{value}");
    };
    survives(10, 3, "soon", "type");
    survives(10, 5, "NaN", "type"); // In the expression that maps it.
    survives(10, 4, "NaN", "range");
    survives(10, 4, "inf", "range");
    survives(10, 4, "-1", "range"); // Paid for what was brought back.
    survives(10, 1, "", "not_null");
    survives(100, 1, &"x".repeat(300), "id_length");
    let stops = |every: usize, cell: usize, value: &str| {
        let words = ["transactions", "quarantine"];
        refused(|shop| spoil(shop, every, cell, value), 3, "T0206", &words);
    };
    stops(2, 3, "soon");
    stops(1, 5, "NaN");
    stops(3, 4, "-1");
}

#[test]
fn a_negative_price_is_no_price() {
    let shop = project();
    shop.edit("data/products.csv", |row, cells| {
        if row == 3 {
            cells[5] = "-714".to_owned();
        }
    });
    let id = shop.weekly(&[]);
    let kept = shop.table(&id, "sources/quarantine");
    assert_eq!(kept.text("reason").unwrap(), ["price_minor is negative: -714"]);
    let told = shop.run(&["check", "--format", "csv"]).fine();
    assert!(told.stdout.contains("products,range,quarantine,1"), "{}", told.stdout);
}

#[test]
fn sixty_percent_garbage_stops() {
    refused(
        |shop| {
            shop.edit("data/transactions.csv", |row, cells| {
                if row % 5 > 1 {
                    cells[3] = "??".to_owned();
                }
            });
        },
        3,
        "T0206",
        &["transactions", "60"],
    );
}

#[test]
fn what_lies_in_the_future_does_not_exist_yet() {
    let (plain, later) = (project(), project());
    plain.weekly(&[]);
    later.append("data/transactions.csv", "O9,C001,P001,2026-02-16 00:00:01,9,99.00,STATION\n");
    later.append("data/transactions.csv", "O9,C002,P002,2031-01-01 10:00:00,9,99.00,STATION\n");
    let done = later.run(&["run"]).fine();
    assert_eq!(done.code, 0);
    let slates = |shop: &Project| {
        let offers = shop.offers(&shop.runs()[0]).into_iter();
        offers.map(|o| (o.customer_id, o.slot, o.promotion_id, o.value_minor)).collect::<Vec<_>>()
    };
    assert_eq!(slates(&plain), slates(&later));
}

#[test]
fn nobody_and_one_customer() {
    let header =
        |shop: &Project| shop.text("data/transactions.csv").lines().next().unwrap().to_owned();
    refused(
        |shop| shop.file("data/transactions.csv", header(shop) + "\n"),
        3,
        "T0205",
        &["transactions"],
    );
    let shop = project();
    shop.edit("data/transactions.csv", |row, cells| {
        if row > 0 && cells[1] != "C050" {
            cells.clear();
        }
    });
    shop.set("rules.holdout_rate", 0.0);
    let id = shop.weekly(&[]);
    assert_eq!(shop.decisions(&id).len(), 3);
    assert!(shop.offers(&id).iter().all(|offer| offer.customer_id == "C050"));
    assert!(!shop.offers(&id).is_empty(), "one customer gets offers too");
}

#[test]
fn wrong_promotions_are_set_aside() {
    let check = |promotion: &str, products: &str, reason: &str| {
        let shop = project();
        shop.append("data/promotions.csv", promotion);
        shop.append("data/promotion_products.csv", products);
        let id = shop.weekly(&[]);
        let kept = shop.table(&id, "sources/quarantine");
        let reasons = kept.text("reason").unwrap();
        assert!(reasons.iter().any(|found| found.contains(reason)), "{reason}: {reasons:?}");
        assert!(shop.offers(&id).iter().all(|offer| offer.promotion_id != "BAD"), "{reason}");
    };
    check(
        "BAD,Backwards,percent,0.20,,2026-02-22,2026-02-16,X\n",
        "BAD,product,P001\n",
        "lies after valid_to",
    );
    check("BAD,Bare,percent,0.20,,2026-02-16,2026-02-22,X\n", "", "no eligible product");
    check(
        "BAD,Deep,percent,20,,2026-02-16,2026-02-22,X\n",
        "BAD,product,P001\n",
        "not between 0 and 1",
    );
    check("W08-1,Again,percent,0.20,,2026-02-16,2026-02-22,X\n", "", "is there already");
    check("", "GONE,product,P001\n", "not in promotions");
}

#[test]
fn ids_of_any_kind_go_through() {
    let shop = project();
    let long = "é".repeat(100);
    let rename = |from: &str, to: &str| {
        shop.edit("data/transactions.csv", |_, cells| {
            if cells[1] == from {
                cells[1] = to.to_owned();
            }
        });
    };
    for (from, to) in
        [("C001", "18446744073709551616"), ("C002", long.as_str()), ("C003", "o'neil \u{1F600}")]
    {
        rename(from, to);
    }
    shop.set("rules.holdout_rate", 0.0);
    let id = shop.weekly(&[]);
    for name in ["18446744073709551616", &long, "o'neil \u{1F600}"] {
        let told = shop.run(&["offers", "--customer", name, "--run", &id]).fine().stdout;
        assert!(told.contains("EUR"), "{told}");
        shop.run(&["explain", "--customer", name]).fine();
    }
}

#[test]
fn promotions_of_another_week_leave_every_slot_empty() {
    let shop = project();
    let id = shop.weekly(&["--as-of", "2026-02-25"]);
    assert!(shop.offers(&id).is_empty());
    assert!(shop.decisions(&id).iter().all(|decision| decision.empty_reason.is_some()));
}
