//! Where do rows go that fail, and how are they found again?

use std::collections::{BTreeMap, BTreeSet};

use tercet_engine::{ColumnData, Engine, Frame};
use tercet_types::Result;

use crate::inputs::relative;
use crate::mapping;
use crate::spec::Sources;
use crate::table::{Table, numbers};

/// File, row and raw text of a rejected row.
struct Place {
    source: String,
    file: String,
    row: i64,
    raw: String,
}

/// The quarantine of all tables, in order of table and row.
pub(crate) fn build<'a>(
    engine: &Engine,
    sources: &Sources,
    tables: impl Iterator<Item = &'a Table>,
) -> Result<Frame> {
    let (mut table_names, mut checks, mut reasons) = (Vec::new(), Vec::new(), Vec::new());
    let (mut labels, mut files, mut rows, mut raws) =
        (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for table in tables.filter(|table| !table.rejects.is_empty()) {
        let places = places(engine, sources, table)?;
        let mut rejects: Vec<_> = table.rejects.iter().collect();
        rejects.sort_by_key(|reject| reject.number);
        for reject in rejects {
            let place = places.get(&reject.number);
            table_names.push(table.schema.name.to_owned());
            checks.push(reject.check.to_owned());
            reasons.push(reject.reason.clone());
            labels.push(place.map(|place| place.source.clone()));
            files.push(place.map(|place| place.file.clone()));
            rows.push(place.map(|place| place.row));
            raws.push(place.map(|place| place.raw.clone()));
        }
    }
    Frame::of(vec![
        ("table", ColumnData::from(table_names)),
        ("check", ColumnData::from(checks)),
        ("reason", ColumnData::from(reasons)),
        ("source", ColumnData::from(labels)),
        ("source_file", ColumnData::from(files)),
        ("source_row", ColumnData::from(rows)),
        ("raw", ColumnData::from(raws)),
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
