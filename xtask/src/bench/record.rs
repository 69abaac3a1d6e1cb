//! What did a benchmark find, and how is it shown?

use std::fs;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::Failure;
use super::machine::Machine;

/// Time may grow by so much more than the input before it counts as faster than linear: what timers, caches and
/// neighbours move by themselves.
const GROWTH_MAX: f64 = 1.15;

/// What a figure, or its ratio to the anchor's, must be.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Goal {
    AtLeast(f64),
    AtMost(f64),
    RatioAtLeast(f64),
    RatioAtMost(f64),
}

impl Goal {
    fn met(self, figure: f64, ratio: Option<f64>) -> bool {
        match self {
            Self::AtLeast(limit) => figure >= limit,
            Self::AtMost(limit) => figure <= limit,
            Self::RatioAtLeast(limit) => ratio.is_some_and(|ratio| ratio >= limit),
            Self::RatioAtMost(limit) => ratio.is_some_and(|ratio| ratio <= limit),
        }
    }

    fn shown(self, unit: &str) -> String {
        match self {
            Self::AtLeast(limit) => format!("≥ {} {unit}", number(limit)),
            Self::AtMost(limit) => format!("≤ {} {unit}", number(limit)),
            Self::RatioAtLeast(limit) => format!("≥ {} ×", number(limit)),
            Self::RatioAtMost(limit) => format!("≤ {} ×", number(limit)),
        }
    }
}

/// A program that does the same, and its figure from the same run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Anchor {
    name: String,
    figure: f64,
}

/// One figure.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Record {
    /// The benchmark, then what of it.
    pub(crate) name: String,
    /// The median of the repeats; none when the benchmark broke.
    figure: Option<f64>,
    unit: String,
    /// The smallest and the largest repeat; none when the benchmark broke.
    spread: Option<(f64, f64)>,
    repeats: usize,
    anchor: Option<Anchor>,
    /// The figure over the anchor's, or what [`Record::growth`] says.
    ratio: Option<f64>,
    goal: Option<Goal>,
    /// Whether the goal is met; none where there is no goal.
    pub(crate) passed: Option<bool>,
    note: String,
}

impl Record {
    /// A figure by its repeats, of which there is at least one.
    pub(crate) fn new(name: impl Into<String>, unit: &str, repeats: &[f64]) -> Self {
        let mut sorted = repeats.to_vec();
        sorted.sort_by(f64::total_cmp);
        // JSON has no number for a figure that is none: it counts as not taken.
        sorted.retain(|figure| figure.is_finite());
        Self {
            name: name.into(),
            figure: (!sorted.is_empty()).then(|| median(&sorted)),
            unit: unit.to_owned(),
            spread: sorted.first().copied().zip(sorted.last().copied()),
            repeats: sorted.len(),
            anchor: None,
            ratio: None,
            goal: None,
            passed: None,
            note: String::new(),
        }
    }

    /// A benchmark that did not come to its end: a goal missed.
    pub(crate) fn broken(name: &str, failure: &str) -> Self {
        let mut record = Self::new(name, "", &[]);
        record.passed = Some(false);
        record.note = failure.to_owned();
        record
    }

    /// How much more than its input a time grew: 1 is linear. `points` are sizes with their times.
    pub(crate) fn growth(name: impl Into<String>, points: &[(f64, f64)]) -> Self {
        let steps = points.windows(2).map(|two| {
            let (small, large) = (two[0], two[1]);
            (large.1 / small.1) / (large.0 / small.0)
        });
        let steps: Vec<f64> = steps.collect();
        let most = steps.iter().copied().fold(f64::NAN, f64::max);
        let mut record = Self::new(name, "× of linear", &[most]).goal(Goal::AtMost(GROWTH_MAX));
        let shown = points.iter().map(|(size, time)| format!("{}: {time:.2} s", number(*size)));
        record.note = shown.collect::<Vec<_>>().join(", ");
        record
    }

    /// The median of the repeats.
    pub(crate) fn middle(&self) -> f64 {
        self.figure.unwrap_or(f64::NAN)
    }

    /// Beside the anchor's repeats: their median is what the ratio is taken to.
    pub(crate) fn beside(mut self, name: &str, repeats: &[f64]) -> Self {
        let mut sorted = repeats.to_vec();
        sorted.sort_by(f64::total_cmp);
        let figure = median(&sorted);
        self.ratio = self.figure.map(|ours| ours / figure).filter(|ratio| ratio.is_finite());
        self.anchor = figure.is_finite().then(|| Anchor { name: name.to_owned(), figure });
        self
    }

    /// With a goal, which is held against what is known so far.
    pub(crate) fn goal(mut self, goal: Goal) -> Self {
        self.passed = Some(self.figure.is_some_and(|figure| goal.met(figure, self.ratio)));
        self.goal = Some(goal);
        self
    }

    /// With words about how the figure came about.
    pub(crate) fn note(mut self, note: impl Into<String>) -> Self {
        self.note = note.into();
        self
    }

    fn row(&self) -> String {
        let dash = || "–".to_owned();
        let figure = self.figure.map_or_else(dash, |f| format!("{} {}", number(f), self.unit));
        let repeated = self.spread.filter(|_| self.repeats > 1);
        let spread = repeated.map_or_else(dash, |(least, most)| {
            format!("{}–{} ({})", number(least), number(most), self.repeats)
        });
        let anchor = self.anchor.as_ref();
        let anchor = anchor.map_or_else(dash, |a| format!("{} {}", a.name, number(a.figure)));
        let ratio = self.ratio.map_or_else(dash, |ratio| format!("{} ×", number(ratio)));
        let goal = self.goal.map_or_else(dash, |goal| goal.shown(&self.unit));
        let verdict = match self.passed {
            Some(true) => "met",
            Some(false) => "**missed**",
            None => "–",
        };
        let cells = [&self.name, &figure, &spread, &anchor, &ratio, &goal, verdict, &self.note];
        format!("| {} |", cells.map(|cell| cell.replace(['|', '\n'], " ")).join(" | "))
    }
}

/// The middle of numbers in ascending order.
fn median(sorted: &[f64]) -> f64 {
    let middle = sorted.len() / 2;
    match sorted.len() {
        0 => f64::NAN,
        n if n % 2 == 1 => sorted[middle],
        _ => f64::midpoint(sorted[middle - 1], sorted[middle]),
    }
}

/// A number with as many digits as tell something: three, or all before the point, in groups of three.
pub(crate) fn number(value: f64) -> String {
    if !value.is_finite() {
        return "–".to_owned();
    }
    let size = value.abs();
    if size != 0.0 && size < 0.001 {
        return format!("{value:.1e}");
    }
    if size < 100.0 {
        let digits = if size < 1.0 {
            3
        } else if size < 10.0 {
            2
        } else {
            1
        };
        let text = format!("{value:.digits$}");
        return text.trim_end_matches('0').trim_end_matches('.').to_owned();
    }
    let digits = format!("{size:.0}");
    let mut text = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place) % 3 == 0 {
            text.push(',');
        }
        text.push(digit);
    }
    if value < 0.0 { format!("-{text}") } else { text }
}

/// What one benchmark found, and where and when.
#[derive(Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Part {
    pub(crate) benchmark: String,
    pub(crate) machine: Machine,
    pub(crate) records: Vec<Record>,
}

impl Part {
    /// Names of the figures that miss their goal.
    pub(crate) fn missed(&self) -> impl Iterator<Item = &str> {
        let missed = self.records.iter().filter(|record| record.passed == Some(false));
        missed.map(|record| record.name.as_str())
    }

    /// A section of Markdown.
    pub(crate) fn page(&self) -> String {
        let rows: Vec<String> = self.records.iter().map(Record::row).collect();
        format!(
            "## {}\n\n{}\n\
             | figure | median | min–max (repeats) | anchor | ratio | goal | | how |\n\
             |---|---|---|---|---|---|---|---|\n{}\n",
            self.benchmark,
            self.machine.page(),
            rows.join("\n")
        )
    }
}

/// The figures of all benchmarks, each with the machine they were taken on.
#[derive(Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Report {
    pub(crate) quick: bool,
    pub(crate) parts: Vec<Part>,
}

impl Report {
    /// The report that stands in `bench/`; an empty one where there is none.
    pub(crate) fn standing(root: &Path, quick: bool) -> Result<Self, Failure> {
        let path = Self::path(root, quick, "json");
        if !path.exists() {
            return Ok(Self { quick, parts: Vec::new() });
        }
        let text = fs::read_to_string(&path).map_err(|cause| cause.to_string());
        text.and_then(|text| serde_json::from_str(&text).map_err(|cause| cause.to_string()))
            .map_err(|cause| {
                format!("{}: {cause}; delete it, and measure everything", path.display())
            })
    }

    /// Puts a part in the place of the one that stood.
    pub(crate) fn put(&mut self, part: Part) {
        match self.parts.iter_mut().find(|stood| stood.benchmark == part.benchmark) {
            Some(stood) => *stood = part,
            None => self.parts.push(part),
        }
    }

    /// Whether there are figures of a benchmark.
    pub(crate) fn has(&self, benchmark: &str) -> bool {
        self.parts.iter().any(|part| part.benchmark == benchmark)
    }

    /// A Markdown page.
    fn page(&self) -> String {
        let kind = if self.quick {
            "Figures of `cargo xtask bench --quick`: small sizes, few repeats. They show that nothing is broken; \
             quote the full run."
        } else {
            "Figures of `cargo xtask bench`."
        };
        let parts: Vec<String> = self.parts.iter().map(Part::page).collect();
        format!(
            "# Benchmarks\n\n{kind}\nHow each is taken stands in the book, under internals, benchmarks.\n\n{}",
            parts.join("\n")
        )
    }

    /// Writes the page and the JSON into `bench/`.
    pub(crate) fn write(&self, root: &Path) -> Result<(), Failure> {
        let json = serde_json::to_string_pretty(self).map_err(|cause| cause.to_string())? + "\n";
        for (kind, text) in [("json", json), ("md", self.page())] {
            let path = Self::path(root, self.quick, kind);
            // What was measured before stays whole if this is killed.
            let beside = path.with_extension("tmp");
            fs::write(&beside, text)
                .and_then(|()| fs::rename(&beside, &path))
                .map_err(|cause| format!("{}: {cause}", path.display()))?;
        }
        Ok(())
    }

    fn path(root: &Path, quick: bool, kind: &str) -> PathBuf {
        root.join("bench").join(match (quick, kind) {
            (true, "json") => "quick.json",
            (true, _) => "QUICK.md",
            (false, "json") => "results.json",
            (false, _) => "RESULTS.md",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn goals() {
        let check = |record: Record, expect: Option<bool>| {
            assert_eq!(record.passed, expect, "{record:?}");
        };
        let three = || Record::new("r", "s", &[3.0, 1.0, 2.0]);
        check(three(), None);
        check(three().goal(Goal::AtMost(2.0)), Some(true));
        check(three().goal(Goal::AtMost(1.9)), Some(false));
        check(three().goal(Goal::AtLeast(2.1)), Some(false));
        check(three().beside("a", &[1.0, 3.0]).goal(Goal::RatioAtMost(1.0)), Some(true));
        check(three().beside("a", &[1.0]).goal(Goal::RatioAtMost(1.2)), Some(false));
        check(three().beside("a", &[1.0]).goal(Goal::RatioAtLeast(2.0)), Some(true));
        // A ratio to nothing meets no goal, and what broke has missed its own.
        check(three().goal(Goal::RatioAtMost(9.0)), Some(false));
        check(three().beside("a", &[]).goal(Goal::RatioAtMost(9.0)), Some(false));
        check(Record::broken("r", "why"), Some(false));
        check(Record::new("r", "s", &[]).goal(Goal::AtMost(1.0)), Some(false));
    }

    #[test]
    fn growth_is_held_against_every_step() {
        let check = |points: &[(f64, f64)], expect: bool| {
            assert_eq!(Record::growth("g", points).passed, Some(expect), "{points:?}");
        };
        check(&[(50.0, 1.0), (500.0, 10.0), (5000.0, 100.0)], true);
        check(&[(50.0, 1.0), (500.0, 5.0)], true);
        check(&[(50.0, 1.0), (500.0, 11.4), (5000.0, 100.0)], true);
        check(&[(50.0, 1.0), (500.0, 5.0), (5000.0, 100.0)], false);
        check(&[(50.0, 1.0)], false);
    }

    #[test]
    fn numbers() {
        let check = |value: f64, expect: &str| assert_eq!(number(value), expect);
        check(0.0, "0");
        check(0.000_012_3, "1.2e-5");
        check(0.12, "0.12");
        check(1.255, "1.25");
        check(12.0, "12");
        check(1_234_567.8, "1,234,568");
        check(-123.4, "-123");
        check(f64::NAN, "–");
    }

    #[test]
    fn a_row_has_as_many_cells_as_the_head() {
        let record = Record::new("a|b", "s", &[1.0, 2.0]).beside("x", &[1.0]).note("c\nd");
        assert_eq!(record.row().matches('|').count(), 9);
    }

    #[test]
    fn a_part_takes_the_place_of_the_one_that_stood() {
        let folder = std::env::temp_dir().join(format!("xtask-report-{}", std::process::id()));
        fs::create_dir_all(folder.join("bench")).unwrap();
        let part = |benchmark: &str, seconds: f64| Part {
            benchmark: benchmark.to_owned(),
            machine: Machine::here(&folder),
            records: vec![
                Record::new(benchmark, "s", &[seconds]).goal(Goal::AtMost(1.0)),
                Record::broken(benchmark, "why"),
            ],
        };
        let mut report = Report::standing(&folder, false).unwrap();
        for part in [part("a", 2.0), part("b", 3.0), part("a", 0.5)] {
            report.put(part);
        }
        report.write(&folder).unwrap();
        let read = Report::standing(&folder, false).unwrap();
        fs::write(folder.join("bench/quick.json"), "{").unwrap();
        let broken = Report::standing(&folder, true).unwrap_err();
        fs::remove_dir_all(&folder).unwrap();
        assert_eq!(read, report);
        assert!(read.has("b") && !read.has("c"));
        let missed: Vec<_> = read.parts.iter().flat_map(Part::missed).collect();
        assert_eq!(missed, ["a", "b", "b"]);
        assert_eq!(read.parts[0].records[0].figure, Some(0.5));
        assert!(broken.contains("quick.json") && broken.contains("delete it"), "{broken}");
    }
}
