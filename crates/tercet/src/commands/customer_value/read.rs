//! How does a table of purchases become histories of customers?

use tercet_models::customer_value::{CustomerHistory, histories};
use tercet_models::{Purchase, Purchases};
use tercet_types::{DAYS_PER_WEEK, Date, Error, Result};

use super::CustomerValueArguments;
use crate::commands::uplift::table::{Table, day};

/// Values are added up in millionths, exactly.
const PARTS: f64 = 1e6;

/// The largest value of a purchase, of either sign: as many as there are can be added up.
const VALUE_MAX: f64 = 1e9;

/// What is known of the customers who bought something.
pub(super) struct Known {
    /// Their ids, in ascending order.
    pub(super) ids: Vec<String>,
    /// Their histories, in weeks.
    pub(super) histories: Vec<CustomerHistory>,
    /// The last day that was observed.
    pub(super) until: Date,
    /// Customers who, on each day until then, gave back more than they bought, or did nothing.
    pub(super) without_purchase: usize,
}

impl Known {
    /// How many came back.
    pub(super) fn repeat_buyers(&self) -> usize {
        self.histories.iter().filter(|one| one.frequency > 0).count()
    }
}

/// Reads purchases, and adds them up.
///
/// # Errors
/// `T1061` for a column that is not there, `T1062` for a value that is no number, `T1085` for a row without
/// customer or day, for a value beyond what can be added up, and where no purchase is left.
pub(super) fn read(table: &Table, verb: &CustomerValueArguments) -> Result<Known> {
    let cells = table.cells(&verb.customer)?;
    let customers = named(&verb.customer, &cells, "customer", |cell| Some(cell.to_owned()))?;
    drop(cells);
    let days = named(&verb.date, &table.cells(&verb.date)?, "day", day)?;
    let values = table.numbers(&verb.value)?;
    if let Some(row) = values.iter().position(|value| value.abs() > VALUE_MAX) {
        return Err(Error::data(
            "T1085",
            format!("column '{}': row {} is {}", verb.value, row + 1, values[row]),
        )
        .hint("give values in a larger unit: none may exceed 1,000,000,000"));
    }
    let Some(last) = verb.until.or_else(|| days.iter().max().copied()) else {
        return Err(Error::data("T1085", format!("{}: there are no purchases", verb.data))
            .hint("give a table with a row per purchase"));
    };
    let mut ids: Vec<&String> = customers.iter().collect();
    ids.sort_unstable();
    ids.dedup();
    let mut lines = Vec::with_capacity(days.len());
    for ((customer, day), value) in customers.iter().zip(&days).zip(&values) {
        // Every id is in the list that was made of them.
        let Ok(place) = ids.binary_search(&customer) else { continue };
        let spend_minor = (value * PARTS).round() as i64;
        let line = Purchase { day: day.days(), order: 0, product: 0, spend_minor };
        lines.push((place as u32, line));
    }
    let purchases = Purchases::new(ids.len(), 1, lines)?;
    let all = histories(&purchases, last.days() + 1, f64::from(DAYS_PER_WEEK));
    let (mut known, mut found) = (Vec::new(), Vec::new());
    for (id, history) in ids.iter().zip(all) {
        if let Some(history) = history {
            known.push((*id).clone());
            found.push(CustomerHistory { mean_value: history.mean_value / PARTS, ..history });
        }
    }
    Ok(Known {
        without_purchase: ids.len() - known.len(),
        ids: known,
        histories: found,
        until: last,
    })
}

/// What every cell of a column says.
fn named<T>(
    column: &str,
    cells: &[Option<String>],
    what: &str,
    said: impl Fn(&str) -> Option<T>,
) -> Result<Vec<T>> {
    let told = |(row, cell): (usize, &Option<String>)| {
        cell.as_deref().and_then(&said).ok_or_else(|| {
            let shown = cell.as_deref().unwrap_or("nothing");
            Error::data(
                "T1085",
                format!("column '{column}': row {} names no {what}: {shown}", row + 1),
            )
            .hint(match what {
                "day" => "write days as YYYY-MM-DD or YYYYMMDD; a time may follow",
                _ => "leave these rows out, or name their customer",
            })
        })
    };
    cells.iter().enumerate().map(told).collect()
}
