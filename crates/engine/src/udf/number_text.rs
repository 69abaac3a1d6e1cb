//! How is an integer written as text?
//!
//! `cast(n as varchar)` says the same, but formats every value anew, also where it is that of the row before: the
//! lines of an order and the events of a visit come together.

use std::sync::Arc;

use datafusion::arrow::array::AsArray;
use datafusion::arrow::datatypes::{DataType, Int64Type};
use datafusion::logical_expr::{ColumnarValue, ScalarUDF, Volatility, create_udf};

use super::of_runs;

/// `number_text(integer)`: its decimal digits, with a minus below zero; null for null.
pub(crate) fn function() -> ScalarUDF {
    let body = |arguments: &[ColumnarValue]| {
        let arrays = ColumnarValue::values_to_arrays(arguments)?;
        let numbers = arrays[0].as_primitive::<Int64Type>();
        let mut digits = itoa::Buffer::new();
        let texts = of_runs(numbers.iter(), |number, texts| {
            texts.append_value(digits.format(number));
        })?;
        Ok(ColumnarValue::Array(texts))
    };
    let (number, text) = (vec![DataType::Int64], DataType::Utf8View);
    create_udf("number_text", number, text, Volatility::Immutable, Arc::new(body))
}

#[cfg(test)]
mod tests {
    use crate::{Engine, EngineOptions};

    #[test]
    fn texts_are_those_of_a_cast() {
        let engine = Engine::new(EngineOptions::default()).unwrap();
        let sql = "select number_text(n) as ours, cast(n as varchar) as theirs from (values (7), (7), (null), (7), \
                   (-12), (0), (9223372036854775807), (-9223372036854775808), (-9223372036854775808)) t(n)";
        let rows = engine.query(sql, &Default::default()).unwrap();
        let ours = rows.text_or_null("ours").unwrap();
        assert_eq!(ours, rows.text_or_null("theirs").unwrap());
        assert_eq!(ours[2..4], [None, Some("7".to_owned())]);
        let narrow =
            "select number_text(cast(5 as smallint)) as n, number_text(null) is null as none";
        let rows = engine.query(narrow, &Default::default()).unwrap();
        assert_eq!(rows.text("n").unwrap(), ["5"]);
        assert_eq!(rows.bool_or_null("none").unwrap(), [Some(true)]);
    }
}
