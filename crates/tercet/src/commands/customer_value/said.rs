//! What is said of customers, and of the models behind it?

use serde::Serialize;
use tercet_engine::Frame;
use tercet_models::customer_value::{BgNbd, Fit, GammaGamma, LifetimeValue, Parameter};
use tercet_types::{Date, Result};

use super::read::Known;
use crate::output::{Format, heading, rows, thousands};

/// Customers that a page shows.
const SHOWN: usize = 10;

/// From where on frequency and value go together so much that the page says so.
const CORRELATION_NOTED: f64 = 0.3;

/// What is said of one customer.
#[derive(Clone, Debug, Serialize)]
pub(super) struct CustomerValue {
    customer: String,
    repeat_purchases: u32,
    recency_weeks: f64,
    age_weeks: f64,
    mean_value: f64,
    probability_alive: f64,
    expected_purchases: f64,
    expected_value: f64,
    lifetime_value: f64,
}

/// All customers, in the order of their ids.
pub(super) struct Customers(Vec<CustomerValue>);

impl CustomerValue {
    pub(super) const COLUMNS: [&str; 9] = [
        "customer",
        "repeat_purchases",
        "recency_weeks",
        "age_weeks",
        "mean_value",
        "probability_alive",
        "expected_purchases",
        "expected_value",
        "lifetime_value",
    ];

    fn numbers(&self) -> [f64; 8] {
        [
            f64::from(self.repeat_purchases),
            self.recency_weeks,
            self.age_weeks,
            self.mean_value,
            self.probability_alive,
            self.expected_purchases,
            self.expected_value,
            self.lifetime_value,
        ]
    }
}

impl Customers {
    /// Asks both models about every customer; `margin` turns values into what they are worth.
    pub(super) fn of(
        known: &Known,
        (purchases, values): (&BgNbd, &GammaGamma),
        lifetime: &LifetimeValue,
        margin: f64,
    ) -> Result<Self> {
        let each = known.ids.iter().zip(&known.histories);
        let said = each.map(|(id, history)| {
            Ok(CustomerValue {
                customer: id.clone(),
                repeat_purchases: history.frequency,
                recency_weeks: history.recency,
                age_weeks: history.age,
                mean_value: history.mean_value,
                probability_alive: purchases.probability_alive(history),
                expected_purchases: purchases.expected_purchases(history, lifetime.horizon)?,
                expected_value: values.expected_value(history)?,
                lifetime_value: margin * lifetime.of(history, purchases, values)?,
            })
        });
        Ok(Self(said.collect::<Result<_>>()?))
    }

    pub(super) fn values(&self) -> Vec<CustomerValue> {
        self.0.clone()
    }

    pub(super) fn lines(&self) -> Vec<Vec<String>> {
        let line = |one: &CustomerValue| {
            let numbers = one.numbers().map(|number| number.to_string());
            std::iter::once(one.customer.clone()).chain(numbers).collect()
        };
        self.0.iter().map(line).collect()
    }

    pub(super) fn frame(&self) -> Result<Frame> {
        let ids: Vec<String> = self.0.iter().map(|one| one.customer.clone()).collect();
        let mut columns = vec![(CustomerValue::COLUMNS[0], ids.into())];
        for (place, name) in CustomerValue::COLUMNS[1..].iter().enumerate() {
            let numbers: Vec<f64> = self.0.iter().map(|one| one.numbers()[place]).collect();
            columns.push((name, numbers.into()));
        }
        Frame::of(columns)
    }

    /// The customers of the largest value.
    fn best(&self) -> Vec<&CustomerValue> {
        let mut all: Vec<&CustomerValue> = self.0.iter().collect();
        all.sort_by(|a, b| b.lifetime_value.total_cmp(&a.lifetime_value));
        all.truncate(SHOWN);
        all
    }
}

/// A fit, in words.
#[derive(Serialize)]
pub(super) struct FitSaid {
    customers: usize,
    log_likelihood: f64,
    parameters: Vec<ParameterSaid>,
}

#[derive(Serialize)]
struct ParameterSaid {
    name: &'static str,
    value: f64,
    low: f64,
    high: f64,
}

impl<M> From<&Fit<M>> for FitSaid {
    fn from(fit: &Fit<M>) -> Self {
        let said = |&Parameter { name, value, low, high }: &Parameter| ParameterSaid {
            name,
            value,
            low,
            high,
        };
        Self {
            customers: fit.customers,
            log_likelihood: fit.log_likelihood,
            parameters: fit.parameters.iter().map(said).collect(),
        }
    }
}

/// All that is said.
#[derive(Serialize)]
pub(super) struct Said {
    pub(super) until: Date,
    pub(super) weeks: f64,
    pub(super) discount: f64,
    pub(super) margin: f64,
    pub(super) customers: usize,
    pub(super) repeat_buyers: usize,
    pub(super) customers_without_purchase: usize,
    pub(super) correlation_of_frequency_and_value: Option<f64>,
    pub(super) bg_nbd: FitSaid,
    pub(super) gamma_gamma: FitSaid,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) by_customer: Vec<CustomerValue>,
}

impl Said {
    /// All that is said, to read.
    pub(super) fn page(&self, customers: &Customers) -> String {
        let [count, repeat] = [self.customers, self.repeat_buyers].map(thousands);
        let mut text = format!(
            "{}\n{}\n{count} customers until {}, {repeat} of them came back",
            heading("How customers buy, and what a purchase is worth"),
            self.parameters(Format::Table),
            self.until
        );
        if self.customers_without_purchase > 0 {
            let without = thousands(self.customers_without_purchase);
            text.push_str(&format!("; {without} more had no purchase by then, returns alone"));
        }
        let for_nothing = self.repeat_buyers - self.gamma_gamma.customers;
        if for_nothing > 0 {
            let count = thousands(for_nothing);
            text.push_str(&format!(
                "; {count} of them for nothing alone, which says nothing of values"
            ));
        }
        if let Some(correlation) = self.correlation_of_frequency_and_value {
            text.push_str(&format!("\nfrequency and value correlate by {correlation:.3}"));
            if correlation.abs() >= CORRELATION_NOTED {
                text.push_str(": Gamma-Gamma holds them to be unrelated, so values are rough");
            }
        }
        let header = [
            "customer",
            "repeat purchases",
            "alive",
            "purchases",
            "value of one",
            "lifetime value",
        ];
        let line = |one: &&CustomerValue| {
            vec![
                one.customer.clone(),
                thousands(one.repeat_purchases),
                format!("{:.1} %", 100.0 * one.probability_alive),
                format!("{:.2}", one.expected_purchases),
                format!("{:.2}", one.expected_value),
                format!("{:.2}", one.lifetime_value),
            ]
        };
        let best: Vec<Vec<String>> = customers.best().iter().map(line).collect();
        let title = format!("The most valuable customers of the next {} weeks", self.weeks);
        format!("{text}\n\n{}\n{}", heading(&title), rows(Format::Table, &header, &best))
    }

    /// The parameters of both models.
    pub(super) fn parameters(&self, format: Format) -> String {
        let of_model = |model: &'static str, fit: &FitSaid| {
            let line = |one: &ParameterSaid| {
                let number = |value: f64| match format {
                    Format::Table => format!("{value:.4}"),
                    _ => value.to_string(),
                };
                let numbers = [one.value, one.low, one.high].map(number);
                [model.to_owned(), one.name.to_owned()].into_iter().chain(numbers).collect()
            };
            fit.parameters.iter().map(line).collect::<Vec<Vec<String>>>()
        };
        let lines =
            [of_model("BG/NBD", &self.bg_nbd), of_model("Gamma-Gamma", &self.gamma_gamma)].concat();
        rows(format, &["model", "parameter", "value", "95 % from", "to"], &lines)
    }
}
