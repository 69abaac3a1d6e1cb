//! What is on the shelf, what does it cost, and how much is it wanted?

use crate::random::{Purpose, Stream, cumulative};
use crate::settings::Settings;
use crate::table::{Column, Table};
use crate::world::Size;

/// The week of a product that was never launched within memory, or is never discontinued.
const EVER: i32 = i32::MAX;

/// Tries to find a product of a type that is on sale in a week.
const TRIES_MAX: u32 = 6;

/// One product.
#[derive(Clone, Debug)]
pub(crate) struct Product {
    /// Its product type.
    pub(crate) product_type: u32,
    /// Its department.
    pub(crate) department: u32,
    /// Its brand, counted over all departments.
    pub(crate) brand: u32,
    /// Regular price, minor units.
    pub(crate) price_minor: i64,
    /// Margin over net revenue.
    pub(crate) margin_rate: f64,
    /// The truth: how much it is wanted, against an average product of the world.
    pub(crate) demand: f64,
    /// First week on sale; `None` before memory.
    pub(crate) launch_week: Option<i32>,
    /// First week no longer on sale; `i32::MAX` for never.
    pub(crate) end_week: i32,
}

impl Product {
    /// True when it is sold in a week.
    pub(crate) fn on_sale(&self, week: i32) -> bool {
        self.launch_week.is_none_or(|launch| launch <= week) && week < self.end_week
    }

    /// True when it is new in a week.
    pub(crate) fn is_new(&self, week: i32, novelty_weeks: u32) -> bool {
        self.launch_week
            .is_some_and(|launch| (launch..launch + novelty_weeks as i32).contains(&week))
    }
}

/// One product type: its products stand together.
#[derive(Clone, Debug)]
pub(crate) struct ProductType {
    /// Its department.
    pub(crate) department: u32,
    /// Days between two purchases of who needs it.
    pub(crate) cycle_days: f64,
    /// Its first product.
    first: usize,
    /// Running totals of its products' demand.
    demand: Vec<f64>,
}

/// All products, by product type.
#[derive(Clone, Debug)]
pub(crate) struct Catalogue {
    pub(crate) products: Vec<Product>,
    pub(crate) types: Vec<ProductType>,
    /// The types of a department, and running totals of their demand.
    departments: Vec<(Vec<u32>, Vec<f64>)>,
    /// Products new in a week, and running totals of their demand; one more week than simulated.
    fresh: Vec<(Vec<u32>, Vec<f64>)>,
    /// Place of a department in the year, share of a year.
    pub(crate) season_phase: Vec<f64>,
    seed: u64,
    shelf: (f64, f64, f64),
}

impl Catalogue {
    pub(crate) fn new(settings: &Settings, size: Size, seed: u64) -> Self {
        let p = &settings.products;
        let departments = (p.departments as usize).min(size.products as usize);
        let wanted = (f64::from(size.products) / p.products_per_type).round() as usize;
        let count = wanted.clamp(departments, size.products as usize);
        let mut types = Vec::with_capacity(count);
        let mut products = Vec::with_capacity(size.products as usize);
        for index in 0..count {
            let mut stream = Stream::new(seed, Purpose::Types, index as u64, 0);
            let cycle = settings.purchases.cycle_days;
            let cycle_days = stream.log_normal(cycle, settings.purchases.cycle_spread).max(2.0);
            let type_demand = stream.log_normal(1.0, 0.8);
            let type_price = stream.log_normal(1.0, 0.7 * p.price_spread);
            let first = products.len();
            let end = (index + 1) * size.products as usize / count;
            let department = (index % departments) as u32;
            for id in first..end {
                products.push(product(
                    settings,
                    size,
                    seed,
                    id,
                    (index, department),
                    type_price,
                    type_demand,
                ));
            }
            let demand =
                cumulative(products[first..end].iter().map(|product: &Product| product.demand));
            types.push(ProductType { department, cycle_days, first, demand });
        }
        let by_department = (0..departments as u32)
            .map(|department| {
                let own: Vec<u32> = (0..types.len() as u32)
                    .filter(|&t| types[t as usize].department == department)
                    .collect();
                let totals = cumulative(
                    own.iter().map(|&t| types[t as usize].demand.last().copied().unwrap_or(0.0)),
                );
                (own, totals)
            })
            .collect();
        let fresh = (0..=size.weeks as i32)
            .map(|week| {
                let new: Vec<u32> = (0..products.len() as u32)
                    .filter(|&id| {
                        let product = &products[id as usize];
                        product.is_new(week, settings.purchases.novelty_weeks)
                            && product.on_sale(week)
                    })
                    .collect();
                let totals = cumulative(new.iter().map(|&id| products[id as usize].demand));
                (new, totals)
            })
            .collect();
        let season_phase = (0..departments)
            .map(|d| Stream::new(seed, Purpose::Types, d as u64, 1).uniform())
            .collect();
        let shelf = (p.shelf_rate, p.shelf_depth_min, p.shelf_depth_max);
        Self { products, types, departments: by_department, fresh, season_phase, seed, shelf }
    }

    /// Number of departments.
    pub(crate) fn departments(&self) -> usize {
        self.departments.len()
    }

    /// What a product is reduced by on the shelf in a week, share of its price.
    pub(crate) fn shelf_depth(&self, product: u32, week: u32) -> f64 {
        let (rate, low, high) = self.shelf;
        let mut stream =
            Stream::new(self.seed, Purpose::Shelf, u64::from(product), u64::from(week));
        let chance = stream.uniform();
        // The same draw tells whether and how deep: given that it lies below the rate, it is uniform.
        if chance < rate { low + (high - low) * (chance / rate) } else { 0.0 }
    }

    /// A product type of a department, by demand.
    pub(crate) fn type_of(&self, stream: &mut Stream, department: usize) -> u32 {
        let (types, totals) = &self.departments[department];
        types[stream.pick(totals)]
    }

    /// The product type at a place of a department.
    pub(crate) fn type_at(&self, department: usize, place: usize) -> u32 {
        self.departments[department].0[place]
    }

    /// How much the product types of a department are wanted, in their order.
    pub(crate) fn demand_of_types(&self, department: usize) -> impl Iterator<Item = f64> {
        let types = self.departments[department].0.iter();
        types.map(|&t| self.types[t as usize].demand.last().copied().unwrap_or(0.0))
    }

    /// A product of a type that is on sale in a week, by demand.
    pub(crate) fn product_of(
        &self,
        stream: &mut Stream,
        product_type: u32,
        week: i32,
    ) -> Option<u32> {
        let of = &self.types[product_type as usize];
        for _ in 0..TRIES_MAX {
            let id = of.first + stream.pick(&of.demand);
            if self.products[id].on_sale(week) {
                return Some(id as u32);
            }
        }
        None
    }

    /// A product that is new in a week, by demand; `None` when there is none.
    pub(crate) fn fresh(&self, stream: &mut Stream, week: u32) -> Option<u32> {
        let (ids, totals) = self.fresh.get(week as usize)?;
        (!ids.is_empty()).then(|| ids[stream.pick(totals)])
    }

    /// The canonical table `products`.
    pub(crate) fn table(&self, start_day: i32) -> Table {
        let ids = 0..self.products.len() as i64;
        let all = &self.products;
        let text = |of: &dyn Fn(&Product) -> String| Column::Text(all.iter().map(of).collect());
        let day = |week: Option<i32>| week.map(|week| start_day + 7 * week);
        Table {
            name: "products",
            columns: vec![
                ("product_id", Column::Int(ids.clone().map(|id| id + 1).collect())),
                (
                    "product_name",
                    Column::Text(ids.map(|id| format!("Product {}", id + 1)).collect()),
                ),
                ("department", text(&|p| department_name(p.department))),
                ("category", text(&|p| category_name(p.department, p.product_type))),
                ("product_type", text(&|p| type_name(p.product_type))),
                ("brand", text(&|p| brand_name(p.brand))),
                ("price_minor", Column::Int(all.iter().map(|p| p.price_minor).collect())),
                ("margin_rate", Column::Real(all.iter().map(|p| p.margin_rate).collect())),
                (
                    "launched_on",
                    Column::DayOrNull(all.iter().map(|p| day(p.launch_week)).collect()),
                ),
                (
                    "discontinued_on",
                    Column::DayOrNull(
                        all.iter()
                            .map(|p| day((p.end_week < EVER).then_some(p.end_week)))
                            .collect(),
                    ),
                ),
            ],
        }
    }
}

/// One product, from chance of its own.
fn product(
    settings: &Settings,
    size: Size,
    seed: u64,
    id: usize,
    (product_type, department): (usize, u32),
    type_price: f64,
    type_demand: f64,
) -> Product {
    let p = &settings.products;
    let mut stream = Stream::new(seed, Purpose::Products, id as u64, 0);
    let brand = stream.below(p.brands_per_department as usize) as u32;
    let own_brand = if brand == 0 { 0.8 } else { 1.0 };
    let price = stream.log_normal(p.price_minor * type_price * own_brand, 0.7 * p.price_spread);
    let weeks = size.weeks as usize;
    // Launches reach one week beyond the last, so that the week decided for has newcomers too.
    let launch_week = stream.chance(p.launch_share).then(|| 1 + stream.below(weeks) as i32);
    let ends = launch_week.is_none() && stream.chance(p.discontinued_share);
    let end_week = if ends { 1 + stream.below(weeks) as i32 } else { EVER };
    let spread = if launch_week.is_some() { p.cold_demand_spread } else { p.demand_spread };
    Product {
        product_type: product_type as u32,
        department,
        brand: department * p.brands_per_department + brand,
        price_minor: (price.round() as i64).max(1),
        margin_rate: (p.margin_rate * stream.log_normal(1.0, 0.2)).clamp(0.02, 0.9),
        demand: type_demand * stream.log_normal(1.0, spread),
        launch_week,
        end_week,
    }
}

/// The name of a department.
pub(crate) fn department_name(department: u32) -> String {
    format!("Department {}", department + 1)
}

/// Categories stand between departments and product types: four a department.
fn category_name(department: u32, product_type: u32) -> String {
    format!("Category {}-{}", department + 1, product_type % 4 + 1)
}

/// The name of a product type.
pub(crate) fn type_name(product_type: u32) -> String {
    format!("Type {}", product_type + 1)
}

/// The name of a brand.
pub(crate) fn brand_name(brand: u32) -> String {
    format!("Brand {}", brand + 1)
}
