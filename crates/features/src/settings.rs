//! What may a shop set about its features?

use std::collections::BTreeMap;

use tercet_engine::{Value, params};
use tercet_types::{Date, Error, Result};

/// Settings of all features; every key is optional.
#[derive(Clone, Debug, Default, PartialEq, serde::Serialize, serde::Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// Recency, frequency and money.
    pub rfm: RfmSettings,
    /// New, returning, lapsed.
    pub lifecycle: LifecycleSettings,
    /// What is known about the person.
    pub profile: ProfileSettings,
    /// Products.
    pub product: ProductSettings,
    /// Promotions.
    pub promotion: PromotionSettings,
    /// Customers and promotions.
    pub pair: PairSettings,
}

/// Recency, frequency and monetary value.
#[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct RfmSettings {
    /// Orders of the last days count; 365.
    pub window_days: i64,
    /// Four ascending day counts: at most the first scores 5, … more than the last scores 1. Quintiles when
    /// not given.
    pub recency_days: Option<[i64; 4]>,
    /// Four ascending order counts: at least the last scores 5. Quintiles when not given.
    pub frequency: Option<[i64; 4]>,
    /// Four ascending amounts, minor units: at least the last scores 5. Quintiles when not given.
    pub monetary_minor: Option<[i64; 4]>,
}

impl Default for RfmSettings {
    fn default() -> Self {
        Self { window_days: 365, recency_days: None, frequency: None, monetary_minor: None }
    }
}

/// New, returning, lapsed and never; and how long a behaviour lasts.
#[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct LifecycleSettings {
    /// A customer is new for this long after the first order; 28.
    pub new_days: i64,
    /// A customer has lapsed this long after the last order; 56.
    pub lapsed_days: i64,
    /// Orders and events of the last days decide the behaviour segment; 365.
    pub behaviour_window_days: i64,
}

impl Default for LifecycleSettings {
    fn default() -> Self {
        Self { new_days: 28, lapsed_days: 56, behaviour_window_days: 365 }
    }
}

/// What is known about the person.
#[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ProfileSettings {
    /// The customer table's own columns to use, as categories; all of them when not given.
    pub columns: Option<Vec<String>>,
    /// True when a customer whose consent is not known may be sent offers; true.
    pub default_consent: bool,
}

impl Default for ProfileSettings {
    fn default() -> Self {
        Self { columns: None, default_consent: true }
    }
}

/// Products.
#[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ProductSettings {
    /// Margin over net revenue where the shop does not say, 0 to 1. Absent it is taken to be 0.3, which is good
    /// enough to weigh offers by, but not to hold a budget in margin against.
    pub default_margin_rate: Option<f64>,
    /// A fast-growing product's rise in buyers, four weeks against the four before, in standard
    /// errors; 1.96.
    pub growth_z: f64,
    /// The fewest buyers in four weeks of a fast-growing product; 10.
    pub growth_buyers: i64,
    /// A product is newly launched for this long; 28.
    pub launch_days: i64,
    /// The fewest buyers of a newly launched product whose launch day is not given; 5.
    pub launch_buyers: i64,
    /// First sales this early in the data launch nothing; 56.
    pub burn_in_days: i64,
}

impl ProductSettings {
    /// Margin over net revenue where the shop does not say.
    pub(crate) fn margin_rate(&self) -> f64 {
        self.default_margin_rate.unwrap_or(0.3)
    }
}

impl Default for ProductSettings {
    fn default() -> Self {
        Self {
            default_margin_rate: None,
            growth_z: 1.96,
            growth_buyers: 10,
            launch_days: 28,
            launch_buyers: 5,
            burn_in_days: 56,
        }
    }
}

/// Promotions.
#[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct PromotionSettings {
    /// Depth as a share of the price where nothing tells it, 0 to 1; 0.2.
    pub default_discount_rate: f64,
}

impl Default for PromotionSettings {
    fn default() -> Self {
        Self { default_discount_rate: 0.2 }
    }
}

/// Customers, categories and promotions.
#[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct PairSettings {
    /// Category propensities halve in this many days; 60.
    pub category_half_life_days: f64,
    /// Lines of more units than this do not count in a basket's amount; 1000.
    pub bulk_quantity: i64,
    /// Products looked at in the last days count; 120.
    pub looked_days: i64,
}

impl Default for PairSettings {
    fn default() -> Self {
        Self { category_half_life_days: 60.0, bulk_quantity: 1_000, looked_days: 120 }
    }
}

impl Settings {
    /// Checks ranges and orders.
    ///
    /// # Errors
    /// `T0301` that names the key.
    pub fn validate(&self) -> Result<()> {
        let positive = [
            ("rfm.window_days", self.rfm.window_days),
            ("lifecycle.new_days", self.lifecycle.new_days),
            ("lifecycle.lapsed_days", self.lifecycle.lapsed_days),
            ("lifecycle.behaviour_window_days", self.lifecycle.behaviour_window_days),
            ("product.launch_days", self.product.launch_days),
            ("pair.looked_days", self.pair.looked_days),
        ];
        for (key, days) in positive {
            // A century is more than any shop's history, and keeps day arithmetic far from overflow.
            if !(1..=36_525).contains(&days) {
                return Err(wrong(key, "must be from 1 to 36525"));
            }
        }
        if !(0..=36_525).contains(&self.product.burn_in_days) {
            return Err(wrong("product.burn_in_days", "must be from 0 to 36525"));
        }
        let rates = [
            ("product.default_margin_rate", self.product.margin_rate()),
            ("promotion.default_discount_rate", self.promotion.default_discount_rate),
        ];
        for (key, rate) in rates {
            if !(0.0..=1.0).contains(&rate) {
                return Err(wrong(key, "must be from 0 to 1"));
            }
        }
        if !self.product.growth_z.is_finite() {
            return Err(wrong("product.growth_z", "must be a finite number"));
        }
        let half_life = self.pair.category_half_life_days;
        if !(1.0..=36_525.0).contains(&half_life) {
            return Err(wrong("pair.category_half_life_days", "must be from 1 to 36525"));
        }
        // A thousand times it is compared with thousandths of units.
        if !(1..=1_000_000_000).contains(&self.pair.bulk_quantity) {
            return Err(wrong("pair.bulk_quantity", "must be from 1 to 1000000000"));
        }
        let steps = [
            ("rfm.recency_days", self.rfm.recency_days),
            ("rfm.frequency", self.rfm.frequency),
            ("rfm.monetary_minor", self.rfm.monetary_minor),
        ];
        for (key, thresholds) in steps {
            if thresholds.is_some_and(|steps| !steps.is_sorted()) {
                return Err(wrong(key, "must be four ascending thresholds"));
            }
        }
        Ok(())
    }

    /// The parameters of the statements, as of a day.
    pub(crate) fn params(&self, as_of: Date) -> BTreeMap<String, Value> {
        let mut values = params([
            ("as_of", Value::Date(as_of)),
            ("rfm_window_days", Value::I64(self.rfm.window_days)),
            ("new_days", Value::I64(self.lifecycle.new_days)),
            ("lapsed_days", Value::I64(self.lifecycle.lapsed_days)),
            ("behaviour_window_days", Value::I64(self.lifecycle.behaviour_window_days)),
            ("default_consent", Value::Bool(self.profile.default_consent)),
            ("default_margin_rate", Value::F64(self.product.margin_rate())),
            ("growth_z", Value::F64(self.product.growth_z)),
            ("growth_buyers", Value::I64(self.product.growth_buyers)),
            ("launch_days", Value::I64(self.product.launch_days)),
            ("launch_buyers", Value::I64(self.product.launch_buyers)),
            ("burn_in_days", Value::I64(self.product.burn_in_days)),
            ("default_discount_rate", Value::F64(self.promotion.default_discount_rate)),
            ("bulk_quantity", Value::I64(self.pair.bulk_quantity)),
            ("looked_days", Value::I64(self.pair.looked_days)),
            ("category_half_life_days", Value::F64(self.pair.category_half_life_days)),
        ]);
        let steps = [
            ("recency", self.rfm.recency_days),
            ("frequency", self.rfm.frequency),
            ("monetary", self.rfm.monetary_minor),
        ];
        for (name, thresholds) in steps {
            values.insert(format!("by_{name}_thresholds"), Value::Bool(thresholds.is_some()));
            for (place, step) in (1..).zip(thresholds.unwrap_or_default()) {
                values.insert(format!("{name}_{place}"), Value::I64(step));
            }
        }
        values
    }
}

fn wrong(key: &str, what: &str) -> Error {
    Error::config("T0301", format!("[features] {key} {what}"))
        .hint("correct the key in [features], or leave it out for its default")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_out_of_range_are_refused() {
        let check = |change: fn(&mut Settings), expect: &str| {
            let mut settings = Settings::default();
            change(&mut settings);
            let found =
                settings.validate().err().map(|error| error.to_string()).unwrap_or_default();
            assert!(found.contains(expect) && found.is_empty() == expect.is_empty(), "{found}");
        };
        check(|_| {}, "");
        check(|s| s.rfm.window_days = 0, "rfm.window_days");
        check(|s| s.lifecycle.lapsed_days = -1, "lapsed_days");
        check(|s| s.product.default_margin_rate = Some(f64::NAN), "default_margin_rate");
        check(|s| s.product.growth_z = f64::INFINITY, "growth_z");
        check(|s| s.promotion.default_discount_rate = 1.5, "default_discount_rate");
        check(|s| s.pair.category_half_life_days = 0.0, "category_half_life_days");
        check(|s| s.pair.bulk_quantity = 0, "bulk_quantity");
        check(|s| s.pair.looked_days = 0, "looked_days");
        check(|s| s.rfm.frequency = Some([5, 4, 3, 2]), "rfm.frequency");
        check(|s| s.rfm.recency_days = Some([7, 14, 28, 56]), "");
    }
}
