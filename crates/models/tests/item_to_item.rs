//! Is the likeness of products that of dense matrices in NumPy?

use serde_json::Value;
use tercet_models::{Attributes, ItemToItem, Purchase, Purchases, Recommender, Row, Training};

#[test]
fn likeness_agrees() {
    let oracle: Value = serde_json::from_str(include_str!("oracle/item_to_item.json")).unwrap();
    let whole = |name: &str| oracle[name].as_u64().unwrap() as usize;
    let (customers, products) = (whole("customers"), whole("products"));
    let lines: Vec<(u32, i32, u32, u32)> = serde_json::from_value(oracle["lines"].clone()).unwrap();
    let lines = lines.into_iter().map(|(customer, day, order, product)| {
        (customer, Purchase { day, order, product, spend_minor: 100 })
    });
    let history = Purchases::new(customers, products, lines.collect()).unwrap();
    let training = Training {
        history: &history,
        as_of: i32::MAX,
        products: &Attributes::none(products),
        customers: &Attributes::none(customers),
    };
    for case in oracle["cases"].as_array().unwrap() {
        for kept in ["followers", "leaders"] {
            let mut settings = case["settings"].clone();
            settings["kept"] = kept.into();
            let estimator: ItemToItem = serde_json::from_value(settings).unwrap();
            let fitted = estimator.fit(&training).unwrap();
            let theirs: Vec<Vec<f64>> = serde_json::from_value(case["likeness"].clone()).unwrap();
            let mut row = Row::new(products);
            for (product, theirs) in (0..).zip(&theirs) {
                assert!(fitted.similar(product, &mut row));
                for (other, theirs) in (0..).zip(theirs) {
                    let mine = row.get(other).unwrap_or(0.0);
                    assert!(
                        (mine - theirs).abs() <= 1e-9 * theirs.max(1.0),
                        "{estimator:?}: {product} to {other}: {mine} against {theirs}"
                    );
                }
                row.clear();
            }
        }
    }
}
