//! Are figures of rankings those of scikit-uplift and causalml?
#![allow(
    clippy::unwrap_used,
    clippy::allow_attributes,
    reason = "a failed test should stop at once"
)]

use serde_json::Value;
use tercet_measurement::uplift::scikit_uplift::{Strategy, qini_auc, uplift_at, uplift_auc};
use tercet_measurement::uplift::{Ranked, Refusal, causalml};

fn digits(case: &Value, place: usize) -> Vec<f64> {
    case[place].as_str().unwrap().bytes().map(|digit| f64::from(digit - b'0')).collect()
}

#[test]
fn figures_are_those_of_the_libraries_with_ties_too() {
    let cases: Vec<Value> = serde_json::from_str(include_str!("oracle/uplift.json")).unwrap();
    assert_eq!(cases.len(), 1_000);
    let mut compared = [0; 6];
    for case in cases {
        let outcome = digits(&case, 0);
        let treated: Vec<bool> = digits(&case, 1).into_iter().map(|arm| arm == 1.0).collect();
        let score = digits(&case, 2);
        let yes: Vec<f64> = outcome.iter().map(|digit| f64::from(*digit >= 5.0)).collect();
        let binary = Ranked::new(&yes, &treated, &score).unwrap();
        let any = Ranked::new(&outcome, &treated, &score).unwrap();
        let found = [
            qini_auc(&binary),
            uplift_auc(&binary),
            uplift_at(&binary, 0.3, Strategy::Overall),
            uplift_at(&binary, 0.3, Strategy::ByGroup),
            causalml::auuc(&any),
            causalml::qini(&any),
        ];
        for (place, found) in found.into_iter().enumerate() {
            match case[3][place].as_f64() {
                Some(expect) => {
                    let found = found.unwrap();
                    let near = (found - expect).abs() <= 1e-9 * expect.abs().max(1.0);
                    assert!(near, "{place}: {found}, not {expect}: {case}");
                    compared[place] += 1;
                }
                None => assert!(found.is_err(), "{place}: {found:?}: {case}"),
            }
        }
    }
    assert!(compared.iter().all(|count| *count > 600), "{compared:?}");
}

#[test]
fn what_has_no_figure_is_refused_by_reason() {
    let (yes, arms) = ([1.0, 0.0, 1.0, 0.0], [true, false, false, true]);
    let check = |outcome: &[f64], treated: &[bool], score: &[f64], expect: Refusal| {
        assert_eq!(Ranked::new(outcome, treated, score).unwrap_err(), expect);
    };
    check(&yes, &arms, &[1.0], Refusal::Shape);
    check(&yes, &arms, &[f64::NAN; 4], Refusal::NotFinite);
    check(&yes, &[true; 4], &[1.0; 4], Refusal::EmptyArm);
    let spend = Ranked::new(&[2.0, 0.0, 1.0, 0.0], &arms, &[1.0; 4]).unwrap();
    assert_eq!(qini_auc(&spend), Err(Refusal::NotBinary));
    let none = Ranked::new(&[0.0; 4], &arms, &[1.0; 4]).unwrap();
    assert_eq!([qini_auc(&none), uplift_auc(&none)], [Err(Refusal::NoScale); 2]);
    assert_eq!([causalml::auuc(&none), causalml::qini(&none)], [Err(Refusal::NoScale); 2]);
    let ranked = Ranked::new(&yes, &arms, &[4.0, 3.0, 2.0, 1.0]).unwrap();
    assert_eq!(uplift_at(&ranked, 1.0, Strategy::Overall), Err(Refusal::NoShare));
    assert_eq!(uplift_at(&ranked, 0.3, Strategy::Overall), Err(Refusal::EmptyTop));
    for refusal in [Refusal::NoScale, Refusal::EmptyArm] {
        let error = tercet_types::Error::from(refusal);
        assert!(error.to_string().contains(refusal.words()) && error.hint_text().is_some());
    }
}
