//! Is what a customer is worth the same by lifetimes?
#![allow(
    clippy::unwrap_used,
    clippy::allow_attributes,
    reason = "a failed test should stop at once"
)]

use serde_json::Value;
use tercet_models::customer_value::{
    BgNbd, CustomerHistory, Fit, GammaGamma, LifetimeValue, Parameter,
};

const WEEK_DAYS: f64 = 7.0;

struct Shop {
    oracle: Value,
    customers: Vec<CustomerHistory>,
    purchases: BgNbd,
    values: GammaGamma,
}

fn shops() -> Vec<Shop> {
    let oracle: Value = serde_json::from_str(include_str!("oracle/customer_value.json")).unwrap();
    let shop = |oracle: &Value| {
        let customer = |row: &Value| {
            let row = numbers(row);
            CustomerHistory {
                frequency: row[0] as u32,
                recency: row[1] / WEEK_DAYS,
                age: row[2] / WEEK_DAYS,
                mean_value: row[3],
            }
        };
        let (times, values) = (numbers(&oracle["times"]), numbers(&oracle["values"]));
        Shop {
            customers: oracle["customers"].as_array().unwrap().iter().map(customer).collect(),
            purchases: BgNbd { r: times[0], alpha: times[1], a: times[2], b: times[3] },
            values: GammaGamma { p: values[0], q: values[1], v: values[2] },
            oracle: oracle.clone(),
        }
    };
    oracle["shops"].as_array().unwrap().iter().map(shop).collect()
}

fn numbers(list: &Value) -> Vec<f64> {
    list.as_array().unwrap().iter().map(|number| number.as_f64().unwrap()).collect()
}

fn assert_near(what: &str, found: f64, expect: f64, tolerance: f64) {
    let apart = (found - expect).abs() / expect.abs().max(1.0);
    assert!(apart <= tolerance, "{what}: {found}, by lifetimes {expect}");
}

#[test]
fn likelihoods_at_fixed_parameters() {
    for shop in shops() {
        let found = shop.purchases.log_likelihood(&shop.customers).unwrap();
        let expect = shop.oracle["log_likelihood"].as_f64().unwrap();
        assert!((found - expect).abs() < 1e-8, "BG/NBD: {found}, by lifetimes {expect}");
        let found = shop.values.log_likelihood(&shop.customers).unwrap();
        let expect = shop.oracle["value_log_likelihood"].as_f64().unwrap();
        assert!((found - expect).abs() < 1e-8, "Gamma-Gamma: {found}, by lifetimes {expect}");
    }
}

#[test]
fn predictions_at_fixed_parameters() {
    let horizons = [1.0, 13.0, 52.0];
    // Twelve months of 4.345 weeks, 1 % each.
    let month = 4.345;
    let year = LifetimeValue {
        horizon: 12.0 * month,
        step: month,
        discount: 1.01_f64.powf(1.0 / month) - 1.0,
    };
    for Shop { oracle, customers, purchases, values } in shops() {
        let (alive, value) = (numbers(&oracle["alive"]), numbers(&oracle["value"]));
        let lifetime = numbers(&oracle["lifetime_value"]);
        for (place, customer) in customers.iter().take(alive.len()).enumerate() {
            assert_near("alive", purchases.probability_alive(customer), alive[place], 1e-10);
            assert_near("value", values.expected_value(customer).unwrap(), value[place], 1e-10);
            for (horizon, expect) in horizons.iter().zip(oracle["expected"].as_array().unwrap()) {
                let found = purchases.expected_purchases(customer, *horizon).unwrap();
                assert_near("expected", found, expect[place].as_f64().unwrap(), 1e-8);
            }
            let found = year.of(customer, &purchases, &values).unwrap();
            assert_near("lifetime value", found, lifetime[place], 1e-8);
        }
    }
}

/// lifetimes stops where the mean log-likelihood is flat to 1e-7: so near its parameters are.
#[test]
fn fits_and_their_intervals() {
    fn check<M>(fitted: &Fit<M>, oracle: &Value, name: &str) {
        let errors = numbers(&oracle[&format!("{name}_errors")]);
        let expect = numbers(&oracle[name]);
        assert_eq!(fitted.parameters.len(), expect.len());
        for ((parameter, expect), error) in fitted.parameters.iter().zip(expect).zip(errors) {
            let Parameter { name, value, low, high } = parameter;
            assert!((value / expect - 1.0).abs() < 1e-3, "{name}: {value}, by lifetimes {expect}");
            let found = (high / low).ln() / (2.0 * 1.96);
            assert!((found / error - 1.0).abs() < 5e-3, "{name}: {found}, by lifetimes {error}");
        }
    }
    for shop in shops() {
        let purchases = BgNbd::fit(&shop.customers).unwrap();
        check(&purchases, &shop.oracle, "fitted");
        assert!(purchases.log_likelihood > shop.oracle["log_likelihood"].as_f64().unwrap());
        check(&GammaGamma::fit(&shop.customers).unwrap(), &shop.oracle, "value_fitted");
    }
}

#[test]
fn the_same_bits_in_any_order_and_on_any_number_of_threads() {
    // Enough customers that sums have several parts: times moved by a little, so that few are alike.
    let shop = shops().swap_remove(1);
    let moved = |copy: u32| {
        shop.customers.iter().map(move |one| CustomerHistory {
            age: one.age + f64::from(copy) / 64.0,
            mean_value: one.mean_value * (1.0 + f64::from(copy) / 512.0),
            ..*one
        })
    };
    let mut customers: Vec<CustomerHistory> = (0..12).flat_map(moved).collect();
    let fit = |customers: &[CustomerHistory]| {
        (BgNbd::fit(customers).unwrap(), GammaGamma::fit(customers).unwrap())
    };
    let expect = fit(&customers);
    customers.reverse();
    assert_eq!(fit(&customers), expect);
    for threads in [1, 3] {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        assert_eq!(pool.install(|| fit(&customers)), expect);
    }
}
