//! On which day is an instant, as a number?
//!
//! `cast(cast(t as date) as int)` says the same, but makes a calendar date of every value on the way, which
//! takes longer than reading the column.

use std::sync::Arc;

use datafusion::arrow::array::{ArrayRef, AsArray, PrimitiveArray};
use datafusion::arrow::datatypes::{DataType, Int32Type, TimeUnit, TimestampMicrosecondType};
use datafusion::logical_expr::{ColumnarValue, ScalarUDF, Volatility, create_udf};

/// Microseconds of a day.
const DAY_MICROS: i64 = 86_400_000_000;

/// `day_number(timestamp)`: days since 1970-01-01, rounded down; null for null.
pub(crate) fn function() -> ScalarUDF {
    let body = |arguments: &[ColumnarValue]| {
        let arrays = ColumnarValue::values_to_arrays(arguments)?;
        let instants = arrays[0].as_primitive::<TimestampMicrosecondType>();
        // 2^63 microseconds are about 10^8 days.
        let days: PrimitiveArray<Int32Type> =
            instants.unary(|micros| micros.div_euclid(DAY_MICROS) as i32);
        Ok(ColumnarValue::Array(Arc::new(days) as ArrayRef))
    };
    create_udf(
        "day_number",
        vec![DataType::Timestamp(TimeUnit::Microsecond, None)],
        DataType::Int32,
        Volatility::Immutable,
        Arc::new(body),
    )
}

#[cfg(test)]
mod tests {
    use crate::{Engine, EngineOptions};

    #[test]
    fn days_are_those_of_the_calendar() {
        let engine = Engine::new(EngineOptions::default()).unwrap();
        let check = |instant: &str| {
            let sql = format!(
                "select day_number(t) as ours, cast(cast(t as date) as int) as theirs \
                 from (select arrow_cast('{instant}', 'Timestamp(Microsecond, None)') as t)"
            );
            let rows = engine.query(&sql, &Default::default()).unwrap();
            assert_eq!(rows.i32("ours").unwrap(), rows.i32("theirs").unwrap(), "{instant}");
        };
        for instant in [
            "1970-01-01T00:00:00",
            "1970-01-01T23:59:59.999999",
            "1969-12-31T23:59:59.999999",
            "1969-12-31T00:00:00",
            "1600-02-29T12:00:00",
            "2017-08-14T00:00:00",
            "9999-12-31T23:59:59",
        ] {
            check(instant);
        }
        let none = "select day_number(null) is null as none";
        let rows = engine.query(none, &Default::default()).unwrap();
        assert_eq!(rows.bool_or_null("none").unwrap(), [Some(true)]);
    }
}
