//! What did those do next who were about to do what this customer is doing?

use serde::{Deserialize, Serialize};
use tercet_types::Result;

use crate::registry::{Axis, Configured, Range};
use crate::sequences::Sequences;
use crate::setting::check_setting;
use crate::{Fitted, Purchase, Query, Recommender, Row, Training, top};

const ESTIMATOR: &str = "session-knn";
const MAX_HALF_LIFE_DAYS: f64 = 36_500.0;

/// Sessions that share products with the running one lend it theirs, most of what stands close after them.
///
/// A session is what one customer of the history did, order after order; who asks need not be in it.
/// A session is as much alike as the products it shares weigh: `recency · ln(sessions / with the product)^rarity_power`,
/// over its `lines^length_power`, times `2^(−age / half_life)`.
/// The nearest lend each product the sum over shared ones of
/// `likeness^similarity_power · recency · steps^(−distance_power)`, where `steps` orders lie between the two, times
/// `backward` where it came before, times its own `ln(…)^lent_rarity_power`.
/// Vector multiplication session kNN: Ludewig & Jannach 2018, doi:10.1007/s11257-018-9209-6; recency, age of
/// sessions and distance from what is shared: STAN, Garg et al., SIGIR 2019, doi:10.1145/3331184.3331322; rarity of
/// what is lent: Ludewig et al. 2021, doi:10.1007/s11257-020-09277-1. There only the last shared product lends.
///
/// A question takes time with the products of the running session times `candidates`, whatever the number of
/// sessions; memory grows with lines.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SessionKnn {
    /// The last orders of the running session that count.
    pub recent_orders: u32,
    /// The power of the number of orders since, the last being the first, in `[0, 8]`.
    pub recency_power: f64,
    /// The power of rarity in likeness, in `[0, 8]`.
    pub rarity_power: f64,
    /// The latest sessions with a product that may be neighbours.
    pub candidates: usize,
    /// The age at which a session counts half, in days, `> 0`.
    pub half_life_days: Option<f64>,
    /// The power of a session's number of lines that its likeness is divided by, in `[0, 2]`.
    pub length_power: f64,
    /// The most sessions that lend.
    pub neighbours: usize,
    /// The power of likeness in what is lent, in `[0, 8]`.
    pub similarity_power: f64,
    /// The power of the number of orders from the shared product to the lent one, in `[0, 8]`.
    pub distance_power: f64,
    /// What counts of products that came before the shared one, in `[0, 1]`.
    pub backward: f64,
    /// What counts of the shared product itself, in `[0, 8]`: how much customers return to one.
    pub returns: f64,
    /// The power of rarity in what is lent, in `[0, 8]`.
    pub lent_rarity_power: f64,
    /// The last lines of a session that count.
    pub lines_max: usize,
}

impl Default for SessionKnn {
    fn default() -> Self {
        Self {
            recent_orders: 10,
            recency_power: 0.7,
            rarity_power: 1.0,
            candidates: 1_500,
            half_life_days: None,
            length_power: 0.25,
            neighbours: 150,
            similarity_power: 0.85,
            distance_power: 0.8,
            backward: 0.6,
            returns: 1.0,
            lent_rarity_power: 0.4,
            lines_max: 200,
        }
    }
}

impl SessionKnn {
    fn check(&self) -> Result<()> {
        for (name, value, range) in [
            ("recency_power", self.recency_power, 0.0..=8.0),
            ("rarity_power", self.rarity_power, 0.0..=8.0),
            (
                "half_life_days",
                self.half_life_days.unwrap_or(MAX_HALF_LIFE_DAYS),
                f64::MIN_POSITIVE..=MAX_HALF_LIFE_DAYS,
            ),
            ("length_power", self.length_power, 0.0..=2.0),
            ("similarity_power", self.similarity_power, 0.0..=8.0),
            ("distance_power", self.distance_power, 0.0..=8.0),
            ("backward", self.backward, 0.0..=1.0),
            ("returns", self.returns, 0.0..=8.0),
            ("lent_rarity_power", self.lent_rarity_power, 0.0..=8.0),
        ] {
            check_setting(ESTIMATOR, name, value, range)?;
        }
        Ok(())
    }
}

impl Recommender for SessionKnn {
    fn name(&self) -> &'static str {
        ESTIMATOR
    }

    fn fit<'a>(&'a self, training: &Training<'a>) -> Result<Box<dyn Fitted + 'a>> {
        self.check()?;
        training.check()?;
        let customers = by_recency(training);
        let sessions = Sequences::new(training, customers.iter().copied(), self.lines_max, true);
        let rarity = |product: u32| {
            let with = sessions.holders(product).len().max(1);
            (customers.len() as f64 / with as f64).ln().max(0.0)
        };
        let powers = |power: f64| {
            (0..sessions.products() as u32).map(|product| rarity(product).powf(power)).collect()
        };
        Ok(Box::new(Sessions {
            settings: self,
            compared: powers(self.rarity_power),
            lent: powers(self.lent_rarity_power),
            customers,
            sessions,
        }))
    }
}

impl Configured for SessionKnn {
    const NAME: &'static str = ESTIMATOR;
    const SPACE: &'static [Axis] = &[
        Axis { setting: "recent_orders", range: Range::LogWhole(2, 50) },
        Axis { setting: "recency_power", range: Range::Real(0.0, 2.0) },
        Axis { setting: "rarity_power", range: Range::Real(0.0, 2.0) },
        Axis { setting: "candidates", range: Range::LogWhole(100, 5_000) },
        Axis { setting: "length_power", range: Range::Real(0.0, 1.0) },
        Axis { setting: "neighbours", range: Range::LogWhole(50, 2_000) },
        Axis { setting: "similarity_power", range: Range::Real(0.5, 3.0) },
        Axis { setting: "distance_power", range: Range::Real(0.0, 2.0) },
        Axis { setting: "backward", range: Range::Real(0.0, 1.0) },
        Axis { setting: "returns", range: Range::Real(0.0, 2.0) },
        Axis { setting: "lent_rarity_power", range: Range::Real(0.0, 1.0) },
    ];
}

/// Customers with lines, those whose last line is oldest first.
fn by_recency(training: &Training<'_>) -> Vec<u32> {
    let last = |customer| training.lines(customer).last().map(|line| (line.day, customer));
    let mut found: Vec<(i32, u32)> =
        (0..training.history.customers() as u32).filter_map(last).collect();
    found.sort_unstable();
    found.into_iter().map(|(_, customer)| customer).collect()
}

/// The sessions, the oldest first.
struct Sessions<'a> {
    settings: &'a SessionKnn,
    /// Rarity by product, to the powers that it is used with.
    compared: Vec<f64>,
    lent: Vec<f64>,
    /// Whose each session is.
    customers: Vec<u32>,
    sessions: Sequences,
}

/// A session that lends.
struct Neighbour {
    session: u32,
    likeness: f64,
    /// Where the first shared product stands in the running session, of which the last product is the first.
    first: u32,
}

impl Sessions<'_> {
    /// The known products of the running session, the last first, each once, and what each weighs.
    fn running(&self, query: &Query<'_>) -> Vec<(u32, f64)> {
        let same_order = |a: &Purchase, b: &Purchase| (a.day, a.order) == (b.day, b.order);
        let orders = query.lines.chunk_by(same_order).rev();
        let mut running: Vec<(u32, f64)> = Vec::new();
        for (back, order) in (0..self.settings.recent_orders).zip(orders) {
            let weight = (f64::from(back) + 1.0).powf(-self.settings.recency_power);
            for line in order {
                let known = (line.product as usize) < self.sessions.products();
                if known && running.iter().all(|(product, _)| *product != line.product) {
                    running.push((line.product, weight));
                }
            }
        }
        running
    }

    /// The nearest sessions, nearest first, ties by age.
    fn nearest(&self, query: &Query<'_>, running: &[(u32, f64)]) -> Vec<Neighbour> {
        let mut shared: Vec<(u32, u32)> = Vec::new();
        for (place, (product, _)) in (0..).zip(running) {
            let with = self.sessions.holders(*product);
            let latest = &with[with.len().saturating_sub(self.settings.candidates)..];
            shared.extend(latest.iter().map(|session| (*session, place)));
        }
        shared.sort_unstable();
        let of_one = |shared: &[(u32, u32)]| {
            let session = shared[0].0;
            let weight = |(_, place): &(u32, u32)| {
                let (product, weight) = running[*place as usize];
                weight * self.compared[product as usize]
            };
            let lines = self.sessions.of(session).len() as f64;
            let likeness = shared.iter().map(weight).sum::<f64>()
                * lines.powf(-self.settings.length_power)
                * self.freshness(session, query.as_of);
            Neighbour { session, likeness, first: shared[0].1 }
        };
        let others = shared.chunk_by(|a, b| a.0 == b.0).map(of_one);
        let others = others
            .filter(|one| self.customers.get(one.session as usize).copied() != query.customer);
        let mut near: Vec<Option<Neighbour>> = others.map(Some).collect();
        let likeness = near.iter().map(|one| one.as_ref().map_or(0.0, |one| one.likeness));
        let nearest = top((0..).zip(likeness), self.settings.neighbours);
        nearest.into_iter().filter_map(|(at, _)| near[at as usize].take()).collect()
    }

    fn freshness(&self, session: u32, as_of: i32) -> f64 {
        let last = self.sessions.moments(session).last();
        match (self.settings.half_life_days, last) {
            (Some(half), Some(last)) => {
                let age_days = (f64::from(as_of) - f64::from(last.day)).max(0.0);
                (-age_days / half).exp2()
            }
            _ => 1.0,
        }
    }

    /// Adds what a session lends to one who shares a product with it.
    fn lend(&self, neighbour: &Neighbour, shared: u32, weight: f64, row: &mut Row) {
        let products = self.sessions.of(neighbour.session);
        let moments = self.sessions.moments(neighbour.session);
        let Some(from) = products.iter().rposition(|product| *product == shared) else { return };
        let settings = self.settings;
        let scale = weight * neighbour.likeness.powf(settings.similarity_power);
        for (at, (product, moment)) in products.iter().zip(moments).enumerate() {
            let steps = f64::from(moment.order.abs_diff(moments[from].order).max(1));
            let share = match () {
                () if at == from => settings.returns,
                () if moment.order < moments[from].order => settings.backward,
                () => 1.0,
            };
            let lent = scale * share * self.lent[*product as usize];
            if lent > 0.0 {
                row.add(*product, lent * steps.powf(-settings.distance_power));
            }
        }
    }
}

impl Fitted for Sessions<'_> {
    fn score(&self, query: &Query<'_>, row: &mut Row) {
        let running = self.running(query);
        for neighbour in self.nearest(query, &running) {
            for (product, weight) in &running[neighbour.first as usize..] {
                self.lend(&neighbour, *product, *weight, row);
            }
        }
    }

    fn products(&self) -> usize {
        self.sessions.products()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::conformance;
    use crate::{Attributes, Seen, Wanted};

    #[test]
    fn conforms() {
        conformance::check_recommender(&SessionKnn::default());
        conformance::check_recommender(&SessionKnn {
            recent_orders: 3,
            candidates: 7,
            half_life_days: Some(30.0),
            neighbours: 5,
            similarity_power: 2.0,
            returns: 0.0,
            lent_rarity_power: 1.0,
            lines_max: 9,
            ..SessionKnn::default()
        });
    }

    #[test]
    fn what_came_after_in_like_sessions_is_lent() {
        // Three sessions, one product a day; a fourth, with product 3 only, makes the others rare.
        let lines = [(0, 1, 0), (0, 2, 1), (0, 3, 2), (1, 1, 1), (1, 2, 0), (2, 1, 2), (3, 9, 3)];
        let past = conformance::history(4, 4, &lines);
        let none = Attributes::none(4);
        let training = Training { history: &past, as_of: 50, products: &none, customers: &none };
        let plain = SessionKnn {
            recency_power: 0.0,
            rarity_power: 0.0,
            length_power: 0.0,
            similarity_power: 1.0,
            distance_power: 1.0,
            backward: 0.5,
            returns: 0.0,
            lent_rarity_power: 0.0,
            ..SessionKnn::default()
        };
        let check = |estimator: SessionKnn,
                     customer,
                     lines: &[(u32, i32, u32)],
                     expected: &[(u32, f64)]| {
            let fitted = estimator.fit(&training).unwrap();
            let asking = conformance::history(1, 4, lines);
            let query = Query { customer, ..Query::of(&asking, 0, 50) };
            let wanted = Wanted { k: 9, seen: Seen::Keep, among: None };
            assert_eq!(fitted.recommend(&[query], &wanted), [expected], "{estimator:?}");
        };
        check(plain.clone(), None, &[(0, 1, 0)], &[(1, 1.5), (2, 0.5)]);
        check(plain.clone(), Some(1), &[(0, 1, 0)], &[(1, 1.0), (2, 0.5)]);
        check(
            SessionKnn { backward: 0.0, ..plain.clone() },
            None,
            &[(0, 1, 0)],
            &[(1, 1.0), (2, 0.5)],
        );
        check(
            SessionKnn { returns: 2.0, backward: 0.0, ..plain.clone() },
            None,
            &[(0, 1, 2)],
            &[(2, 4.0)],
        );
        // The latest session with product 0 is the first: its last line is of day 3.
        check(
            SessionKnn { candidates: 1, ..plain.clone() },
            None,
            &[(0, 1, 0)],
            &[(1, 1.0), (2, 0.5)],
        );
        // Both sessions share both products; the older product counts half.
        let recent = SessionKnn { recency_power: 1.0, similarity_power: 0.0, ..plain.clone() };
        check(recent, None, &[(0, 1, 0), (0, 2, 1)], &[(0, 1.5), (2, 1.25), (1, 0.75)]);
        check(
            SessionKnn { recent_orders: 1, ..plain.clone() },
            None,
            &[(0, 1, 3), (0, 2, 2)],
            &[(1, 0.5), (0, 0.25)],
        );
        check(SessionKnn { neighbours: 0, ..plain.clone() }, None, &[(0, 1, 0)], &[]);
        check(plain, None, &[], &[]);
        let wrong = SessionKnn { backward: 2.0, ..SessionKnn::default() };
        assert_eq!(conformance::refusal(&wrong), "T0405");
    }
}
