//! Are the association rules those of mlxtend?

#![expect(clippy::unwrap_used, reason = "a failed test panics")]

use serde_json::Value;
use tercet_models::recommenders::{RuleParams, rules};

type Sets = (Vec<u32>, Vec<u32>);

fn set(value: &Value) -> Vec<u32> {
    serde_json::from_value(value.clone()).unwrap()
}

#[test]
fn the_rule_set_is_the_same_at_five_thresholds() {
    let oracle: Value =
        serde_json::from_str(include_str!("oracle/association_rules.json")).unwrap();
    let orders: Vec<Vec<u32>> = serde_json::from_value(oracle["orders"].clone()).unwrap();
    for case in oracle["cases"].as_array().unwrap() {
        let params = RuleParams {
            min_support: case["min_support"].as_f64().unwrap(),
            min_confidence: case["min_confidence"].as_f64().unwrap(),
            min_lift: 0.0,
            max_length: 20,
            max_itemsets: 10_000,
        };
        let mine = rules(&orders, &params).unwrap();
        let mut theirs: Vec<(Sets, [f64; 3])> = case["rules"]
            .as_array()
            .unwrap()
            .iter()
            .map(|rule| {
                ((set(&rule[0]), set(&rule[1])), [2, 3, 4].map(|at| rule[at].as_f64().unwrap()))
            })
            .collect();
        theirs.sort_by(|a, b| a.0.cmp(&b.0));
        assert_eq!(mine.len(), theirs.len(), "{params:?}");
        for (mine, (sets, measures)) in mine.iter().zip(theirs) {
            assert_eq!((&mine.antecedent, &mine.consequent), (&sets.0, &sets.1));
            for (mine, theirs) in [mine.support, mine.confidence, mine.lift].iter().zip(measures) {
                assert!((mine - theirs).abs() < 1e-9, "{sets:?}: {mine} against {theirs}");
            }
        }
    }
}
