//! What did customers look at of late, in the categories of promotions?

use std::collections::BTreeMap;

use tercet_engine::Engine;
use tercet_types::Result;

/// Recent browsing of customers in promotions' categories, against what browsing customers do.
pub(crate) struct Visits {
    /// Customer, category and decayed visits in millionths; sorted.
    of_category: Vec<(i32, i32, i64)>,
    /// Category and the place of a promotion on it; sorted.
    promotions_on: Vec<(i32, usize)>,
    promotions: Vec<i32>,
}

/// Visits are counted in millionths.
const MICRO: f64 = 1e6;

impl Visits {
    /// Reads the browsing before the week's Monday, of the customers that are registered.
    pub(crate) fn read(engine: &Engine, promotions: &[i32]) -> Result<Self> {
        let none = BTreeMap::new();
        let on = engine.query(include_str!("../../../sql/promotion_categories.sql"), &none)?;
        let categories = on.i32("category_ix")?.into_iter();
        let promotions_on = categories.zip(on.i32("promotion_ix")?).filter_map(|(category, ix)| {
            promotions.binary_search(&ix).ok().map(|place| (category, place))
        });
        let seen = engine.query(include_str!("../../../sql/visits_of_customers.sql"), &none)?;
        let (customers, categories) = (seen.i32("customer_ix")?, seen.i32("category_ix")?);
        let of_category = customers.into_iter().zip(categories).zip(seen.i64("events_micro")?);
        Ok(Self {
            of_category: of_category
                .map(|((customer, category), micro)| (customer, category, micro))
                .collect(),
            promotions_on: promotions_on.collect(),
            promotions: promotions.to_vec(),
        })
    }

    /// Decayed visits of the customer to all categories, and by promotion those to its categories.
    pub(crate) fn of_customer(&self, customer: i32) -> (f64, Vec<f64>) {
        let start = self.of_category.partition_point(|(known, ..)| *known < customer);
        let seen = self.of_category[start..].iter().take_while(|(known, ..)| *known == customer);
        let (mut all, mut micros) = (0, vec![0_i64; self.promotions.len()]);
        for (_, category, micro) in seen {
            all += micro;
            let from = self.promotions_on.partition_point(|(known, _)| known < category);
            let on = self.promotions_on[from..].iter().take_while(|(known, _)| known == category);
            on.for_each(|(_, place)| micros[*place] += micro);
        }
        (all as f64 / MICRO, micros.into_iter().map(|micro| micro as f64 / MICRO).collect())
    }

    /// Where a promotion stands among those of [`of_customer`](Self::of_customer).
    pub(crate) fn place(&self, promotion: i32) -> Option<usize> {
        self.promotions.binary_search(&promotion).ok()
    }

    /// The even share of visits of each promotion's categories.
    pub(super) fn shares(&self) -> Vec<f64> {
        let (mut all, mut by_category) = (0, BTreeMap::new());
        for (_, category, micro) in &self.of_category {
            all += micro;
            *by_category.entry(*category).or_insert(0_i64) += micro;
        }
        let mut visits = vec![0_i64; self.promotions.len()];
        for (category, place) in &self.promotions_on {
            visits[*place] += by_category.get(category).copied().unwrap_or(0);
        }
        let all = f64::max(all as f64 / MICRO, 1e-9);
        visits.into_iter().map(|micro| micro as f64 / MICRO / all).collect()
    }
}
