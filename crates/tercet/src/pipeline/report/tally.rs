//! What does the report count of the decisions, part by part?

use std::collections::BTreeMap;

use tercet_allocation::RuleId;
use tercet_delivery::offers::Offer;
use tercet_delivery::reasons;
use tercet_delivery::report::run::{ExampleCustomer, ExampleOffer};
use tercet_engine::Frame;
use tercet_types::{Currency, Result};

use crate::output::thousands;
use crate::pipeline::publish::rule_words;
use crate::pipeline::runner::StageContext;
use crate::pipeline::week::{KnownCustomer, KnownPromotion};
use crate::pipeline::worth::{RANK_SCORE, route_of};

/// Customers shown as examples, per behaviour segment.
const EXAMPLES_PER_SEGMENT: usize = 2;

/// What the report counts of the decisions, part by part.
#[derive(Default)]
pub(in crate::pipeline) struct Tally {
    pub(super) offers: usize,
    pub(super) treated: usize,
    pub(super) control: usize,
    pub(super) reached: usize,
    pub(super) value_minor: i64,
    pub(super) cost_minor: i64,
    pub(super) ranked: bool,
    /// By behaviour, RFM segment and arm.
    pub(super) segments: BTreeMap<(String, String, String), i64>,
    /// By promotion: offers, value and expected cost, minor units.
    pub(super) promotions: BTreeMap<String, (i64, i64, i64)>,
    /// By slot: filled, empty, and empty by reason.
    pub(super) slots: BTreeMap<i32, (i64, i64, BTreeMap<String, i64>)>,
    pub(super) routes: BTreeMap<&'static str, i64>,
    pub(super) examples: Examples,
}

impl Tally {
    /// Adds the decisions for some customers, and the offers that came of them.
    pub(in crate::pipeline) fn add(
        &mut self,
        context: &StageContext<'_>,
        log: &Frame,
        offers: &[Offer],
        customers: &BTreeMap<i32, KnownCustomer>,
        promotions: &BTreeMap<i32, KnownPromotion>,
    ) -> Result<()> {
        let currency = Currency::new(&context.config.project.currency)?;
        let log = Log::read(log)?;
        self.offers += offers.len();
        self.treated += log.customers(|row| log.arms[row] == "treatment");
        self.control += log.customers(|row| log.arms[row] == "control");
        self.reached += log.customers(|row| log.promotions[row].is_some());
        let (own, is_rank) = (&context.identity.decider, |row: usize| log.kinds[row] == RANK_SCORE);
        let rows = 0..log.customers.len();
        self.ranked |= rows.clone().any(|row| log.engines[row] == *own && is_rank(row));
        // Amounts and the scores of another engine do not add up.
        let counts = |row: &usize| self.ranked || !is_rank(*row);
        self.value_minor += rows.clone().filter(counts).map(|row| log.values[row]).sum::<i64>();
        self.cost_minor += rows.clone().filter(counts).map(|row| log.costs[row]).sum::<i64>();
        let by_id: BTreeMap<&str, &KnownCustomer> =
            customers.values().map(|customer| (customer.id.as_str(), customer)).collect();
        for row in rows.clone() {
            let (slot, arm) = (log.slots[row], &log.arms[row]);
            if slot == 1
                && let Some(known) = by_id.get(log.customers[row].as_str())
            {
                let key = (known.behaviour.clone(), known.rfm_segment.clone(), arm.clone());
                *self.segments.entry(key).or_insert(0) += 1;
            }
            if let Some(id) = &log.promotions[row] {
                let count = self.promotions.entry(id.clone()).or_default();
                count.0 += 1;
                count.1 += if counts(&row) { log.values[row] } else { 0 };
                count.2 += log.costs[row];
            }
            if arm == "treatment" {
                let (filled, empty, reasons) = self.slots.entry(slot).or_default();
                match &log.promotions[row] {
                    Some(_) => *filled += 1,
                    None => *empty += 1,
                }
                if let Some(reason) = &log.empties[row] {
                    *reasons.entry(reason.clone()).or_insert(0) += 1;
                }
            }
        }
        for customer in customers.values() {
            *self.routes.entry(route_of(customer, context.config).name()).or_insert(0) += 1;
        }
        self.examples.add(&log, &by_id, promotions, offers, currency);
        Ok(())
    }
}

/// The columns of the decision log that the report reads.
struct Log {
    customers: Vec<String>,
    slots: Vec<i32>,
    slot_names: Vec<String>,
    arms: Vec<String>,
    engines: Vec<String>,
    promotions: Vec<Option<String>>,
    values: Vec<i64>,
    kinds: Vec<String>,
    costs: Vec<i64>,
    empties: Vec<Option<String>>,
    reasons: Vec<Option<String>>,
}

impl Log {
    fn read(frame: &Frame) -> Result<Self> {
        Ok(Self {
            customers: frame.text("customer_id")?,
            slots: frame.i32("slot")?,
            slot_names: frame.text("slot_name")?,
            arms: frame.text("arm")?,
            engines: frame.text("engine")?,
            promotions: frame.text_or_null("promotion_id")?,
            values: frame.i64("value_minor")?,
            kinds: frame.text("value_kind")?,
            costs: frame.i64("expected_cost_minor")?,
            empties: frame.text_or_null("empty_reason")?,
            reasons: frame.text_or_null("reason_codes")?,
        })
    }

    /// Customers with a row that meets a condition; rows of a customer stand together.
    fn customers(&self, meets: impl Fn(usize) -> bool) -> usize {
        let mut last: Option<&str> = None;
        let mut count = 0;
        for row in (0..self.customers.len()).filter(|row| meets(*row)) {
            if last != Some(self.customers[row].as_str()) {
                last = Some(&self.customers[row]);
                count += 1;
            }
        }
        count
    }
}

/// The first customers of each behaviour segment with a full slate, and one of control.
#[derive(Default)]
pub(super) struct Examples {
    counts: BTreeMap<String, usize>,
    pub(super) shown: Vec<ExampleCustomer>,
}

impl Examples {
    fn add(
        &mut self,
        log: &Log,
        known: &BTreeMap<&str, &KnownCustomer>,
        promotions: &BTreeMap<i32, KnownPromotion>,
        offers: &[Offer],
        currency: Currency,
    ) {
        let by_decision: BTreeMap<(&str, i32), &Offer> =
            offers.iter().map(|offer| ((offer.customer_id.as_str(), offer.slot), offer)).collect();
        let names: BTreeMap<&str, &str> = promotions
            .values()
            .map(|promotion| (promotion.id.as_str(), promotion.on.as_str()))
            .collect();
        let mut row = 0;
        while row < log.customers.len() {
            let id = log.customers[row].as_str();
            let end =
                row + log.customers[row..].iter().take_while(|customer| *customer == id).count();
            let rows = row..end;
            row = end;
            let Some(customer) = known.get(id) else { continue };
            let arm = log.arms[rows.start].as_str();
            let is_control = arm == "control";
            let filled = rows.clone().filter(|row| log.promotions[*row].is_some()).count();
            let key = if is_control { "control" } else { customer.behaviour.as_str() };
            let most = if is_control { 1 } else { EXAMPLES_PER_SEGMENT };
            let count = self.counts.entry(key.to_owned()).or_insert(0);
            if *count >= most || (!is_control && filled < 3) {
                continue;
            }
            *count += 1;
            self.shown.push(ExampleCustomer {
                customer_id: id.to_owned(),
                behaviour: customer.behaviour.clone(),
                rfm: customer.rfm_segment.clone(),
                arm: arm.to_owned(),
                about: match customer.recency_days {
                    Some(days) => {
                        format!("{} orders, the last {days} days ago", thousands(customer.orders))
                    }
                    None => "no orders yet".to_owned(),
                },
                offers: if is_control {
                    Vec::new()
                } else {
                    // A slot that is not meant for the customer is not shown empty.
                    rows.filter(|row| log.empties[*row].as_deref() != Some(RuleId::Audience.name()))
                        .map(|row| example_offer(log, row, &by_decision, &names, currency))
                        .collect()
                },
            });
        }
    }
}

fn example_offer(
    log: &Log,
    row: usize,
    offers: &BTreeMap<(&str, i32), &Offer>,
    names: &BTreeMap<&str, &str>,
    currency: Currency,
) -> ExampleOffer {
    let offer = offers.get(&(log.customers[row].as_str(), log.slots[row]));
    ExampleOffer {
        slot: log.slot_names[row].clone(),
        promotion: offer.map_or_else(String::new, |offer| {
            let on = names.get(offer.promotion_id.as_str()).copied().unwrap_or_default();
            format!("{} ({})", reasons::titled(on), offer.promotion_id)
        }),
        code: offer.and_then(|offer| offer.code.clone()).unwrap_or_default(),
        value_minor: log.values[row],
        valid_from: offer.map(|offer| offer.valid_from),
        valid_to: offer.map(|offer| offer.valid_to),
        reasons: match (&log.reasons[row], &log.empties[row]) {
            (Some(codes), _) => reasons::sentences(Some(codes), currency),
            (None, Some(rule)) => vec![rule_words(rule)],
            (None, None) => Vec::new(),
        },
    }
}
