//! What does a cell of text say?
//!
//! `nullif(trim(text), '')` says the same, in two copies of the column. Most columns have no cell to change: they are
//! given back as they are.

use std::sync::Arc;

use datafusion::arrow::array::{Array, ArrayRef, AsArray, StringViewArray};
use datafusion::arrow::datatypes::DataType;
use datafusion::logical_expr::{ColumnarValue, ScalarUDF, Volatility, create_udf};

/// `filled_text(text)`: the text without the spaces around it; null where nothing is left.
pub(crate) fn function() -> ScalarUDF {
    let body = |arguments: &[ColumnarValue]| {
        let arrays = ColumnarValue::values_to_arrays(arguments)?;
        let texts = arrays[0].as_string_view();
        let filled = if are_filled(texts) {
            Arc::clone(&arrays[0])
        } else {
            let filled = texts.iter().map(|text| {
                text.map(|text| text.trim_matches(' ')).filter(|text| !text.is_empty())
            });
            Arc::new(filled.collect::<StringViewArray>()) as ArrayRef
        };
        Ok(ColumnarValue::Array(filled))
    };
    let (from, to) = (vec![DataType::Utf8View], DataType::Utf8View);
    create_udf("filled_text", from, to, Volatility::Immutable, Arc::new(body))
}

/// True when every text has a first and a last character that is no space.
fn are_filled(texts: &StringViewArray) -> bool {
    let is_filled = |text: &[u8]| {
        let ends = [text.first(), text.last()];
        ends.iter().all(|end| end.is_some_and(|end| *end != b' '))
    };
    // Equal views of one array are equal texts, which need not be looked at again.
    let (mut last, views) = (None, texts.views());
    (0..texts.len()).all(|row| {
        if texts.is_null(row) || last == Some(views[row]) {
            return true;
        }
        last = Some(views[row]);
        is_filled(texts.value(row).as_bytes())
    })
}

#[cfg(test)]
mod tests {
    use crate::{Engine, EngineOptions};

    #[test]
    fn texts_are_trimmed_and_empty_ones_are_null() {
        let engine = Engine::new(EngineOptions::default()).unwrap();
        let check = |cells: &str| {
            let sql = format!(
                "select filled_text(x) as ours, nullif(trim(cast(x as varchar)), '') as theirs \
                 from (values {cells}) t(x)"
            );
            let rows = engine.query(&sql, &Default::default()).unwrap();
            let ours = rows.text_or_null("ours").unwrap();
            assert_eq!(ours, rows.text_or_null("theirs").unwrap(), "{cells}");
            ours
        };
        let long = "'a text of more than twelve bytes'";
        check(&format!("('a'), (null), ('b c'), ({long}), ({long}), ('ü')"));
        let found = check(&format!(
            "('a'), (' a'), ('a '), (''), ('  '), (null), (' ' || {long} || ' '), ('\t')"
        ));
        let text = |text: &str| Some(text.to_owned());
        assert_eq!(found[..6], [text("a"), text("a"), text("a"), None, None, None]);
        let none = "select filled_text(null) is null as none, filled_text(' a ') as one";
        let rows = engine.query(none, &Default::default()).unwrap();
        assert_eq!(rows.bool_or_null("none").unwrap(), [Some(true)]);
        assert_eq!(rows.text("one").unwrap(), ["a"]);
    }
}
