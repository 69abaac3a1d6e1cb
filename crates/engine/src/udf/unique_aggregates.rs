//! How many different integers does a group have, and how far are they apart?
//!
//! `count(distinct x)` looks every row up in a set, or groups by one column more; of lines that stand order by
//! order nearly all repeat the line before. `count_unique(x)` counts the same, exactly and in any order of rows
//! (see [`UniqueValues`]), at the cost of a comparison for a row that repeats. `median_gap(x)` needs neither a
//! window over sorted rows nor a second grouping.

use std::sync::Arc;

use datafusion::arrow::array::{
    Array, ArrayRef, AsArray, BooleanArray, Float64Array, Int64Array, ListArray,
};
use datafusion::arrow::buffer::OffsetBuffer;
use datafusion::arrow::datatypes::{DataType, Field, FieldRef, Int64Type};
use datafusion::error::{DataFusionError, Result};
use datafusion::logical_expr::function::{AccumulatorArgs, StateFieldsArgs};
use datafusion::logical_expr::utils::format_state_name;
use datafusion::logical_expr::{
    Accumulator, AggregateUDFImpl, EmitTo, GroupsAccumulator, Signature, Volatility,
};
use datafusion::scalar::ScalarValue;

use super::unique_values::UniqueValues;

/// What is said of a group's different values.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Said {
    /// `count_unique`: how many there are; 0 without any.
    Count,
    /// `median_gap`: the median of the differences from each to the next larger one; null with fewer than two.
    MedianGap,
}

impl Said {
    /// One value for each group: `counts` of each group's values, which stand group by group, ascending.
    fn of(self, counts: &[usize], values: &[i64]) -> ArrayRef {
        match self {
            Self::Count => {
                let counts = counts.iter().map(|count| *count as i64);
                Arc::new(Int64Array::from_iter_values(counts))
            }
            Self::MedianGap => {
                let mut start = 0;
                let medians = counts.iter().map(|count| {
                    let own = &values[start..start + count];
                    start += count;
                    median_gap(own)
                });
                Arc::new(medians.collect::<Float64Array>())
            }
        }
    }
}

/// The median gap between neighbours, of two middle ones their mean.
fn median_gap(ascending: &[i64]) -> Option<f64> {
    let mut gaps: Vec<u64> = ascending.windows(2).map(|pair| pair[1].abs_diff(pair[0])).collect();
    gaps.sort_unstable();
    let middle = gaps.len() / 2;
    let upper = *gaps.get(middle)? as f64;
    Some(if gaps.len() % 2 == 1 { upper } else { f64::midpoint(gaps[middle - 1] as f64, upper) })
}

/// An aggregate function of an integer that looks at different values only; null is none.
#[derive(Debug, PartialEq, Eq, Hash)]
pub(crate) struct UniqueAggregate {
    said: Said,
    signature: Signature,
}

impl UniqueAggregate {
    pub(crate) fn new(said: Said) -> Self {
        let signature = Signature::exact(vec![DataType::Int64], Volatility::Immutable);
        Self { said, signature }
    }

    fn gathered(&self, groups: usize) -> Gathered {
        let mut unique = UniqueValues::default();
        unique.grow(groups);
        Gathered { said: self.said, unique }
    }
}

impl AggregateUDFImpl for UniqueAggregate {
    fn name(&self) -> &str {
        match self.said {
            Said::Count => "count_unique",
            Said::MedianGap => "median_gap",
        }
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _arguments: &[DataType]) -> Result<DataType> {
        Ok(match self.said {
            Said::Count => DataType::Int64,
            Said::MedianGap => DataType::Float64,
        })
    }

    fn is_nullable(&self) -> bool {
        self.said == Said::MedianGap
    }

    fn default_value(&self, _ty: &DataType) -> Result<ScalarValue> {
        Ok(match self.said {
            Said::Count => ScalarValue::Int64(Some(0)),
            Said::MedianGap => ScalarValue::Float64(None),
        })
    }

    fn state_fields(&self, arguments: StateFieldsArgs) -> Result<Vec<FieldRef>> {
        let name = format_state_name(arguments.name, "values");
        Ok(vec![Arc::new(Field::new_list(name, value_field(), true))])
    }

    fn accumulator(&self, _arguments: AccumulatorArgs) -> Result<Box<dyn Accumulator>> {
        Ok(Box::new(self.gathered(1)))
    }

    fn groups_accumulator_supported(&self, _arguments: AccumulatorArgs) -> bool {
        true
    }

    fn create_groups_accumulator(
        &self,
        _arguments: AccumulatorArgs,
    ) -> Result<Box<dyn GroupsAccumulator>> {
        Ok(Box::new(self.gathered(0)))
    }
}

/// A value of the lists that travel between the steps of a query.
fn value_field() -> FieldRef {
    Arc::new(Field::new_list_field(DataType::Int64, true))
}

/// Lists of the given lengths over values that stand one list after another.
fn lists(counts: &[usize], values: Vec<i64>) -> Result<ListArray> {
    if i32::try_from(values.len()).is_err() {
        let what = format!("{} different values at once are too many", values.len());
        return Err(DataFusionError::ResourcesExhausted(what));
    }
    let offsets = OffsetBuffer::from_lengths(counts.iter().copied());
    Ok(ListArray::try_new(value_field(), offsets, Arc::new(Int64Array::from(values)), None)?)
}

/// The only column of an argument list.
fn integers(columns: &[ArrayRef]) -> &Int64Array {
    columns[0].as_primitive::<Int64Type>()
}

/// True when a row has a value and is not filtered out.
fn is_in(column: &Int64Array, filter: Option<&BooleanArray>, row: usize) -> bool {
    column.is_valid(row) && filter.is_none_or(|filter| filter.is_valid(row) && filter.value(row))
}

/// Both kinds of accumulator: of many groups, and of one.
#[derive(Debug)]
struct Gathered {
    said: Said,
    unique: UniqueValues,
}

impl Gathered {
    fn take(&mut self, emit: EmitTo) -> (Vec<usize>, Vec<i64>) {
        self.unique.take(match emit {
            EmitTo::All => self.unique.groups(),
            EmitTo::First(groups) => groups,
        })
    }

    /// Adds the lists of another accumulator, list by list to the group that `group_of` names.
    fn merge(&mut self, columns: &[ArrayRef], group_of: impl Fn(usize) -> usize) {
        let lists = columns[0].as_list::<i32>();
        let values = lists.values().as_primitive::<Int64Type>().values();
        for (row, ends) in lists.offsets().windows(2).enumerate() {
            let group = group_of(row);
            for &value in &values[ends[0] as usize..ends[1] as usize] {
                self.unique.add(group, value);
            }
        }
    }
}

impl GroupsAccumulator for Gathered {
    fn update_batch(
        &mut self,
        columns: &[ArrayRef],
        group_of: &[usize],
        filter: Option<&BooleanArray>,
        groups: usize,
    ) -> Result<()> {
        self.unique.grow(groups);
        let column = integers(columns);
        let values = column.values();
        if filter.is_none() && column.null_count() == 0 {
            for (&group, &value) in group_of.iter().zip(values) {
                self.unique.add(group, value);
            }
            return Ok(());
        }
        for (row, &group) in group_of.iter().enumerate() {
            if is_in(column, filter, row) {
                self.unique.add(group, values[row]);
            }
        }
        Ok(())
    }

    fn evaluate(&mut self, emit: EmitTo) -> Result<ArrayRef> {
        let (counts, values) = self.take(emit);
        Ok(self.said.of(&counts, &values))
    }

    fn state(&mut self, emit: EmitTo) -> Result<Vec<ArrayRef>> {
        let (counts, values) = self.take(emit);
        Ok(vec![Arc::new(lists(&counts, values)?)])
    }

    fn merge_batch(
        &mut self,
        columns: &[ArrayRef],
        group_of: &[usize],
        groups: usize,
    ) -> Result<()> {
        self.unique.grow(groups);
        self.merge(columns, |row| group_of[row]);
        Ok(())
    }

    fn convert_to_state(
        &self,
        columns: &[ArrayRef],
        filter: Option<&BooleanArray>,
    ) -> Result<Vec<ArrayRef>> {
        let column = integers(columns);
        let rows = 0..column.len();
        let lengths: Vec<usize> =
            rows.clone().map(|row| usize::from(is_in(column, filter, row))).collect();
        let values = rows.filter(|row| lengths[*row] == 1).map(|row| column.value(row)).collect();
        Ok(vec![Arc::new(lists(&lengths, values)?)])
    }

    fn size(&self) -> usize {
        self.unique.bytes()
    }
}

impl Accumulator for Gathered {
    fn update_batch(&mut self, columns: &[ArrayRef]) -> Result<()> {
        for value in integers(columns).iter().flatten() {
            self.unique.add(0, value);
        }
        Ok(())
    }

    fn evaluate(&mut self) -> Result<ScalarValue> {
        let (counts, values) = self.unique.take(1);
        // The one group goes on: a window asks again with more rows.
        self.unique.grow(1);
        values.iter().for_each(|value| self.unique.add(0, *value));
        ScalarValue::try_from_array(&self.said.of(&counts, &values), 0)
    }

    fn state(&mut self) -> Result<Vec<ScalarValue>> {
        let (counts, values) = self.unique.take(1);
        self.unique.grow(1);
        Ok(vec![ScalarValue::List(Arc::new(lists(&counts, values)?))])
    }

    fn merge_batch(&mut self, columns: &[ArrayRef]) -> Result<()> {
        self.merge(columns, |_| 0);
        Ok(())
    }

    fn size(&self) -> usize {
        self.unique.bytes()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{ColumnData, Engine, EngineOptions, Frame};

    /// Rows by a formula: groups, values in runs and scattered ones, some null.
    fn rows(engine: &Engine, rows: i64) {
        let mixed = |row: i64| (row.wrapping_mul(0x9E37_79B9) >> 7) & 0xffff;
        let frame = Frame::of(vec![
            ("key", (0..rows).map(|row| mixed(row / 40) % 5_000).collect::<Vec<_>>().into()),
            ("run", (0..rows).map(|row| row / 9).collect::<Vec<_>>().into()),
            (
                "any",
                ColumnData::I64(
                    (0..rows).map(|row| (mixed(row) % 11 > 0).then(|| mixed(row) % 97)).collect(),
                ),
            ),
            ("day", ColumnData::I32((0..rows).map(|row| Some((row / 13 % 301) as i32)).collect())),
        ]);
        engine.register("t", &frame.unwrap()).unwrap();
    }

    const OURS: &str = "\
        select key, count_unique(run) as runs, count_unique(\"any\") as anys, \
               count_unique(day) filter (where run % 3 = 0) as days, sum(run) as total \
        from t group by key order by key";
    const THEIRS: &str = "\
        select key, count(distinct run) as runs, count(distinct \"any\") as anys, \
               count(distinct case when run % 3 = 0 then day end) as days, sum(run) as total \
        from t group by key order by key";

    #[test]
    fn counts_are_those_of_count_distinct() {
        let one = Engine::new(EngineOptions { threads: 1, ..EngineOptions::default() }).unwrap();
        for threads in [1, 3] {
            let engine =
                Engine::new(EngineOptions { threads, ..EngineOptions::default() }).unwrap();
            for count in [0, 1, 200_000] {
                rows(&engine, count);
                rows(&one, count);
                let ours = engine.query(OURS, &Default::default()).unwrap();
                let theirs = one.query(THEIRS, &Default::default()).unwrap();
                for column in ours.columns() {
                    assert_eq!(
                        ours.i64(&column).unwrap(),
                        theirs.i64(&column).unwrap(),
                        "{column}"
                    );
                }
                let all = "select count_unique(\"any\") as a, count(distinct \"any\") as b from t";
                let all = engine.query(all, &Default::default()).unwrap();
                assert_eq!(all.i64("a").unwrap(), all.i64("b").unwrap());
            }
        }
    }

    #[test]
    fn with_little_memory_groups_spill_and_stay_the_same() {
        let plenty = Engine::new(EngineOptions { threads: 2, ..EngineOptions::default() }).unwrap();
        // One thread: with several, who gets the last memory is a matter of luck.
        let little =
            EngineOptions { threads: 1, memory_bytes: 40 << 20, store_options: Vec::new() };
        let little = Engine::new(little).unwrap();
        rows(&plenty, 2_000_000);
        rows(&little, 2_000_000);
        let by_run = "select run, count_unique(\"any\") as anys, median_gap(day) as gap, sum(key) as keys \
                      from t group by run order by run";
        for sql in [OURS, by_run] {
            let (wide, narrow) =
                (plenty.query(sql, &Default::default()), little.query(sql, &Default::default()));
            assert!(wide.unwrap().same_as(&narrow.unwrap()), "{sql}");
        }
        let plan = little.query(&format!("explain analyze {by_run}"), &Default::default()).unwrap();
        let plan = plan.text("plan").unwrap().join("\n");
        let spilled = plan.split("spill_count=").skip(1).any(|rest| !rest.starts_with('0'));
        assert!(spilled, "nothing was spilled: {plan}");
    }

    #[test]
    fn median_gaps() {
        let check = |ascending: &[i64], expect: Option<f64>| {
            assert_eq!(median_gap(ascending), expect, "{ascending:?}");
        };
        check(&[], None);
        check(&[5], None);
        check(&[5, 12], Some(7.0));
        check(&[0, 1, 11], Some(5.5));
        check(&[0, 1, 3, 103], Some(2.0));
        check(&[i64::MIN, i64::MAX], Some(u64::MAX as f64));
    }

    #[test]
    fn median_gaps_are_those_of_sorted_rows() {
        let engine = Engine::new(EngineOptions::default()).unwrap();
        rows(&engine, 100_000);
        let ours = "select key, median_gap(day) as gap from t group by key order by key";
        let theirs = "\
            select k.key, g.gap from (select distinct key from t) k \
            left join (select key, median(cast(gap as double)) as gap from ( \
                select key, day - lag(day) over (partition by key order by day) as gap \
                from (select distinct key, day from t)) where gap is not null group by key) g \
            on g.key = k.key order by k.key";
        let ours = engine.query(ours, &Default::default()).unwrap();
        let theirs = engine.query(theirs, &Default::default()).unwrap();
        assert_eq!(ours.i64("key").unwrap(), theirs.i64("key").unwrap());
        let bits = |frame: &Frame| -> Vec<u64> {
            frame.f64("gap").unwrap().into_iter().map(f64::to_bits).collect()
        };
        assert_eq!(bits(&ours), bits(&theirs));
    }
}
