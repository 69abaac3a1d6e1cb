//! What must hold of every slate?

use serde::{Deserialize, Serialize};
use tercet_allocation::{ContactRules, Measure};

/// `[audience]`: who is in the run.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Audience {
    /// A SQL predicate over the customer master; empty means everybody.
    #[serde(rename = "where")]
    pub(crate) predicate: String,
    /// The most customers, those with the highest spend first; 0 means no limit.
    pub(crate) limit: u64,
}

/// `[[rules.pins]]`: a promotion the marketer insists on.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Pin {
    /// The promotion.
    pub(crate) promotion_id: String,
    /// The slot's name.
    pub(crate) slot: String,
    /// Who gets it: a SQL predicate over the customer master; empty means everybody. A promotion may be pinned
    /// again for others; where audiences overlap, the first pin holds.
    #[serde(rename = "where", default)]
    pub(crate) predicate: String,
}

/// What a budget counts of an offer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum BudgetMeasure {
    /// The discount that it is expected to give.
    #[default]
    Cost,
    /// The margin that it is expected to lose: the discount, less the margin on purchases that it brings.
    Margin,
}

impl From<BudgetMeasure> for Measure {
    fn from(measure: BudgetMeasure) -> Self {
        match measure {
            BudgetMeasure::Cost => Self::Cost,
            BudgetMeasure::Margin => Self::Margin,
        }
    }
}

/// `[[rules.budgets]]`: a budget that several promotions spend together.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct SharedBudget {
    /// What the report calls it.
    pub(crate) name: String,
    /// The most that all their offers may be expected to take of it, minor units.
    pub(crate) budget_minor: i64,
    /// What offers take of it: what they cost (`cost`, also when absent), or the margin that they lose (`margin`).
    #[serde(default)]
    pub(crate) measure: BudgetMeasure,
    /// The promotions that spend it; those that do not run in the week are passed over. Without any, all spend it.
    /// A promotion may spend several budgets.
    #[serde(default)]
    pub(crate) promotions: Vec<String>,
}

/// `[[rules.floors]]`: offers of which so many have to be made.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct OfferFloor {
    /// What the report calls it.
    pub(crate) name: String,
    /// The promotions, each of which is to reach so many customers; those that do not run in the week are passed
    /// over. Without any, offers of all promotions count together.
    #[serde(default)]
    pub(crate) promotions: Vec<String>,
    /// Whose offers count: a SQL predicate over the customer master; empty means everybody's.
    #[serde(rename = "where", default)]
    pub(crate) predicate: String,
    /// The least number of offers.
    pub(crate) offers_min: u64,
    /// What each missing offer counts as lost, minor units; absent, as much as the best offer of the run is worth.
    pub(crate) miss_minor: Option<i64>,
}

/// `[rules]`
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Rules {
    /// Share of customers that get nothing, so that the lift can be measured; 0 to 0.5.
    pub(crate) holdout_rate: f64,
    /// Name of the environment variable with the assignment key: 32 hexadecimal digits. Without it the
    /// key of the project's name is used, which is stable but not secret.
    pub(crate) assignment_key_env: String,
    /// The most offers a customer gets in a run; 0 means one per slot.
    pub(crate) offers_max: u8,
    /// Weeks in which a customer does not get the same promotion again.
    pub(crate) repeat_gap_weeks: u32,
    /// The most runs that may reach a customer within `contact_window_weeks`; 0 means no limit.
    pub(crate) contacts_max: u32,
    /// The window of `contacts_max`, weeks.
    pub(crate) contact_window_weeks: u32,
    /// What one offer more has to bring per offer of pressure, minor units; 0 means that pressure is free. Every
    /// offer of the last 26 weeks presses, an older one less.
    pub(crate) pressure_price_minor: f64,
    /// The share of the pressure that a week leaves, 0 to 1.
    pub(crate) pressure_kept: f64,
    /// The most a run may be expected to cost, minor units; absent means no limit.
    pub(crate) budget_minor: Option<i64>,
    /// Cap of promotions that name none; absent means no limit.
    pub(crate) cap_default: Option<u64>,
    /// The least value of an offer that is worth sending, minor units; absent sends all that are not expected to lose.
    pub(crate) value_min_minor: Option<i64>,
    /// Promotions that nobody gets.
    pub(crate) excluded: Vec<String>,
    /// Promotions that somebody must get.
    pub(crate) pins: Vec<Pin>,
    /// Budgets that several promotions spend together.
    pub(crate) budgets: Vec<SharedBudget>,
    /// Offers of which so many have to be made.
    pub(crate) floors: Vec<OfferFloor>,
}

impl Default for Rules {
    fn default() -> Self {
        Self {
            holdout_rate: 0.1,
            assignment_key_env: "TERCET_ASSIGNMENT_KEY".to_owned(),
            offers_max: 0,
            repeat_gap_weeks: 2,
            contacts_max: 0,
            contact_window_weeks: 4,
            pressure_price_minor: 0.0,
            pressure_kept: 0.7,
            budget_minor: None,
            cap_default: None,
            value_min_minor: None,
            excluded: Vec::new(),
            pins: Vec::new(),
            budgets: Vec::new(),
            floors: Vec::new(),
        }
    }
}

impl Rules {
    /// What earlier offers mean.
    pub(crate) fn contacts(&self) -> ContactRules {
        ContactRules {
            contacts_max: self.contacts_max,
            window_weeks: self.contact_window_weeks,
            repeat_gap_weeks: self.repeat_gap_weeks,
            pressure_price_minor: self.pressure_price_minor,
            pressure_kept: self.pressure_kept,
        }
    }
}
