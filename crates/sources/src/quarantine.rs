//! Where do rows go that fail, and how are they found again?

use std::collections::{BTreeMap, BTreeSet};

use tercet_engine::{ColumnData, Engine, Frame};
use tercet_types::Result;

use crate::inputs::relative;
use crate::mapping;
use crate::spec::Sources;
use crate::table::{Table, numbers};

/// File, row and raw text of a rejected row.
#[derive(Clone)]
struct Place {
    source: String,
    file: String,
    row: i64,
    raw: String,
}

/// A rejected row and all that is known of it.
pub(crate) struct Rejected {
    table: &'static str,
    number: i64,
    check: &'static str,
    reason: String,
    place: Option<Place>,
}

/// The rejected rows of tables.
pub(crate) fn rows<'a>(
    engine: &Engine,
    sources: &Sources,
    tables: impl Iterator<Item = &'a Table>,
) -> Result<Vec<Rejected>> {
    let mut rows = Vec::new();
    for table in tables.filter(|table| !table.rejects.is_empty()) {
        let places = places(engine, sources, table)?;
        rows.extend(table.rejects.iter().map(|reject| Rejected {
            table: table.schema.name,
            number: reject.number,
            check: reject.check,
            reason: reject.reason.clone(),
            place: places.get(&reject.number).cloned(),
        }));
    }
    Ok(rows)
}

/// Rejected rows as a table, in order of table and row.
pub(crate) fn frame(mut rejected: Vec<Rejected>) -> Result<Frame> {
    rejected.sort_by_key(|row| (row.table, row.number));
    let text = |of: fn(&Rejected) -> &str| -> ColumnData {
        rejected.iter().map(|row| of(row).to_owned()).collect::<Vec<String>>().into()
    };
    let placed = |of: fn(&Place) -> &String| -> ColumnData {
        let of_row = |row: &Rejected| row.place.as_ref().map(|place| of(place).clone());
        rejected.iter().map(of_row).collect::<Vec<Option<String>>>().into()
    };
    let rows = rejected.iter().map(|row| row.place.as_ref().map(|place| place.row));
    Frame::of(vec![
        ("table", text(|row| row.table)),
        ("check", text(|row| row.check)),
        ("reason", text(|row| &row.reason)),
        ("source", placed(|place| &place.source)),
        ("source_file", placed(|place| &place.file)),
        ("source_row", rows.collect::<Vec<Option<i64>>>().into()),
        ("raw", placed(|place| &place.raw)),
    ])
}

/// Reads the rejected rows of a table once more, as the shop wrote them.
fn places(engine: &Engine, sources: &Sources, table: &Table) -> Result<BTreeMap<i64, Place>> {
    let bad: BTreeSet<i64> = table.rejects.iter().map(|reject| reject.number).collect();
    engine.register("_bad", &numbers(bad.into_iter())?)?;
    let mut places = BTreeMap::new();
    for (raw, mapping) in &table.sources {
        let sql = mapping::raw_rows(sources, raw, mapping, table.schema.name, "_bad");
        let frame = engine.query(&sql, &BTreeMap::new())?;
        let (file, row) = (frame.text("source_file")?, frame.i64("source_row")?);
        let text = frame.text("raw")?;
        for (((number, file), row), raw_text) in
            frame.i64("_n")?.into_iter().zip(file).zip(row).zip(text)
        {
            let file = relative(sources, file);
            places.insert(number, Place { source: raw.label.clone(), file, row, raw: raw_text });
        }
    }
    engine.forget("_bad")?;
    Ok(places)
}
