//! How do returns and cancellations net against their orders?

use std::collections::BTreeMap;

use tercet_engine::{ColumnData, Engine, Frame};
use tercet_types::Result;

use super::returns_match::{Netting, Return, Sale, net as match_returns};
use crate::table::Table;

/// Nets the returns of the transactions; see [`match_returns`] for the rule.
pub(super) fn net(engine: &Engine, table: &mut Table) -> Result<()> {
    let none = BTreeMap::new();
    let back = engine.query(include_str!("../../sql/returns.sql"), &none)?;
    if back.rows() == 0 {
        return Ok(());
    }
    engine.register("_returns", &back)?;
    let sold = engine.query(include_str!("../../sql/returnable.sql"), &none)?;
    engine.forget("_returns")?;
    let netting = match_returns(&sales(&sold)?, &returns(&back)?);
    let netted = netted(&engine.table(&table.working)?, &netting)?;
    engine.lend(&table.working, &netted)?;
    let Netting { merged, linked, unmatched, .. } = netting;
    for (rows, detail) in [
        (merged, "netted with a purchase of the same day"),
        (linked, "kept as negative lines that name the purchase they take back"),
        (unmatched, "kept as negative lines without a purchase"),
    ] {
        if rows > 0 {
            table.tell("returns", rows, detail.to_owned());
        }
    }
    Ok(())
}

fn sales(frame: &Frame) -> Result<Vec<Sale>> {
    let (number, order, customer, product) = (
        frame.i64("_n")?,
        frame.text("order_id")?,
        frame.text("customer_id")?,
        frame.text("product_id")?,
    );
    let (day, micros) = (frame.date("day")?, frame.i64("micros")?);
    let (quantity, amount_minor) = (frame.f64("quantity")?, frame.i64("amount_minor")?);
    Ok((0..frame.rows())
        .map(|i| Sale {
            number: number[i],
            order: order[i].clone(),
            customer: customer[i].clone(),
            product: product[i].clone(),
            day: day[i].days(),
            micros: micros[i],
            quantity: quantity[i],
            amount_minor: amount_minor[i],
        })
        .collect())
}

fn returns(frame: &Frame) -> Result<Vec<Return>> {
    let original = frame.text_or_null("original_order_id")?;
    Ok(sales(frame)?
        .into_iter()
        .zip(original)
        .map(|(line, original)| Return {
            number: line.number,
            order: line.order,
            original,
            customer: line.customer,
            product: line.product,
            day: line.day,
            micros: line.micros,
            quantity: line.quantity,
            amount_minor: line.amount_minor,
        })
        .collect())
}

/// The order lines with their changes.
fn netted(lines: &Frame, netting: &Netting) -> Result<Frame> {
    let numbers = lines.i64("_n")?;
    let (mut quantity, mut amount) = (lines.f64("quantity")?, lines.i64("amount_minor")?);
    let (mut original, mut originals) = lines.codes("original_order_id")?;
    let (mut kind, mut kinds) = lines.codes("kind")?;
    kinds.push("return".to_owned());
    let a_return = Some(kinds.len() as u32 - 1);
    let mut keep = vec![true; lines.rows()];
    for (row, number) in numbers.iter().enumerate() {
        let Some(line) = netting.changed.get(number) else { continue };
        keep[row] = !line.gone;
        (quantity[row], amount[row]) = (line.quantity, line.amount_minor);
        if let Some(order) = &line.original {
            originals.push(order.clone());
            original[row] = Some(originals.len() as u32 - 1);
        }
        if line.is_return {
            kind[row] = kind[row].or(a_return);
        }
    }
    lines
        .with(vec![
            ("quantity", quantity.into()),
            ("amount_minor", amount.into()),
            ("original_order_id", ColumnData::Codes(original, originals)),
            ("kind", ColumnData::Codes(kind, kinds)),
        ])?
        .filter(&keep)
}
