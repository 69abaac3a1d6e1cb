//! How do returns and cancellations net against their orders?

use std::collections::BTreeMap;

use tercet_engine::{ColumnData, Engine, Frame};
use tercet_types::Result;

use super::returns_match::{Netting, Return, Sale, net as match_returns};
use crate::expression::{fill, ident};
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
    engine.register("_netted", &frame(&netting)?)?;
    let columns: Vec<String> = engine
        .columns("_in_transactions")?
        .into_iter()
        .map(|column| match column.name.as_str() {
            "quantity" | "amount_minor" | "original_order_id" => {
                format!("coalesce(n.{0}, t.{0}) as {0}", column.name)
            }
            "kind" => {
                "coalesce(t.kind, case when n.is_return then 'return' end) as kind".to_owned()
            }
            name => format!("t.{}", ident(name)),
        })
        .collect();
    let sql = fill(include_str!("../../sql/netted.sql"), &[("columns", &columns.join(", "))]);
    engine.create("_in_transactions", &sql, &none)?;
    engine.forget("_netted")?;
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

fn frame(netting: &Netting) -> Result<Frame> {
    let lines = || netting.changed.values();
    Frame::of(vec![
        ("_n", ColumnData::from(lines().map(|line| line.number).collect::<Vec<i64>>())),
        ("quantity", ColumnData::from(lines().map(|line| line.quantity).collect::<Vec<f64>>())),
        (
            "amount_minor",
            ColumnData::from(lines().map(|line| line.amount_minor).collect::<Vec<i64>>()),
        ),
        (
            "original_order_id",
            ColumnData::from(
                lines().map(|line| line.original.clone()).collect::<Vec<Option<String>>>(),
            ),
        ),
        ("gone", ColumnData::from(lines().map(|line| line.gone).collect::<Vec<bool>>())),
        ("is_return", ColumnData::from(lines().map(|line| line.is_return).collect::<Vec<bool>>())),
    ])
}
