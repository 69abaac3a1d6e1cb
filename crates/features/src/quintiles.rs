//! Into which fifth of all customers does each fall?
//!
//! A window function of SQL holds all rows at once and hands them on as one batch, which no sort behind it can put on
//! disk; what ranks need is one number a row.

use rayon::prelude::*;
use tercet_engine::Frame;
use tercet_types::Result;

/// Adds `r_quintile`, `f_quintile` and `m_quintile` to a table with `customer_id`, `recency_days`, `frequency` and
/// `monetary_minor`: 5 for those who bought last, most often, and for most. Of equals the smaller id comes first, so
/// that ties always fall the same way, and fifths that are not even have one more in front: SQL's `ntile(5)`.
///
/// # Errors
/// The engine's own, for a column that is not there.
pub(crate) fn with_quintiles(facts: &Frame) -> Result<Frame> {
    let ids = facts.text("customer_id")?;
    let mut by_id: Vec<u32> = (0..ids.len() as u32).collect();
    by_id.par_sort_unstable_by(|one, other| ids[*one as usize].cmp(&ids[*other as usize]));
    let recency: Vec<i64> = facts.i32("recency_days")?.into_iter().map(|d| -i64::from(d)).collect();
    let quintiles = |values: &[i64]| -> Vec<i32> {
        // Each with the place of its id: no two are equal.
        let mut order: Vec<(i64, u32)> =
            (0..).zip(&by_id).map(|(at, row)| (values[*row as usize], at)).collect();
        order.par_sort_unstable();
        let mut found = vec![0; values.len()];
        for (rank, (_, at)) in order.into_iter().enumerate() {
            found[by_id[at as usize] as usize] = quintile(rank, values.len());
        }
        found
    };
    let (frequency, monetary) = (facts.i64("frequency")?, facts.i64("monetary_minor")?);
    facts.with(vec![
        ("r_quintile", quintiles(&recency).into()),
        ("f_quintile", quintiles(&frequency).into()),
        ("m_quintile", quintiles(&monetary).into()),
    ])
}

/// The fifth, from 1, of a rank, from 0, among so many.
fn quintile(rank: usize, of: usize) -> i32 {
    let (size, longer) = (of / 5, of % 5);
    let in_longer = (size + 1) * longer;
    let bucket =
        if rank < in_longer { rank / (size + 1) } else { longer + (rank - in_longer) / size };
    bucket as i32 + 1
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use tercet_engine::{Engine, EngineOptions};

    use super::*;

    #[test]
    fn fifths_are_those_of_sql() {
        for rows in [0, 1, 4, 5, 13, 997] {
            let number = |row: usize, by: usize| ((row * 7_919 + by * 31) % (17 + by)) as i64;
            let column = |by: usize| (0..rows).map(|row| number(row, by)).collect::<Vec<i64>>();
            let ids = (0..rows).map(|row| Some(format!("c{}", (row * 577) % 1_009)));
            let facts = Frame::of(vec![
                ("customer_id", ids.collect::<Vec<_>>().into()),
                (
                    "recency_days",
                    column(3).into_iter().map(|d| d as i32).collect::<Vec<_>>().into(),
                ),
                ("frequency", column(5).into()),
                ("monetary_minor", column(90).into()),
            ])
            .unwrap();
            let engine = Engine::new(EngineOptions::default()).unwrap();
            engine.register("facts", &with_quintiles(&facts).unwrap()).unwrap();
            let sql = "select count(*) as wrong from (
                select *,
                  ntile(5) over (order by recency_days desc, customer_id) as r,
                  ntile(5) over (order by frequency, customer_id) as f,
                  ntile(5) over (order by monetary_minor, customer_id) as m
                from facts)
              where r <> r_quintile or f <> f_quintile or m <> m_quintile";
            let wrong = engine.query(sql, &BTreeMap::new()).unwrap();
            assert_eq!(wrong.i64("wrong").unwrap(), [0], "{rows}");
        }
    }
}
