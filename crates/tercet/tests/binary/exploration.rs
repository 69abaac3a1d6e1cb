//! Do the probabilities and draws of a run follow from its log, its plan.json, the seed and the key?

use std::collections::{BTreeMap, BTreeSet};

use tercet_allocation::{Exploration, Law, Opening, Openings, RuleId};
use tercet_measurement::assignment::{Salt, hash};

use crate::support::{Project, project};

/// A key of assignment, as a person would set it.
const KEY: &str = "000102030405060708090a0b0c0d0e0f";
const KEY_BYTES: [u8; 16] = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15];

/// The starter with so much drawn that draws can be looked at.
fn exploring() -> Project {
    let shop = project();
    shop.set("exploration.epsilon", 0.3);
    shop.set("exploration.measurement_share", 0.2);
    shop.set("exploration.limit_share", 0.5);
    shop
}

fn weekly(shop: &Project, flags: &[&str]) -> String {
    let done =
        shop.run_with(&[("TERCET_ASSIGNMENT_KEY", KEY)], &[&["--quiet", "run"], flags].concat());
    done.fine().stdout.split_whitespace().next().unwrap().to_owned()
}

/// What the log says of a customer, slot by slot.
#[derive(Default)]
struct Logged {
    promotions: Vec<Option<u32>>,
    planned: Vec<Option<u32>>,
    propensities: Vec<f64>,
    joint: Vec<f64>,
    is_explored: Vec<bool>,
    is_randomised: Vec<bool>,
    is_measured: Vec<bool>,
    is_usable: Vec<bool>,
    is_forced: Vec<bool>,
    arm: String,
}

/// Recomputes every row of a run's log, and returns how many slots could be drawn, were drawn, and got another
/// promotion than was planned.
fn recompute(shop: &Project, run: &str) -> [usize; 3] {
    let plan: serde_json::Value =
        serde_json::from_str(&shop.text(&format!("runs/{run}/allocation/plan.json"))).unwrap();
    let own = &plan["draws"];
    let law = Law {
        epsilon: own["epsilon"].as_f64().unwrap(),
        measurement_share: own["measurement_share"].as_f64().unwrap(),
    };
    let exploration = Exploration { law, limit_share: 0.0, seed: own["seed"].as_u64().unwrap() };
    // The other side of an engine test has draws of its own, of the same promotions.
    let log = shop.table(run, "allocation/decisions");
    let text = |name: &str| log.text_or_null(name).unwrap();
    let of_baseline: BTreeSet<String> = log
        .text("customer_id")
        .unwrap()
        .into_iter()
        .zip(text("experiment_arm"))
        .filter_map(|(customer, arm)| arm.filter(|arm| arm == "baseline").map(|_| customer))
        .collect();
    let draws_of = |customer: &str| match of_baseline.contains(customer) {
        true => &plan["baseline"]["draws"],
        false => own,
    };
    let known = own["promotions"].as_array().unwrap();
    let place: BTreeMap<&str, u32> =
        known.iter().zip(0..).map(|(of, at)| (of["promotion"].as_str().unwrap(), at)).collect();
    let group =
        |at: u32| known[at as usize]["exclusivity_group"].as_u64().map(|group| group as u32);

    let mut offers: BTreeMap<String, Vec<Opening>> = BTreeMap::new();
    let candidates = shop.table(run, "allocation/candidates");
    let (customers, ids) =
        (candidates.text("customer_id").unwrap(), candidates.text("promotion_id").unwrap());
    let (slots, rules) =
        (candidates.i32("slots").unwrap(), candidates.text_or_null("rule").unwrap());
    for row in 0..candidates.rows() {
        let rule = rules[row].as_deref().and_then(RuleId::from_name);
        let promotion = place[ids[row].as_str()];
        let is_left_out =
            !draws_of(&customers[row])["promotions"][promotion as usize]["left_out"].is_null();
        if rule.is_some_and(RuleId::is_flag) || is_left_out || slots[row] == 0 {
            continue;
        }
        let opening = Opening { promotion, group: group(promotion), slots: slots[row] as u8 };
        offers.entry(customers[row].clone()).or_default().push(opening);
    }

    let is = |name: &str| -> Vec<bool> {
        log.bool_or_null(name).unwrap().into_iter().map(|is| is == Some(true)).collect()
    };
    let number = |name: &str| log.f64(name).unwrap();
    let (ids, arms) = (log.text("customer_id").unwrap(), log.text("arm").unwrap());
    let (promotions, planned) = (text("promotion_id"), text("planned_promotion_id"));
    let (propensities, joint) = (number("propensity"), number("joint_propensity"));
    let (explored, randomised) = (is("is_explored"), is("is_randomised"));
    let (measured, usable, forced) = (is("is_measured"), is("is_usable"), is("is_forced"));
    let mut of_customers: BTreeMap<String, Logged> = BTreeMap::new();
    for row in 0..log.rows() {
        let logged = of_customers.entry(ids[row].clone()).or_default();
        let at = |cell: &Option<String>| cell.as_deref().map(|id| place[id]);
        logged.promotions.push(at(&promotions[row]));
        logged.planned.push(at(&planned[row]));
        logged.propensities.push(propensities[row]);
        logged.joint.push(joint[row]);
        logged.is_explored.push(explored[row]);
        logged.is_randomised.push(randomised[row]);
        logged.is_measured.push(measured[row]);
        logged.is_usable.push(usable[row]);
        logged.is_forced.push(forced[row]);
        logged.arm.clone_from(&arms[row]);
    }

    let mut counts = [0; 3];
    for (customer, logged) in &of_customers {
        let draws = draws_of(customer);
        let is_open = logged.is_randomised.contains(&true);
        let openings = Openings {
            offers: offers.get(customer).cloned().unwrap_or_default(),
            planned: logged
                .planned
                .iter()
                .map(|cell| cell.map(|promotion| (promotion, group(promotion))))
                .collect(),
            pinned: logged.is_forced.iter().zip(0..).map(|(is, slot)| u8::from(*is) << slot).sum(),
            is_filled_only: draws["is_filled_only"].as_bool().unwrap(),
            offers_most: if is_open { draws["offers_most"].as_u64().unwrap() as usize } else { 0 },
        };
        let open = openings.open_slots();
        let expected = openings.propensities(&law, &logged.promotions);
        let drawn = openings.draw(&exploration, hash(&KEY_BYTES, Salt::Exploration, customer));
        for slot in 0..logged.promotions.len() {
            let bit = |mask: u8| mask >> slot & 1 == 1;
            assert!((logged.propensities[slot] - expected.slots[slot]).abs() < 1e-12, "{customer}");
            assert!((logged.joint[slot] - expected.slate).abs() < 1e-12, "{customer}");
            assert!(logged.propensities[slot] > 0.0 && logged.is_usable[slot], "{customer}");
            assert_eq!(logged.is_randomised[slot], bit(open), "{customer}");
            assert_eq!(logged.is_explored[slot], bit(drawn.drawn), "{customer}");
            assert_eq!(logged.promotions[slot], drawn.promotions[slot], "{customer}");
            assert_eq!(logged.is_measured[slot], drawn.is_measured && drawn.drawn != 0);
            if logged.arm == "control" {
                assert_eq!((logged.promotions[slot], logged.propensities[slot]), (None, 1.0));
            }
            counts[0] += usize::from(logged.is_randomised[slot]);
            counts[1] += usize::from(logged.is_explored[slot]);
            counts[2] += usize::from(logged.promotions[slot] != logged.planned[slot]);
        }
    }
    let sum = |name: &str| -> usize {
        let sides = [own, &plan["baseline"]["draws"]];
        sides.iter().filter_map(|draws| draws[name].as_u64()).sum::<u64>() as usize
    };
    assert_eq!([sum("open_slots"), sum("drawn_slots")], counts[..2]);
    assert_eq!(sum("refused_customers"), 0);
    counts
}

#[test]
fn what_the_log_says_of_draws_can_be_recomputed_from_it() {
    let shop = exploring();
    let id = weekly(&shop, &[]);
    let [open, drawn, others] = recompute(&shop, &id);
    // Of 60 customers without control, with three slots each; a share of 0.44 is drawn.
    assert!(
        open > 120 && (open / 4..open * 3 / 5).contains(&drawn) && others > 20,
        "{open} {drawn} {others}"
    );
    let report = shop.text(&format!("runs/{id}/delivery/report.html"));
    assert!(report.contains(&format!("{drawn} of {open} slots")), "the report is silent");

    // Another seed draws otherwise; what was planned stays.
    let other = weekly(&shop, &["--seed", "8", "--engine", "personal"]);
    recompute(&shop, &other);
    let again = weekly(&shop, &["--seed", "9", "--engine", "personal"]);
    recompute(&shop, &again);
    let column =
        |run: &str, name: &str| shop.table(run, "allocation/decisions").text_or_null(name).unwrap();
    assert_eq!(column(&other, "planned_promotion_id"), column(&again, "planned_promotion_id"));
    assert_ne!(column(&other, "promotion_id"), column(&again, "promotion_id"));

    // A run that draws nothing does what was planned, with certainty.
    shop.set("exploration.epsilon", 0.0);
    shop.set("exploration.measurement_share", 0.0);
    let plain = weekly(&shop, &["--seed", "9", "--engine", "personal"]);
    assert_eq!(column(&plain, "promotion_id"), column(&again, "planned_promotion_id"));
    let log = shop.table(&plain, "allocation/decisions");
    let ones = |name: &str| log.f64(name).unwrap().iter().all(|chance| *chance == 1.0);
    assert!(ones("propensity") && ones("joint_propensity"));
    assert!(!log.bool_or_null("is_randomised").unwrap().contains(&Some(true)));
}

#[test]
fn both_sides_of_an_engine_test_draw_and_say_so() {
    let shop = exploring();
    shop.set("run.engine", "personal");
    shop.set("experiment.name", "autumn");
    shop.set("experiment.baseline", "popular");
    let id = weekly(&shop, &[]);
    let [open, drawn, others] = recompute(&shop, &id);
    assert!(open > 120 && drawn > open / 4 && others > 20, "{open} {drawn} {others}");
    let log = shop.table(&id, "allocation/decisions");
    let explored = log.bool_or_null("is_explored").unwrap().into_iter();
    let engines: BTreeSet<String> = explored
        .zip(log.text("engine").unwrap())
        .filter_map(|(is_explored, engine)| (is_explored == Some(true)).then_some(engine))
        .collect();
    assert_eq!(engines.len(), 2, "{engines:?}");
}

#[test]
fn draws_keep_pins_groups_and_caps() {
    let shop = exploring();
    shop.edit("data/promotions.csv", |row, cells| {
        let (group, cap) = match (row, cells[0].as_str()) {
            (0, _) => ("exclusivity_group", "cap"),
            (_, "W08-1" | "W08-2") => ("one", ""),
            (_, "W08-4") => ("", "5"),
            _ => ("", ""),
        };
        cells.extend([group.to_owned(), cap.to_owned()]);
    });
    shop.set("rules.offers_max", 2);
    let text = shop.text("tercet.toml");
    let pin = "\n[[rules.pins]]\npromotion_id = \"W08-5\"\nslot = \"wildcard\"\nwhere = \"orders_12w >= 3\"\n";
    shop.file("tercet.toml", text + pin);
    let id = weekly(&shop, &[]);
    let [open, drawn, _] = recompute(&shop, &id);
    assert!(open > 0 && drawn > 0, "{open} {drawn}");
    let mut given: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for offer in shop.offers(&id) {
        given.entry(offer.customer_id).or_default().push(offer.promotion_id);
    }
    let of_group =
        |ids: &[String]| ids.iter().filter(|id| *id == "W08-1" || *id == "W08-2").count();
    assert!(given.values().all(|ids| ids.len() <= 2 && of_group(ids) <= 1), "{given:?}");
    // Five offers are no room for draws.
    let got = given.values().flatten().filter(|id| *id == "W08-4").count();
    let log = shop.table(&id, "allocation/decisions");
    let explored = log.bool_or_null("is_explored").unwrap().into_iter();
    let drawn: Vec<String> = explored
        .zip(log.text_or_null("promotion_id").unwrap())
        .filter_map(|(is_explored, promotion)| promotion.filter(|_| is_explored == Some(true)))
        .collect();
    assert!((1..=5).contains(&got) && !drawn.contains(&"W08-4".to_owned()), "{got} {drawn:?}");
    let pinned = shop.decisions(&id).into_iter().filter(|decision| decision.is_forced).count();
    assert!(pinned > 0);
}

#[test]
fn explain_says_what_was_drawn() {
    let shop = exploring();
    let id = weekly(&shop, &[]);
    let log = shop.table(&id, "allocation/decisions");
    let explored = log.bool_or_null("is_explored").unwrap();
    let (promotions, planned) = (
        log.text_or_null("promotion_id").unwrap(),
        log.text_or_null("planned_promotion_id").unwrap(),
    );
    let is_other = |row: &usize| {
        explored[*row] == Some(true)
            && promotions[*row].is_some()
            && planned[*row].is_some()
            && promotions[*row] != planned[*row]
    };
    let row = (0..log.rows()).find(is_other).unwrap();
    let customer = log.text("customer_id").unwrap()[row].clone();
    let told =
        shop.run(&["explain", "--customer", &customer, "--others", "99", "--format", "json"]);
    let told = told.fine().json();
    let slot = log.i32("slot").unwrap()[row] as usize - 1;
    let why = told["offers"][slot]["why"].as_str().unwrap();
    assert!(
        why.starts_with("drawn at random, to learn what other offers bring (planned was "),
        "{why}"
    );
    assert!(why.contains(planned[row].as_deref().unwrap()), "{why}");
    let others: Vec<&str> = told["others"]
        .as_array()
        .unwrap()
        .iter()
        .map(|other| other["why not"].as_str().unwrap())
        .collect();
    assert!(others.iter().any(|why| why.ends_with("was drawn at random")), "{others:?}");
}
