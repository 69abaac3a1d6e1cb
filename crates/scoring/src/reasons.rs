//! Why would this customer want this offer?
//!
//! Codes, not sentences: `delivery` turns them into words. The strongest come first.

/// The most reasons an offer carries.
pub const REASONS_MAX: usize = 3;

/// What reasons are made of: facts of a customer and a promotion.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct PairFacts {
    /// What the promotion is on: its main product type or category.
    pub on: String,
    /// Orders of the customer with an eligible product.
    pub orders: i64,
    /// Days since the customer last bought an eligible product.
    pub days_since_bought: Option<f64>,
    /// Days between the customer's purchases of eligible products, typically.
    pub interval_days: Option<f64>,
    /// Orders of the customer in the promotion's categories.
    pub category_orders: i64,
    /// Recent visits of the customer to the promotion's categories.
    pub visits: f64,
    /// Share of active customers who buy into the promotion in a week.
    pub buyer_rate: f64,
    /// True when customers with a similar basket buy into it.
    pub similar_customers_buy: bool,
    /// What the promotion is estimated to save, minor units.
    pub saves_minor: Option<i64>,
}

/// Share of its interval after which a product counts as due.
const DUE_FROM: f64 = 0.8;

/// Share of its interval after which the customer has probably given the product up.
const DUE_UNTIL: f64 = 2.5;

/// Weekly buyer rate from which a promotion counts as popular.
const POPULAR_FROM: f64 = 0.02;

/// The reason codes of a pair, strongest first, at most [`REASONS_MAX`]; never empty.
///
/// ```
/// use tercet_scoring::{PairFacts, reason_codes};
/// let facts = PairFacts {
///     on: "GROUND COFFEE".into(), orders: 6, days_since_bought: Some(27.0), interval_days: Some(28.0),
///     ..PairFacts::default()
/// };
/// assert_eq!(reason_codes(&facts), ["due:GROUND COFFEE:28", "bought:GROUND COFFEE:6"]);
/// ```
pub fn reason_codes(facts: &PairFacts) -> Vec<String> {
    // The separator of codes and parameters must not stand in a name.
    let on = facts.on.replace([':', '|'], " ");
    let mut codes = Vec::new();
    if let (Some(since), Some(interval)) = (facts.days_since_bought, facts.interval_days)
        && interval >= 1.0
        && (DUE_FROM..=DUE_UNTIL).contains(&(since / interval))
    {
        codes.push(format!("due:{on}:{}", interval.round()));
    }
    if facts.orders > 0 {
        codes.push(format!("bought:{on}:{}", facts.orders));
    }
    if facts.visits >= 1.0 {
        codes.push(format!("browsed:{on}:{}", facts.visits.round()));
    }
    if facts.orders == 0 && facts.category_orders > 0 {
        codes.push(format!("category:{on}"));
    }
    if facts.orders == 0 && facts.category_orders == 0 {
        codes.push(format!("new_for_you:{on}"));
    }
    if facts.orders == 0 && facts.similar_customers_buy {
        codes.push("similar_customers".to_owned());
    }
    if facts.buyer_rate >= POPULAR_FROM {
        codes.push("popular".to_owned());
    }
    if let Some(saves) = facts.saves_minor.filter(|saves| *saves > 0) {
        codes.push(format!("saves:{saves}"));
    }
    codes.truncate(REASONS_MAX);
    codes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reasons_follow_the_facts() {
        let check = |facts: PairFacts, expect: &str| {
            assert_eq!(reason_codes(&facts).join("|"), expect, "{facts:?}");
        };
        let on = || "SOFT: DRINKS".to_owned();
        check(PairFacts { on: on(), ..PairFacts::default() }, "new_for_you:SOFT  DRINKS");
        check(
            PairFacts {
                on: on(),
                category_orders: 4,
                similar_customers_buy: true,
                buyer_rate: 0.05,
                ..PairFacts::default()
            },
            "category:SOFT  DRINKS|similar_customers|popular",
        );
        check(
            PairFacts {
                on: on(),
                orders: 3,
                days_since_bought: Some(90.0),
                interval_days: Some(10.0),
                saves_minor: Some(120),
                ..PairFacts::default()
            },
            "bought:SOFT  DRINKS:3|saves:120",
        );
        check(
            PairFacts { on: on(), visits: 2.4, category_orders: 1, ..PairFacts::default() },
            "browsed:SOFT  DRINKS:2|category:SOFT  DRINKS",
        );
    }
}
