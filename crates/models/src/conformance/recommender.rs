//! Does an estimator keep the laws of [`Recommender`]?

use super::{draws, history};
use crate::{
    Attributes, Fitted, Purchases, Query, Ranked, Recommender, Row, Seen, Training, Wanted,
};

const CUSTOMERS: usize = 60;
const PRODUCTS: usize = 40;
const AS_OF: i32 = 400;
const ALL: Wanted<'_> = Wanted { k: usize::MAX, seen: Seen::Keep, among: None };

fn sample() -> Vec<(u32, i32, u32)> {
    let mut draw = draws(9);
    // Customer 0 never buys; the others favour low products and buy in rhythms.
    let mut line = |_| {
        let product = draw(PRODUCTS as u32).min(draw(PRODUCTS as u32));
        (1 + draw(CUSTOMERS as u32 - 1), draw(57) as i32 * 7, product)
    };
    // The last product is new.
    let known = (0..2500).map(&mut line).filter(|(_, _, product)| *product != PRODUCTS as u32 - 1);
    let new = [(7, 371, PRODUCTS as u32 - 1), (8, 385, PRODUCTS as u32 - 1)];
    known.chain(new).collect()
}

/// Attributes of the sample: a type for all but one product in ten, a brand, a segment of customers.
fn attributes(products: usize, customers: usize) -> (Attributes, Attributes) {
    let lists = |rows: usize, of: fn(u32) -> Vec<u32>| (0..rows as u32).map(of).collect::<Vec<_>>();
    let types = lists(products, |row| if row % 10 == 9 { Vec::new() } else { vec![row % 7] });
    let brands = lists(products, |row| vec![row % 3, 3 + row % 2]);
    let segments = lists(customers, |row| vec![row % 4]);
    let known = Attributes::none(products).with("product_type", &types);
    let known = known.and_then(|known| known.with("brand", &brands)).unwrap();
    (known, Attributes::none(customers).with("segment", &segments).unwrap())
}

/// Fits, asks everybody for everything and hands both over.
fn with<T>(
    estimator: &dyn Recommender,
    past: &Purchases,
    ask: impl FnOnce(&dyn Fitted, Vec<Ranked>) -> T,
) -> T {
    let (products, customers) = attributes(past.products(), past.customers());
    let training =
        Training { history: past, as_of: AS_OF, products: &products, customers: &customers };
    let fitted = estimator.fit(&training).unwrap();
    let everybody: Vec<Query<'_>> =
        (0..past.customers() as u32).map(|customer| Query::of(past, customer, AS_OF)).collect();
    let lists = fitted.recommend(&everybody, &ALL);
    ask(&*fitted, lists)
}

/// Panics when an estimator breaks a law.
pub(crate) fn check_recommender(estimator: &dyn Recommender) {
    let lines = sample();
    let past = history(CUSTOMERS, PRODUCTS, &lines);
    let name = estimator.name();
    let lists = with(estimator, &past, |fitted, lists| {
        ranked_well(name, fitted, &past, &lists);
        lists
    });

    for threads in [1, 3] {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        let again = pool.install(|| with(estimator, &past, |_, lists| lists));
        assert!(again == lists, "{name}: {threads} threads score alike");
    }

    let mut draw = draws(77);
    let mut longer = lines.clone();
    longer.extend(
        (0..500).map(|_| (draw(CUSTOMERS as u32), AS_OF + draw(30) as i32, draw(PRODUCTS as u32))),
    );
    let later = with(estimator, &history(CUSTOMERS, PRODUCTS, &longer), |_, lists| lists);
    assert!(later == lists, "{name}: what is bought on and after the as-of day does not count");

    for (customers, products) in [(CUSTOMERS, PRODUCTS), (1, PRODUCTS), (0, 0), (1, 1)] {
        let nothing = with(estimator, &history(customers, products, &[]), |_, lists| lists);
        assert_eq!(nothing.len(), customers, "{name}: nothing bought");
        assert!(finite(&nothing), "{name}: nothing bought");
    }
    let alone: Vec<_> =
        lines.iter().filter(|line| line.0 == 5).map(|line| (0, line.1, line.2)).collect();
    let alone = with(estimator, &history(1, PRODUCTS, &alone), |_, lists| lists);
    assert!(alone.len() == 1 && finite(&alone), "{name}: one customer");
    let same: Vec<_> = lines.iter().map(|line| (line.0, line.1, 0)).collect();
    let same = with(estimator, &history(CUSTOMERS, 1, &same), |_, lists| lists);
    assert!(finite(&same) && same.iter().all(|list| list.len() < 2), "{name}: one product");
    let twice: Vec<_> = lines.iter().chain(&lines).copied().collect();
    assert!(
        finite(&with(estimator, &history(CUSTOMERS, PRODUCTS, &twice), |_, lists| lists)),
        "{name}: duplicates"
    );

    let (others, nobody) = (Attributes::none(PRODUCTS + 1), Attributes::none(CUSTOMERS));
    let wrong = Training { history: &past, as_of: AS_OF, products: &others, customers: &nobody };
    let refused = estimator.fit(&wrong).map(|_| ()).unwrap_err();
    assert_eq!(refused.code(), "T0407", "{name}: attributes of other products");
}

fn finite(lists: &[Ranked]) -> bool {
    lists.iter().flatten().all(|(_, score)| score.is_finite())
}

/// What holds of one fitted estimator and its lists of everybody.
fn ranked_well(name: &str, fitted: &dyn Fitted, past: &Purchases, lists: &[Ranked]) {
    assert_eq!(fitted.products(), PRODUCTS, "{name}: products");
    assert!(lists.iter().any(|list| !list.is_empty()), "{name}: somebody has a score");
    let ordered = |a: &(u32, f64), b: &(u32, f64)| a.1 > b.1 || (a.1 == b.1 && a.0 < b.0);
    for list in lists {
        assert!(list.is_sorted_by(ordered), "{name}: best first, ties by product: {list:?}");
    }
    let mut row = Row::new(PRODUCTS);
    for (customer, list) in (0..).zip(lists) {
        fitted.score(&Query::of(past, customer, AS_OF), &mut row);
        assert!(row.iter().all(|(_, score)| score.is_finite()), "{name}: finite");
        let close = |(product, score): &(u32, f64)| {
            row.get(*product).is_some_and(|one| (one - score).abs() <= 1e-5 * (1.0 + score.abs()))
        };
        assert!(list.iter().all(close), "{name}: a list holds the scores of customer {customer}");
        assert_eq!(row.iter().count(), list.len(), "{name}: everything with a score is ranked");
        row.clear();
    }

    let asked = [17, 3, 17].map(|customer| Query::of(past, customer, AS_OF));
    let few = fitted.recommend(&asked, &ALL);
    assert!(
        few.iter().zip([17, 3, 17]).all(|(list, customer)| *list == lists[customer]),
        "{name}: scores do not depend on who else is asked"
    );
    assert!(fitted.recommend(&[], &ALL).is_empty(), "{name}: nobody asked");

    let three = fitted.recommend(&asked, &Wanted { k: 3, ..ALL });
    assert!(
        three
            .iter()
            .zip(&few)
            .all(|(short, long)| short[..] == long[..short.len()]
                && short.len() == long.len().min(3)),
        "{name}: a short list is the head of the long one"
    );
    let among: Vec<bool> = (0..PRODUCTS).map(|product| product % 2 == 0).collect();
    let fresh = Wanted { seen: Seen::Drop, among: Some(&among), ..ALL };
    for (list, query) in fitted.recommend(&asked, &fresh).iter().zip(&asked) {
        let bought = |product: u32| query.lines.iter().any(|line| line.product == product);
        assert!(
            list.iter().all(|(product, _)| product % 2 == 0 && !bought(*product)),
            "{name}: filters hold"
        );
    }

    // Somebody who is not in the history, with a product that nobody knows.
    let strange = history(1, 9999, &[(0, 390, 2), (0, 391, 9998)]);
    let stranger = Query { customer: None, ..Query::of(&strange, 0, AS_OF) };
    assert!(finite(&fitted.recommend(&[stranger], &ALL)), "{name}: a stranger");

    for product in 0..PRODUCTS as u32 {
        fitted.similar(product, &mut row);
        assert!(row.get(product).is_none(), "{name}: product {product} is not like itself");
        assert!(row.iter().all(|(_, score)| score.is_finite()), "{name}: likeness is finite");
        row.clear();
    }
}
