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
        segments: &[Vec<f64>],
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
        let mixed = (stream.below(segments.len()), stream.below(segments.len()), stream.uniform());
        let tastes: Vec<f64> = segments[mixed.0]
            .iter()
            .zip(&segments[mixed.1])
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
        let other = stream.below(segments.len());
        let device = if stream.chance(browses.mobile_share) {
            0
        } else if stream.chance(0.2) {
            2
        } else {
            1
        };
        let buyer = behaviour != Behaviour::BrowsingOnly;
        let browser = behaviour != Behaviour::TransactionOnly;
        let needs = if buyer {
            needs(settings, catalogue, &tastes, tempo, seed, index)
        } else {
            Vec::new()
        };
        Self {
            index,
            behaviour,
            orders_per_week: if buyer { orders_per_week } else { 0.0 },
            lines_median,
            tempo,
            segments: (mixed.0 as u32, mixed.1 as u32, mixed.2),
            tastes,
            needs,
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

/// The product types a customer buys again and again, each once.
fn needs(
    settings: &Settings,
    catalogue: &Catalogue,
    tastes: &[f64],
    tempo: f64,
    seed: u64,
    index: u32,
) -> Vec<Need> {
    let mut stream = Stream::new(seed, Purpose::Needs, u64::from(index), 0);
    let tastes = crate::random::cumulative(tastes.iter().copied());
    let mut needs: Vec<Need> = Vec::new();
    for _ in 0..stream.poisson(settings.purchases.needs_mean) {
        let department = stream.pick(&tastes);
        let product_type = catalogue.type_of(&mut stream, department);
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

/// The tastes of the segments: for each, one factor a department, 1 on average.
pub(crate) fn segments(settings: &Settings, departments: usize, seed: u64) -> Vec<Vec<f64>> {
    (0..u64::from(settings.customers.taste_segments))
        .map(|segment| {
            let mut stream = Stream::new(seed, Purpose::Segments, segment, 0);
            let draws: Vec<f64> = (0..departments)
                .map(|_| stream.gamma(settings.customers.taste_shape) + 1e-3)
                .collect();
            let mean = draws.iter().sum::<f64>() / departments as f64;
            draws.into_iter().map(|draw| draw / mean).collect()
        })
        .collect()
}
