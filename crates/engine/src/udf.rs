//! Which functions does SQL have here beyond DataFusion's own?
//!
//! | function | gives |
//! |---|---|
//! | `count_unique(integer)` | how many different values a group has; fast where equal ones stand together |
//! | `median_gap(integer)` | the median difference from a group's different values to the next larger one |
//! | `day_number(timestamp)` | days since 1970-01-01, as a 32-bit integer |
//! | `filled_text(text)` | the text without spaces around it; null where nothing is left |
//! | `number_text(integer)` | the integer in decimal digits |
//! | `keyed_bucket(key, salt, text, buckets)` | the bucket of a text by a keyed hash |
//!
//! and those of [`Engine::number_texts`](crate::Engine::number_texts), which give the number of a text.

mod day_number;
mod filled_text;
mod keyed_bucket;
pub(crate) mod number_of;
mod number_text;
mod unique_aggregates;
mod unique_values;

use std::sync::Arc;

use datafusion::arrow::array::{ArrayRef, StringViewBuilder, UInt32Array};
use datafusion::arrow::compute::take;
use datafusion::error::Result as QueryResult;
use datafusion::logical_expr::AggregateUDF;
use datafusion::prelude::SessionContext;

use unique_aggregates::{Said, UniqueAggregate};

/// Makes all of them known to a session.
pub(crate) fn register(context: &SessionContext) {
    for said in [Said::Count, Said::MedianGap] {
        context.register_udaf(AggregateUDF::from(UniqueAggregate::new(said)));
    }
    context.register_udf(day_number::function());
    context.register_udf(filled_text::function());
    context.register_udf(number_text::function());
    context.register_udf(keyed_bucket::function());
}

/// A text for each value, and none for none: `write` adds the text of a value, once where equal ones stand together.
pub(crate) fn of_runs<T: Copy + PartialEq>(
    values: impl Iterator<Item = Option<T>>,
    mut write: impl FnMut(T, &mut StringViewBuilder),
) -> QueryResult<ArrayRef> {
    let (mut texts, mut runs, mut last) = (StringViewBuilder::new(), 0_u32, None);
    let places = values.map(|value| {
        let value = value?;
        if last != Some(value) {
            write(value, &mut texts);
            (last, runs) = (Some(value), runs + 1);
        }
        Some(runs - 1)
    });
    let places: UInt32Array = places.collect();
    let texts: ArrayRef = Arc::new(texts.finish());
    // Where no two are equal, each is at its place.
    if runs as usize == places.len() { Ok(texts) } else { Ok(take(&texts, &places, None)?) }
}
