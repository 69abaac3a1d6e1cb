//! What is a world, and how is it asked?

use std::ops::Range;

use tercet_types::segment::Behaviour;
use tercet_types::{Error, Result};

use crate::catalogue::Catalogue;
use crate::customer::{Customer, DEVICES, Segments};
use crate::events::Events;
use crate::margins::Margins;
use crate::promotions::Promotions;
use crate::random::{Purpose, Stream};
use crate::settings::Settings;
use crate::table::{Column, Table};
use crate::truth::CustomerTruth;
use crate::week::State;

/// Weeks of a year, for seasons.
const YEAR_WEEKS: u32 = 52;

/// How large a world is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Size {
    /// Customers.
    pub customers: u32,
    /// Products.
    pub products: u32,
    /// Promotions.
    pub promotions: u32,
    /// Weeks of history.
    pub weeks: u32,
}

impl Size {
    /// Largest of each, and least: ids and weeks have to fit.
    const BOUNDS: [(&str, u32, u32); 4] = [
        ("customers", 1, 100_000_000),
        ("products", 12, 10_000_000),
        ("promotions", 1, 100_000),
        ("weeks", 2, 520),
    ];

    fn check(self) -> Result<()> {
        let values = [self.customers, self.products, self.promotions, self.weeks];
        for ((name, low, high), value) in Self::BOUNDS.into_iter().zip(values) {
            if !(low..=high).contains(&value) {
                return Err(Error::config("T1102", format!("a world of {value} {name}"))
                    .hint(format!("give between {low} and {high} {name}")));
            }
        }
        Ok(())
    }
}

/// A retailer with known truth. Everything it answers is a function of settings, size, seed and what is
/// asked: it holds no state, and any number of threads may ask it.
#[derive(Clone, Debug)]
pub struct World {
    pub(crate) settings: Settings,
    pub(crate) size: Size,
    pub(crate) seed: u64,
    pub(crate) start_day: i32,
    pub(crate) catalogue: Catalogue,
    pub(crate) promotions: Promotions,
    pub(crate) segments: Segments,
    /// Factor of each department in each week of a year.
    pub(crate) season: Vec<Vec<f64>>,
}

/// All rows of a range of customers.
#[derive(Clone, Debug, PartialEq)]
pub struct Block {
    /// Canonical tables: customers, transactions, interactions, exposures, redemptions.
    pub tables: Vec<Table>,
    /// The truth: customers and their needs.
    pub truth: Vec<Table>,
    /// What the shop's margins are made of.
    pub margins: Margins,
}

impl World {
    /// The world of these settings.
    ///
    /// # Errors
    /// `T1101` for a setting, `T1102` for a size out of bounds.
    pub fn new(settings: Settings, size: Size, seed: u64) -> Result<Self> {
        settings.check()?;
        size.check()?;
        let start_day = settings.start()?.days();
        let catalogue = Catalogue::new(&settings, size, seed);
        let promotions = Promotions::new(&settings, size, seed, &catalogue);
        let segments = Segments::new(&settings, &catalogue, seed);
        let amplitude = settings.purchases.season_amplitude;
        let season = (0..YEAR_WEEKS)
            .map(|week| {
                let of = |phase: &f64| {
                    let angle = f64::from(week) / f64::from(YEAR_WEEKS) - phase;
                    1.0 + amplitude * (std::f64::consts::TAU * angle).cos()
                };
                catalogue.season_phase.iter().map(of).collect()
            })
            .collect();
        Ok(Self { settings, size, seed, start_day, catalogue, promotions, segments, season })
    }

    /// Its settings.
    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    /// Its size.
    pub fn size(&self) -> Size {
        self.size
    }

    /// Its seed.
    pub fn seed(&self) -> u64 {
        self.seed
    }

    /// The Monday after its last week: the day to decide for.
    pub fn as_of_day(&self) -> i32 {
        self.start_day + 7 * self.size.weeks as i32
    }

    /// A customer, from 0.
    pub fn customer(&self, index: u32) -> Customer {
        let weeks = self.size.weeks - 1;
        Customer::new(&self.settings, &self.catalogue, &self.segments, weeks, self.seed, index)
    }

    /// What a customer is like before the first week.
    pub fn begin(&self, customer: &Customer) -> State {
        let mut stream = Stream::new(self.seed, Purpose::Needs, u64::from(customer.index), 1);
        let due = customer.needs.iter().map(|need| need.cycle_days * stream.uniform()).collect();
        State { due, contacts: 0.0, logged_in: customer.login_week == 0, chance: self.seed }
    }

    /// The promotions (from 0) that run in a week.
    pub fn running(&self, week: u32) -> &[u32] {
        self.promotions.running(week)
    }

    /// All rows of a range of customers over all weeks, under the shop's own policy. `measured` says of
    /// whom the margins are taken.
    pub fn block(&self, customers: Range<u32>, measured: impl Fn(u32) -> bool) -> Block {
        let mut events = Events::default();
        let mut people = People::default();
        let mut truth = CustomerTruth::default();
        let mut margins = Margins::default();
        for index in customers {
            let customer = self.customer(index);
            let mut state = self.begin(&customer);
            people.push(self, &customer);
            truth.push(&customer);
            let begin = events.mark();
            for week in 0..self.size.weeks {
                let offers = self.legacy_offers(&customer, week);
                self.week(&customer, week, &mut state, &offers, &mut events);
            }
            if measured(index) {
                margins.add(&events, begin);
            }
        }
        let mut tables = vec![people.table()];
        tables.extend(events.into_tables());
        Block { tables, truth: truth.tables(), margins }
    }

    /// The canonical table `customers` of a range of customers.
    pub fn customers_table(&self, customers: Range<u32>) -> Table {
        let mut people = People::default();
        customers.for_each(|index| people.push(self, &self.customer(index)));
        people.table()
    }

    /// The tables that do not grow with customers: products, promotions, promotion_products.
    pub fn fixed_tables(&self) -> Vec<Table> {
        let mut tables = vec![self.catalogue.table(self.start_day)];
        tables.extend(self.promotions.tables(self.start_day));
        tables
    }
}

/// Rows of the canonical table `customers`.
#[derive(Default)]
struct People {
    id: Vec<i64>,
    first_seen: Vec<i32>,
    region: Vec<String>,
    device: Vec<u8>,
    consent: Vec<bool>,
    segment: Vec<String>,
}

impl People {
    fn push(&mut self, world: &World, customer: &Customer) {
        self.id.push(i64::from(customer.index) + 1);
        // Who only browses is known from the login on.
        let late = customer.behaviour == Behaviour::BrowsingOnly;
        let week = if late { customer.login_week } else { 0 };
        self.first_seen.push(world.start_day + 7 * week as i32);
        self.region.push(format!("Region {}", customer.region + 1));
        self.device.push(customer.device);
        self.consent.push(customer.consent);
        self.segment.push(format!("Segment {}", customer.stated_segment + 1));
    }

    fn table(self) -> Table {
        Table {
            name: "customers",
            columns: vec![
                ("customer_id", Column::Int(self.id)),
                ("first_seen_on", Column::Day(self.first_seen)),
                ("region", Column::Text(self.region)),
                ("device", Column::Word(self.device, DEVICES)),
                ("consent", Column::Flag(self.consent)),
                ("segment", Column::Text(self.segment)),
            ],
        }
    }
}
