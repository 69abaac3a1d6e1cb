//! Does the first command that a newcomer types end to end on the real grocery data?

use std::collections::BTreeMap;

use crate::support::{at, run};

/// The notes that the report must not lose: what is synthetic and what is estimated.
const LABELS: [&str; 2] = ["synthetic", "estimate"];

#[test]
fn the_demo_decides_a_week_of_real_baskets() {
    let folder = tempfile::tempdir().unwrap();
    let place = folder.path().join("demo");
    let done = run(&["demo", "--dir", place.to_str().unwrap()]).fine();
    let shop = at(folder, "demo");
    let ids = shop.runs();
    assert_eq!(ids.len(), 1, "{ids:?}");
    let id = &ids[0];

    // Every behaviour segment that has offers is shown with reasons; the report's place comes last.
    let master = shop.table(id, "features/customer_master");
    let segments: BTreeMap<String, String> = master
        .text("customer_id")
        .unwrap()
        .into_iter()
        .zip(master.text("behaviour").unwrap())
        .collect();
    let offers = shop.offers(id);
    let served: std::collections::BTreeSet<&str> =
        offers.iter().map(|offer| segments[&offer.customer_id].as_str()).collect();
    assert!(served.contains("transaction_only") && served.contains("both"), "{served:?}");
    assert!(served.contains("browsing_only"), "{served:?}");
    for segment in served {
        let shown = format!("({})", segment.replace('_', " "));
        assert!(done.stdout.contains(&shown), "no customer {shown} in {}", done.stdout);
    }
    assert!(done.stdout.contains("why"), "{}", done.stdout);
    let page = shop.path().join(format!("runs/{id}/delivery/report.html"));
    assert!(done.stdout.contains(&format!("report:   {}", page.display())), "{}", done.stdout);

    let page = std::fs::read_to_string(page).unwrap();
    for section in ["Customers", "Offers", "Models", "Data health", "Timings", "Read this first"] {
        assert!(page.contains(&format!("{section}</h2>")), "no section '{section}'");
    }
    assert!(page.contains("<svg") && page.contains("<table"));
    for outside in ["src=\"", "<link", "@import", "href=\"http"] {
        assert!(!page.contains(outside), "the page is not self-contained: {outside}");
    }
    for label in LABELS {
        assert!(page.to_lowercase().contains(label), "the report does not say '{label}'");
    }

    rules_hold(&shop, id);

    // Typed again, it shows the same and does nothing.
    let again = run(&["demo", "--dir", place.to_str().unwrap()]).fine();
    assert!(again.stderr.contains("nothing to do"), "{}", again.stderr);
    assert_eq!(again.stdout, done.stdout);
}

fn rules_hold(shop: &crate::support::Project, id: &str) {
    let decisions = shop.decisions(id);
    let slots = decisions.iter().map(|decision| decision.slot).max().unwrap() as usize;
    let mut slates: BTreeMap<&str, Vec<&crate::support::Decision>> = BTreeMap::new();
    for decision in &decisions {
        slates.entry(&decision.customer_id).or_default().push(decision);
    }
    let mut control = 0;
    for (customer, slate) in &slates {
        assert_eq!(slate.len(), slots, "{customer}");
        let mut given: Vec<&str> =
            slate.iter().filter_map(|decision| decision.promotion_id.as_deref()).collect();
        if slate[0].arm == "control" {
            control += 1;
            assert!(given.is_empty(), "{customer} is in control");
        }
        let all = given.len();
        given.sort_unstable();
        given.dedup();
        assert_eq!(given.len(), all, "{customer} gets a promotion twice");
        for decision in slate {
            assert_eq!(decision.arm, slate[0].arm, "{customer} is in two arms");
            assert_eq!(decision.promotion_id.is_some(), decision.empty_reason.is_none());
        }
    }
    let share = f64::from(control) / slates.len() as f64;
    assert!((0.08..0.12).contains(&share), "{share} of the customers are in control");
}
