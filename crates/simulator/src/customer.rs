//! Who is this customer: how often, what, how price-minded, and how does an offer move them?

use tercet_types::segment::Behaviour;

use crate::catalogue::Catalogue;
use crate::random::{Purpose, Stream};
use crate::settings::Settings;

/// Devices, as the tables name them.
pub(crate) const DEVICES: &[&str] = &["mobile", "desktop", "tablet"];

/// A product type that a customer buys again and again.
#[derive(Clone, Debug, PartialEq)]
pub struct Need {
    /// The product type, from 0.
    pub product_type: u32,
    /// The favourite product of the type, from 0.
    pub product: u32,
    /// Mean days between two purchases.
    pub cycle_days: f64,
}

/// What an offer does to a customer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ResponseClass {
    /// Buys what would not have been bought.
    Persuadable,
    /// Gets cheaper what would have been bought anyway.
    OnlyCheaper,
    /// Leaves out what would have been bought.
    PutOff,
}

impl ResponseClass {
    /// The names, in order.
    pub(crate) const NAMES: &[&str] = &["persuadable", "only_cheaper", "put_off"];
}

/// All that is true of a customer and does not change.
#[derive(Clone, Debug, PartialEq)]
pub struct Customer {
    /// Place in the world, from 0.
    pub index: u32,
    /// What the shop sees of the customer: purchases, browsing, or both.
    pub behaviour: Behaviour,
    /// Orders a week, before the season; 0 for who only browses.
    pub orders_per_week: f64,
    /// Median of the lines considered for an order.
    pub lines_median: f64,
    /// Factor of all purchase cycles.
    pub tempo: f64,
    /// The two segments of taste, and the share of the first.
    pub segments: (u32, u32, f64),
    /// Tastes for departments, 1 on average over departments.
    pub tastes: Vec<f64>,
    /// Product types bought again and again.
    pub needs: Vec<Need>,
    /// Product types, ascending from 0, that the customer does not buy and would like.
    pub interests: Vec<u32>,
    /// Own-price elasticity, positive.
    pub elasticity: f64,
    /// Share of lines considered that are looked for among new products.
    pub novelty: f64,
    /// What an offer does.
    pub class: ResponseClass,
    /// Chance of an extra line by one average offer; for who is put off, minus the chance to leave one out.
    pub responsiveness: f64,
    /// Chance to use an offer on a line bought anyway.
    pub redeem_rate: f64,
    /// Loss of response by one contact in memory.
    pub fatigue: f64,
    /// Sessions a week; 0 for who does not browse.
    pub sessions_per_week: f64,
    /// The first week in which the customer browses with a name.
    pub login_week: u32,
    /// Where the customer lives, from 0.
    pub region: u32,
    /// True when the customer may be sent offers.
    pub consent: bool,
    /// The segment that the shop's own column says, from 0.
    pub stated_segment: u32,
    pub(crate) device: u8,
}

impl Customer {
    pub(crate) fn new(
        settings: &Settings,
        catalogue: &Catalogue,
        segments: &Segments,
        weeks: u32,
        seed: u64,
        index: u32,
    ) -> Self {
        let (who, buys) = (&settings.customers, &settings.purchases);
        let (answers, browses) = (&settings.response, &settings.browsing);
        let mut stream = Stream::new(seed, Purpose::Customer, u64::from(index), 0);
        let kind = stream.uniform();
        let behaviour = if kind < who.transaction_only_share {
            Behaviour::TransactionOnly
        } else if kind < who.transaction_only_share + who.browsing_only_share {
            Behaviour::BrowsingOnly
        } else {
            Behaviour::Both
        };
        let orders_per_week = buys.orders_per_week * stream.gamma(buys.orders_shape);
        let lines_median = stream.log_normal(buys.lines_median, buys.lines_customer_spread);
        let tempo = stream.log_normal(1.0, buys.tempo_spread);
        let count = segments.tastes.len();
        let mixed = (stream.below(count), stream.below(count), stream.uniform());
        let tastes: Vec<f64> = segments.tastes[mixed.0]
            .iter()
            .zip(&segments.tastes[mixed.1])
            .map(|(first, second)| mixed.2 * first + (1.0 - mixed.2) * second)
            .collect();
        let class = stream.uniform();
        let class = if class < answers.persuadable_share {
            ResponseClass::Persuadable
        } else if class < answers.persuadable_share + answers.cheaper_share {
            ResponseClass::OnlyCheaper
        } else {
            ResponseClass::PutOff
        };
        let strength = stream.gamma(answers.uplift_shape);
        let responsiveness = match class {
            ResponseClass::Persuadable => answers.uplift * strength,
            ResponseClass::OnlyCheaper => 0.0,
            ResponseClass::PutOff => -answers.put_off,
        };
        let elasticity = stream.log_normal(1.0, buys.elasticity_spread);
        let elasticity =
            elasticity * buys.elasticity / (buys.elasticity_spread.powi(2) / 2.0).exp();
        let novelty = (buys.novelty * stream.gamma(buys.novelty_shape)).min(0.8);
        let redeem_rate = (answers.redeem_rate * stream.gamma(4.0)).min(1.0);
        let fatigue = answers.fatigue * stream.gamma(2.0);
        let sessions_per_week = browses.sessions_per_week * stream.gamma(browses.sessions_shape);
        let late = stream.chance(browses.late_login_share);
        let login_week = if late { 1 + stream.below(weeks as usize) as u32 } else { 0 };
        let region = stream.below(who.regions as usize) as u32;
        let consent = stream.chance(who.consent_rate);
        let main = if mixed.2 >= 0.5 { mixed.0 } else { mixed.1 };
        let noisy = stream.chance(who.segment_noise);
        let other = stream.below(count);
        let device = if stream.chance(browses.mobile_share) {
            0
        } else if stream.chance(0.2) {
            2
        } else {
            1
        };
        let buyer = behaviour != Behaviour::BrowsingOnly;
        let browser = behaviour != Behaviour::TransactionOnly;
        let liked = Liked { catalogue, segments, mixed, tastes: &tastes };
        let needs = if buyer { needs(settings, &liked, tempo, seed, index) } else { Vec::new() };
        let interests =
            if buyer { interests(settings, &liked, &needs, seed, index) } else { Vec::new() };
        Self {
            index,
            behaviour,
            orders_per_week: if buyer { orders_per_week } else { 0.0 },
            lines_median,
            tempo,
            segments: (mixed.0 as u32, mixed.1 as u32, mixed.2),
            tastes,
            needs,
            interests,
            elasticity,
            novelty,
            class,
            responsiveness,
            redeem_rate,
            fatigue,
            sessions_per_week: if browser { sessions_per_week } else { 0.0 },
            login_week,
            region,
            consent,
            stated_segment: if noisy { other as u32 } else { main as u32 },
            device,
        }
    }
}

/// What a customer's two segments like.
struct Liked<'a> {
    catalogue: &'a Catalogue,
    segments: &'a Segments,
    /// The two segments, and the share of the first.
    mixed: (usize, usize, f64),
    tastes: &'a [f64],
}

impl Liked<'_> {
    /// A product type of a department, by the tastes of one of the two segments.
    fn product_type(&self, stream: &mut Stream, departments: &[f64]) -> u32 {
        let department = stream.pick(departments);
        let first = stream.uniform() < self.mixed.2;
        let segment = if first { self.mixed.0 } else { self.mixed.1 };
        let totals = &self.segments.types[segment][department];
        self.catalogue.type_at(department, stream.pick(totals))
    }
}

/// The product types a customer buys again and again, each once.
fn needs(settings: &Settings, liked: &Liked<'_>, tempo: f64, seed: u64, index: u32) -> Vec<Need> {
    let catalogue = liked.catalogue;
    let mut stream = Stream::new(seed, Purpose::Needs, u64::from(index), 0);
    let departments = crate::random::cumulative(liked.tastes.iter().copied());
    let mut needs: Vec<Need> = Vec::new();
    for _ in 0..stream.poisson(settings.purchases.needs_mean) {
        let product_type = liked.product_type(&mut stream, &departments);
        let product = catalogue.product_of(&mut stream, product_type, 0);
        if let Some(product) = product
            && needs.iter().all(|need| need.product_type != product_type)
        {
            let cycle_days = catalogue.types[product_type as usize].cycle_days * tempo;
            needs.push(Need { product_type, product, cycle_days });
        }
    }
    needs
}

/// The product types a customer would like, beside those bought again and again; ascending.
fn interests(
    settings: &Settings,
    liked: &Liked<'_>,
    needs: &[Need],
    seed: u64,
    index: u32,
) -> Vec<u32> {
    let mut stream = Stream::new(seed, Purpose::Needs, u64::from(index), 2);
    let departments = crate::random::cumulative(liked.tastes.iter().copied());
    let mut interests: Vec<u32> = (0..stream.poisson(settings.response.interests_mean))
        .map(|_| liked.product_type(&mut stream, &departments))
        .filter(|product_type| needs.iter().all(|need| need.product_type != *product_type))
        .collect();
    interests.sort_unstable();
    interests.dedup();
    interests
}

/// What segments of customers like.
#[derive(Clone, Debug)]
pub(crate) struct Segments {
    /// For each, one factor a department, 1 on average.
    pub(crate) tastes: Vec<Vec<f64>>,
    /// For each and each department, running totals over its product types of demand times taste.
    types: Vec<Vec<Vec<f64>>>,
}

impl Segments {
    pub(crate) fn new(settings: &Settings, catalogue: &Catalogue, seed: u64) -> Self {
        let count = u64::from(settings.customers.taste_segments);
        let tastes = (0..count)
            .map(|segment| {
                let mut stream = Stream::new(seed, Purpose::Segments, segment, 0);
                let draws: Vec<f64> = (0..catalogue.departments())
                    .map(|_| stream.gamma(settings.customers.taste_shape) + 1e-3)
                    .collect();
                let mean = draws.iter().sum::<f64>() / draws.len() as f64;
                draws.into_iter().map(|draw| draw / mean).collect()
            })
            .collect();
        let types = (0..count)
            .map(|segment| {
                (0..catalogue.departments())
                    .map(|department| {
                        let key = 1 + department as u64;
                        let mut stream = Stream::new(seed, Purpose::Segments, segment, key);
                        let shape = settings.customers.type_taste_shape;
                        crate::random::cumulative(
                            catalogue
                                .demand_of_types(department)
                                .map(|demand| demand * (stream.gamma(shape) + 1e-3)),
                        )
                    })
                    .collect()
            })
            .collect();
        Self { tastes, types }
    }
}
