//! What came of each offer, and of each slate, in its window?

use std::collections::BTreeMap;

use serde::Serialize;
use tercet_engine::{Engine, Frame, Value, params};
use tercet_types::tables::sources as tables;
use tercet_types::{Error, Result};

use super::logged::Log;
use crate::commands::Project;
use crate::pipeline::prepare::sources_of;

/// What counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Reward {
    /// What is paid for products that the offers hold for, less returns.
    Revenue,
    /// The margin on them, less what coupons take off.
    Margin,
    /// Offers that are redeemed.
    Redemption,
    /// Customers who order anything.
    Order,
}

impl Reward {
    /// All of them.
    pub(crate) const ALL: [Self; 4] = [Self::Revenue, Self::Margin, Self::Redemption, Self::Order];

    /// The name on the command line.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Revenue => "revenue",
            Self::Margin => "margin",
            Self::Redemption => "redemption",
            Self::Order => "order",
        }
    }

    /// True when it is money, in minor units.
    pub(crate) const fn is_money(self) -> bool {
        matches!(self, Self::Revenue | Self::Margin)
    }

    const fn column(self) -> &'static str {
        match self {
            Self::Revenue => "revenue_minor",
            Self::Margin => "margin_minor",
            Self::Redemption => "redeemed",
            Self::Order => "ordered",
        }
    }
}

impl std::str::FromStr for Reward {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        Self::ALL.into_iter().find(|reward| reward.name() == text).ok_or_else(|| {
            let names: Vec<&str> = Self::ALL.iter().map(|reward| reward.name()).collect();
            Error::config("T1055", format!("'{text}' is no reward")).hint(format!(
                "take {}; or name a column of a table given by --log",
                names.join(", ")
            ))
        })
    }
}

/// Rewards of the log's offers and slates.
pub(super) struct Rewards {
    offers: BTreeMap<usize, f64>,
    slates: BTreeMap<usize, f64>,
    slots: usize,
    /// True when a single offer has a reward of its own.
    pub(super) are_of_offers: bool,
}

impl Rewards {
    /// Reads the shop's data and what came of the log's slates; those whose windows are not over are left out of it.
    ///
    /// # Errors
    /// `T1052` when no window is over.
    pub(super) fn read(project: &Project, log: &mut Log, reward: Reward) -> Result<Self> {
        let none = Self {
            offers: BTreeMap::new(),
            slates: BTreeMap::new(),
            slots: log.slates.first().map_or(0, |slate| slate.done.len()),
            are_of_offers: reward != Reward::Order,
        };
        let Some(end) = log.slates.iter().map(|slate| slate.window.1).max() else {
            return Ok(none);
        };
        let engine = &project.engine;
        tercet_sources::load(engine, &sources_of(project)?, end.plus_days(1))?;
        for table in tables::ALL.iter().filter(|table| !engine.has(table.name)) {
            engine.register_empty(table)?;
        }
        let days = engine
            .query(include_str!("../../../sql/days_of_transactions.sql"), &BTreeMap::new())?;
        let last_day = days.date_or_null("last_day")?.first().copied().flatten();
        let too_early = || {
            let until = last_day.map_or_else(|| "nowhere".to_owned(), |day| day.to_string());
            Error::data("T1052", format!("the data end on {until}: no run's window is over"))
                .hint("evaluate when the transactions of the week that was decided are there")
        };
        log.retain_over(last_day.ok_or_else(too_early)?);
        if log.slates.is_empty() {
            return Err(too_early());
        }
        tercet_features::index(engine)?;
        engine.register("decided", &decided(log)?)?;
        let rate = project.config.lift.margin_rate;
        let purchases = include_str!("../../../sql/decision_purchases.sql");
        engine.create(
            "decision_purchases",
            purchases,
            &params([("margin_rate", Value::F64(rate))]),
        )?;
        let found =
            rows(engine, include_str!("../../../sql/decision_rewards.sql"), "decision_rewards")?;
        let offers = match reward {
            Reward::Order => BTreeMap::new(),
            _ => column(&found, "row", reward.column())?,
        };
        let found = rows(engine, include_str!("../../../sql/slate_rewards.sql"), "slate_rewards")?;
        let slates = column(&found, "slate", reward.column())?;
        for table in ["decided", "decision_purchases", "decision_rewards", "slate_rewards"] {
            engine.forget(table)?;
        }
        Ok(Self { offers, slates, ..none })
    }

    /// What came of an offer; nothing of an empty slot.
    pub(super) fn of_offer(&self, slate: usize, slot: usize) -> f64 {
        self.offers.get(&(slate * self.slots + slot)).copied().unwrap_or(0.0)
    }

    /// What came of a slate.
    pub(super) fn of_slate(&self, slate: usize) -> f64 {
        self.slates.get(&slate).copied().unwrap_or(0.0)
    }
}

fn rows(engine: &Engine, sql: &str, table: &str) -> Result<Frame> {
    engine.create(table, sql, &BTreeMap::new())?;
    engine.table(table)
}

fn column(found: &Frame, key: &str, name: &str) -> Result<BTreeMap<usize, f64>> {
    let keys = found.i64(key)?.into_iter().map(|key| key as usize);
    Ok(keys.zip(found.i64(name)?.into_iter().map(|value| value as f64)).collect())
}

/// What was decided, one row a slot.
fn decided(log: &Log) -> Result<Frame> {
    let (mut rows, mut slates, mut customers) = (Vec::new(), Vec::new(), Vec::new());
    let (mut promotions, mut from, mut to) = (Vec::new(), Vec::new(), Vec::new());
    for (at, slate) in log.slates.iter().enumerate() {
        for cell in &slate.done {
            rows.push(rows.len() as i64);
            slates.push(at as i64);
            customers.push(slate.customer.clone());
            promotions.push(cell.as_ref().map(|(_, id)| id.clone()));
            from.push(slate.window.0.days());
            to.push(slate.window.1.days());
        }
    }
    Frame::of(vec![
        ("row", rows.into()),
        ("slate", slates.into()),
        ("customer_id", customers.into()),
        ("promotion_id", promotions.into()),
        ("from_day", from.into()),
        ("to_day", to.into()),
    ])
}
