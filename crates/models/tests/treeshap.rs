//! Are contributions the Shapley values that LightGBM gives, and those of the definition for groups?
#![expect(clippy::unwrap_used, reason = "a failed test panics")]

use proptest::prelude::*;
use serde_json::Value;
use tercet_models::gbdt::{Ensemble, Explainer, FeatureSchema, Matrix, Objective, Tree};

fn numbers(value: &Value) -> Vec<f64> {
    let number = |value: &Value| value.as_f64().unwrap_or(f64::NAN);
    value.as_array().unwrap().iter().map(number).collect()
}

fn tree(value: &Value) -> Tree {
    let floats = |name: &str| numbers(&value[name]).into_iter().map(|n| n as f32).collect();
    let counts = |name: &str| numbers(&value[name]).into_iter().map(|n| n as u32).collect();
    let left: Vec<u32> = counts("left");
    let flags = value["default_left"].as_array().unwrap();
    Tree {
        feature: counts("feature"),
        threshold: floats("threshold"),
        default_left: flags.iter().map(|flag| flag.as_bool().unwrap()).collect(),
        level_set: vec![-1; left.len()],
        right: counts("right"),
        value: floats("value"),
        cover: floats("cover"),
        gain: vec![0.0; left.len()],
        left,
        level_sets: Vec::new(),
    }
}

#[test]
fn contributions_of_lightgbm() {
    let oracle: Value = serde_json::from_str(include_str!("oracle/treeshap.json")).unwrap();
    let mut deepest = 0;
    for model in oracle["models"].as_array().unwrap() {
        let trees: Vec<Tree> = model["trees"].as_array().unwrap().iter().map(tree).collect();
        deepest = deepest.max(trees.iter().map(Tree::leaves).max().unwrap());
        let rows = model["rows"].as_array().unwrap();
        let expected = model["contributions"].as_array().unwrap();
        let features = numbers(&rows[0]).len();
        let schema = FeatureSchema::numeric((0..features).map(|feature| format!("x{feature}")));
        let ensemble = Ensemble::new(schema, Objective::SquaredError, 0.0, trees).unwrap();
        let players: Vec<usize> = (0..features).collect();
        let explainer = Explainer::new(&ensemble, &players).unwrap();
        assert_eq!(rows.len(), expected.len());
        for (row, expected) in rows.iter().zip(expected) {
            let row: Vec<f32> = numbers(row).into_iter().map(|n| n as f32).collect();
            let found = explainer.contributions(&row).unwrap();
            // The last of LightGBM's numbers is what is expected of an unknown row.
            let found = found.into_iter().chain([explainer.expected_margin()]);
            for (found, expected) in found.zip(numbers(expected)) {
                assert!((found - expected).abs() <= 1e-6, "{found} {expected}");
            }
        }
    }
    assert!(deepest > 40, "a tree with paths of more players than are tabled");
}

const FEATURES: usize = 6;

/// Feature, threshold, where a missing value goes, and the place of the left child.
type Split = (u32, f32, bool, usize);

/// A tree split leaf by leaf; covers add up.
fn grown(splits: &[(usize, u32, f32, bool, f32)]) -> Tree {
    // Per node its split, or nothing, and its cover.
    let mut nodes: Vec<(Option<Split>, f32)> = vec![(None, 1000.0)];
    let mut leaves = vec![0];
    for (which, feature, threshold, default_left, share) in splits {
        let node = leaves.remove(which % leaves.len());
        let (left, cover) = (nodes.len(), nodes[node].1);
        nodes[node].0 = Some((*feature, *threshold, *default_left, left));
        nodes.extend([(None, cover * share), (None, cover * (1.0 - share))]);
        leaves.extend([left, left + 1]);
    }
    let of = |value: fn(Split) -> f32| {
        nodes.iter().map(|node| node.0.map_or(0.0, value)).collect::<Vec<f32>>()
    };
    let left = of(|split| split.3 as f32).into_iter().map(|at| at as u32).collect::<Vec<u32>>();
    Tree {
        feature: of(|split| split.0 as f32).into_iter().map(|feature| feature as u32).collect(),
        threshold: of(|split| split.1),
        default_left: nodes.iter().map(|node| node.0.is_some_and(|split| split.2)).collect(),
        level_set: vec![-1; nodes.len()],
        right: left.iter().map(|left| if *left == 0 { 0 } else { left + 1 }).collect(),
        value: nodes
            .iter()
            .enumerate()
            .map(|(at, node)| if node.0.is_none() { (at * 37 % 19) as f32 - 9.0 } else { 0.0 })
            .collect(),
        cover: nodes.iter().map(|node| node.1).collect(),
        gain: vec![0.0; nodes.len()],
        left,
        level_sets: Vec::new(),
    }
}

/// What a tree expects of a row of which the features of some players are known.
fn expected(tree: &Tree, row: &[f32], known: &dyn Fn(usize) -> bool, node: usize) -> f64 {
    let (left, right) = (tree.left[node] as usize, tree.right[node] as usize);
    if left == 0 {
        return f64::from(tree.value[node]);
    }
    let feature = tree.feature[node] as usize;
    let below = |child| expected(tree, row, known, child);
    if known(feature) {
        let value = row[feature];
        let goes_left =
            if value.is_nan() { tree.default_left[node] } else { value < tree.threshold[node] };
        return below(if goes_left { left } else { right });
    }
    let covers = [left, right].map(|child| f64::from(tree.cover[child]));
    (covers[0] * below(left) + covers[1] * below(right)) / (covers[0] + covers[1])
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    /// Every order in which players could be told counts the same: the definition, over all coalitions.
    #[test]
    fn contributions_of_groups_are_shapley_values(
        splits in prop::collection::vec(
            (any::<usize>(), 0..FEATURES as u32, -1.0_f32..1.0, any::<bool>(), 0.05_f32..0.95),
            0..14,
        ),
        row in prop::collection::vec(prop_oneof![4 => -1.0_f32..1.0, 1 => Just(f32::NAN)], FEATURES),
        players in prop::collection::vec(0_usize..4, FEATURES),
    ) {
        let tree = grown(&splits);
        let schema = FeatureSchema::numeric((0..FEATURES).map(|feature| format!("x{feature}")));
        let ensemble =
            Ensemble::new(schema, Objective::SquaredError, 0.5, vec![tree.clone()]).unwrap();
        let explainer = Explainer::new(&ensemble, &players).unwrap();
        let found = explainer.contributions(&row).unwrap();
        let count = players.iter().max().unwrap() + 1;
        prop_assert_eq!(found.len(), count);
        let worth = |coalition: usize| {
            expected(&tree, &row, &|feature| coalition >> players[feature] & 1 == 1, 0)
        };
        let factorial = |n: usize| (1..=n).map(|k| k as f64).product::<f64>();
        for (player, found) in found.iter().enumerate() {
            let mut sum = 0.0;
            for coalition in (0..1_usize << count).filter(|coalition| coalition >> player & 1 == 0) {
                let size = coalition.count_ones() as usize;
                let weight = factorial(size) * factorial(count - size - 1) / factorial(count);
                sum += weight * (worth(coalition | 1 << player) - worth(coalition));
            }
            prop_assert!((found - sum).abs() <= 1e-9, "{} {}", found, sum);
        }
        let matrix = Matrix::new(1, FEATURES, row).unwrap();
        let margin = ensemble.predict_margin(&matrix).unwrap()[0];
        let sum = explainer.expected_margin() + found.iter().sum::<f64>();
        prop_assert!((sum - margin).abs() <= 1e-6, "{} {}", sum, margin);
    }
}

#[test]
fn other_features_are_refused() {
    let schema = FeatureSchema::numeric(["one", "two"]);
    let ensemble = Ensemble::new(schema, Objective::Logistic, 0.5, Vec::new()).unwrap();
    assert_eq!(Explainer::new(&ensemble, &[0]).unwrap_err().code(), "T0401");
    let explainer = Explainer::new(&ensemble, &[0, 1]).unwrap();
    assert_eq!(explainer.contributions(&[1.0]).unwrap_err().code(), "T0401");
    assert_eq!(
        (explainer.expected_margin(), explainer.contributions(&[1.0, 2.0]).unwrap()),
        (0.5, vec![0.0, 0.0])
    );
}
