//! Which SQL turns a shop's columns into a canonical table?
//!
//! This file and `cast` write SQL. A source is read by three nested selections: the shop's expressions
//! (`s:…`), those cast to canonical types with a word about each cell that does not fit (`_type_issue`
//! and so on), and the pseudonyms.

use std::collections::{BTreeMap, BTreeSet};

use tercet_engine::Engine;
use tercet_types::tables::{TableSchema, Type};
use tercet_types::{Error, Result};

use crate::cast::{cast_to, in_words, is_text, may_fail, sql_type};
use crate::expression::{ident, lenient, literal, may_give_null, nearest, reads};
use crate::raw::Raw;
use crate::spec::{SourceSpec, Sources};
use crate::{alias, pseudonym};

/// The columns that a mapped table carries beside its own.
pub(crate) const NUMBER: &str = "_n";
/// Why a cell could not be cast.
pub(crate) const TYPE_ISSUE: &str = "_type_issue";
/// Why a number is out of any range.
pub(crate) const RANGE_ISSUE: &str = "_range_issue";
/// Which id is too long.
pub(crate) const ID_ISSUE: &str = "_id_issue";
/// Which noise rule holds.
pub(crate) const NOISE_ISSUE: &str = "_noise_issue";
/// All of these; a mapped table has those that can be anything but null.
pub(crate) const ISSUES: [&str; 4] = [TYPE_ISSUE, RANGE_ISSUE, ID_ISSUE, NOISE_ISSUE];

/// How to read a source as a mapped table.
#[derive(Clone, Debug)]
pub(crate) struct Statement {
    pub sql: String,
    /// Its columns with issues.
    pub issues: Vec<&'static str>,
}

/// One column of the mapped table.
#[derive(Debug)]
struct Mapped {
    name: String,
    /// SQL over the source's columns; `None` gives nulls.
    sql: Option<String>,
    /// Source columns it reads.
    reads: BTreeSet<String>,
    /// The canonical type; extra columns keep the source's.
    ty: Option<Type>,
    /// True when a null result where all its columns hold values means that a cell could not be cast.
    strict: bool,
}

/// How one source is read.
#[derive(Debug)]
pub(crate) struct Mapping {
    columns: Vec<Mapped>,
    filter: Option<String>,
}

impl Mapping {
    /// Source columns that are read by anything.
    pub(crate) fn used(&self, names: &BTreeSet<String>) -> BTreeSet<String> {
        let filtered = self.filter.iter().flat_map(|filter| reads(filter, names));
        self.columns.iter().flat_map(|column| column.reads.clone()).chain(filtered).collect()
    }

    /// Names of the columns that are not canonical.
    pub(crate) fn extras(&self) -> Vec<String> {
        self.columns.iter().filter(|c| c.ty.is_none()).map(|c| c.name.clone()).collect()
    }

    pub(crate) fn filter(&self) -> Option<&str> {
        self.filter.as_deref()
    }
}

/// Finds out where every canonical column comes from.
///
/// # Errors
/// `T0203` when a required column has no source or a mapped one is not there.
pub(crate) fn resolve(raw: &Raw, spec: &SourceSpec, schema: &TableSchema) -> Result<Mapping> {
    let names = raw.names();
    let whole = |name: &str| (ident(name), BTreeSet::from([name.to_owned()]), true);
    let given = |text: &str| -> Result<(String, BTreeSet<String>, bool)> {
        let text = text.trim();
        if names.contains(text) {
            return Ok(whole(text));
        }
        let bare = text.chars().all(|c| c.is_alphanumeric() || c == '_')
            && text.chars().next().is_some_and(|c| c.is_alphabetic() || c == '_')
            && !["null", "true", "false"].iter().any(|word| text.eq_ignore_ascii_case(word));
        if bare {
            return Err(missing(raw, schema.name, text));
        }
        Ok((lenient(text)?, reads(text, &names), !may_give_null(text)))
    };
    let mut columns = Vec::new();
    for column in schema.columns {
        let found = if let Some(text) = spec.columns.get(column.name) {
            Some(given(text)?)
        } else if names.contains(column.name) {
            Some(whole(column.name))
        } else {
            alias::of(schema.name, column.name).find(|(source, _)| names.contains(*source)).map(
                |(source, sql)| {
                    (
                        sql.replace("{}", &ident(source)),
                        BTreeSet::from([source.to_owned()]),
                        sql == "{}",
                    )
                },
            )
        };
        if found.is_none() && column.required {
            let near = nearest(column.name, names.iter().map(String::as_str));
            return Err(Error::data(
                "T0203",
                format!(
                    "{}: no column gives '{}'; the source has {}",
                    raw.label,
                    column.name,
                    listed(&names)
                ),
            )
            .hint(format!(
                "map it under columns: {} = \"{}\"",
                column.name,
                near.unwrap_or("<column or SQL expression>")
            )));
        }
        let (sql, reads, strict) = found
            .map_or((None, BTreeSet::new(), false), |(sql, reads, strict)| {
                (Some(sql), reads, strict)
            });
        columns.push(Mapped {
            name: column.name.to_owned(),
            sql,
            reads,
            ty: Some(column.ty),
            strict,
        });
    }
    for (name, text) in &spec.columns {
        if schema.column(name).is_some() {
            continue;
        }
        if name.starts_with('_') || name.is_empty() {
            return Err(Error::config(
                "T0201",
                format!("{}: column name '{name}' is reserved", raw.label),
            )
            .hint("extra columns may not start with '_'"));
        }
        let (sql, reads, _) = given(text)?;
        columns.push(Mapped { name: name.clone(), sql: Some(sql), reads, ty: None, strict: false });
    }
    let filter = spec.filter.as_deref().map(lenient).transpose()?;
    Ok(Mapping { columns, filter })
}

fn listed(names: &BTreeSet<String>) -> String {
    const SHOWN_MAX: usize = 40;
    let shown: Vec<&str> = names.iter().take(SHOWN_MAX).map(String::as_str).collect();
    let more = if names.len() > SHOWN_MAX { ", …" } else { "" };
    format!("{}{more}", shown.join(", "))
}

fn missing(raw: &Raw, table: &str, name: &str) -> Error {
    let names = raw.names();
    let error = Error::data(
        "T0203",
        format!("{}: column '{name}' is missing; the source has {}", raw.label, listed(&names)),
    );
    match nearest(name, names.iter().map(String::as_str)) {
        Some(near) => {
            error.hint(format!("did you mean '{near}'? then write it in the columns of {table}"))
        }
        None => error.hint(format!("write a column that is there in the columns of {table}")),
    }
}

/// Turns the engine's "no such column" into the named error.
fn planning_failure(raw: &Raw, table: &str, error: Error) -> Error {
    let text = error.to_string();
    if let Some((_, rest)) = text.split_once("No field named ") {
        let name: String = rest
            .trim_start_matches('"')
            .chars()
            .take_while(|c| c.is_alphanumeric() || *c == '_' || *c == ' ')
            .collect();
        return missing(raw, table, name.trim()).cause(error);
    }
    if text.contains("Cannot coerce") || text.contains("coerce") {
        return Error::config("T0202", format!("{}: {text}", raw.label))
            .hint("the columns of a CSV file are text: write cast(x as double) in expressions")
            .cause(error);
    }
    error.context(&raw.label)
}

/// The innermost selection: the shop's own expressions.
fn selection(mapping: &Mapping, raw: &Raw) -> String {
    let mut parts: Vec<String> = mapping
        .columns
        .iter()
        .filter_map(|column| {
            let sql = column.sql.as_ref()?;
            Some(format!("(\n{sql}\n) as {}", ident(&format!("s:{}", column.name))))
        })
        .collect();
    // An expression that must not give null says so where its own columns are still in sight.
    for column in mapping.columns.iter().filter(|column| counts_as_failed(column)) {
        let full: Vec<String> =
            column.reads.iter().map(|name| format!("{} is not null", ident(name))).collect();
        parts.push(format!("({}) as {}", full.join(" and "), ident(&format!("f:{}", column.name))));
    }
    parts.push(format!("{} as {NUMBER}", raw.number));
    let filter = mapping.filter.as_ref().map(|filter| format!(" where (\n{filter}\n)"));
    format!("select {} from {}{}", parts.join(", "), raw.from, filter.unwrap_or_default())
}

/// True for expressions with a lenient cast inside, whose failure would else look like a null.
fn counts_as_failed(column: &Mapped) -> bool {
    column.strict
        && !column.reads.is_empty()
        && column.sql.as_ref().is_some_and(|sql| sql.contains("try_cast"))
}

/// SQL over the source's columns that gives a canonical column of texts, before it is hidden behind a
/// pseudonym; nothing when the source does not give it.
///
/// # Errors
/// As [`statement`].
pub(crate) fn text_of(
    engine: &Engine,
    raw: &Raw,
    table: &str,
    mapping: &Mapping,
    column: &str,
) -> Result<Option<String>> {
    let found = mapping.columns.iter().find(|mapped| mapped.name == column);
    let Some(sql) = found.and_then(|mapped| mapped.sql.as_ref()) else { return Ok(None) };
    let sample = engine
        .query(&format!("select (\n{sql}\n) as x from {} limit 0", raw.from), &BTreeMap::new())
        .map_err(|error| planning_failure(raw, table, error))?;
    engine.register("_types", &sample)?;
    let types = engine.columns("_types")?;
    engine.forget("_types")?;
    let ty = types.first().map_or("Null", |column| column.ty.as_str());
    Ok(Some(cast_to(Type::Text, &format!("(\n{sql}\n)"), ty, "UTC")))
}

/// The statement that reads a source as a mapped table.
///
/// # Errors
/// `T0203` for an expression over a column that is not there, `T0202` for one that cannot be typed.
pub(crate) fn statement(
    engine: &Engine,
    sources: &Sources,
    raw: &Raw,
    spec: &SourceSpec,
    schema: &TableSchema,
    mapping: &Mapping,
) -> Result<Statement> {
    let inner = selection(mapping, raw);
    let none = BTreeMap::new();
    let fail = |error| planning_failure(raw, schema.name, error);
    let sample =
        engine.query(&format!("select * from (\n{inner}\n) limit 0"), &none).map_err(fail)?;
    engine.register("_types", &sample)?;
    let types: BTreeMap<String, String> =
        engine.columns("_types")?.into_iter().map(|column| (column.name, column.ty)).collect();
    engine.forget("_types")?;

    let mut typed = vec![NUMBER.to_owned()];
    let (mut type_issues, mut range_issues, mut id_issues) =
        (String::new(), String::new(), String::new());
    let mut last = vec![NUMBER.to_owned()];
    for column in &mapping.columns {
        let name = ident(&column.name);
        let source = ident(&format!("s:{}", column.name));
        let ty = types.get(&format!("s:{}", column.name)).map_or("Null", String::as_str);
        let Some(want) = column.ty else {
            let plain = if is_text(ty) { format!("cast({source} as varchar)") } else { source };
            typed.push(format!("{plain} as {name}"));
            last.push(hidden(sources, schema.name, &column.name, &name));
            continue;
        };
        if column.sql.is_none() {
            typed.push(format!("cast(null as {}) as {name}", sql_type(want)));
            last.push(name);
            continue;
        }
        typed.push(format!("{} as {name}", cast_to(want, &source, ty, &sources.time_zone)));
        let shown = format!("substr(cast({source} as varchar), 1, 60)");
        if may_fail(want, ty) {
            typed.push(source.clone());
            let filled = if is_text(ty) {
                format!("trim({source}) <> ''")
            } else {
                format!("{source} is not null")
            };
            let (number, infinite) =
                (matches!(want, Type::F64 | Type::I64 | Type::I32), "'Infinity'");
            if number {
                let value = format!("try_cast({source} as double)");
                let odd = format!("isnan({value}) or abs({value}) = cast({infinite} as double)");
                range_issues += &format!(
                    " when {odd} then {} || {shown} || ' is not finite'",
                    literal(&format!("{} ", column.name))
                );
                type_issues += &format!(
                    " when {name} is null and {filled} and not coalesce({odd}, false) then {} || {shown} || {}",
                    literal(&format!("{} '", column.name)),
                    literal(&format!("' is not {}", in_words(want)))
                );
            } else {
                type_issues += &format!(
                    " when {name} is null and {filled} then {} || {shown} || {}",
                    literal(&format!("{} '", column.name)),
                    literal(&format!("' is not {}", in_words(want)))
                );
            }
        }
        if counts_as_failed(column) {
            let filled = ident(&format!("f:{}", column.name));
            typed.push(filled.clone());
            type_issues += &format!(
                " when {name} is null and {filled} then {}",
                literal(&format!(
                    "{} cannot be told: a cell it is made of is not {}",
                    column.name,
                    in_words(want)
                ))
            );
        }
        if want == Type::Text && is_id(schema, &column.name) {
            id_issues += &format!(
                " when octet_length({name}) > {} then {} || substr({name}, 1, 20) || '… has ' \
                 || cast(octet_length({name}) as varchar) || ' bytes'",
                sources.contract.id_bytes_max,
                literal(&format!("{} ", column.name))
            );
        }
        last.push(match want {
            Type::F64 => format!(
                "case when isnan({name}) or abs({name}) = cast('Infinity' as double) then null \
                 else {name} end as {name}"
            ),
            _ => hidden(sources, schema.name, &column.name, &name),
        });
    }
    let noise: String = sources
        .prepare
        .noise
        .iter()
        .filter(|rule| rule.table == schema.name)
        .map(|rule| format!(" when (\n{}\n) then {}", rule.predicate, literal(&rule.name)))
        .collect();
    let mut issues = Vec::new();
    for (name, cases) in ISSUES.into_iter().zip([type_issues, range_issues, id_issues, noise]) {
        if !cases.is_empty() {
            issues.push(name);
            last.push(format!("cast(case{cases} end as varchar) as {name}"));
        }
    }
    let sql =
        format!("select {} from (select {} from (\n{inner}\n))", last.join(", "), typed.join(", "));
    // Planned once without rows: a wrong noise rule is told before anything is read.
    engine
        .query(&format!("select * from (\n{sql}\n) limit 0"), &none)
        .map_err(|error| planning_failure(raw, spec.table.as_str(), error))?;
    Ok(Statement { sql, issues })
}

/// The column as the run sees it: an id behind its pseudonym when there is a key.
fn hidden(sources: &Sources, table: &str, column: &str, name: &str) -> String {
    if pseudonym::hides(sources, table, column) {
        format!("{}(cast({name} as varchar)) as {name}", pseudonym::FUNCTION)
    } else {
        name.to_owned()
    }
}

/// The statement that gives number, file, row and raw text of the rows in table `bad`.
pub(crate) fn raw_rows(
    sources: &Sources,
    raw: &Raw,
    mapping: &Mapping,
    table: &str,
    bad: &str,
) -> String {
    let names = raw.names();
    let hidden: BTreeSet<String> = mapping
        .columns
        .iter()
        .filter(|column| pseudonym::hides(sources, table, &column.name))
        .flat_map(|column| column.reads.clone())
        .collect();
    let used = mapping.used(&names);
    let cells: Vec<String> = raw
        .columns
        .iter()
        // With pseudonyms on, a column that nothing reads may hold a name or an address: it stays out.
        .filter(|column| sources.pseudonym_key.is_none() || used.contains(&column.name))
        .map(|column| {
            let text = format!("cast({} as varchar)", ident(&column.name));
            let text = if hidden.contains(&column.name) {
                format!("{}({text})", pseudonym::FUNCTION)
            } else {
                text
            };
            let key = column.name.replace('\\', "\\\\").replace('"', "\\\"");
            format!(
                "{} || coalesce('\"' || replace(replace(replace(replace(replace({text}, '\\', '\\\\'), '\"', '\\\"'), \
                 chr(10), '\\n'), chr(13), '\\r'), chr(9), '\\t') || '\"', 'null')",
                literal(&format!("\"{key}\":"))
            )
        })
        .collect();
    let text = if cells.is_empty() { "''".to_owned() } else { cells.join(" || ',' || ") };
    format!(
        "select r.{NUMBER}, cast(r.file as varchar) as source_file, r.source_row, r.raw from \
         (select {} as {NUMBER}, {} as file, {} as source_row, '{{' || {text} || '}}' as raw from {}) r \
         join {} b on r.{NUMBER} = b.{NUMBER}",
        raw.number,
        raw.file,
        raw.row,
        raw.from,
        ident(bad)
    )
}

fn is_id(schema: &TableSchema, column: &str) -> bool {
    column.ends_with("_id") || schema.key.contains(&column)
}
