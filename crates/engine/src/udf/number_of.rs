//! Which integer stands for a text?

use std::sync::Arc;

use datafusion::arrow::array::{ArrayRef, AsArray, Int32Array};
use datafusion::arrow::datatypes::DataType;
use datafusion::common::HashMap;
use datafusion::logical_expr::{ColumnarValue, ScalarUDF, Volatility, create_udf};

/// `name(text)`: the number that stands beside the text; null for other texts.
pub(crate) fn function(name: &str, numbers: HashMap<String, i32>) -> ScalarUDF {
    let body = move |arguments: &[ColumnarValue]| {
        let arrays = ColumnarValue::values_to_arrays(arguments)?;
        // Many texts are that of the row before: they need not be looked up.
        let (mut last, mut known) = (None, None);
        let found = arrays[0].as_string::<i32>().iter().map(|text| {
            if text != last {
                (last, known) = (text, text.and_then(|text| numbers.get(text).copied()));
            }
            known
        });
        Ok(ColumnarValue::Array(Arc::new(found.collect::<Int32Array>()) as ArrayRef))
    };
    let (text, number) = (vec![DataType::Utf8], DataType::Int32);
    create_udf(name, text, number, Volatility::Immutable, Arc::new(body))
}

#[cfg(test)]
mod tests {
    use crate::{Engine, EngineOptions};

    #[test]
    fn texts_have_their_numbers_and_others_none() {
        let engine = Engine::new(EngineOptions::default()).unwrap();
        let sql = "select number_of(x) as n \
                   from (values ('b'), ('b'), (null), (null), ('a'), ('c'), ('b')) t(x)";
        for (a, b) in [(7, 3), (1, 2)] {
            engine.number_texts("number_of", [("a".to_owned(), a), ("b".to_owned(), b)]);
            let found = engine.query(sql, &Default::default()).unwrap();
            let expect = [Some(b), Some(b), None, None, Some(a), None, Some(b)];
            let found = found.i64_or_null("n").unwrap();
            assert_eq!(found, expect.map(|number| number.map(i64::from)));
        }
    }
}
