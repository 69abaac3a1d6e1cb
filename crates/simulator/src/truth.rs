//! What is true of the world, as tables that no source names?

use tercet_types::segment::Behaviour;

use crate::catalogue::{department_name, type_name};
use crate::customer::{Customer, ResponseClass};
use crate::table::{Column, Table};
use crate::world::World;

/// What the truth's tables mean and how the effect of an offer follows from them.
pub const FORMULA: &str = include_str!("truth.md");

/// Names of the behaviour segments, in the order of their codes.
const BEHAVIOURS: &[&str] = &["transaction_only", "browsing_only", "both"];

/// Rows of the truth about customers.
#[derive(Default)]
pub(crate) struct CustomerTruth {
    id: Vec<i64>,
    behaviour: Vec<u8>,
    class: Vec<u8>,
    login_week: Vec<i64>,
    segments: (Vec<i64>, Vec<i64>),
    /// Orders a week, lines, tempo, share of the first segment, elasticity, novelty, responsiveness,
    /// redeem rate, fatigue, sessions a week.
    numbers: [Vec<f64>; 10],
    need_of: Vec<i64>,
    need_type: Vec<i64>,
    need_product: Vec<i64>,
    need_days: Vec<f64>,
    interest_of: Vec<i64>,
    interest_type: Vec<i64>,
}

/// Names of the columns in `numbers`.
const NUMBERS: [&str; 10] = [
    "orders_per_week",
    "lines_median",
    "tempo",
    "segment_1_share",
    "elasticity",
    "novelty",
    "responsiveness",
    "redeem_rate",
    "fatigue",
    "sessions_per_week",
];

impl CustomerTruth {
    pub(crate) fn push(&mut self, customer: &Customer) {
        let id = i64::from(customer.index) + 1;
        self.id.push(id);
        self.behaviour.push(match customer.behaviour {
            Behaviour::BrowsingOnly => 1,
            Behaviour::Both => 2,
            Behaviour::TransactionOnly | Behaviour::Neither => 0,
        });
        self.class.push(match customer.class {
            ResponseClass::Persuadable => 0,
            ResponseClass::OnlyCheaper => 1,
            ResponseClass::PutOff => 2,
        });
        self.login_week.push(i64::from(customer.login_week));
        self.segments.0.push(i64::from(customer.segments.0) + 1);
        self.segments.1.push(i64::from(customer.segments.1) + 1);
        let values = [
            customer.orders_per_week,
            customer.lines_median,
            customer.tempo,
            customer.segments.2,
            customer.elasticity,
            customer.novelty,
            customer.responsiveness,
            customer.redeem_rate,
            customer.fatigue,
            customer.sessions_per_week,
        ];
        self.numbers.iter_mut().zip(values).for_each(|(column, value)| column.push(value));
        for need in &customer.needs {
            self.need_of.push(id);
            self.need_type.push(i64::from(need.product_type) + 1);
            self.need_product.push(i64::from(need.product) + 1);
            self.need_days.push(need.cycle_days);
        }
        for product_type in &customer.interests {
            self.interest_of.push(id);
            self.interest_type.push(i64::from(*product_type) + 1);
        }
    }

    pub(crate) fn tables(self) -> Vec<Table> {
        let mut columns = vec![
            ("customer_id", Column::Int(self.id)),
            ("behaviour", Column::Word(self.behaviour, BEHAVIOURS)),
            ("class", Column::Word(self.class, ResponseClass::NAMES)),
            ("login_week", Column::Int(self.login_week)),
            ("segment_1", Column::Int(self.segments.0)),
            ("segment_2", Column::Int(self.segments.1)),
        ];
        columns.extend(NUMBERS.into_iter().zip(self.numbers.map(Column::Real)));
        let needs = vec![
            ("customer_id", Column::Int(self.need_of)),
            ("product_type_number", Column::Int(self.need_type)),
            ("product_id", Column::Int(self.need_product)),
            ("cycle_days", Column::Real(self.need_days)),
        ];
        let interests = vec![
            ("customer_id", Column::Int(self.interest_of)),
            ("product_type_number", Column::Int(self.interest_type)),
        ];
        vec![
            Table { name: "customers", columns },
            Table { name: "needs", columns: needs },
            Table { name: "interests", columns: interests },
        ]
    }
}

impl World {
    /// The truth that does not grow with customers: products, types, promotions, segments.
    pub fn truth_tables(&self) -> Vec<Table> {
        let products = &self.catalogue.products;
        let types = &self.catalogue.types;
        let offers = &self.promotions.all;
        let ids = |count: usize| Column::Int((1..=count as i64).collect());
        let departments = self.catalogue.departments();
        let mut tastes: (Vec<i64>, Vec<String>, Vec<f64>) = Default::default();
        for (segment, factors) in (1_i64..).zip(&self.segments.tastes) {
            for (department, factor) in (0_u32..).zip(factors) {
                tastes.0.push(segment);
                tastes.1.push(department_name(department));
                tastes.2.push(*factor);
            }
        }
        vec![
            Table {
                name: "products",
                columns: vec![
                    ("product_id", ids(products.len())),
                    ("demand", Column::Real(products.iter().map(|p| p.demand).collect())),
                    (
                        "is_cold",
                        Column::Flag(products.iter().map(|p| p.launch_week.is_some()).collect()),
                    ),
                ],
            },
            Table {
                name: "product_types",
                columns: vec![
                    ("product_type_number", ids(types.len())),
                    (
                        "product_type",
                        Column::Text((0..types.len() as u32).map(type_name).collect()),
                    ),
                    ("cycle_days", Column::Real(types.iter().map(|t| t.cycle_days).collect())),
                ],
            },
            Table {
                name: "departments",
                columns: vec![
                    (
                        "department",
                        Column::Text((0..departments as u32).map(department_name).collect()),
                    ),
                    ("season_phase", Column::Real(self.catalogue.season_phase.clone())),
                ],
            },
            Table {
                name: "promotions",
                columns: vec![
                    ("promotion_id", ids(offers.len())),
                    (
                        "focus_product_id",
                        Column::Int(offers.iter().map(|p| i64::from(p.focus) + 1).collect()),
                    ),
                    ("depth", Column::Real(offers.iter().map(|p| p.depth).collect())),
                    ("appeal", Column::Real(offers.iter().map(|p| p.appeal).collect())),
                ],
            },
            Table {
                name: "segments",
                columns: vec![
                    ("segment", Column::Int(tastes.0)),
                    ("department", Column::Text(tastes.1)),
                    ("taste", Column::Real(tastes.2)),
                ],
            },
        ]
    }
}
