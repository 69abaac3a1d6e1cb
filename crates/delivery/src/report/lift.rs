//! What did the offers bring, and how sure are we?

use serde::{Deserialize, Serialize};
use tercet_types::{Currency, Date, Result};

pub use super::reading::Reading;
pub use super::{Fact, Headline, NamedCount};

/// Everything the report of a campaign shows. Any list may be empty.
///
/// Amounts are minor units. A figure's name ends in `_minor` when it is an amount and in `_rate` when it is a share.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct LiftReport {
    /// The project's name.
    pub project: String,
    /// ISO 4217 code of every amount.
    pub currency: String,
    /// The first Monday.
    pub first_day: Date,
    /// Weeks of the campaign that are over.
    pub weeks: usize,
    /// What came out, one sentence.
    pub summary: String,
    /// From what: runs, data, settings, versions.
    pub facts: Vec<Fact>,
    /// What to see first, about four.
    pub headlines: Vec<Headline>,
    /// What a reader must know before believing a number.
    pub notes: Vec<String>,
    /// Arms held against each other, the most telling first.
    pub comparisons: Vec<LiftComparison>,
    /// Offers used, by the rule that said so.
    pub attribution: Vec<Attributed>,
}

/// Two arms held against each other.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct LiftComparison {
    /// What is compared.
    pub name: String,
    /// Customers in treatment.
    pub treated: i64,
    /// Customers in control.
    pub control: i64,
    /// Whether the arms came out as planned: sentences, the verdict first.
    pub ratio: Vec<String>,
    /// True when they did not, and no lift may be read.
    pub is_broken: bool,
    /// Where the campaign stands by its weekly verdict: sentences.
    pub verdict: Vec<String>,
    /// All figures over the whole campaign.
    pub metrics: Vec<LiftMetric>,
    /// Each week by itself, margin per customer.
    pub weeks: Vec<(String, Reading)>,
    /// The campaign up to each week, margin per customer, with what holds at any time.
    pub looks: Vec<LiftLook>,
    /// What followed: the weeks after the campaign, and both together; name and margin per customer.
    pub after: Vec<(String, Reading)>,
    /// By segment.
    pub segments: Vec<LiftSegment>,
    /// How figures were made, and what must hold for them: method and assumptions.
    pub methods: Vec<Fact>,
}

/// A figure of both arms.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct LiftMetric {
    /// Its name.
    pub metric: String,
    /// True of what must not become worse.
    pub is_guardrail: bool,
    /// The treated.
    pub treatment: Option<f64>,
    /// The control; none where only the treated can have it.
    pub control: Option<f64>,
    /// Treatment less control.
    pub difference: Reading,
    /// The same less what was known before; none where nothing was.
    pub adjusted: Option<Reading>,
    /// The difference within segments, weighted by their size; of goals alone.
    pub stratified: Option<Reading>,
    /// The difference relative to control, adjusted where there is an adjusted one.
    pub relative: Option<Reading>,
    /// Share of the variance that the weeks before explain.
    pub explained: Option<f64>,
}

/// A look at the campaign while it runs.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct LiftLook {
    /// The week.
    pub week: String,
    /// Margin per customer up to then.
    pub margin: Reading,
    /// The interval that holds at every look together; none where there is no estimate.
    pub anytime: Option<(f64, f64)>,
}

/// A segment's part.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct LiftSegment {
    /// Its name.
    pub segment: String,
    /// Customers in treatment.
    pub treated: i64,
    /// Customers in control.
    pub control: i64,
    /// Margin per customer.
    pub margin: Reading,
    /// Revenue per customer.
    pub revenue: Reading,
    /// Share of customers who ordered.
    pub conversion: Reading,
    /// The p-value of the margin, corrected for the number of segments.
    pub p_corrected: Option<f64>,
}

/// Offers used by a rule of attribution.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Attributed {
    /// The rule.
    pub rule: String,
    /// Offers.
    pub offers: i64,
    /// What was paid with them.
    pub paid_minor: i64,
}

impl LiftReport {
    /// The report as one self-contained HTML file.
    ///
    /// # Errors
    /// `T0102` when `currency` is not a code; `T0807` when the template fails, which is a bug.
    pub fn html(&self) -> Result<String> {
        super::lift_page::html(self, Currency::new(&self.currency)?)
    }

    /// A report with every section filled.
    pub fn sample() -> Self {
        super::lift_sample::sample()
    }
}
