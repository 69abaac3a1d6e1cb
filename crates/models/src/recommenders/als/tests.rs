//! Does implicit ALS keep what it promises?

use super::*;
use crate::conformance::{check_recommender, draws, history, refusal};
use crate::{Attributes, Purchases};

const AS_OF: i32 = 9;

fn small() -> Als {
    Als { factors: 6, ..Als::default() }
}

/// Two tastes: the first half of the customers buys the first half of the products, but for the last of each.
fn tastes(customers: u32, products: u32) -> Purchases {
    let mut draw = draws(5);
    let line = |at: u32| {
        let customer = at % (customers - 1);
        let half = customer * 2 / customers * (products / 2);
        (customer, 1, (half + draw(products / 2)).min(products - 2))
    };
    history(
        customers as usize,
        products as usize,
        &(0..customers * 8).map(line).collect::<Vec<_>>(),
    )
}

fn fitted<T>(als: &Als, past: &Purchases, ask: impl FnOnce(&dyn Fitted) -> T) -> T {
    let lists =
        |rows: usize| (0..rows as u32).map(move |row| vec![u32::from(row as usize >= rows / 2)]);
    let with = |rows: usize| {
        Attributes::none(rows).with("half", &lists(rows).collect::<Vec<_>>()).unwrap()
    };
    let (products, customers) = (with(past.products()), with(past.customers()));
    let training =
        Training { history: past, as_of: AS_OF, products: &products, customers: &customers };
    ask(&*als.fit(&training).unwrap())
}

#[test]
fn conforms() {
    check_recommender(&small());
    let solver = Solver::ConjugateGradient;
    check_recommender(&Als {
        solver,
        regularisation_power: 0.0,
        factors: 20,
        iterations: 3,
        ..small()
    });
    let spend = Als { weight: Weight::Spend, unit: 100.0, regularisation: 0.0, ..small() };
    check_recommender(&Als { iterations: 2, half_life_days: Some(50.0), ..spend });
}

#[test]
fn attributes_stand_in_for_what_was_never_bought_and_who_never_bought() {
    let past = tastes(40, 20);
    let mean = |row: &Row, products: std::ops::Range<u32>| {
        let count = f64::from(products.end - products.start);
        products.map(|product| row.get(product).unwrap()).sum::<f64>() / count
    };
    fitted(&small(), &past, |fitted| {
        let mut row = Row::new(20);
        assert!(past.of(39).is_empty());
        fitted.score(&Query::of(&past, 39, AS_OF), &mut row);
        assert!(mean(&row, 10..19) > mean(&row, 0..10) + 0.2, "who never bought is like its half");
        row.clear();
        for (customer, likes) in [(30, true), (3, false)] {
            fitted.score(&Query::of(&past, customer, AS_OF), &mut row);
            assert_eq!(row.get(19).unwrap() > 0.5, likes, "what nobody bought is like its half");
            row.clear();
        }
        fitted.similar(19, &mut row);
        assert!(mean(&row, 10..19) > mean(&row, 0..10) + 0.5);
    });
}

#[test]
fn a_stranger_is_placed_where_a_customer_of_the_same_lines_lies() {
    let past = tastes(40, 20);
    let everything = Wanted { k: usize::MAX, seen: crate::Seen::Keep, among: None };
    fitted(&small(), &past, |fitted| {
        for customer in [0, 17, 30] {
            let known = Query::of(&past, customer, AS_OF);
            let stranger = Query { customer: None, ..known };
            let lists = fitted.recommend(&[known, stranger], &everything);
            let close = |(a, b): (&(u32, f64), &(u32, f64))| (a.1 - b.1).abs() < 1e-5;
            assert!(lists[0].iter().zip(&lists[1]).all(close), "{lists:?}");
        }
        let nothing = Query { customer: None, lines: &[], as_of: AS_OF };
        assert_eq!(fitted.recommend(&[nothing], &everything), [[]]);
    });
}

#[test]
fn the_best_of_a_long_catalogue_are_those_of_all_scores() {
    let past = tastes(90, 400);
    let among: Vec<bool> = (0..400).map(|product| product % 3 != 0).collect();
    fitted(&Als { factors: 33, iterations: 3, ..small() }, &past, |fitted| {
        let queries: Vec<_> = (0..90).map(|customer| Query::of(&past, customer, AS_OF)).collect();
        for (k, seen, among) in [
            (1, crate::Seen::Keep, None),
            (3, crate::Seen::Drop, None),
            (40, crate::Seen::Drop, Some(&among[..])),
        ] {
            let wanted = Wanted { k, seen, among };
            let all = fitted.recommend(&queries, &Wanted { k: usize::MAX, ..wanted });
            let few = fitted.recommend(&queries, &wanted);
            assert!(few.iter().zip(&all).all(|(few, all)| few[..] == all[..k]));
        }
    });
}

#[test]
fn more_factors_than_products_and_a_list_longer_than_the_catalogue_are_answered() {
    let past = tastes(8, 6);
    let wanted = Wanted { k: 99, seen: crate::Seen::Keep, among: None };
    fitted(&Als { factors: 70, iterations: 2, ..small() }, &past, |fitted| {
        let lists = fitted.recommend(&[Query::of(&past, 0, AS_OF)], &wanted);
        assert_eq!(lists[0].len(), 6);
    });
}

#[test]
fn settings_out_of_range_are_refused() {
    for wrong in [
        Als { factors: 0, ..small() },
        Als { factors: 257, ..small() },
        Als { iterations: 0, ..small() },
        Als { steps: 0, ..small() },
        Als { regularisation: -1.0, ..small() },
        Als { regularisation: f64::NAN, ..small() },
        Als { regularisation_power: 3.0, ..small() },
        Als { confidence: f64::INFINITY, ..small() },
        Als { unit: 0.0, ..small() },
        Als { half_life_days: Some(0.0), ..small() },
        Als { attribute_regularisation: 0.0, ..small() },
    ] {
        assert_eq!(refusal(&wrong), "T0405", "{wrong:?}");
    }
}
