//! Which product types are bought together more often than chance?

use std::collections::BTreeMap;

use rayon::prelude::*;
use tercet_types::{Error, Result};

use super::fp_tree::{Itemset, Limits, frequent};
use crate::Purchases;

/// What counts as a rule.
#[derive(Clone, Debug, PartialEq)]
pub struct RuleParams {
    /// The least share of orders that hold the whole rule, in `(0, 1]`.
    pub min_support: f64,
    /// The least share of the antecedent's orders that hold the consequent too, in `[0, 1]`.
    pub min_confidence: f64,
    /// The least ratio of confidence to the consequent's own share of orders.
    pub min_lift: f64,
    /// The most types in antecedent and consequent together, at least 2.
    pub max_length: usize,
    /// The most frequent sets that are looked at.
    pub max_itemsets: usize,
}

impl Default for RuleParams {
    fn default() -> Self {
        Self {
            min_support: 0.01,
            min_confidence: 0.1,
            min_lift: 1.1,
            max_length: 3,
            max_itemsets: 20_000,
        }
    }
}

/// `antecedent → consequent`, both sorted sets of product types.
///
/// Source: Agrawal, Imieliński, Swami, SIGMOD 1993, doi:10.1145/170035.170072; lift: Brin et al.,
/// SIGMOD 1997, doi:10.1145/253260.253325.
#[derive(Clone, Debug, PartialEq)]
pub struct Rule {
    /// What was bought.
    pub antecedent: Vec<u32>,
    /// What goes with it.
    pub consequent: Vec<u32>,
    /// The share of all orders that hold both.
    pub support: f64,
    /// The share of the antecedent's orders that hold the consequent.
    pub confidence: f64,
    /// `confidence / share of orders that hold the consequent`; above 1 is more than chance.
    pub lift: f64,
}

/// The distinct product types of every order with `as_of − window_days <= day < as_of`, per order
/// sorted; orders by customer and day.
///
/// # Errors
/// `T0407` when a product has no type.
pub fn orders(
    history: &Purchases,
    as_of: i32,
    window_days: u32,
    product_types: &[u32],
) -> Result<Vec<Vec<u32>>> {
    if product_types.len() != history.products() {
        return Err(Error::data(
            "T0407",
            format!("{} product types for {} products", product_types.len(), history.products()),
        ));
    }
    let of_customer = |customer| {
        let lines = history.window(customer, as_of, window_days);
        let types = |order: &[crate::Purchase]| {
            let mut types: Vec<u32> =
                order.iter().map(|line| product_types[line.product as usize]).collect();
            types.sort_unstable();
            types.dedup();
            types
        };
        let orders = lines.chunk_by(|a, b| (a.day, a.order) == (b.day, b.order));
        orders.map(types).collect::<Vec<_>>()
    };
    let per_customer: Vec<Vec<Vec<u32>>> = history.all_customers().map(of_customer).collect();
    Ok(per_customer.into_iter().flatten().collect())
}

/// All rules among `orders` (sorted distinct types each), by antecedent and consequent.
///
/// # Errors
/// `T0405` for settings out of range, `T0408` when more than `max_itemsets` sets are frequent.
pub fn rules(orders: &[Vec<u32>], params: &RuleParams) -> Result<Vec<Rule>> {
    crate::setting::check_setting(
        PLACE,
        "min_support",
        params.min_support,
        f64::MIN_POSITIVE..=1.0,
    )?;
    crate::setting::check_setting(PLACE, "min_confidence", params.min_confidence, 0.0..=1.0)?;
    crate::setting::check_setting(PLACE, "min_lift", params.min_lift, 0.0..=f64::MAX)?;
    if orders.is_empty() {
        return Ok(Vec::new());
    }
    let limits = Limits {
        min_count: (params.min_support * orders.len() as f64).ceil() as u32,
        max_length: params.max_length.min(MAX_LENGTH),
        max_itemsets: params.max_itemsets,
    };
    let itemsets = frequent(orders, limits)?;
    Ok(rules_of(&itemsets, orders.len() as f64, params))
}

const PLACE: &str = "association rules";
/// The code of too many frequent sets.
pub(crate) const TOO_MANY: &str = "T0408";
/// A set of this many types has a million splits; no shop's rule is longer.
const MAX_LENGTH: usize = 20;

fn rules_of(itemsets: &[Itemset], orders: f64, params: &RuleParams) -> Vec<Rule> {
    let counts: BTreeMap<&[u32], u32> =
        itemsets.iter().map(|(set, count)| (set.as_slice(), *count)).collect();
    let share = |set: &[u32]| counts.get(set).map_or(0.0, |count| f64::from(*count) / orders);
    let split = |(set, _): &Itemset| {
        let mut rules = Vec::new();
        // Every bit pattern but none and all: the set bits are the antecedent.
        for mask in 1..(1_u32 << set.len()) - 1 {
            let part = |inside: u32| -> Vec<u32> {
                set.iter()
                    .enumerate()
                    .filter(|(bit, _)| mask >> bit & 1 == inside)
                    .map(|(_, item)| *item)
                    .collect()
            };
            let (antecedent, consequent) = (part(1), part(0));
            let support = share(set);
            let confidence = support / share(&antecedent);
            let lift = confidence / share(&consequent);
            if confidence >= params.min_confidence && lift >= params.min_lift {
                rules.push(Rule { antecedent, consequent, support, confidence, lift });
            }
        }
        rules
    };
    let mut rules: Vec<Rule> =
        itemsets.par_iter().filter(|(set, _)| set.len() > 1).flat_map_iter(split).collect();
    rules.sort_by(|a, b| (&a.antecedent, &a.consequent).cmp(&(&b.antecedent, &b.consequent)));
    rules
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::conformance;

    #[test]
    fn an_order_is_a_sorted_set_of_types() {
        let history =
            conformance::history(2, 3, &[(0, 5, 2), (0, 5, 0), (0, 5, 1), (1, 7, 1), (1, 9, 1)]);
        assert_eq!(orders(&history, 9, 100, &[8, 4, 8]).unwrap(), [vec![4, 8], vec![4]]);
        assert_eq!(orders(&history, 9, 100, &[8]).unwrap_err().code(), "T0407");
        assert!(rules(&[], &RuleParams::default()).unwrap().is_empty());
        let wrong = RuleParams { min_support: 0.0, ..RuleParams::default() };
        assert_eq!(rules(&[vec![1]], &wrong).unwrap_err().code(), "T0405");
    }
}
