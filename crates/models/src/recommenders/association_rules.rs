//! What goes with what this customer bought lately?

mod fp_tree;
mod rules;

use serde::{Deserialize, Serialize};
use tercet_types::{Error, Result};

pub use self::rules::{Rule, RuleParams, rules};
pub(crate) use self::rules::{called, orders, single};
use crate::registry::{Axis, Configured, Range};
use crate::{Fitted, Kind, Query, Recommender, Row, Training};

/// Products that rules call for: `score = confidence · the product's share in the lines sold of its key`, where the
/// confidence is the best of a rule whose antecedent lies within one recent order. What is bought in the recent days
/// themselves is not called for. Keys are products, or the values of an attribute such as the product type.
///
/// Sources: see [`Rule`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct AssociationRules {
    /// The kind of product attribute that rules are over; none is over products themselves.
    pub level: Option<String>,
    /// What counts as a rule. The minimal support is doubled while too many sets are frequent.
    pub rules: RuleParams,
    /// The days before the as-of day whose orders teach rules and shares.
    pub window_days: u32,
    /// The days before the as-of day whose orders call for products.
    pub recent_days: u32,
}

impl Default for AssociationRules {
    fn default() -> Self {
        Self {
            level: None,
            rules: RuleParams { min_support: 0.001, max_length: 2, ..RuleParams::default() },
            window_days: 182,
            recent_days: 14,
        }
    }
}

impl Configured for AssociationRules {
    const NAME: &'static str = rules::PLACE;
    const SPACE: &'static [Axis] = &[
        Axis { setting: "rules.min_support", range: Range::LogReal(0.0005, 0.05) },
        Axis { setting: "rules.min_confidence", range: Range::Real(0.0, 0.5) },
        Axis { setting: "window_days", range: Range::LogWhole(7, 3_650) },
        Axis { setting: "recent_days", range: Range::LogWhole(1, 3_650) },
    ];
}

impl Recommender for AssociationRules {
    fn name(&self) -> &'static str {
        rules::PLACE
    }

    fn fit<'a>(&'a self, training: &Training<'a>) -> Result<Box<dyn Fitted + 'a>> {
        training.check()?;
        let (history, as_of) = (training.history, training.as_of);
        let kind = |name: &String| {
            training.products.kind(name).ok_or_else(|| {
                Error::config("T0405", format!("{}: no product attribute '{name}'", rules::PLACE))
                    .hint("name an attribute that products have, or none for rules over products")
            })
        };
        let keys = Keys {
            kind: self.level.as_ref().map(kind).transpose()?,
            products: (0..history.products() as u32).collect(),
        };
        let of = |product: u32| keys.of(product);
        let rules = single(&orders(history, as_of, self.window_days, &of), &self.rules)?;
        let mut sold = vec![0_u32; history.products()];
        for customer in 0..history.customers() as u32 {
            for line in history.window(customer, as_of, self.window_days) {
                sold[line.product as usize] += u32::from(line.spend_minor >= 0);
            }
        }
        Ok(Box::new(Called { settings: self, keys, rules, sold }))
    }
}

/// Which keys products have.
struct Keys<'a> {
    kind: Option<&'a Kind>,
    /// Every product, for rules over products.
    products: Vec<u32>,
}

impl Keys<'_> {
    /// None for a product that is not known.
    fn of(&self, product: u32) -> &[u32] {
        match self.kind {
            Some(kind) => kind.of(product),
            None => self.with(product),
        }
    }

    /// The products of a key.
    fn products(&self, key: u32) -> &[u32] {
        match self.kind {
            Some(kind) => kind.rows_with(key),
            None => self.with(key),
        }
    }

    fn with(&self, product: u32) -> &[u32] {
        self.products.get(product as usize).map_or(&[], std::slice::from_ref)
    }
}

/// Rules with one consequent, and how often each product was sold.
struct Called<'a> {
    settings: &'a AssociationRules,
    keys: Keys<'a>,
    rules: Vec<Rule>,
    sold: Vec<u32>,
}

impl Fitted for Called<'_> {
    fn score(&self, query: &Query<'_>, row: &mut Row) {
        let recent = query.window(self.settings.recent_days);
        for (key, confidence) in called(&self.rules, recent, &|product| self.keys.of(product)) {
            let products = self.keys.products(key);
            let lines = |product: &u32| f64::from(self.sold[*product as usize]);
            let all: f64 = products.iter().map(lines).sum();
            for product in products.iter().filter(|product| self.sold[**product as usize] > 0) {
                row.add(*product, confidence * lines(product) / all);
            }
        }
    }

    fn products(&self) -> usize {
        self.sold.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Attributes;
    use crate::conformance::{check_recommender, history};

    fn over(level: Option<&str>) -> AssociationRules {
        let rules = RuleParams {
            min_support: 0.001,
            min_confidence: 0.0,
            min_lift: 0.0,
            ..RuleParams::default()
        };
        AssociationRules { level: level.map(str::to_owned), rules, ..AssociationRules::default() }
    }

    #[test]
    fn conforms() {
        check_recommender(&over(None));
        check_recommender(&over(Some("product_type")));
        // A product has two brands.
        check_recommender(&over(Some("brand")));
    }

    #[test]
    fn rules_call_for_products_or_for_what_sells_of_a_type() {
        // 0 goes with 1, which is of the type of 2 and 3; of these 2 is sold twice as often.
        let lines = [
            (0, 1, 0),
            (0, 1, 1),
            (1, 2, 0),
            (1, 2, 1),
            (2, 3, 2),
            (2, 4, 2),
            (2, 5, 2),
            (2, 6, 2),
            (3, 95, 0),
        ];
        let past = history(4, 4, &lines);
        let products =
            Attributes::none(4).with("type", &[vec![0], vec![1], vec![1], vec![1]]).unwrap();
        let customers = Attributes::none(4);
        let training =
            Training { history: &past, as_of: 100, products: &products, customers: &customers };
        let check = |level: Option<&str>, expect: &[(u32, f64)]| {
            let estimator = over(level);
            let mut row = Row::new(4);
            estimator.fit(&training).unwrap().score(&Query::of(&past, 3, 100), &mut row);
            assert_eq!(row.take(), expect, "{level:?}");
        };
        // Two of the three orders with 0 hold 1.
        check(None, &[(1, 2.0 / 3.0)]);
        check(Some("type"), &[(1, 2.0 / 3.0 * 2.0 / 6.0), (2, 2.0 / 3.0 * 4.0 / 6.0)]);
        assert_eq!(over(Some("brand")).fit(&training).map(|_| ()).unwrap_err().code(), "T0405");
    }
}
