//! How is a table that is larger than memory read?

use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::sync::{Arc, Mutex, PoisonError};

use datafusion::common::Column;
use datafusion::error::DataFusionError;
use datafusion::execution::SendableRecordBatchStream;
use datafusion::physical_plan::{ExecutionPlan, execute_stream_partitioned};
use datafusion::prelude::{DataFrame, Expr, col};
use futures::StreamExt;
use tercet_types::Result;

use crate::failure::query_failure;
use crate::{Engine, Frame};

impl Engine {
    /// Hands columns of table `name` over, some thousand rows at a time, in the order in which they were registered,
    /// until `take` breaks off; no more than a piece of each file is in memory.
    ///
    /// # Errors
    /// `T0901` when there is no such table or column; those of `take`.
    pub fn pieces(
        &self,
        name: &str,
        columns: &[&str],
        mut take: impl FnMut(Frame) -> Result<ControlFlow<()>>,
    ) -> Result<()> {
        let wanted: Vec<Expr> =
            columns.iter().map(|column| col(Column::from_name(*column))).collect();
        let fail = |failure| query_failure(name, failure);
        let table = async { self.context.table(name).await?.select(wanted) };
        let table = in_file_order(self.runtime.block_on(table).map_err(fail)?);
        let plan = self.runtime.block_on(table.create_physical_plan()).map_err(fail)?;
        let _inside = self.runtime.enter();
        for mut stream in self.streams(plan).map_err(fail)? {
            while let Some(batch) = self.runtime.block_on(stream.next()) {
                if take(Frame::of_batch(batch.map_err(fail)?))?.is_break() {
                    return Ok(());
                }
            }
        }
        Ok(())
    }

    /// Folds the rows of a read-only statement over `name`, some thousand at a time, into as many results as there are
    /// threads: which rows come into which is not defined, so what is folded must not hang on it.
    ///
    /// # Errors
    /// Those of [`Engine::query`]; those of `fold`.
    pub fn fold_pieces<T: Default + Send>(
        &self,
        name: &str,
        sql: &str,
        fold: impl Fn(&mut T, Frame) -> Result<()> + Sync,
    ) -> Result<Vec<T>> {
        let fail = |failure| query_failure(name, failure);
        let rows = self.plan(sql, &BTreeMap::new()).map_err(|error| error.context(name))?;
        let plan = self.runtime.block_on(rows.create_physical_plan()).map_err(fail)?;
        let left = Mutex::new(self.streams(plan).map_err(fail)?.into_iter());
        let next = || left.lock().unwrap_or_else(PoisonError::into_inner).next();
        let of_thread = || -> Result<T> {
            let mut folded = T::default();
            let _inside = self.runtime.enter();
            while let Some(mut stream) = next() {
                while let Some(batch) = self.runtime.block_on(stream.next()) {
                    fold(&mut folded, Frame::of_batch(batch.map_err(fail)?))?;
                }
            }
            Ok(folded)
        };
        std::thread::scope(|scope| {
            let threads: Vec<_> = (0..self.threads()).map(|_| scope.spawn(of_thread)).collect();
            let joined = threads.into_iter().map(|thread| {
                thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
            });
            joined.collect()
        })
    }

    /// The streams of a plan, which read in the background: to be read inside the runtime.
    fn streams(
        &self,
        plan: Arc<dyn ExecutionPlan>,
    ) -> std::result::Result<Vec<SendableRecordBatchStream>, DataFusionError> {
        let _inside = self.runtime.enter();
        execute_stream_partitioned(plan, self.context.task_ctx())
    }
}

/// The same rows, one partition a file: where a file's types are not those of its siblings, its batches would else be
/// dealt out to the threads that cast them, and come back in another order.
pub(crate) fn in_file_order(table: DataFrame) -> DataFrame {
    let (mut state, plan) = table.into_parts();
    state.config_mut().options_mut().optimizer.enable_round_robin_repartition = false;
    DataFrame::new(state, plan)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{ColumnData, EngineOptions, FileSet, Location};

    #[test]
    fn pieces_are_the_rows_in_order_and_end_when_enough_is_known() {
        let folder = tempfile::tempdir().unwrap();
        let engine = Engine::new(EngineOptions::default()).unwrap();
        let store = engine.store(&Location::new(".", folder.path()).unwrap()).unwrap();
        let rows: i64 = 50_000;
        for (path, from) in [("t/a.parquet", 0), ("t/b.parquet", rows), ("t/c.parquet", rows * 2)] {
            let numbers: Vec<i64> = (from..from + rows).collect();
            let words = numbers.iter().map(|number| format!("w{number}")).collect::<Vec<_>>();
            let frame = Frame::of(vec![("number", numbers.into()), ("word", words.into())]);
            store.put_table(path, &frame.unwrap()).unwrap();
        }
        let location = Location::new("t", folder.path()).unwrap();
        engine.attach("t", &FileSet { location, format: None }).unwrap();
        let (mut words, mut longest) = (Vec::new(), 0);
        let whole = engine.pieces("t", &["word"], |piece| {
            assert_eq!(piece.columns(), ["word"]);
            longest = longest.max(piece.rows());
            words.extend(piece.text("word")?);
            Ok(ControlFlow::Continue(()))
        });
        whole.unwrap();
        assert!(longest < rows as usize, "{longest}");
        assert_eq!(words, (0..rows * 3).map(|number| format!("w{number}")).collect::<Vec<_>>());
        let mut seen = 0;
        let first = engine.pieces("t", &["number"], |_| {
            seen += 1;
            Ok(ControlFlow::Break(()))
        });
        first.unwrap();
        assert_eq!(seen, 1);
        for (table, column) in [("t", "nothing"), ("nowhere", "number")] {
            let error = engine.pieces(table, &[column], |_| Ok(ControlFlow::Continue(())));
            assert_eq!(error.unwrap_err().code(), "T0901", "{table} {column}");
        }
    }

    #[test]
    fn every_row_is_folded_once_on_any_number_of_threads() {
        for threads in [1, 2, 5] {
            let options = EngineOptions { threads, ..EngineOptions::default() };
            let engine = Engine::new(options).unwrap();
            let numbers: Vec<i64> = (0..100_000).collect();
            engine.register("t", &Frame::of(vec![("n", numbers.into())]).unwrap()).unwrap();
            let sql = "select n from t where n % 2 = 1";
            let sums = engine.fold_pieces("t", sql, |sum: &mut i64, rows| {
                *sum += rows.i64("n")?.iter().sum::<i64>();
                Ok(())
            });
            let sums = sums.unwrap();
            assert_eq!((sums.len(), sums.iter().sum::<i64>()), (threads, 2_500_000_000));
            let refused = engine.fold_pieces("t", sql, |_: &mut (), rows| rows.i64("m").map(drop));
            assert_eq!(refused.unwrap_err().code(), "T0910");
        }
    }

    #[test]
    fn rows_come_in_order_when_the_types_of_files_differ() {
        let folder = tempfile::tempdir().unwrap();
        let options = EngineOptions { threads: 2, ..EngineOptions::default() };
        let engine = Engine::new(options).unwrap();
        let store = engine.store(&Location::new(".", folder.path()).unwrap()).unwrap();
        let rows: i32 = 50_000;
        let narrow: Vec<i32> = (0..rows).collect();
        let wide: Vec<i64> = (rows..rows * 2).map(i64::from).collect();
        let files: [(&str, ColumnData); 2] =
            [("t/a.parquet", narrow.into()), ("t/b.parquet", wide.into())];
        for (path, numbers) in files {
            store.put_table(path, &Frame::of(vec![("number", numbers)]).unwrap()).unwrap();
        }
        let location = Location::new("t", folder.path()).unwrap();
        engine.attach("t", &FileSet { location, format: None }).unwrap();
        let mut found = Vec::new();
        let whole = engine.pieces("t", &["number"], |piece| {
            found.extend(piece.i64("number")?);
            Ok(ControlFlow::Continue(()))
        });
        whole.unwrap();
        let expect: Vec<i64> = (0..i64::from(rows) * 2).collect();
        assert!(found == expect, "{} rows in pieces", found.len());
        assert!(engine.table("t").unwrap().i64("number").unwrap() == expect, "the whole table");
    }
}
