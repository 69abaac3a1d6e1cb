//! What can be offered in a week, and to whom?

use std::collections::{BTreeMap, BTreeSet};

use tercet_engine::{Engine, Frame};
use tercet_features::MasterFacts;
use tercet_models::Eligibility;
use tercet_scoring::Base;
use tercet_types::{Date, Result};

use super::shop::Shop;
use crate::config::Config;

/// A promotion that is known by the week's Monday.
#[derive(Clone, Debug)]
pub(crate) struct KnownPromotion {
    /// Its id.
    pub(crate) id: String,
    /// The name a customer reads; the id without one.
    pub(crate) name: String,
    /// What it is on: its main product type, or category.
    pub(crate) on: String,
    /// Eligible products, ascending.
    pub(crate) products: Vec<u32>,
    /// What an average customer does with it.
    pub(crate) base: Base,
    /// True when the shop says the margin of every product with a price that it holds for.
    pub(crate) margin_is_told: bool,
    /// Depth as a share of the price.
    pub(crate) discount_rate: f64,
    /// True when it runs on the Monday and covers a product.
    pub(crate) is_candidate: bool,
    /// The most customers in a run.
    pub(crate) cap: Option<u64>,
    /// The most expected cost of a run, minor units.
    pub(crate) budget_minor: Option<i64>,
    /// At most one of a group.
    pub(crate) exclusivity_group: Option<String>,
    /// A predicate over the customer master.
    pub(crate) audience: Option<String>,
    /// The stores it holds in; none means all.
    pub(crate) stores: Option<BTreeSet<String>>,
    /// The channels it holds in, lower case; none means all.
    pub(crate) channels: Option<BTreeSet<String>>,
}

/// A customer as of the Monday.
#[derive(Clone, Debug)]
pub(crate) struct KnownCustomer {
    /// Its id.
    pub(crate) id: String,
    /// Behaviour segment.
    pub(crate) behaviour: String,
    /// Named RFM segment; empty without an order.
    pub(crate) rfm_segment: String,
    /// Days since the last order.
    pub(crate) recency_days: Option<i64>,
    /// Orders in the RFM window.
    pub(crate) orders: i64,
    /// Spend in the RFM window, minor units.
    pub(crate) monetary_minor: i64,
    /// True when offers may be sent.
    pub(crate) may_be_contacted: bool,
    /// The store where the customer shops.
    pub(crate) home_store: Option<String>,
    /// Channels the customer uses or agreed to, separated by '|'.
    pub(crate) channels: Option<String>,
    /// True when the channels are all that the customer agreed to be reached in.
    pub(crate) agreed_to_channels: bool,
}

/// A week: everything known before its Monday.
pub(crate) struct Week {
    /// The Monday.
    pub(crate) as_of: Date,
    /// What the masters counted.
    pub(crate) facts: MasterFacts,
    /// Customers by index.
    pub(crate) customers: BTreeMap<i32, KnownCustomer>,
    /// Promotions by index.
    pub(crate) promotions: BTreeMap<i32, KnownPromotion>,
}

/// A promotion with more eligible products is broad: buying into it says little.
pub(crate) const NARROW_PRODUCTS_MAX: usize = 100;

/// Days in which a customer must have shopped to count as active.
pub(crate) const ACTIVE_DAYS: i64 = 56;

impl Week {
    /// Makes the masters as of a Monday and reads what deciding needs.
    pub(crate) fn build(
        engine: &Engine,
        shop: &Shop,
        config: &Config,
        as_of: Date,
    ) -> Result<Self> {
        let facts = tercet_features::build_master(engine, as_of, &config.features)?;
        Self::read(engine, shop, as_of, facts, None)
    }

    /// Reads the masters that are registered: of the customers of `shop`. `active` is how many of all customers
    /// shopped in the last eight weeks, when these are not all.
    pub(crate) fn read(
        engine: &Engine,
        shop: &Shop,
        as_of: Date,
        facts: MasterFacts,
        active: Option<usize>,
    ) -> Result<Self> {
        let promotions =
            engine.query(include_str!("../../sql/week_promotions.sql"), &BTreeMap::new())?;
        let eligible =
            engine.query(include_str!("../../sql/week_eligible.sql"), &BTreeMap::new())?;
        let customers = known_customers(engine)?;
        let mut week = Self { as_of, facts, customers, promotions: BTreeMap::new() };
        let active = active.unwrap_or_else(|| week.active().len());
        week.promotions = known_promotions(&promotions, &eligible, active, shop)?;
        Ok(week)
    }

    /// Indices of the promotions that can be offered, ascending.
    pub(crate) fn candidates(&self) -> Vec<i32> {
        self.promotions.iter().filter(|(_, p)| p.is_candidate).map(|(ix, _)| *ix).collect()
    }

    /// Eligible products of promotions by index; nothing for those that `keep` refuses.
    pub(crate) fn eligibility(
        &self,
        shop: &Shop,
        keep: impl Fn(&KnownPromotion) -> bool,
    ) -> Result<Eligibility> {
        let mut lists = vec![Vec::new(); shop.indexes.promotion_ids.len()];
        for (ix, promotion) in self.promotions.iter().filter(|(_, promotion)| keep(promotion)) {
            lists[*ix as usize].clone_from(&promotion.products);
        }
        Eligibility::new(shop.indexes.product_ids.len(), &lists)
    }

    /// Indices of customers who shopped in the last eight weeks, ascending.
    pub(crate) fn active(&self) -> Vec<i32> {
        self.customers
            .iter()
            .filter(|(_, customer)| customer.recency_days.is_some_and(|days| days <= ACTIVE_DAYS))
            .map(|(ix, _)| *ix)
            .collect()
    }
}

/// The customers whose master is registered, by index.
pub(super) fn known_customers(engine: &Engine) -> Result<BTreeMap<i32, KnownCustomer>> {
    let frame = engine.query(include_str!("../../sql/week_customers.sql"), &BTreeMap::new())?;
    let (ix, ids) = (frame.i32("customer_ix")?, frame.text("customer_id")?);
    let (behaviours, rfm) = (frame.text("behaviour")?, frame.text_or_null("rfm_segment")?);
    let (recency, orders) = (frame.i64_or_null("recency_days")?, frame.i64("frequency")?);
    let (monetary, contact) =
        (frame.i64("monetary_minor")?, frame.bool_or_null("may_be_contacted")?);
    let homes = frame.text_or_null("home_store_id")?;
    let (channels, agreed) =
        (frame.text_or_null("channels")?, frame.text_or_null("agreed_channels")?);
    let rows = ids.into_iter().zip(behaviours).zip(rfm).enumerate();
    Ok(rows
        .map(|(row, ((id, behaviour), rfm_segment))| {
            let customer = KnownCustomer {
                id,
                behaviour,
                rfm_segment: rfm_segment.unwrap_or_default(),
                recency_days: recency[row],
                orders: orders[row],
                monetary_minor: monetary[row],
                may_be_contacted: contact[row].unwrap_or(false),
                home_store: homes[row].clone(),
                channels: channels[row].clone(),
                agreed_to_channels: agreed[row].is_some(),
            };
            (ix[row], customer)
        })
        .collect())
}

fn known_promotions(
    frame: &Frame,
    eligible: &Frame,
    active: usize,
    shop: &Shop,
) -> Result<BTreeMap<i32, KnownPromotion>> {
    let mut products: BTreeMap<i32, Vec<u32>> = BTreeMap::new();
    for (promotion, product) in
        eligible.i32("promotion_ix")?.into_iter().zip(eligible.i32("product_ix")?)
    {
        products.entry(promotion).or_default().push(product as u32);
    }
    let ix = frame.i32("promotion_ix")?;
    let (names, ons) = (frame.text_or_null("promotion_name")?, frame.text_or_null("is_on")?);
    let buyers = frame.i64("buyers_4w")?;
    let (prices, rates) = (frame.f64("price_mean_minor")?, frame.f64("discount_rate")?);
    let (discounts, margins) = (frame.f64("discount_minor")?, frame.f64("margin_rate")?);
    let untold = frame.i64_or_null("untold_products")?;
    let (candidates, caps) = (frame.bool_or_null("is_candidate")?, frame.i64_or_null("cap")?);
    let (budgets, groups) =
        (frame.i64_or_null("budget_minor")?, frame.text_or_null("exclusivity_group")?);
    let audiences = frame.text_or_null("audience")?;
    let (stores, channels) =
        (frame.text_or_null("store_scope")?, frame.text_or_null("channel_scope")?);
    /// Weeks behind `buyers_4w`.
    const WEEKS: f64 = 4.0;
    Ok((0..frame.rows())
        .map(|row| {
            let id = shop.indexes.promotion_ids[ix[row] as usize].clone();
            let promotion = KnownPromotion {
                name: names[row].clone().unwrap_or_else(|| id.clone()),
                on: ons[row].clone().unwrap_or_else(|| id.clone()),
                id,
                products: products.remove(&ix[row]).unwrap_or_default(),
                base: Base {
                    buyer_rate: buyers[row] as f64 / WEEKS / active.max(1) as f64,
                    spend_per_buyer_minor: if prices[row].is_finite() { prices[row] } else { 0.0 },
                    discount_minor: if discounts[row].is_finite() { discounts[row] } else { 0.0 },
                    margin_rate: if margins[row].is_finite() { margins[row] } else { 0.0 },
                },
                margin_is_told: untold[row].is_none_or(|products| products == 0),
                discount_rate: rates[row],
                is_candidate: candidates[row].unwrap_or(false),
                cap: caps[row].map(|cap| cap.max(0) as u64),
                budget_minor: budgets[row],
                exclusivity_group: groups[row].clone(),
                audience: audiences[row].clone().filter(|text| !text.trim().is_empty()),
                stores: listed(stores[row].as_deref()),
                channels: listed(channels[row].as_deref().map(str::to_lowercase).as_deref()),
            };
            (ix[row], promotion)
        })
        .collect())
}

/// The entries of a list separated by '|'; nothing for one without entries.
pub(crate) fn listed(text: Option<&str>) -> Option<BTreeSet<String>> {
    let entries = text?.split('|').map(str::trim).filter(|entry| !entry.is_empty());
    Some(entries.map(str::to_owned).collect::<BTreeSet<_>>()).filter(|found| !found.is_empty())
}
