//! Which products do customers go for who went for these?

mod alike;
mod co_visits;
mod neighbours;
mod settings;

use rayon::prelude::*;
use tercet_types::Result;

use self::alike::Alike;
use self::co_visits::{CoVisits, Scratch};
use self::neighbours::{Neighbours, turned};
use self::settings::ESTIMATOR;
pub use self::settings::{ItemToItem, Kept, Measure};
use crate::sequences::Sequences;
use crate::{Fitted, Purchase, Query, Recommender, Row, Training, top};

impl ItemToItem {
    /// What a weight is multiplied by, by the product that leads and by the one that follows.
    fn scales(&self, visits: &CoVisits<'_>, past: &Sequences) -> [Vec<f64>; 2] {
        let (all, power) = (past.customers() as f64, self.popularity_discount);
        let lead = |n: f64| match self.measure {
            Measure::Count => 1.0,
            Measure::Probability => 1.0 / n,
            Measure::Cosine => 1.0 / n.sqrt(),
            Measure::Lift => all / n,
        };
        let follow = |n: f64| match self.measure {
            Measure::Count | Measure::Probability => n.powf(-power),
            Measure::Cosine => n.powf(-power) / n.sqrt(),
            Measure::Lift => n.powf(-power) / n,
        };
        let each = |scale: &dyn Fn(f64) -> f64| {
            let products = 0..past.products() as u32;
            products.map(|product| scale(f64::from(visits.customers_of(product)))).collect()
        };
        [each(&lead), each(&follow)]
    }

    /// The neighbours of every product, best first.
    fn neighbours(&self, training: &Training<'_>) -> Neighbours {
        let everybody = 0..training.history.customers() as u32;
        let past = Sequences::new(training, everybody, self.lines_max, self.weighs_pairs());
        let visits = CoVisits::new(self, &past);
        let products = past.products();
        let [lead, follow] = self.scales(&visits, &past);
        let (own, other) = match self.kept {
            Kept::Followers => (&lead, &follow),
            Kept::Leaders => (&follow, &lead),
        };
        let list = |scratch: &mut Scratch, product: u32| {
            visits.count(product, scratch);
            let like = |(place, met, weight): (u32, u32, f64)| {
                let scale = own[product as usize] * other[place as usize];
                let shrunk = match self.shrinkage {
                    0.0 => 1.0,
                    nought => f64::from(met) / (f64::from(met) + nought),
                };
                (place, weight * scale * shrunk)
            };
            let met = visits.counted(product, scratch).filter(|met| met.1 >= self.min_customers);
            let found = top(met.map(like), self.neighbours);
            scratch.clear();
            found
        };
        let mut lists: Vec<Vec<(u32, f64)>> = (0..products as u32)
            .into_par_iter()
            .with_min_len(16)
            .map_init(|| visits.scratch(), list)
            .collect();
        if self.attribute_customers > 0.0 && !training.products.kinds().is_empty() {
            let customers: Vec<u32> =
                (0..products as u32).map(|product| visits.customers_of(product)).collect();
            let alike = Alike::new(training.products, &customers, self.attribute_customers);
            lists = alike.blend(&lists, self.neighbours, self.returns);
        }
        let lists = match self.kept {
            Kept::Followers => lists,
            Kept::Leaders => turned(&lists),
        };
        Neighbours::new(&lists)
    }
}

impl Recommender for ItemToItem {
    fn name(&self) -> &'static str {
        ESTIMATOR
    }

    fn fit<'a>(&'a self, training: &Training<'a>) -> Result<Box<dyn Fitted + 'a>> {
        self.check()?;
        training.check()?;
        Ok(Box::new(FittedItemToItem { settings: self, neighbours: self.neighbours(training) }))
    }
}

struct FittedItemToItem<'a> {
    settings: &'a ItemToItem,
    neighbours: Neighbours,
}

impl FittedItemToItem<'_> {
    /// The products of the recent orders, each once, and what each counts: that of its last line.
    fn recent(&self, query: &Query<'_>) -> Vec<(u32, f64)> {
        let settings = self.settings;
        let same_order = |a: &Purchase, b: &Purchase| (a.day, a.order) == (b.day, b.order);
        let mut recent: Vec<(u32, f64)> = Vec::new();
        for (back, order) in
            (0_u32..settings.recent_orders).zip(query.lines.chunk_by(same_order).rev())
        {
            let age_days = (f64::from(query.as_of) - f64::from(order[0].day)).max(0.0);
            let decay =
                settings.recency_half_life_days.map_or(1.0, |half| (-age_days / half).exp2());
            let weight = (f64::from(back) + 1.0).powf(-settings.recency_power) * decay;
            recent.extend(order.iter().map(|line| (line.product, weight)));
        }
        // Stable: the last line of a product stands first.
        recent.sort_by_key(|(product, _)| *product);
        recent.dedup_by_key(|(product, _)| *product);
        recent
    }
}

impl Fitted for FittedItemToItem<'_> {
    fn score(&self, query: &Query<'_>, row: &mut Row) {
        for (product, weight) in self.recent(query) {
            for (other, likeness) in self.neighbours.of(product) {
                row.add(*other, weight * likeness);
            }
        }
    }

    fn similar(&self, product: u32, row: &mut Row) -> bool {
        let others = self.neighbours.of(product).iter().filter(|(other, _)| *other != product);
        others.for_each(|(other, likeness)| row.add(*other, *likeness));
        true
    }

    fn products(&self) -> usize {
        self.neighbours.products()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::conformance;
    use crate::{Attributes, Purchases, Seen, Wanted};

    #[test]
    fn conforms() {
        conformance::check_recommender(&ItemToItem::default());
        conformance::check_recommender(&ItemToItem {
            measure: Measure::Lift,
            popularity_discount: 0.1,
            shrinkage: 3.0,
            min_customers: 2,
            backward: 0.3,
            distance_power: 1.0,
            half_life_days: Some(60.0),
            returns: true,
            history_discount: 0.5,
            lines_max: 30,
            neighbours: 7,
            kept: Kept::Leaders,
            attribute_customers: 10.0,
            recent_orders: 5,
            recency_power: 1.0,
            recency_half_life_days: Some(90.0),
            ..ItemToItem::default()
        });
    }

    /// `(product, score)` for a customer who had some products, one a day.
    fn asked(estimator: &ItemToItem, past: &Purchases, products: &[u32]) -> Vec<(u32, f64)> {
        let none = [Attributes::none(past.products()), Attributes::none(past.customers())];
        let training =
            Training { history: past, as_of: 100, products: &none[0], customers: &none[1] };
        let fitted = estimator.fit(&training).unwrap();
        let lines: Vec<(u32, i32, u32)> =
            (0..).zip(products).map(|(day, product)| (0, day, *product)).collect();
        let asking = conformance::history(1, 9, &lines);
        let query = Query { customer: None, ..Query::of(&asking, 0, 100) };
        let wanted = Wanted { k: 9, seen: Seen::Keep, among: None };
        fitted.recommend(&[query], &wanted).remove(0)
    }

    #[test]
    fn order_distance_and_returns_count_where_asked_for() {
        let lines = [(0, 1, 0), (0, 2, 1), (0, 3, 2), (0, 4, 1), (1, 1, 1), (1, 1, 2)];
        let past = conformance::history(2, 4, &lines);
        let count = ItemToItem { measure: Measure::Count, ..ItemToItem::default() };
        let check = |estimator: ItemToItem, products: &[u32], expected: &[(u32, f64)]| {
            assert_eq!(asked(&estimator, &past, products), expected, "{estimator:?}");
        };
        check(count.clone(), &[1], &[(2, 2.0), (0, 1.0)]);
        check(ItemToItem { neighbours: 1, ..count.clone() }, &[1], &[(2, 2.0)]);
        check(ItemToItem { min_customers: 2, ..count.clone() }, &[1], &[(2, 2.0)]);
        check(ItemToItem { neighbours: 0, ..count.clone() }, &[1], &[]);
        let ahead = ItemToItem { backward: 0.0, distance_power: 1.0, ..count.clone() };
        check(ahead.clone(), &[0], &[(1, 1.0), (2, 0.5)]);
        check(ahead.clone(), &[1], &[(2, 2.0)]);
        check(ItemToItem { returns: true, ..ahead.clone() }, &[1], &[(2, 2.0), (1, 0.5)]);
        check(ItemToItem { reach_orders: 1, ..ahead.clone() }, &[0], &[(1, 1.0)]);
        check(
            ItemToItem { half_life_days: Some(1.0), ..ahead.clone() },
            &[0],
            &[(1, 0.5), (2, 0.125)],
        );
        check(ItemToItem { lines_max: 2, ..count.clone() }, &[0], &[]);
        // One list for each product: 2 is led to by 1 more than by 0.
        let leaders = ItemToItem { kept: Kept::Leaders, neighbours: 1, ..count.clone() };
        check(leaders.clone(), &[0], &[]);
        check(leaders, &[1], &[(2, 2.0), (0, 1.0)]);
        let recent = ItemToItem { recency_power: 1.0, ..count };
        check(recent.clone(), &[1, 0], &[(2, 2.0), (1, 1.0), (0, 0.5)]);
        check(ItemToItem { recent_orders: 1, ..recent }, &[1, 0], &[(1, 1.0), (2, 1.0)]);
    }

    #[test]
    fn settings_out_of_range_are_refused() {
        for wrong in [
            ItemToItem { popularity_discount: 1.5, ..ItemToItem::default() },
            ItemToItem { shrinkage: -1.0, ..ItemToItem::default() },
            ItemToItem { backward: f64::NAN, ..ItemToItem::default() },
            ItemToItem { half_life_days: Some(0.0), ..ItemToItem::default() },
            ItemToItem { recency_half_life_days: Some(-1.0), ..ItemToItem::default() },
        ] {
            assert_eq!(conformance::refusal(&wrong), "T0405", "{wrong:?}");
        }
    }
}
