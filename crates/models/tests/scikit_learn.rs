//! Do measures, calibration and Poisson regression agree with scikit-learn and SciPy?

#![expect(clippy::unwrap_used, reason = "a failed test panics")]

use serde_json::Value;
use tercet_models::LogLinear;
use tercet_models::calibration::{Isotonic, by_decile};
use tercet_models::quality;

fn numbers(value: &Value) -> Vec<f64> {
    value.as_array().unwrap().iter().map(|number| number.as_f64().unwrap()).collect()
}

#[track_caller]
fn close(mine: f64, theirs: f64) {
    assert!((mine - theirs).abs() <= 1e-9 * theirs.abs().max(1.0), "{mine} against {theirs}");
}

#[test]
fn measures_agree_with_the_reference() {
    let cases: Value = serde_json::from_str(include_str!("oracle/quality.json")).unwrap();
    for case in cases.as_array().unwrap() {
        let [predicted, response, value, weights] =
            ["predicted", "response", "value", "weights"].map(|name| numbers(&case[name]));
        let check = |name: &str, mine: f64| close(mine, case[name].as_f64().unwrap());
        check("rmse", quality::rmse(&predicted, &value).unwrap());
        check("mae", quality::mae(&predicted, &value).unwrap());
        check("r2", quality::r_squared(&predicted, &value).unwrap());
        check("spearman", quality::spearman(&predicted, &value).unwrap());
        check("auc", quality::auc(&predicted, &response).unwrap());
        check("log_loss", quality::log_loss(&predicted, &response).unwrap());
        let deciles = by_decile(&predicted, &response).unwrap();
        check("expected_calibration_error", deciles.expected_calibration_error);
        for (bin, theirs) in deciles.bins.iter().zip(case["deciles"].as_array().unwrap()) {
            let theirs = numbers(theirs);
            close(bin.mean_predicted, theirs[0]);
            close(bin.mean_observed, theirs[1]);
            close(bin.count as f64, theirs[2]);
        }
        let isotonic = Isotonic::fit(&predicted, &response, Some(&weights)).unwrap();
        for (mine, theirs) in
            isotonic.apply(&numbers(&case["queries"])).iter().zip(numbers(&case["isotonic"]))
        {
            close(*mine, theirs);
        }
    }
}

#[test]
fn poisson_regression_agrees_with_the_reference() {
    let cases: Value = serde_json::from_str(include_str!("oracle/log_linear.json")).unwrap();
    for case in cases.as_array().unwrap() {
        let [facts, counts, expected] =
            ["facts", "counts", "expected"].map(|name| numbers(&case[name]));
        let width = case["width"].as_u64().unwrap() as usize;
        let ridge = case["ridge"].as_f64().unwrap();
        let model = LogLinear::fit(&facts, width, &counts, ridge).unwrap();
        for (facts, expected) in facts.chunks_exact(width).zip(expected) {
            let mine = model.log_rate(facts).exp();
            assert!((mine - expected).abs() <= 1e-5 * expected, "{mine} against {expected}");
        }
    }
}
