//! Do the shop's data keep their contracts?

use clap::Args;
use tercet_sources::{CheckOutcome, Health, Policy, TableHealth};
use tercet_types::{Date, Error, Result};

use super::project::Project;
use super::{FormatFlag, Shared, value};
use crate::config::Environment;
use crate::output::{Format, heading, marked, print, rows, table, thousands};
use crate::pipeline::{parts_of, sources_of};

/// `tercet check`
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  tercet check\n  tercet check --all\n  tercet check --project shop --as-of 2017-09-04 --format json"
)]
pub(crate) struct CheckArguments {
    /// The day the data are checked for [default: as configured]
    #[arg(long, value_name = "YYYY-MM-DD", value_parser = value::<Date>)]
    as_of: Option<Date>,
    /// List every check, those that passed too; CSV and JSON always do
    #[arg(long, visible_alias = "verbose")]
    all: bool,
    #[command(flatten)]
    format: FormatFlag,
}

/// Checks every source; writes nothing.
///
/// # Errors
/// `T1023` when a check would stop a run, after all of them are printed.
pub(crate) fn check(
    verb: &CheckArguments,
    shared: &Shared,
    environment: &Environment,
) -> Result<()> {
    let project = Project::open(shared, environment)?;
    let as_of = project.as_of(verb.as_of);
    let sources = sources_of(&project)?;
    // What is wrong with the files is for the check to say.
    let files = tercet_sources::input_files(&project.engine, &sources).unwrap_or_default();
    let parts = parts_of(&project, &files);
    let (health, _) = shared.progress().step("check", || {
        let health = tercet_sources::check(&project.engine, &sources, as_of, parts)?;
        let said = format!("{} tables as of {as_of}", health.tables.len());
        Ok((health, said))
    })?;
    match verb.format.format {
        Format::Json => print(format!("{:#}", serde_json::json!(health)))?,
        Format::Table if !verb.all => print(page(&health))?,
        format => print(every_check(&health, format))?,
    }
    if verb.format.format != Format::Json {
        for note in &health.notes {
            shared.progress().say(note);
        }
    }
    verdict(&health)?;
    let next = if verb.as_of.is_some() { format!(" --as-of {as_of}") } else { String::new() };
    shared.progress().say(&format!("nothing stops a run; next: tercet run{next}"));
    Ok(())
}

/// What stops a run stops a script that checks first.
fn verdict(health: &Health) -> Result<()> {
    let stops = problems(health).iter().filter(|(_, one)| one.status == Policy::Stop).count();
    let (checks, them) = match stops {
        0 => return Ok(()),
        1 => ("1 check".to_owned(), "it"),
        more => (format!("{more} checks"), "them"),
    };
    Err(Error::data("T1023", format!("{checks} would stop a run")).hint(format!(
        "the lines with 'stop' above say what is wrong and where; mend {them} and type 'tercet check' again"
    )))
}

/// Every check, one row each.
fn every_check(health: &Health, format: Format) -> String {
    let mut lines = Vec::new();
    for table in &health.tables {
        for check in &table.checks {
            lines.push(vec![
                table.table.clone(),
                check.check.clone(),
                check.status.name().to_owned(),
                thousands(check.rows),
                check.detail.clone(),
            ]);
        }
    }
    rows(format, &["table", "check", "status", "rows", "detail"], &lines)
}

/// What a person reads: problems first, the worst on top, then a line per table.
fn page(health: &Health) -> String {
    let problems = problems(health);
    let mut text = match problems.len() {
        0 => heading("No problems") + "\n",
        count => heading(&format!("{count} to look at")) + "\n",
    };
    for (table, problem) in &problems {
        text.push_str(&paragraph(table, problem));
    }
    text.push('\n');
    text.push_str(&heading("Tables"));
    text.push('\n');
    let lines: Vec<Vec<String>> = health.tables.iter().map(summary).collect();
    text + &table(&["table", "rows", "columns", "dates covered", "checks"], &lines)
}

/// Checks that did not pass, the worst first, then in the order of tables.
fn problems(health: &Health) -> Vec<(&TableHealth, &CheckOutcome)> {
    let all =
        health.tables.iter().flat_map(|table| table.checks.iter().map(move |one| (table, one)));
    let mut found: Vec<_> = all.filter(|(_, one)| one.status != Policy::Ok).collect();
    found.sort_by_key(|(_, one)| std::cmp::Reverse(one.status));
    found
}

/// One problem: how bad, where, what, an example, the remedy.
fn paragraph(table: &TableHealth, problem: &CheckOutcome) -> String {
    let (what, examples) = match problem.check.as_str() {
        // The examples of a source that cannot be read are its hint.
        "source" => (problem.detail.clone(), Vec::new()),
        "freshness" | "empty" | "quarantine_share" => {
            (problem.detail.clone(), examples(&problem.examples, |text| text))
        }
        // The sentence names column and table already: the values are enough.
        "reference" => (
            sentence(problem),
            examples(&problem.examples, |text| text.rsplit_once(": ").map_or(text, |(_, id)| id)),
        ),
        _ => (sentence(problem), examples(&problem.examples, |text| text)),
    };
    let place = format!("{}.{}", table.table, problem.check);
    let mut text = format!(
        "  {} {}  {what}\n",
        marked(&format!("{:<10}", problem.status.name()), problem.status == Policy::Stop),
        heading(&place),
    );
    if !examples.is_empty() {
        text.push_str(&format!("{INDENT}for example: {}\n", examples.join("; ")));
    }
    text.push_str(&format!("{INDENT}remedy: {}\n", remedy(&table.table, problem)));
    text
}

/// Examples that are shown of each problem.
const EXAMPLES_SHOWN: usize = 2;

fn examples<'a>(all: &'a [String], shown: impl Fn(&'a str) -> &'a str) -> Vec<&'a str> {
    all.iter().take(EXAMPLES_SHOWN).map(|text| shown(text)).collect()
}

/// Below the place, behind the status.
const INDENT: &str = "             ";

/// `1 row …` or `2,000 rows …`, and what becomes of them.
fn sentence(problem: &CheckOutcome) -> String {
    let column = problem.detail.split_once(": ").map_or("", |(column, _)| column);
    let what = match problem.check.as_str() {
        "type" => "with a cell that is not of its column's type".to_owned(),
        "range" => "with a value that cannot be".to_owned(),
        "id_length" => "with an id that is too long".to_owned(),
        "not_null" => "without a value that every row needs".to_owned(),
        "zero_quantity" => "without a quantity".to_owned(),
        "key" => "whose key is there already".to_owned(),
        "reference" => format!("whose {column} no row of its own describes"),
        "eligible" => "that hold for no product".to_owned(),
        "future" => "of the as-of date or later".to_owned(),
        other => format!("that fail '{other}'"),
    };
    let rows = if problem.rows == 1 { "row" } else { "rows" };
    let fate = match problem.status {
        Policy::Quarantine => "left out, in quarantine",
        Policy::Stop => "the run stops",
        _ => "kept",
    };
    format!("{} {rows} {what}: {fate}", thousands(problem.rows))
}

/// What to do about a problem.
fn remedy(table: &str, problem: &CheckOutcome) -> String {
    match problem.check.as_str() {
        "source" => problem.examples.first().cloned().unwrap_or_else(|| {
            format!("check the path and the columns of [sources.{table}]")
        }),
        "type" => format!("read the column with an expression in [sources.{table}.columns], such as try_cast(x as …)"),
        "range" => format!("correct the values in the source, or map them in [sources.{table}.columns]"),
        "id_length" => "map the right column, or raise id_bytes_max under [contract]".to_owned(),
        "not_null" => format!("complete the source, or leave such rows out with `where` in [sources.{table}]"),
        "zero_quantity" => format!("none if they are meant, such as fees; else leave them out with `where` in [sources.{table}]"),
        "key" => "none if the rows are equal, the first one counts; else make the key distinct in the source".to_owned(),
        "reference" if problem.status == Policy::Quarantine => {
            "add what they name to its own source, or take the rows out".to_owned()
        }
        "reference" => "none if it need not be described; else add what they name to its own source".to_owned(),
        "eligible" => "list their products in [sources.promotion_products], or take the promotions out".to_owned(),
        "future" => "give a later --as-of, or let such rows wait: \"future\" = \"ok\" under [contract.policies]".to_owned(),
        "freshness" => "bring newer rows; if this table is seldom written, raise fresh_days under [contract]".to_owned(),
        "empty" => format!("check the path, the mapping and `where` of [sources.{table}], and the as-of date"),
        "quarantine_share" => "mend the source or its mapping, or raise quarantine_share_max under [contract]".to_owned(),
        check => format!("mend the source, or set \"{table}.{check}\" under [contract.policies]"),
    }
}

/// The line of a table.
fn summary(table: &TableHealth) -> Vec<String> {
    let dates = match (table.oldest, table.newest) {
        (Some(oldest), Some(newest)) => format!("{oldest} to {newest}"),
        _ => "—".to_owned(),
    };
    let counted = |status: Policy| {
        let count = table.checks.iter().filter(|one| one.status == status).count();
        (count > 0).then(|| format!("{count} {}", status.name()))
    };
    let checks: Vec<String> = [Policy::Stop, Policy::Quarantine, Policy::Warn, Policy::Ok]
        .into_iter()
        .filter_map(counted)
        .collect();
    vec![
        table.table.clone(),
        thousands(table.rows_out),
        thousands(table.columns),
        dates,
        checks.join(", "),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn outcome(check: &str, status: Policy, rows: u64, detail: &str) -> CheckOutcome {
        let (detail, subject) = (detail.to_owned(), String::new());
        CheckOutcome {
            check: check.to_owned(),
            subject,
            status,
            rows,
            detail,
            examples: Vec::new(),
        }
    }

    #[test]
    fn every_check_has_words_and_a_remedy_of_its_own() {
        for check in tercet_sources::CHECKS {
            let problem = outcome(check, Policy::Warn, 2, "value: these rows stay");
            let said = paragraph(&TableHealth::default(), &problem);
            assert!(
                !said.contains("that fail '") || ["freshness", "empty"].contains(check),
                "{said}"
            );
            assert!(!remedy("products", &problem).contains("\"products."), "{check}");
        }
    }

    #[test]
    fn the_worst_comes_first_and_the_rest_is_counted() {
        let table = |name: &str, checks: Vec<CheckOutcome>| TableHealth {
            table: name.to_owned(),
            rows_out: 1234,
            columns: 5,
            checks,
            ..TableHealth::default()
        };
        let health = Health {
            tables: vec![
                table("products", vec![outcome("key", Policy::Quarantine, 1, "")]),
                table(
                    "transactions",
                    vec![
                        outcome("type", Policy::Ok, 0, ""),
                        outcome("reference", Policy::Warn, 3071, "product_id: these rows stay"),
                        outcome("empty", Policy::Stop, 0, "none of 7 rows is left"),
                    ],
                ),
            ],
            notes: Vec::new(),
        };
        let text = anstream::adapter::strip_str(&page(&health)).to_string();
        let places: Vec<usize> = [
            "3 to look at",
            "stop       transactions.empty  none of 7 rows is left",
            "quarantine products.key  1 row whose key is there already: left out, in quarantine",
            "warn       transactions.reference  3,071 rows whose product_id no row of its own describes: kept",
            "remedy: none if it need not be described",
            "1,234",
            "1 stop, 1 warn, 1 ok",
        ]
        .iter()
        .map(|words| text.find(words).unwrap_or_else(|| panic!("'{words}' is not in {text}")))
        .collect();
        assert!(places.is_sorted(), "{text}");
    }
}
