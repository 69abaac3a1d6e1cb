//! Into which of so many buckets does a text fall, for who knows the key?
//!
//! The same function as everywhere else that puts texts into buckets by this key and salt; golden vectors hold
//! it to that.

use std::hash::Hasher;
use std::sync::Arc;

use datafusion::arrow::array::{ArrayRef, AsArray, Int64Array, StringArray};
use datafusion::arrow::datatypes::{DataType, Int64Type};
use datafusion::error::{DataFusionError, Result};
use datafusion::logical_expr::{ColumnarValue, ScalarUDF, Volatility, create_udf};
use siphasher::sip::SipHasher13;

/// Stands between salt and text (ASCII unit separator).
const SEPARATOR: u8 = 0x1f;

/// `keyed_bucket(key, salt, text, buckets)`: `⌊hash / 2^64 · buckets⌋`, 0 to `buckets` − 1, of SipHash-1-3
/// (Aumasson & Bernstein 2012, doi:10.1007/978-3-642-34931-7_28) of `salt ++ 0x1f ++ text` in UTF-8 under a
/// key of 32 hexadecimal digits; null where any of them is null.
pub(crate) fn function() -> ScalarUDF {
    let body = |arguments: &[ColumnarValue]| {
        let arrays = ColumnarValue::values_to_arrays(arguments)?;
        let text = |at: usize| -> &StringArray { arrays[at].as_string() };
        let buckets = arrays[3].as_primitive::<Int64Type>();
        let rows = text(0).iter().zip(text(1)).zip(text(2)).zip(buckets);
        // The key is nearly always the same.
        let mut known: (&str, [u8; 16]) = ("", [0; 16]);
        let found = rows.map(|(((key, salt), text), buckets)| {
            let (Some(digits), Some(salt), Some(text), Some(buckets)) = (key, salt, text, buckets)
            else {
                return Ok(None);
            };
            if known.0 != digits {
                known = (digits, key_of(digits)?);
            }
            bucket(&known.1, salt, text, buckets).map(Some)
        });
        Ok(ColumnarValue::Array(Arc::new(found.collect::<Result<Int64Array>>()?) as ArrayRef))
    };
    create_udf(
        "keyed_bucket",
        vec![DataType::Utf8, DataType::Utf8, DataType::Utf8, DataType::Int64],
        DataType::Int64,
        Volatility::Immutable,
        Arc::new(body),
    )
}

fn bucket(key: &[u8; 16], salt: &str, text: &str, buckets: i64) -> Result<i64> {
    if buckets < 1 {
        return Err(wrong("there must be at least one bucket"));
    }
    let mut hasher = SipHasher13::new_with_key(key);
    hasher.write(salt.as_bytes());
    hasher.write(&[SEPARATOR]);
    hasher.write(text.as_bytes());
    Ok(((u128::from(hasher.finish()) * buckets as u128) >> 64) as i64)
}

fn key_of(digits: &str) -> Result<[u8; 16]> {
    let is_key = digits.len() == 32 && digits.bytes().all(|digit| digit.is_ascii_hexdigit());
    let key = u128::from_str_radix(digits, 16).ok().filter(|_| is_key);
    // The digits are a secret: they are not repeated.
    key.map(u128::to_be_bytes).ok_or_else(|| wrong("the key is not 32 hexadecimal digits"))
}

fn wrong(what: &str) -> DataFusionError {
    DataFusionError::Execution(format!("keyed_bucket: {what}"))
}

#[cfg(test)]
mod tests {
    use crate::{Engine, EngineOptions, FileFormat, FileSet, Frame, Location};

    #[test]
    fn buckets_are_those_of_the_golden_vectors() {
        let engine = Engine::new(EngineOptions::default()).unwrap();
        let text = include_str!("../../../../schemas/vectors/bucketing.json");
        // One object a line: what JSON Lines are, less brackets and commas.
        let lines: Vec<&str> = text
            .lines()
            .map(|line| line.trim().trim_end_matches(','))
            .filter(|line| line.starts_with('{'))
            .collect();
        assert!(lines.len() >= 156);
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("cases.jsonl"), lines.join("\n")).unwrap();
        let location = Location::new("cases.jsonl", folder.path()).unwrap();
        engine.attach("cases", &FileSet { location, format: Some(FileFormat::JsonLines) }).unwrap();
        let sql = "select hash, bucket, keyed_bucket(key, salt, customer_id, 10000) as ours, \
                   keyed_bucket(key, salt, customer_id, 4611686018427387904) as high_bits from cases";
        let found = engine.query(sql, &Default::default()).unwrap();
        assert_eq!(found.rows(), lines.len());
        assert_eq!(found.i64("bucket").unwrap(), found.i64("ours").unwrap());
        // Of 2^62 buckets the number is the hash without its last two bits.
        let hashes = found.text("hash").unwrap();
        for (hash, high) in hashes.iter().zip(found.i64("high_bits").unwrap()) {
            assert_eq!(u64::from_str_radix(hash, 16).unwrap() >> 2, high as u64);
        }
    }

    #[test]
    fn nulls_give_null_and_what_is_no_key_is_refused() {
        let engine = Engine::new(EngineOptions::default()).unwrap();
        let ask = |arguments: &str| -> tercet_types::Result<Frame> {
            engine.query(&format!("select keyed_bucket({arguments}) as b"), &Default::default())
        };
        const KEY: &str = "'000102030405060708090a0b0c0d0e0f'";
        let one = |arguments: &str| ask(arguments).unwrap().i64_or_null("b").unwrap();
        assert_eq!(one(&format!("{KEY}, 'holdout', '17', 10000")), [Some(750)]);
        assert_eq!(one(&format!("{KEY}, 'holdout', null, 10000")), [None]);
        assert_eq!(one(&format!("{KEY}, 'holdout', '17', null")), [None]);
        for (arguments, words) in [
            (format!("{KEY}, 'holdout', '17', 0"), "at least one bucket"),
            ("'+00102030405060708090a0b0c0d0e0f', 'holdout', '17', 9".into(), "32 hexadecimal"),
            ("'00', 'holdout', '17', 9".into(), "32 hexadecimal"),
        ] {
            let error = ask(&arguments).unwrap_err().to_string();
            assert!(error.contains(words) && !error.contains("0b0c0d"), "{error}");
        }
    }
}
