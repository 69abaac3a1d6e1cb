//! What did customers do, week by week, under the offers they got?
//!
//! The other features look before a day; these look at the weeks after one, to say what became of it. They are
//! for measurement alone: nothing that decides reads them.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use tercet_engine::{Engine, Frame, Value, params};
use tercet_types::tables::outcomes::OUTCOMES;
use tercet_types::{Date, Result};

use crate::statement::{Statement, create_all, statement};

const LAUNCHES: Statement = statement!("product_launches", "outcome/launches");

/// In the order in which they are needed.
const STATEMENTS: [Statement; 9] = [
    statement!("outcome_lines", "outcome/lines"),
    statement!("outcome_spend", "outcome/spend"),
    statement!("outcome_products", "outcome/products"),
    statement!("outcome_coupons", "outcome/coupons"),
    statement!("outcome_clicks", "outcome/clicks"),
    statement!("outcome_covered", "outcome/covered"),
    statement!("outcome_uses", "outcome/uses"),
    statement!("outcome_attributed", "outcome/attributed"),
    statement!("outcome_week_offers", "outcome/offers"),
];

const FIRST_SALES: &str = include_str!("../sql/outcome/first_sales.sql");
const BEFORE: &str = include_str!("../sql/outcome/before.sql");
const WEEK_OUTCOMES: &str = include_str!("../sql/outcome/outcomes.sql");

/// What says that an offer was used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Attribution {
    /// Its code was redeemed in its window.
    Code,
    /// A product that it holds for was bought in its window.
    Purchase,
    /// It was clicked in its window, and something was ordered soon after.
    Click,
}

impl Attribution {
    /// The name in configuration and tables.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Code => "code",
            Self::Purchase => "purchase",
            Self::Click => "click",
        }
    }
}

/// Which weeks are looked at, and what counts in them.
#[derive(Clone, Debug, PartialEq)]
pub struct OutcomeAsk {
    /// The first Monday of the campaign: week 0.
    pub first_day: Date,
    /// The day from which on nothing counts.
    pub until: Date,
    /// Weeks before the campaign that are known as covariates.
    pub weeks_before: i64,
    /// Weeks for which a launched product is new in the shop.
    pub novelty_weeks: i64,
    /// Margin over revenue of products that say none, 0 to 1.
    pub margin_rate: f64,
    /// What says that an offer was used, the most trusted sign first.
    pub attribution: Vec<Attribution>,
    /// Days after a click in which an order counts for it.
    pub click_days: i64,
}

/// First days of sale, gathered part by part, since a part has not all buyers of a product.
#[derive(Clone, Debug, Default)]
pub struct FirstSales(BTreeMap<String, i64>);

/// What some units did.
#[derive(Clone, Debug)]
pub struct Outcomes {
    /// Rows of the table `outcomes`, by unit and week.
    pub weeks: Frame,
    /// Offers used, and what was paid with them in minor units, by the rule that said so.
    pub attributed: BTreeMap<String, (u64, i64)>,
}

impl FirstSales {
    /// Of the `transactions` that are registered.
    ///
    /// # Errors
    /// The engine's own.
    pub fn of(engine: &Engine, ask: &OutcomeAsk) -> Result<Self> {
        let found = engine.query(FIRST_SALES, &ask.params())?;
        Ok(Self(found.text("product_id")?.into_iter().zip(found.i64("first_day")?).collect()))
    }

    /// Adds those of another part.
    pub fn absorb(&mut self, other: Self) {
        for (product, day) in other.0 {
            let first = self.0.entry(product).or_insert(day);
            *first = day.min(*first);
        }
    }

    /// Registers what is known of products, once all parts were added: needs [`index_shop`](crate::index_shop).
    ///
    /// # Errors
    /// The engine's own.
    pub fn register(&self, engine: &Engine, ask: &OutcomeAsk) -> Result<()> {
        let begin = self.0.values().min().copied().unwrap_or_default();
        let (ids, days): (Vec<String>, Vec<i64>) = self.0.clone().into_iter().unzip();
        let sales = Frame::of(vec![("product_id", ids.into()), ("first_day", days.into())])?;
        engine.register("first_sales", &sales)?;
        let mut values = ask.params();
        values.insert("begin_day".to_owned(), Value::I64(begin));
        create_all(engine, &[LAUNCHES], &values)?;
        engine.forget("first_sales")
    }
}

/// What the units that are registered did in each week, from `weeks_before` weeks before the campaign on.
///
/// Needs, registered: the canonical tables with all rows of these customers; `units` (`unit`, `customer_id`,
/// `entered_day` in days since 1970-01-01); `outcome_offers` (`unit`, `week`, `promotion_id`, `from_day`, `to_day`:
/// an offer once for each week's run); [`index_shop`](crate::index_shop) and [`FirstSales::register`].
///
/// # Errors
/// The engine's own.
pub fn outcomes(engine: &Engine, ask: &OutcomeAsk) -> Result<Outcomes> {
    let rules = ask.attribution.iter().map(|rule| rule.name().to_owned());
    let places = 0..ask.attribution.len() as i64;
    engine.register(
        "outcome_rules",
        &Frame::of(vec![
            ("rule", rules.collect::<Vec<_>>().into()),
            ("place", places.collect::<Vec<_>>().into()),
        ])?,
    )?;
    let values = ask.params();
    create_all(engine, &STATEMENTS, &values)?;
    let weeks = engine.query(WEEK_OUTCOMES, &values)?.conform(&OUTCOMES)?;
    let used = engine.table("outcome_attributed")?;
    let mut attributed: BTreeMap<String, (u64, i64)> = BTreeMap::new();
    for (rule, minor) in used.text("rule")?.into_iter().zip(used.i64("attributed_minor")?) {
        let (offers, paid) = attributed.entry(rule).or_default();
        *offers += 1;
        *paid += minor;
    }
    for statement in STATEMENTS {
        engine.forget(statement.table)?;
    }
    Ok(Outcomes { weeks, attributed })
}

/// Revenue and margin of units in the weeks before `known_until`, minor units, of those who bought anything then, from
/// the registered `unit_weeks`: rows of the table `outcomes`.
///
/// # Errors
/// The engine's own.
pub fn spent_before(engine: &Engine, known_until: i64) -> Result<[Vec<i64>; 2]> {
    let values = params([("known_until", Value::I64(known_until))]);
    let found = engine.query(BEFORE, &values)?;
    Ok([found.i64("revenue_minor")?, found.i64("margin_minor")?])
}

impl OutcomeAsk {
    fn params(&self) -> BTreeMap<String, Value> {
        params([
            ("first_day", Value::I64(i64::from(self.first_day.days()))),
            ("until_day", Value::I64(i64::from(self.until.days()))),
            ("weeks_before", Value::I64(self.weeks_before)),
            ("novelty_weeks", Value::I64(self.novelty_weeks)),
            ("margin_rate", Value::F64(self.margin_rate)),
            ("click_days", Value::I64(self.click_days)),
        ])
    }
}
