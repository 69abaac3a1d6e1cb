//! Which things are bought together more often than chance?

use std::collections::BTreeMap;

use rayon::prelude::*;
use serde::{Deserialize, Serialize};
use tercet_types::Result;

use super::fp_tree::{Itemset, Limits, frequent};
use crate::purchases;
use crate::{Purchase, Purchases};

/// What counts as a rule.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct RuleParams {
    /// The least share of orders that hold the whole rule, in `(0, 1]`.
    pub min_support: f64,
    /// The least share of the antecedent's orders that hold the consequent too, in `[0, 1]`.
    pub min_confidence: f64,
    /// The least ratio of confidence to the consequent's own share of orders.
    pub min_lift: f64,
    /// The most keys in antecedent and consequent together, at least 2.
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

/// `antecedent → consequent`, both sorted sets of keys: products, or values of an attribute.
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

/// The distinct keys of every order with `as_of − window_days <= day < as_of`, per order sorted; orders by customer
/// and day. `keys_of` says which keys a product has.
pub(crate) fn orders<'k>(
    history: &Purchases,
    as_of: i32,
    window_days: u32,
    keys_of: &(dyn Fn(u32) -> &'k [u32] + Sync),
) -> Vec<Vec<u32>> {
    let of_customer = |customer| {
        let lines = history.window(customer, as_of, window_days);
        purchases::orders(lines).map(|order| distinct(order, keys_of)).collect::<Vec<_>>()
    };
    let per_customer: Vec<Vec<Vec<u32>>> = history.all_customers().map(of_customer).collect();
    per_customer.into_iter().flatten().collect()
}

/// The distinct keys of some lines, sorted.
fn distinct<'k>(lines: &[Purchase], keys_of: &dyn Fn(u32) -> &'k [u32]) -> Vec<u32> {
    let mut keys: Vec<u32> = lines.iter().flat_map(|line| keys_of(line.product)).copied().collect();
    keys.sort_unstable();
    keys.dedup();
    keys
}

/// The keys that recent lines call for, and the best confidence of a rule that does, by key: the antecedent lies
/// within one order, and the consequent is not bought in the recent lines themselves. Rules as [`single`] gives them.
pub(crate) fn called<'k>(
    rules: &[Rule],
    recent: &[Purchase],
    keys_of: &dyn Fn(u32) -> &'k [u32],
) -> Vec<(u32, f64)> {
    let bought = distinct(recent, keys_of);
    let mut called: Vec<(u32, f64)> = Vec::new();
    for order in purchases::orders(recent) {
        let order = distinct(order, keys_of);
        for first in &order {
            let from = rules.partition_point(|rule| rule.antecedent[0] < *first);
            for rule in rules[from..].iter().take_while(|rule| rule.antecedent[0] == *first) {
                let inside = rule.antecedent.iter().all(|key| order.binary_search(key).is_ok());
                if inside && bought.binary_search(&rule.consequent[0]).is_err() {
                    called.push((rule.consequent[0], rule.confidence));
                }
            }
        }
    }
    called.sort_unstable_by(|a, b| a.0.cmp(&b.0).then(b.1.total_cmp(&a.1)));
    called.dedup_by_key(|(key, _)| *key);
    called
}

/// The rules with one consequent. The minimal support is doubled while too many sets are frequent; there are no rules
/// when too many are even then.
///
/// # Errors
/// `T0405` for settings out of range.
pub(crate) fn single(orders: &[Vec<u32>], params: &RuleParams) -> Result<Vec<Rule>> {
    let mut settings = params.clone();
    for _ in 0..MAX_SUPPORT_DOUBLINGS {
        match rules(orders, &settings) {
            Err(error) if error.code() == TOO_MANY => {
                settings.min_support = (settings.min_support * 2.0).min(1.0);
            }
            Err(error) => return Err(error),
            Ok(mut rules) => {
                rules.retain(|rule| rule.consequent.len() == 1);
                return Ok(rules);
            }
        }
    }
    Ok(Vec::new())
}

/// All rules among `orders` (sorted distinct keys each), by antecedent and consequent.
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

pub(super) const PLACE: &str = "association-rules";
/// Doublings of the minimal support before rules are given up, from 1 in 1,000 to more than 1.
const MAX_SUPPORT_DOUBLINGS: usize = 10;
/// The code of too many frequent sets.
pub(super) const TOO_MANY: &str = "T0408";
/// A set of this many keys has a million splits; no shop's rule is longer.
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
    fn an_order_is_a_sorted_set_of_keys() {
        let history =
            conformance::history(2, 3, &[(0, 5, 2), (0, 5, 0), (0, 5, 1), (1, 7, 1), (1, 9, 1)]);
        let types = [[8], [4], [8]];
        let of = |product: u32| &types[product as usize][..];
        assert_eq!(orders(&history, 9, 100, &of), [vec![4, 8], vec![4]]);
        assert!(rules(&[], &RuleParams::default()).unwrap().is_empty());
        let wrong = RuleParams { min_support: 0.0, ..RuleParams::default() };
        assert_eq!(rules(&[vec![1]], &wrong).unwrap_err().code(), "T0405");
    }

    #[test]
    fn support_is_raised_while_sets_are_too_many() {
        let orders = vec![vec![1, 2], vec![1, 2], vec![3, 4], vec![3, 4], vec![1, 2], vec![5, 6]];
        let found = |max_itemsets: usize| {
            let params = RuleParams { max_itemsets, min_support: 0.1, ..RuleParams::default() };
            single(&orders, &params).unwrap().len()
        };
        assert_eq!((found(100), found(5), found(0)), (6, 2, 0));
    }
}
