//! How do results and failures look on a terminal?
//!
//! Data go to stdout, everything else to stderr; colours and progress only where somebody looks.

use std::fmt::Display;
use std::io::{IsTerminal, Write};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use anstyle::{AnsiColor, Style};
use comfy_table::{
    CellAlignment, ColumnConstraint, ContentArrangement, LineStyle, Table, TableStyle, Width,
};
use indicatif::{ProgressBar, ProgressStyle};
use tercet_types::{Error, Result};

const BOLD: Style = Style::new().bold();
const RED: Style = AnsiColor::Red.on_default().bold();
const YELLOW: Style = AnsiColor::Yellow.on_default();
const CYAN: Style = AnsiColor::Cyan.on_default().bold();
const DIM: Style = Style::new().dimmed();

/// How results are printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Format {
    /// A table to read.
    Table,
    /// JSON to process.
    Json,
    /// CSV to process.
    Csv,
}

/// Prints an error with its causes and its remedy to stderr.
pub(crate) fn print_error(error: &Error) {
    let mut text = format!("{RED}error[{}]{RED:#}: {error}\n", error.code());
    let mut cause = std::error::Error::source(error);
    while let Some(inner) = cause {
        let line = inner.to_string();
        // The engine below repeats itself; one line of each cause is enough.
        if let Some(first) = line.lines().next()
            && !error.to_string().contains(first)
        {
            text.push_str(&format!("  {DIM}because{DIM:#} {first}\n"));
        }
        cause = inner.source();
    }
    if let Some(hint) = error.hint_text() {
        text.push_str(&format!("  {CYAN}hint{CYAN:#}: {hint}\n"));
    }
    let _ = anstream::stderr().write_all(text.as_bytes());
}

/// Prints text to stdout; a closed pipe is no failure.
pub(crate) fn print(text: impl Display) -> Result<()> {
    let mut out = anstream::stdout().lock();
    match writeln!(out, "{text}") {
        Err(cause) if cause.kind() != std::io::ErrorKind::BrokenPipe => {
            Err(Error::unavailable("T1003", "stdout does not take the output").cause(cause))
        }
        _ => Ok(()),
    }
}

/// A heading in bold.
pub(crate) fn heading(text: &str) -> String {
    format!("{BOLD}{text}{BOLD:#}")
}

/// A word that catches the eye: red where it is `grave`, else yellow.
pub(crate) fn marked(text: &str, grave: bool) -> String {
    let style = if grave { RED } else { YELLOW };
    format!("{style}{text}{style:#}")
}

/// Rows of text, in the form asked for.
pub(crate) fn rows(format: Format, header: &[&str], rows: &[Vec<String>]) -> String {
    match format {
        Format::Table => table(header, rows),
        Format::Json => {
            let objects: Vec<serde_json::Value> = rows
                .iter()
                .map(|row| {
                    header
                        .iter()
                        .zip(row)
                        .map(|(name, value)| ((*name).to_owned(), value.clone().into()))
                        .collect::<serde_json::Map<_, _>>()
                        .into()
                })
                .collect();
            format!("{:#}", serde_json::Value::from(objects))
        }
        Format::Csv => {
            let lines = std::iter::once(csv_line(header));
            let mut lines: String = lines.chain(rows.iter().map(|row| csv_line(row))).collect();
            lines.pop();
            lines
        }
    }
}

/// A line of CSV with its end.
pub(crate) fn csv_line<T: AsRef<str>>(cells: &[T]) -> String {
    let quoted = |cell: &T| {
        let cell = cell.as_ref();
        if cell.contains(['"', ',', '\n', '\r']) {
            format!("\"{}\"", cell.replace('"', "\"\""))
        } else {
            cell.to_owned()
        }
    };
    cells.iter().map(quoted).collect::<Vec<_>>().join(",") + "\n"
}

/// Columns of a terminal that tables are laid out for.
const TABLE_COLUMNS: u16 = 120;

/// A line under the header, none between rows.
const LIGHT: TableStyle =
    TableStyle::new().header_separator(LineStyle::none().fill('─').junction('─'));

/// A table with one light rule; columns of numbers are right-aligned.
pub(crate) fn table(header: &[&str], rows: &[Vec<String>]) -> String {
    laid_out(header, rows).to_string()
}

/// The same, with every word and number in one piece, though the table grow wider than others.
pub(crate) fn unbroken(header: &[&str], rows: &[Vec<String>]) -> String {
    let mut table = laid_out(header, rows);
    for (index, column) in table.column_iter_mut().enumerate() {
        let cells = rows.iter().filter_map(|row| row.get(index)).map(String::as_str);
        let words = cells.chain(header.get(index).copied()).flat_map(str::split_whitespace);
        let longest = words.map(|word| word.chars().count()).max().unwrap_or(0);
        let width =
            u16::try_from(longest).unwrap_or(u16::MAX).saturating_add(column.padding_width());
        column.set_constraint(ColumnConstraint::LowerBoundary(Width::Fixed(width)));
    }
    table.to_string()
}

fn laid_out(header: &[&str], rows: &[Vec<String>]) -> Table {
    let mut table = Table::new();
    table
        .load_style(LIGHT)
        .set_content_arrangement(ContentArrangement::Dynamic)
        .set_width(TABLE_COLUMNS)
        .set_header(header.to_vec());
    for row in rows {
        table.add_row(row.clone());
    }
    for (index, column) in table.column_iter_mut().enumerate() {
        let numeric =
            |cell: &String| cell.chars().all(|c| c.is_ascii_digit() || "+-−–.,% ".contains(c));
        if !rows.is_empty() && rows.iter().filter_map(|row| row.get(index)).all(numeric) {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
    table
}

/// Says on stderr what goes on: a spinner where somebody looks, a line a step where not.
pub(crate) struct Progress {
    quiet: bool,
    live: bool,
    /// What is shown of the step that runs.
    shown: Mutex<Option<ProgressBar>>,
}

impl Progress {
    /// Progress that is shown unless `quiet`.
    pub(crate) fn new(quiet: bool) -> Self {
        let live = !quiet && std::io::stderr().is_terminal();
        Self { quiet, live, shown: Mutex::default() }
    }

    /// Progress that says nothing.
    #[cfg(test)]
    pub(crate) fn silent() -> Self {
        Self { quiet: true, live: false, shown: Mutex::default() }
    }

    /// Runs one step, shown while it runs, with its time behind it. `work` returns what to say of it.
    pub(crate) fn step<T>(
        &self,
        name: &str,
        work: impl FnOnce() -> Result<(T, String)>,
    ) -> Result<(T, Duration)> {
        let spinner = self.live.then(|| {
            let bar = ProgressBar::new_spinner().with_message(name.to_owned());
            styled(&bar, SPINNER);
            bar.enable_steady_tick(Duration::from_millis(100));
            bar
        });
        *self.shown() = spinner.clone();
        let started = now();
        let result = work();
        let took = started.elapsed();
        *self.shown() = None;
        if let Some(spinner) = spinner {
            spinner.finish_and_clear();
        }
        let (value, said) = result?;
        self.say(&format!(
            "{BOLD}{name:<11}{BOLD:#} {said}  {DIM}{:.1} s{DIM:#}",
            took.as_secs_f64()
        ));
        Ok((value, took))
    }

    /// A bar with rate and time left over `total` things that are called `unit`; gone when dropped.
    pub(crate) fn meter(&self, name: &str, unit: &str, total: u64) -> Meter {
        let bar = self.live.then(|| ProgressBar::new(total).with_message(name.to_owned()));
        bar.iter().for_each(|bar| styled(bar, &counted(unit)));
        Meter { bar, then: None }
    }

    /// Turns what is shown of the step that runs into such a bar, until it is dropped.
    pub(crate) fn count(&self, unit: &str, total: u64) -> Meter {
        let bar = self.shown().clone();
        if let Some(bar) = &bar {
            bar.set_length(total);
            bar.set_position(0);
            bar.reset_eta();
            styled(bar, &counted(unit));
        }
        Meter { bar, then: Some(SPINNER) }
    }

    fn shown(&self) -> MutexGuard<'_, Option<ProgressBar>> {
        self.shown.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Says a line.
    pub(crate) fn say(&self, line: &str) {
        if !self.quiet {
            let _ = writeln!(anstream::stderr(), "{line}");
        }
    }
}

/// A bar of something that can be counted; several threads may advance it.
pub(crate) struct Meter {
    bar: Option<ProgressBar>,
    /// What the bar looks like afterwards; without it the bar goes.
    then: Option<&'static str>,
}

impl Meter {
    /// So many more are done.
    pub(crate) fn advance(&self, count: u64) {
        if let Some(bar) = &self.bar {
            bar.inc(count);
        }
    }
}

impl Drop for Meter {
    fn drop(&mut self) {
        match (&self.bar, self.then) {
            (Some(bar), Some(template)) => styled(bar, template),
            (Some(bar), None) => bar.finish_and_clear(),
            (None, _) => (),
        }
    }
}

/// A step of which nobody knows how long it is.
const SPINNER: &str = "{spinner:.cyan} {msg} {elapsed:.dim}";

/// A step that can be counted.
fn counted(unit: &str) -> String {
    format!(
        "{{msg}} {{wide_bar:.cyan}} {{human_pos}}/{{human_len}} {unit}  {{per_sec}}  {{eta}} left"
    )
}

fn styled(bar: &ProgressBar, template: &str) {
    if let Ok(style) = ProgressStyle::with_template(template) {
        bar.set_style(style);
    }
}

/// The clock of progress and timings: never of results.
#[expect(clippy::disallowed_methods, reason = "timings are shown, never decided on")]
pub(crate) fn now() -> std::time::Instant {
    std::time::Instant::now()
}

/// How likely chance alone gives as much; never called 0.
pub(crate) fn chance(p_value: f64) -> String {
    if p_value < 0.000_1 { "p < 0.0001".to_owned() } else { format!("p {p_value:.4}") }
}

/// Thousands separated by thin spaces would break greps; commas do not.
pub(crate) fn thousands(number: impl Display) -> String {
    let text = number.to_string();
    let (sign, digits) = text.strip_prefix('-').map_or(("", text.as_str()), |rest| ("-", rest));
    let (whole, rest) = digits.split_once('.').map_or((digits, None), |(w, r)| (w, Some(r)));
    let mut grouped = String::new();
    for (index, digit) in whole.chars().enumerate() {
        if index > 0 && (whole.len() - index) % 3 == 0 {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    rest.map_or_else(|| format!("{sign}{grouped}"), |rest| format!("{sign}{grouped}.{rest}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_grouped() {
        for (number, text) in
            [("0", "0"), ("1234", "1,234"), ("-1234567.5", "-1,234,567.5"), ("999", "999")]
        {
            assert_eq!(thousands(number), text);
        }
    }

    #[test]
    fn words_and_numbers_stay_whole() {
        let header: Vec<String> = (0..12).map(|column| format!("metric-{column}")).collect();
        let header: Vec<&str> = header.iter().map(String::as_str).collect();
        let row: Vec<String> =
            (0..12).map(|column| format!(".{column}333\n.{column}333–.16677")).collect();
        let text = unbroken(&header, std::slice::from_ref(&row));
        for cell in header.iter().copied().chain(row.iter().flat_map(|cell| cell.lines())) {
            assert!(text.contains(cell), "{cell} is not in:\n{text}");
        }
        assert_eq!(unbroken(&["a"], &[vec!["b c".into()]]), table(&["a"], &[vec!["b c".into()]]));
    }

    #[test]
    fn csv_quotes_what_needs_it() {
        let text = rows(Format::Csv, &["a", "b"], &[vec!["x,y".into(), "say \"no\"".into()]]);
        assert_eq!(text, "a,b\n\"x,y\",\"say \"\"no\"\"\"");
    }
}
