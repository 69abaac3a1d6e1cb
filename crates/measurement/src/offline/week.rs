//! What happened in a week that a slate can be judged against?

use serde::{Deserialize, Serialize};
use tercet_types::{Error, Result};

/// The most offers a slate holds; the `3` of every metric's name.
pub const SLATE_LEN: usize = 3;

/// The offers an engine picked for one customer and week, best first.
///
/// Each is an index into [`Week::promotions`]. Empty places may stand anywhere; a promotion's rank
/// is its place among the filled ones.
pub type Slate = [Option<u32>; SLATE_LEN];

/// How many products a promotion covers, in one word. The caller draws the line.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Breadth {
    /// Few eligible products.
    Narrow,
    /// Many eligible products.
    Broad,
}

/// Which promotions are candidates of an evaluation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Scope {
    /// Narrow promotions only.
    Narrow,
    /// Broad promotions only.
    Broad,
    /// Every promotion.
    All,
}

impl Scope {
    /// All scopes, in reporting order.
    pub const ALL: [Self; 3] = [Self::Narrow, Self::Broad, Self::All];

    /// True when a promotion of that breadth is a candidate.
    pub const fn holds(self, breadth: Breadth) -> bool {
        match self {
            Self::Narrow => matches!(breadth, Breadth::Narrow),
            Self::Broad => matches!(breadth, Breadth::Broad),
            Self::All => true,
        }
    }

    /// The name in results.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Narrow => "narrow",
            Self::Broad => "broad",
            Self::All => "all",
        }
    }
}

/// A promotion that could be offered in a week.
#[derive(Clone, Debug)]
pub struct WeekPromotion {
    /// Eligible products, ascending, each once.
    pub products: Vec<u32>,
    /// Narrow or broad.
    pub breadth: Breadth,
}

/// What a customer spent on one product in the week.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Purchase {
    /// The product.
    pub product: u32,
    /// Net spend, minor units, at least 0.
    pub spend_minor: i64,
}

/// One evaluated customer in one week.
#[derive(Clone, Debug)]
pub struct CustomerWeek {
    /// The customer; the same number in every week, the cluster of the bootstrap.
    pub customer: u32,
    /// The week's purchases, one per product, ascending by product; empty when nothing was bought.
    pub purchases: Vec<Purchase>,
    /// Products bought at any time before the week, ascending, each once.
    pub bought_before: Vec<u32>,
    /// Promotions redeemed in the week (indices into [`Week::promotions`], each once); `None` when
    /// the customer's household was not mailed, so that nothing could be redeemed.
    pub redeemed: Option<Vec<u32>>,
    /// The segment to break results down by.
    pub segment: String,
}

/// One week: its candidates and its evaluated customers.
#[derive(Clone, Debug)]
pub struct Week {
    /// The name in results, for example the Monday `2017-09-04`.
    pub name: String,
    /// The promotions that could be offered.
    pub promotions: Vec<WeekPromotion>,
    /// The evaluated customers, in the order of the slates.
    pub customers: Vec<CustomerWeek>,
}

impl Week {
    /// Checks order, ranges and signs.
    ///
    /// # Errors
    /// `T0701` (data) naming week, customer or promotion when a list is not ascending, a spend is
    /// negative, a customer comes twice or a redeemed promotion does not exist.
    pub(crate) fn check(&self) -> Result<()> {
        for (index, promotion) in self.promotions.iter().enumerate() {
            if !ascending(&promotion.products, |&product| product) {
                return Err(self.wrong(format!("promotion {index}: products are not ascending")));
            }
        }
        let mut seen: Vec<u32> = self.customers.iter().map(|row| row.customer).collect();
        seen.sort_unstable();
        if let Some(pair) = seen.windows(2).find(|pair| pair[0] == pair[1]) {
            return Err(self.wrong(format!("customer {} stands twice", pair[0])));
        }
        self.customers.iter().try_for_each(|row| self.check_customer(row))
    }

    fn check_customer(&self, row: &CustomerWeek) -> Result<()> {
        let fault = if !ascending(&row.purchases, |purchase| purchase.product) {
            "purchases are not ascending by product"
        } else if !ascending(&row.bought_before, |&product| product) {
            "products bought before are not ascending"
        } else if row.purchases.iter().any(|purchase| purchase.spend_minor < 0) {
            "a product's net spend is negative: leave out products returned in full"
        } else if row.redeemed.iter().flatten().any(|&p| p as usize >= self.promotions.len()) {
            "a redeemed promotion is not among the week's promotions"
        } else {
            return Ok(());
        };
        Err(self.wrong(format!("customer {}: {fault}", row.customer)))
    }

    /// Checks one engine's slates of this week.
    ///
    /// # Errors
    /// `T0702` (data) when there is not one slate per customer, or a slate offers a promotion that
    /// does not exist, is outside the scope or stands twice.
    pub(crate) fn check_slates(&self, engine: &str, scope: Scope, slates: &[Slate]) -> Result<()> {
        let wrong = |what: String| {
            let place = format!("week {}, engine {engine}, {}", self.name, scope.name());
            Err(Error::data("T0702", format!("{place}: {what}"))
                .hint("an engine hands over one slate per customer, from the scope's candidates"))
        };
        if slates.len() != self.customers.len() {
            let (got, want) = (slates.len(), self.customers.len());
            return wrong(format!("{got} slates for {want} customers"));
        }
        for (slate, row) in slates.iter().zip(&self.customers) {
            for (place, &promotion) in slate.iter().flatten().enumerate() {
                let known = self.promotions.get(promotion as usize);
                if !known.is_some_and(|known| scope.holds(known.breadth)) {
                    let customer = row.customer;
                    return wrong(format!(
                        "customer {customer}: promotion {promotion} is no candidate"
                    ));
                }
                if slate.iter().flatten().take(place).any(|&earlier| earlier == promotion) {
                    let customer = row.customer;
                    return wrong(format!(
                        "customer {customer}: promotion {promotion} stands twice"
                    ));
                }
            }
        }
        Ok(())
    }

    fn wrong(&self, what: String) -> Error {
        Error::data("T0701", format!("week {}: {what}", self.name))
            .hint("sort and aggregate the week before it is judged")
    }
}

fn ascending<T>(list: &[T], key: impl Fn(&T) -> u32) -> bool {
    list.windows(2).all(|pair| key(&pair[0]) < key(&pair[1]))
}
