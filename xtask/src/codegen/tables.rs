//! What does the page of tables say?

use std::fmt::Write;
use std::path::Path;

use tercet_types::tables::{TableSchema, assignments, decisions, scores, sources};

use super::cell;

const INTRODUCTION: &str = "\
<!-- Written by 'cargo xtask codegen' from crates/types/src/tables. -->

# Tables

The data contracts: what a shop brings, and what stages hand each other.
Types are SQL types.
A timestamp has no zone: it is the wall time of the project's time zone.
Amounts are minor units of the project's currency (cents) and end in `_minor`; shares end in `_rate` and lie between 0 and 1.
A *required* column must be mapped and carry a value in every row; a row that lacks it goes to quarantine.
Columns that are not listed may be mapped too: they travel on as extra columns, for profiles, noise rules and predicates.
";

/// The whole page.
pub(super) fn page(_root: &Path) -> String {
    let mut page = INTRODUCTION.to_owned();
    page.push_str("\n## What the shop brings\n\n");
    let needed: Vec<String> = sources::NEEDED.iter().map(|name| format!("`{name}`")).collect();
    let _ = writeln!(page, "A project cannot run without {}.", needed.join(", "));
    page.push_str("The other tables are used when they are there.\n");
    page.push_str("A reference that leads nowhere fails its contract:\n\n| column | must be in |\n|---|---|\n");
    for (table, column, other, key) in sources::REFERENCES {
        let _ = writeln!(page, "| `{table}.{column}` | `{other}.{key}` |");
    }
    for schema in sources::ALL {
        table(&mut page, schema);
    }
    page.push_str("\n## What stages hand each other\n");
    for schema in
        [&scores::SCORES, &assignments::ASSIGNMENTS, &decisions::DECISIONS, &decisions::OFFERS]
    {
        table(&mut page, schema);
    }
    page
}

fn table(page: &mut String, schema: &TableSchema) {
    let _ = writeln!(page, "\n### {}\n", schema.name);
    let _ = write!(page, "Grain: {}.", schema.grain);
    if !schema.key.is_empty() {
        let key: Vec<String> = schema.key.iter().map(|name| format!("`{name}`")).collect();
        let _ = write!(page, " Key: {}.", key.join(", "));
    }
    if let Some(column) = sources::as_of_column(schema.name) {
        let _ = write!(page, " As-of column: `{}`.", column.name);
    }
    page.push_str("\n\n| column | type | required | what it holds |\n|---|---|---|---|\n");
    for column in schema.columns {
        let required = if column.required { "yes" } else { "" };
        let _ = writeln!(
            page,
            "| `{}` | {} | {required} | {} |",
            column.name,
            column.ty.sql(),
            cell(column.doc),
        );
    }
}
