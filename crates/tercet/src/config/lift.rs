//! How is it measured what offers brought?

use serde::{Deserialize, Serialize};
use tercet_features::Attribution;

/// `[lift]`
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Lift {
    /// Where measurements are kept: a folder or URL, relative to the project.
    pub(crate) folder: String,
    /// Share of intervals that are to hold the truth.
    pub(crate) level: f64,
    /// Weeks before the campaign whose spend explains part of the differences between customers.
    pub(crate) covariate_weeks: u32,
    /// Weeks after the campaign in which purchases may be missing that it only pulled forward.
    pub(crate) after_weeks: u32,
    /// Weeks that the campaign is planned to run, settled before it begins: the weekly verdict goes by it. 0 means that
    /// nobody planned, and there is no verdict.
    pub(crate) planned_weeks: u32,
    /// What says that an offer was used, the most trusted sign first: `code` (it was redeemed), `purchase` (a product
    /// that it holds for was bought in its week), `click` (it was clicked, and something was ordered soon after). An
    /// offer counts once.
    pub(crate) attribution: Vec<Attribution>,
    /// Days after a click in which an order counts for it.
    pub(crate) click_days: u32,
    /// Weeks for which a launched product is new in the shop.
    pub(crate) novelty_weeks: u32,
    /// Margin over revenue of products that say none, 0 to 1.
    pub(crate) margin_rate: f64,
    /// What reaching a customer once costs, minor units.
    pub(crate) contact_cost_minor: i64,
    /// The most that a customer counts with in the capped figures, minor units of revenue, settled before the
    /// campaign; absent, what one customer in a thousand exceeded in the weeks before.
    pub(crate) revenue_cap_minor: Option<i64>,
    /// The same for margin.
    pub(crate) margin_cap_minor: Option<i64>,
}

impl Default for Lift {
    fn default() -> Self {
        Self {
            folder: "lift".to_owned(),
            level: 0.95,
            covariate_weeks: 10,
            after_weeks: 4,
            planned_weeks: 0,
            attribution: vec![Attribution::Code, Attribution::Purchase, Attribution::Click],
            click_days: 7,
            novelty_weeks: 12,
            margin_rate: 0.3,
            contact_cost_minor: 0,
            revenue_cap_minor: None,
            margin_cap_minor: None,
        }
    }
}
