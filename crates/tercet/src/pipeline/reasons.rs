//! Why would each customer want the offers that were chosen?

use tercet_features::{Offered, PAIR_FEATURES, PairBlock, Topic};
use tercet_models::gbdt::Explainer;
use tercet_scoring::{Drivers, PairFacts, Route, reason_codes};
use tercet_types::Result;

use super::learn::{Models, joined};
use super::manifest::Part;
use super::pairs::{PairFeatures, PairView};
use super::slates::Slates;
use super::week::Week;
use super::worth::{Visits, routes_of};
use crate::config::Config;

/// The most offers whose reasons are put in order by what moved the prediction. In a run that could make more, they keep
/// the order of facts alone.
const EXPLAINED_MAX: usize = 1 << 20;

/// True when a run for so many customers says of reasons what moved the prediction.
pub(super) fn are_explained(customers: usize, slots: usize) -> bool {
    customers.saturating_mul(slots) <= EXPLAINED_MAX
}

/// Reason codes by customer and slot of the plan, separated by '|'; none where there is no offer.
pub(super) type Reasons = Vec<Vec<Option<String>>>;

/// What the reasons of a part's offers are made of.
pub(super) struct Why<'a> {
    pub(super) config: &'a Config,
    /// The ensembles, where reasons are explained by them.
    pub(super) models: Option<&'a Models>,
    pub(super) slates: &'a Slates,
    pub(super) part: Part,
    pub(super) week: &'a Week,
    pub(super) offered: &'a Offered,
}

impl Why<'_> {
    /// The reasons of every offer, from facts of the pair and what moved the prediction of a response. `each` hands
    /// out the customers of the part block by block.
    pub(super) fn reasons(
        &self,
        visits: &Visits,
        each: impl FnOnce(&mut dyn FnMut(&PairBlock) -> Result<()>) -> Result<()>,
    ) -> Result<Reasons> {
        let Self { week, slates, offered, .. } = *self;
        // A topic is told or withheld as one.
        let players: Vec<usize> = PAIR_FEATURES.iter().map(|f| f.topic() as usize).collect();
        let explainer = match self.models {
            Some(models) => Some(Explainer::new(&models.response, &players)?),
            None => None,
        };
        let routes = explainer.as_ref().map(|_| routes_of(week, self.config)).unwrap_or_default();
        let explained = |customer: i32| {
            let route = routes.get(&customer).copied().unwrap_or(Route::Popular);
            explainer.as_ref().filter(|_| matches!(route, Route::Model | Route::Blend))
        };
        let places = slates.part(self.part.at);
        let (first, mut all): (usize, Reasons) = (places.start, vec![Vec::new(); places.len()]);
        let customers = &slates.customers[places];
        let threads = std::thread::available_parallelism().map_or(1, usize::from);
        each(&mut |block| {
            let asked = Asked { week, slates, customers, first, block, offered, visits };
            let places: Vec<usize> = (0..block.len()).collect();
            let found = std::thread::scope(|scope| {
                let share = places.len().div_ceil(threads).max(1);
                let working: Vec<_> = places
                    .chunks(share)
                    .map(|places| {
                        scope.spawn(|| -> Result<Vec<_>> {
                            let view = PairView::new(block, asked.offered)?;
                            let of = |at: &usize| asked.slate(*at, &view, &explained);
                            places.iter().filter_map(|at| of(at).transpose()).collect()
                        })
                    })
                    .collect();
                working.into_iter().map(joined).collect::<Result<Vec<_>>>()
            })?;
            found.into_iter().flatten().for_each(|(customer, codes)| all[customer] = codes);
            Ok(())
        })?;
        Ok(all)
    }
}

/// What the reasons of a block's customers are made of.
struct Asked<'a> {
    week: &'a Week,
    slates: &'a Slates,
    /// The customers of the part, and where they begin in the plan.
    customers: &'a [i32],
    first: usize,
    block: &'a PairBlock,
    offered: &'a Offered,
    visits: &'a Visits,
}

impl Asked<'_> {
    /// The place of a customer in the part, and the reasons of the slate's offers; nothing for one without a slate.
    fn slate<'e>(
        &self,
        at: usize,
        view: &PairView<'_>,
        explained: &dyn Fn(i32) -> Option<&'e Explainer<'e>>,
    ) -> Result<Option<(usize, Vec<Option<String>>)>> {
        let ix = self.block.customer_ix[at];
        let Ok(place) = self.customers.binary_search(&ix) else { return Ok(None) };
        let customer = self.first + place;
        let slate = self.slates.explored.plan.slate(customer);
        let visited = match slate.iter().any(Option::is_some) {
            true => self.visits.of_customer(ix).1,
            false => Vec::new(),
        };
        let codes = slate.iter().map(|cell| {
            let Some(placed) = cell else { return Ok(None) };
            let promotion = self.slates.offered(customer, placed);
            let Some(column) = self.offered.place(promotion) else { return Ok(None) };
            let row = |explainer: &Explainer<'_>| {
                explainer.contributions(&self.block.row(at, self.offered, column))
            };
            let moved = explained(ix).map(row).transpose()?;
            let visits = self.visits.place(promotion).map_or(0.0, |place| visited[place]);
            Ok(Some(self.codes(promotion, &view.pair(at, column), visits, moved.as_deref())))
        });
        Ok(Some((place, codes.collect::<Result<_>>()?)))
    }

    fn codes(
        &self,
        promotion: i32,
        pair: &PairFeatures<'_>,
        visits: f64,
        moved: Option<&[f64]>,
    ) -> String {
        let known = &self.week.promotions[&promotion];
        let codes = reason_codes(&PairFacts {
            on: known.on.clone(),
            orders: pair.own_days(),
            days_since_bought: pair.age_days(),
            interval_days: pair.interval_days(),
            category_orders: i64::from(pair.buys_category()),
            visits,
            buyer_rate: known.base.buyer_rate,
            similar_customers_buy: pair.similar_buy(),
            saves_minor: Some(known.base.discount_minor.round_ties_even() as i64),
            drivers: moved.map(drivers),
        });
        codes.join("|")
    }
}

/// Contributions by topic.
fn drivers(moved: &[f64]) -> Drivers {
    let of = |topic: Topic| moved[topic as usize];
    Drivers {
        rhythm: of(Topic::Rhythm),
        bought: of(Topic::Bought),
        taste: of(Topic::Taste),
        looked: of(Topic::Looked),
        alike: of(Topic::Alike),
        promotion: of(Topic::Promotion),
    }
}
