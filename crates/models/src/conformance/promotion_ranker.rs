//! Does an estimator keep the laws of [`PromotionRanker`]?

use super::{draws, history};
use crate::{Eligibility, PromotionRanker};

const CUSTOMERS: usize = 60;
const PRODUCTS: usize = 40;
const AS_OF: i32 = 400;

fn sample() -> (Vec<(u32, i32, u32)>, Eligibility) {
    let mut draw = draws(9);
    let lines = (0..2500)
        // Customer 0 never buys; the others favour low products and buy in rhythms.
        .map(|_| {
            (
                1 + draw(CUSTOMERS as u32 - 1),
                draw(57) as i32 * 7,
                draw(PRODUCTS as u32).min(draw(PRODUCTS as u32)),
            )
        })
        .collect();
    let lists: Vec<Vec<u32>> = (0..15)
        .map(|promotion| (0..promotion % 6).map(|_| draw(PRODUCTS as u32)).collect())
        .collect();
    (lines, Eligibility::new(PRODUCTS, &lists).unwrap())
}

/// Panics when `engine` breaks a law.
pub(crate) fn check_promotion_ranker(engine: &dyn PromotionRanker) {
    let (lines, eligibility) = sample();
    let past = history(CUSTOMERS, PRODUCTS, &lines);
    let everyone: Vec<u32> = (0..CUSTOMERS as u32).collect();
    let name = engine.name();
    let scores = engine.score(&past, &eligibility, AS_OF, &everyone).unwrap();

    assert_eq!(scores.len(), CUSTOMERS, "{name}: one list per customer");
    assert!(scores.iter().any(|list| !list.is_empty()), "{name}: somebody has a score");
    for list in &scores {
        let ordered = |a: &(u32, f64), b: &(u32, f64)| a.1 > b.1 || (a.1 == b.1 && a.0 < b.0);
        assert!(list.is_sorted_by(ordered), "{name}: best first, ties by promotion: {list:?}");
        for (promotion, score) in list {
            assert!(score.is_finite() && *score > 0.0, "{name}: {score}");
            assert!(
                !eligibility.products_of(*promotion).is_empty(),
                "{name}: promotion {promotion} is empty"
            );
        }
    }

    for threads in [1, 3] {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        let again = pool.install(|| engine.score(&past, &eligibility, AS_OF, &everyone).unwrap());
        assert!(again == scores, "{name}: {threads} threads score alike");
    }

    let mut draw = draws(77);
    let mut longer = lines.clone();
    longer.extend(
        (0..500).map(|_| (draw(CUSTOMERS as u32), AS_OF + draw(30) as i32, draw(PRODUCTS as u32))),
    );
    let later = history(CUSTOMERS, PRODUCTS, &longer);
    assert!(
        engine.score(&later, &eligibility, AS_OF, &everyone).unwrap() == scores,
        "{name}: purchases on and after the as-of day do not count"
    );

    let asked = [17, 3, 17];
    let few = engine.score(&past, &eligibility, AS_OF, &asked).unwrap();
    assert!(
        few.iter().zip(asked).all(|(list, customer)| *list == scores[customer as usize]),
        "{name}: scores do not depend on who else is asked"
    );

    let single = history(
        1,
        PRODUCTS,
        &lines.iter().filter(|l| l.0 == 5).map(|l| (0, l.1, l.2)).collect::<Vec<_>>(),
    );
    assert_eq!(
        engine.score(&single, &eligibility, AS_OF, &[0]).unwrap().len(),
        1,
        "{name}: one customer"
    );
    let nobody = history(CUSTOMERS, PRODUCTS, &[]);
    let empty = engine.score(&nobody, &eligibility, AS_OF, &everyone).unwrap();
    assert!(
        empty.len() == CUSTOMERS && empty.iter().all(Vec::is_empty),
        "{name}: no history, no scores"
    );
    let none = Eligibility::new(PRODUCTS, &[]).unwrap();
    let unpromoted = engine.score(&past, &none, AS_OF, &everyone).unwrap();
    assert!(unpromoted.iter().all(Vec::is_empty), "{name}: no promotion, no scores");
    assert!(
        engine.score(&past, &eligibility, AS_OF, &[]).unwrap().is_empty(),
        "{name}: nobody asked"
    );

    let code =
        |result: tercet_types::Result<_>| result.map(|_: crate::Scores| ()).unwrap_err().code();
    assert_eq!(
        code(engine.score(&past, &eligibility, AS_OF, &[CUSTOMERS as u32])),
        "T0407",
        "{name}"
    );
    let others = Eligibility::new(PRODUCTS + 1, &[]).unwrap();
    assert_eq!(code(engine.score(&past, &others, AS_OF, &everyone)), "T0407", "{name}");
}
