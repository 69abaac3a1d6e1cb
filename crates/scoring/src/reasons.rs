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
    /// How much each kind of fact moved the prediction, where one was made of this pair.
    pub drivers: Option<Drivers>,
}

/// What raised (above 0) or lowered the chance that the customer buys into the offer: contributions to the
/// model's margin.
#[derive(Clone, Copy, Debug, PartialEq, Default)]
pub struct Drivers {
    /// Something is due again.
    pub rhythm: f64,
    /// What the customer bought of the promotion's products.
    pub bought: f64,
    /// What the customer buys of the same types, categories and makers.
    pub taste: f64,
    /// What the customer looked at.
    pub looked: f64,
    /// What customers alike buy.
    pub alike: f64,
    /// How the promotion does with everybody.
    pub promotion: f64,
}

/// Share of its interval after which a product counts as due.
const DUE_FROM: f64 = 0.8;

/// Share of its interval after which the customer has probably given the product up.
const DUE_UNTIL: f64 = 2.5;

/// Weekly buyer rate from which a promotion counts as popular.
const POPULAR_FROM: f64 = 0.02;

/// The reason codes of a pair, strongest first, at most [`REASONS_MAX`]; never empty.
///
/// A code is given only where its fact holds. With [`Drivers`], a fact that lowered the prediction is no reason, and
/// the others come in the order of what they added; facts that no model looked at (novelty, the saving) come
/// behind. Without, or where nothing else is left, the order is that of the example.
///
/// ```
/// use tercet_scoring::{Drivers, PairFacts, reason_codes};
/// let facts = PairFacts {
///     on: "GROUND COFFEE".into(), orders: 6, days_since_bought: Some(27.0), interval_days: Some(28.0),
///     ..PairFacts::default()
/// };
/// assert_eq!(reason_codes(&facts), ["due:GROUND COFFEE:28", "bought:GROUND COFFEE:6"]);
/// let drivers = Some(Drivers { rhythm: 0.2, bought: 1.5, ..Drivers::default() });
/// let facts = PairFacts { drivers, ..facts };
/// assert_eq!(reason_codes(&facts), ["bought:GROUND COFFEE:6", "due:GROUND COFFEE:28"]);
/// ```
pub fn reason_codes(facts: &PairFacts) -> Vec<String> {
    let found = codes(facts);
    let mut ordered = found.clone();
    if let Some(drivers) = &facts.drivers {
        ordered.retain(|(_, kind)| kind.is_none_or(|kind| kind(drivers) > 0.0));
        // Stable: what no model looked at stays in its order, behind.
        let added = |kind: &Option<Kind>| kind.map_or(0.0, |kind| kind(drivers));
        ordered.sort_by(|(_, one), (_, other)| added(other).total_cmp(&added(one)));
        if ordered.is_empty() {
            ordered = found;
        }
    }
    ordered.into_iter().map(|(code, _)| code).take(REASONS_MAX).collect()
}

/// Reads what a kind of fact added.
type Kind = fn(&Drivers) -> f64;

/// The codes whose facts hold, each with the kind of fact, if a model looks at it.
fn codes(facts: &PairFacts) -> Vec<(String, Option<Kind>)> {
    // The separator of codes and parameters must not stand in a name.
    let on = facts.on.replace([':', '|'], " ");
    let mut codes: Vec<(String, Option<Kind>)> = Vec::new();
    if let (Some(since), Some(interval)) = (facts.days_since_bought, facts.interval_days)
        && interval >= 1.0
        && (DUE_FROM..=DUE_UNTIL).contains(&(since / interval))
    {
        codes.push((format!("due:{on}:{}", interval.round()), Some(|drivers| drivers.rhythm)));
    }
    if facts.orders > 0 {
        codes.push((format!("bought:{on}:{}", facts.orders), Some(|drivers| drivers.bought)));
    }
    if facts.visits >= 1.0 {
        // A shop may know categories looked at, which are visits, and no products, which models look at.
        let is_told = facts.drivers.is_some_and(|drivers| drivers.looked != 0.0);
        let kind: Option<Kind> = if is_told { Some(|drivers| drivers.looked) } else { None };
        codes.push((format!("browsed:{on}:{}", facts.visits.round()), kind));
    }
    if facts.orders == 0 && facts.category_orders > 0 {
        codes.push((format!("category:{on}"), Some(|drivers| drivers.taste)));
    }
    if facts.orders == 0 && facts.category_orders == 0 {
        codes.push((format!("new_for_you:{on}"), None));
    }
    if facts.orders == 0 && facts.similar_customers_buy {
        codes.push(("similar_customers".to_owned(), Some(|drivers| drivers.alike)));
    }
    if facts.buyer_rate >= POPULAR_FROM {
        codes.push(("popular".to_owned(), Some(|drivers| drivers.promotion)));
    }
    if let Some(saves) = facts.saves_minor.filter(|saves| *saves > 0) {
        codes.push((format!("saves:{saves}"), None));
    }
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

    #[test]
    fn facts_that_lowered_the_prediction_are_no_reasons() {
        let check = |drivers: Drivers, expect: &str| {
            let facts = PairFacts {
                on: "TEA".to_owned(),
                visits: 1.0,
                category_orders: 2,
                similar_customers_buy: true,
                buyer_rate: 0.05,
                saves_minor: Some(50),
                drivers: Some(drivers),
                ..PairFacts::default()
            };
            assert_eq!(reason_codes(&facts).join("|"), expect, "{drivers:?}");
        };
        let drivers = Drivers { taste: 0.1, alike: 0.3, promotion: 0.2, ..Drivers::default() };
        check(drivers, "similar_customers|popular|category:TEA");
        check(Drivers { alike: -0.3, ..drivers }, "popular|category:TEA|browsed:TEA:1");
        check(Drivers { looked: 0.15, ..drivers }, "similar_customers|popular|browsed:TEA:1");
        check(Drivers { alike: -0.3, looked: -0.1, ..drivers }, "popular|category:TEA|saves:50");
        // What holds of other facts only (nothing was bought, so nothing is due) is not said.
        check(Drivers { rhythm: 9.0, bought: 9.0, ..Drivers::default() }, "browsed:TEA:1|saves:50");
        let facts = PairFacts {
            on: "TEA".to_owned(),
            orders: 2,
            drivers: Some(Drivers { bought: -1.0, ..Drivers::default() }),
            ..PairFacts::default()
        };
        assert_eq!(reason_codes(&facts), ["bought:TEA:2"]);
    }
}
