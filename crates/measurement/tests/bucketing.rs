//! Does the assignment still put every customer where the golden vectors say?

use serde_json::Value;
use tercet_measurement::assignment::{Salt, bucket, hash};

#[test]
fn buckets_are_those_of_the_golden_vectors() {
    let text = include_str!("../../../schemas/vectors/bucketing.json");
    let cases: Vec<Value> = serde_json::from_str(text).unwrap();
    assert!(cases.len() >= 40);
    for case in cases {
        let hex = u128::from_str_radix(case["key"].as_str().unwrap(), 16).unwrap();
        let key = hex.to_be_bytes();
        let salt = Salt::ALL.into_iter().find(|salt| case["salt"] == salt.name()).unwrap();
        let id = case["customer_id"].as_str().unwrap();
        assert_eq!(format!("{:016x}", hash(&key, salt, id)), case["hash"], "{salt:?} {id:.40}");
        assert_eq!(u64::from(bucket(&key, salt, id)), case["bucket"], "{salt:?} {id:.40}");
    }
}
