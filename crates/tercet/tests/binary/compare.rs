//! Do engines run against each other in simulated weeks, each on its own past, with the truth beside?

use serde_json::Value;

use crate::support::{project, run};

const SMALL: [&str; 14] = [
    "--customers",
    "300",
    "--products",
    "400",
    "--promotions",
    "60",
    "--weeks",
    "2",
    "--history-weeks",
    "8",
    "--holdout",
    "0.3",
    "--seed",
    "5",
];

fn compare(flags: &[&str]) -> Value {
    run(&[&["--quiet", "compare", "--format", "json"][..], &SMALL, flags].concat()).fine().json()
}

/// The facts of an engine about an effect.
fn effect<'a>(found: &'a Value, engine: &str, name: &str) -> &'a Value {
    let engines = found["engines"].as_array().unwrap();
    let engine = engines.iter().find(|one| one["engine"] == engine).unwrap();
    engine["effects"].as_array().unwrap().iter().find(|one| one["effect"] == name).unwrap()
}

#[test]
fn engines_decide_in_their_own_copies_and_the_truth_is_beside() {
    let found = compare(&["--engines", "policy,legacy,tercet", "--threads", "1"]);
    assert_eq!(found["simulated"], true);
    let engines = found["engines"].as_array().unwrap();
    assert_eq!(engines.len(), 3);
    for engine in engines {
        let (treated, held_out) = (&engine["treated"], &engine["held_out"]);
        let (treated, held_out) = (treated.as_u64().unwrap(), held_out.as_u64().unwrap());
        // A third of about 270 customers who may be sent offers.
        assert!((50..=110).contains(&held_out) && treated > 150, "{treated} {held_out}");
        assert!(engine["offers"].as_u64().unwrap() > 0);
        // In the same weeks without offers everybody does the same, whoever decides.
        for name in ["conversion", "revenue_minor", "first_purchases"] {
            let own = effect(&found, engine["engine"].as_str().unwrap(), name);
            assert_eq!(own["without_offers"], effect(&found, "policy", name)["without_offers"]);
            let difference =
                own["treated"].as_f64().unwrap() - own["without_offers"].as_f64().unwrap();
            assert!((own["true_effect"].as_f64().unwrap() - difference).abs() < 1e-9, "{own}");
            assert_eq!(own["measured"]["method"], "welch_difference", "{own}");
        }
    }
    // Engines offer to everybody who may be contacted, nearly always three; the policy picks customers.
    let offers = |place: usize| engines[place]["offers"].as_u64().unwrap();
    let most = engines[1]["treated"].as_u64().unwrap() * 3 * 2;
    for engine in [1, 2] {
        assert!((most * 8 / 10..=most).contains(&offers(engine)), "{} {most}", offers(engine));
        assert!(offers(0) < offers(engine) / 2, "{}", offers(0));
    }
    assert_ne!(effect(&found, "legacy", "coupon_usage"), effect(&found, "tercet", "coupon_usage"));
    assert_eq!(effect(&found, "policy", "conversion")["over_first"], Value::Null);

    let again = compare(&["--engines", "policy,legacy,tercet", "--threads", "3"]);
    assert_eq!(found, again, "threads change the figures");
}

#[test]
fn redraws_say_how_often_intervals_hold_the_truth() {
    let flags = ["--engines", "legacy,tercet-order,tercet-incremental", "--redraws", "60"];
    let found = compare(&[&flags[..], &["--threads", "1"]].concat());
    assert_eq!(found["redraws"], 60);
    let coverage = found["coverage"].as_array().unwrap();
    let of = |engine: &str, over: Value, way: &str| {
        let is = |one: &&Value| {
            one["engine"] == engine
                && one["over"] == over
                && one["way"] == way
                && one["effect"] == "margin_minor"
        };
        coverage.iter().find(is).unwrap_or_else(|| panic!("{engine} {over} {way}"))
    };
    for (engine, over) in [
        ("legacy", Value::Null),
        ("tercet-order", Value::Null),
        ("tercet-incremental", Value::Null),
        ("tercet-order", "legacy".into()),
        ("tercet-incremental", "legacy".into()),
    ] {
        let one = of(engine, over, "difference");
        let number = |name: &str| one[name].as_f64().unwrap();
        assert_eq!(one["refused"], 0);
        // Of 60 intervals fewer than 49 would hold it once in 100,000 times.
        assert!(one["covered"]["value"].as_f64().unwrap() > 0.8, "{one}");
        assert!(number("truth_error") < number("error") && number("truth_error") > 0.0, "{one}");
        let off = (number("mean_estimate") - number("truth")) / (number("error") / 60_f64.sqrt());
        assert!(off.abs() < 4.5, "{off} errors: {one}");
    }
    // Decided for everybody: the offers of who is held out do not count, and all others are made.
    let offers = found["engines"][0]["offers"].as_u64().unwrap();
    assert!(offers > 0 && offers <= 6 * found["engines"][0]["treated"].as_u64().unwrap());

    let flags = ["--engines", "policy,oracle", "--redraws", "60"];
    let of_threads = |threads| compare(&[&flags[..], &["--threads", threads]].concat());
    assert_eq!(of_threads("1"), of_threads("3"), "threads change the figures");
    let done = run(&[&["compare"][..], &SMALL, &flags].concat()).fine();
    for word in ["60 redraws", "oracle less policy", "95 % that hold it"] {
        assert!(done.stdout.contains(word), "'{word}' is not in: {}", done.stdout);
    }
}

#[test]
fn rules_of_a_project_hold_and_all_that_is_printed_is_called_simulated() {
    let shop = project();
    shop.set("rules.offers_max", 1);
    let folder = shop.path();
    let flags = ["--engines", "popular", "--rules", folder.to_str().unwrap()];
    let done = run(&[&["compare"][..], &SMALL, &flags].concat()).fine();
    let first = done.stdout.lines().next().unwrap();
    assert!(first.starts_with("Simulated:"), "{first}");
    for word in
        ["popular", "(simulated)", "conversion", "coupon usage", "margin, EUR", "true effect"]
    {
        assert!(done.stdout.contains(word), "'{word}' is not in: {}", done.stdout);
    }
    let found = compare(&flags);
    let engine = &found["engines"][0];
    let (offers, treated) =
        (engine["offers"].as_u64().unwrap(), engine["treated"].as_u64().unwrap());
    assert!(offers <= 2 * treated && offers > treated, "{offers} {treated}");
    let csv = run(&[&["--quiet", "compare", "--format", "csv"][..], &SMALL, &flags].concat());
    let lines = csv.fine().lines();
    assert_eq!(lines.len(), 9);
    assert!(lines.iter().skip(1).all(|line| line[0] == "true"), "{lines:?}");
}

#[test]
fn what_cannot_be_compared_is_refused_at_once() {
    let check = |flags: &[&str], exit: i32, code: &str, words: &[&str]| {
        run(&[&["compare"][..], flags].concat()).refused(exit, code, words);
    };
    check(&["--engines", "legacy,nonesuch"], 2, "T1015", &["nonesuch", "policy"]);
    check(&["--redraws", "1000000"], 2, "T1032", &["100000"]);
    check(&["--weeks", "0"], 2, "T1032", &["--history-weeks"]);
    check(&["--weeks", "600"], 2, "T1102", &["weeks"]);
    check(&["--holdout", "0.7"], 2, "T0710", &["0.7"]);
    check(&["--rules", "/nonesuch"], 6, "T1001", &["nonesuch"]);
}
