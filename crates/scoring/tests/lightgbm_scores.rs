//! Does the scorer say what LightGBM says of its own model, missing values included?
#![expect(clippy::unwrap_used, reason = "a failed test panics")]

use serde_json::Value;
use tercet_scoring::quickscorer::{Kernel, Place, Rows, Scorer, Side, TreeView};

fn numbers(value: &Value) -> Vec<f64> {
    let number = |value: &Value| value.as_f64().unwrap_or(f64::NAN);
    value.as_array().unwrap().iter().map(number).collect()
}

fn floats(value: &Value) -> Vec<f32> {
    numbers(value).into_iter().map(|number| number as f32).collect()
}

fn counts(value: &Value) -> Vec<u32> {
    numbers(value).into_iter().map(|number| number as u32).collect()
}

#[test]
fn scores_of_lightgbm() {
    let oracle: Value = serde_json::from_str(include_str!("oracle/lightgbm_scores.json")).unwrap();
    type Arrays = (Vec<u32>, Vec<f32>, Vec<bool>, Vec<i32>, Vec<u32>, Vec<u32>, Vec<f32>);
    let arrays = |tree: &Value| -> Arrays {
        let left = counts(&tree["left"]);
        (
            counts(&tree["feature"]),
            floats(&tree["threshold"]),
            counts(&tree["default_left"]).into_iter().map(|flag| flag == 1).collect(),
            vec![-1; left.len()],
            left,
            counts(&tree["right"]),
            floats(&tree["value"]),
        )
    };
    let trees: Vec<Arrays> = oracle["trees"].as_array().unwrap().iter().map(arrays).collect();
    let views: Vec<TreeView<'_>> = trees
        .iter()
        .map(|(feature, threshold, default_left, level_set, left, right, value)| TreeView {
            feature,
            threshold,
            default_left,
            level_set,
            left,
            right,
            value,
            level_sets: &[],
        })
        .collect();
    assert!(views.iter().any(|tree| tree.left.len() > 64), "a tree of more than one mask");
    let features: Vec<usize> =
        counts(&oracle["features"]).into_iter().map(|count| count as usize).collect();
    let sides = [Side::Customer, Side::Promotion, Side::Cross];
    let places: Vec<Place> = sides
        .into_iter()
        .zip(&features)
        .flat_map(|(side, count)| (0..*count).map(move |column| Place { side, column }))
        .collect();
    let values: Vec<Vec<f32>> = oracle["values"].as_array().unwrap().iter().map(floats).collect();
    let rows = |side: usize| Rows { values: &values[side], stride: features[side] };
    let customers = oracle["customers"].as_u64().unwrap() as usize;
    let expected = numbers(&oracle["expected"]);
    let scorer = Scorer::new(&views, 0.0, &places).unwrap();
    for kernel in Kernel::available() {
        let promotions = scorer.promotions(kernel, rows(1), &counts(&oracle["group_of"])).unwrap();
        let sums = scorer.score(kernel, &promotions, customers, rows(0), rows(2)).unwrap();
        assert_eq!(sums.len(), expected.len());
        for (sum, expected) in sums.into_iter().zip(&expected) {
            let error = (scorer.margin(sum) - expected).abs();
            assert!(error <= 1e-5 * expected.abs().max(1.0), "{} {expected}", kernel.name());
        }
    }
}
