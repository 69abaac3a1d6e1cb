//! What does the shop promote, how, when and on what?

use tercet_types::mechanic::Mechanic;

use crate::catalogue::{Catalogue, Product, brand_name, department_name, type_name};
use crate::random::{Purpose, Stream, cumulative};
use crate::settings::Settings;
use crate::table::{Column, Table};
use crate::world::Size;

/// The mechanics of a simulated shop, in order of their weights in the settings.
const MECHANICS: [Mechanic; 4] =
    [Mechanic::Percent, Mechanic::MoneyOff, Mechanic::BuyXGetY, Mechanic::Threshold];

/// Units to buy before one is free.
pub(crate) const BUY_QUANTITY: i64 = 2;

/// What a promotion holds for.
#[derive(Clone, Debug)]
pub(crate) enum Reach {
    /// Products of one type, sorted.
    Products(Vec<u32>),
    /// A product type.
    ProductType(u32),
    /// A brand.
    Brand(u32),
    /// A department.
    Department(u32),
}

/// One promotion.
#[derive(Clone, Debug)]
pub(crate) struct Promotion {
    pub(crate) mechanic: Mechanic,
    /// Depth, share of the price: what the truth and the customer see of the value.
    pub(crate) depth: f64,
    /// Amount off, minor units, for money off and threshold.
    pub(crate) value_minor: i64,
    /// The least basket, minor units.
    pub(crate) threshold_minor: i64,
    /// First and last week.
    pub(crate) weeks: (i32, i32),
    pub(crate) reach: Reach,
    /// Products it holds for.
    pub(crate) breadth: u32,
    /// The product it was made for: extra lines are of it, or of its type, brand or department.
    pub(crate) focus: u32,
    /// The truth: how much it draws, against an average promotion.
    pub(crate) appeal: f64,
}

impl Promotion {
    /// True when it holds for a product.
    pub(crate) fn covers(&self, id: u32, product: &Product) -> bool {
        match &self.reach {
            Reach::Products(ids) => ids.binary_search(&id).is_ok(),
            Reach::ProductType(product_type) => product.product_type == *product_type,
            Reach::Brand(brand) => product.brand == *brand,
            Reach::Department(department) => product.department == *department,
        }
    }
}

/// All promotions, and which of them run when.
#[derive(Clone, Debug)]
pub(crate) struct Promotions {
    pub(crate) all: Vec<Promotion>,
    /// Promotions that run in a week; one more week than simulated.
    running: Vec<Vec<u32>>,
}

impl Promotions {
    pub(crate) fn new(settings: &Settings, size: Size, seed: u64, catalogue: &Catalogue) -> Self {
        let all: Vec<Promotion> =
            (0..size.promotions).map(|id| promotion(settings, size, seed, catalogue, id)).collect();
        let running = (0..=size.weeks as i32)
            .map(|week| {
                (0..size.promotions)
                    .filter(|&id| {
                        (all[id as usize].weeks.0..=all[id as usize].weeks.1).contains(&week)
                    })
                    .collect()
            })
            .collect();
        Self { all, running }
    }

    /// The promotions that run in a week; none after the week that follows the last.
    pub(crate) fn running(&self, week: u32) -> &[u32] {
        self.running.get(week as usize).map_or(&[], Vec::as_slice)
    }

    /// The canonical tables `promotions` and `promotion_products`.
    pub(crate) fn tables(&self, start_day: i32) -> [Table; 2] {
        let all = &self.all;
        let ids = || (1..=all.len() as i64).collect::<Vec<_>>();
        let is = |p: &Promotion, mechanic: Mechanic| p.mechanic == mechanic;
        let int = |of: &dyn Fn(&Promotion) -> Option<i64>| {
            Column::IntOrNull(all.iter().map(of).collect())
        };
        let words: &'static [&'static str] = const {
            &[MECHANICS[0].name(), MECHANICS[1].name(), MECHANICS[2].name(), MECHANICS[3].name()]
        };
        let mechanic = |p: &Promotion| {
            MECHANICS.iter().position(|known| *known == p.mechanic).unwrap_or(0) as u8
        };
        let promotions = Table {
            name: "promotions",
            columns: vec![
                ("promotion_id", Column::Int(ids())),
                ("promotion_name", Column::Text(all.iter().map(name).collect())),
                ("mechanic", Column::Word(all.iter().map(mechanic).collect(), words)),
                (
                    "valid_from",
                    Column::Day(all.iter().map(|p| start_day + 7 * p.weeks.0).collect()),
                ),
                (
                    "valid_to",
                    Column::Day(all.iter().map(|p| start_day + 7 * p.weeks.1 + 6).collect()),
                ),
                (
                    "value_rate",
                    Column::Real(
                        all.iter()
                            .map(|p| if is(p, Mechanic::Percent) { p.depth } else { f64::NAN })
                            .collect(),
                    ),
                ),
                ("value_minor", int(&|p| (p.value_minor > 0).then_some(p.value_minor))),
                ("threshold_minor", int(&|p| (p.threshold_minor > 0).then_some(p.threshold_minor))),
                ("buy_quantity", int(&|p| is(p, Mechanic::BuyXGetY).then_some(BUY_QUANTITY))),
                ("get_quantity", int(&|p| is(p, Mechanic::BuyXGetY).then_some(1))),
                ("code", Column::Text((1..=all.len()).map(|id| format!("SIM{id}")).collect())),
            ],
        };
        let mut rows: (Vec<i64>, Vec<u8>, Vec<String>) = Default::default();
        for (id, promotion) in (1_i64..).zip(all) {
            let (level, values) = match &promotion.reach {
                Reach::Products(ids) => (0, ids.iter().map(|id| (id + 1).to_string()).collect()),
                Reach::ProductType(product_type) => (1, vec![type_name(*product_type)]),
                Reach::Brand(brand) => (2, vec![brand_name(*brand)]),
                Reach::Department(department) => (3, vec![department_name(*department)]),
            };
            for value in values {
                rows.0.push(id);
                rows.1.push(level);
                rows.2.push(value);
            }
        }
        let levels: &'static [&'static str] = &["product", "product_type", "brand", "department"];
        let products = Table {
            name: "promotion_products",
            columns: vec![
                ("promotion_id", Column::Int(rows.0)),
                ("level", Column::Word(rows.1, levels)),
                ("value", Column::Text(rows.2)),
            ],
        };
        [promotions, products]
    }
}

/// The name a customer reads.
fn name(p: &Promotion) -> String {
    let on = match &p.reach {
        Reach::Products(ids) if ids.len() == 1 => format!("Product {}", ids[0] + 1),
        Reach::Products(ids) => format!("{} chosen products", ids.len()),
        Reach::ProductType(product_type) => type_name(*product_type),
        Reach::Brand(brand) => brand_name(*brand),
        Reach::Department(department) => department_name(*department),
    };
    match p.mechanic {
        Mechanic::Percent => format!("{:.0} % off {on}", 100.0 * p.depth),
        Mechanic::BuyXGetY => format!("Buy two, get one: {on}"),
        Mechanic::Threshold => format!("Money off {on} above a basket value"),
        _ => format!("Money off {on}"),
    }
}

/// Products that a promotion holds for.
fn breadth(reach: &Reach, catalogue: &Catalogue) -> u32 {
    let count = |of: &dyn Fn(&Product) -> bool| {
        catalogue.products.iter().filter(|product| of(product)).count() as u32
    };
    match reach {
        Reach::Products(ids) => ids.len() as u32,
        Reach::ProductType(product_type) => count(&|product| product.product_type == *product_type),
        Reach::Brand(brand) => count(&|product| product.brand == *brand),
        Reach::Department(department) => count(&|product| product.department == *department),
    }
}

/// One promotion, from chance of its own.
fn promotion(
    settings: &Settings,
    size: Size,
    seed: u64,
    catalogue: &Catalogue,
    id: u32,
) -> Promotion {
    let p = &settings.promotions;
    let mut stream = Stream::new(seed, Purpose::Promotions, u64::from(id), 0);
    let mechanic =
        MECHANICS[stream.pick(&cumulative([p.percent, p.money_off, p.buy_x_get_y, p.threshold]))];
    let span = p.weeks_min + stream.below((p.weeks_max - p.weeks_min + 1) as usize) as u32;
    // Windows are spread evenly, from those that run on the first day to those of the week decided for.
    let first = i64::from(id) * i64::from(size.weeks + span) / i64::from(size.promotions.max(1));
    let first = first as i32 - span as i32 + 1;
    let weeks = (first, first + span as i32 - 1);
    let middle = (first + span as i32 / 2).clamp(0, size.weeks as i32);
    let narrow = stream.chance(p.narrow_share);
    let made_for_new = narrow && stream.chance(p.new_share);
    let focus = made_for_new
        .then(|| catalogue.fresh(&mut stream, middle as u32))
        .flatten()
        .or_else(|| {
            let department = stream.below(catalogue.departments());
            let product_type = catalogue.type_of(&mut stream, department);
            catalogue.product_of(&mut stream, product_type, middle)
        })
        .unwrap_or_else(|| stream.below(catalogue.products.len()) as u32);
    let product = &catalogue.products[focus as usize];
    let reach = if narrow {
        let count = 1 + stream.below(p.narrow_products_max as usize);
        let mut ids = vec![focus];
        ids.extend(
            (1..count)
                .filter_map(|_| catalogue.product_of(&mut stream, product.product_type, middle)),
        );
        ids.sort_unstable();
        ids.dedup();
        Reach::Products(ids)
    } else {
        match stream.below(4) {
            0 | 1 => Reach::ProductType(product.product_type),
            2 => Reach::Brand(product.brand),
            _ => Reach::Department(product.department),
        }
    };
    let depth = (p.depth_min + (p.depth_max - p.depth_min) * stream.uniform()) * 100.0;
    let depth = if mechanic == Mechanic::BuyXGetY {
        1.0 / (BUY_QUANTITY + 1) as f64
    } else {
        depth.round().max(1.0) / 100.0
    };
    let amount = matches!(mechanic, Mechanic::MoneyOff | Mechanic::Threshold);
    let value_minor =
        if amount { ((product.price_minor as f64 * depth).round() as i64).max(1) } else { 0 };
    let threshold_minor = if mechanic == Mechanic::Threshold { product.price_minor * 5 } else { 0 };
    let relative_depth = depth / (0.5 * (p.depth_min + p.depth_max));
    let appeal = stream.gamma(p.appeal_shape) * relative_depth.powf(p.depth_power);
    let breadth = breadth(&reach, catalogue);
    Promotion {
        mechanic,
        depth,
        value_minor,
        threshold_minor,
        weeks,
        reach,
        breadth,
        focus,
        appeal,
    }
}
