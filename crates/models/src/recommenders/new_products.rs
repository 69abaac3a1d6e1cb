//! Who would buy a product that nobody, or hardly anybody, has bought yet?

mod company;
mod counts;
mod level;

use serde::{Deserialize, Serialize};
use tercet_types::Result;

use self::company::Company;
use self::counts::{Counts, Population, set_weights};
use self::level::{Level, levels_of, product_level};
use crate::registry::{Axis, Configured, Range};
use crate::setting::check_setting;
use crate::{Fitted, Query, Recommender, Row, Training};

const NAME: &str = "new-products";

/// A hierarchical prior from what products are, updated by what was bought of them.
///
/// A customer's lines a day are divided down a chain of attributes (category, then type, then the product), each share
/// drawn from what the customer bought towards what all customers buy: `(n + A s) / (n' + A)` for `n` of the `n'` lines
/// of the group above, the share `s` of all customers and a weight `A`. Attributes beside the chain (manufacturer,
/// brand, price tier) multiply the result by a power of how much the customer favours them within each group of the
/// chain. Every `A` is estimated by the spread of customers: empirical Bayes by the moments of a
/// Dirichlet-multinomial (Mosimann, Biometrika 49, 1962, doi:10.1093/biomet/49.1-2.65). What all customers buy of a
/// product starts at the mean of its group, and moves as it sells (gamma-Poisson, by the days it is on sale).
///
/// A group of which a customer bought nothing may still go with what it buys: each share is multiplied by `e^(w E)`,
/// where `E` is what a linear model of groups (as in `ease`) expects by the customer's others.
///
/// A score is the number of lines expected a day, where `w` is 0; otherwise it grows with them. Customers without
/// lines have none.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct NewProducts {
    /// Days after which a line counts half, `1..=100,000`.
    pub half_life_days: f64,
    /// Kinds of product attributes, each dividing the one before; those that are not known are left out.
    pub chain: Vec<String>,
    /// Kinds of product attributes within each of the chain; those that are not known are left out.
    pub beside: Vec<String>,
    /// The power of how much a customer favours what stands beside the chain, `0..=1`: less than 1, because customers
    /// who favour a maker do so in the types that they buy anyway.
    pub beside_power: f64,
    /// How much it counts, `0..=10`, that a group of the chain goes with the others that a customer buys.
    pub company_weight: f64,
}

impl Default for NewProducts {
    fn default() -> Self {
        let named = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
        Self {
            half_life_days: 60.0,
            chain: named(&["category", "product_type"]),
            beside: named(&["manufacturer", "brand", "price_tier"]),
            beside_power: 0.25,
            company_weight: 2.0,
        }
    }
}

impl Recommender for NewProducts {
    fn name(&self) -> &'static str {
        NAME
    }

    fn fit<'a>(&'a self, training: &Training<'a>) -> Result<Box<dyn Fitted + 'a>> {
        training.check()?;
        check_setting(NAME, "half_life_days", self.half_life_days, 1.0..=100_000.0)?;
        check_setting(NAME, "beside_power", self.beside_power, 0.0..=1.0)?;
        check_setting(NAME, "company_weight", self.company_weight, 0.0..=10.0)?;
        let mut levels = levels_of(training.products, &self.chain, &self.beside, self.beside_power);
        let population = Population::of(training, self.half_life_days);
        levels.iter_mut().for_each(|level| level.set_shares(&population.sold));
        let counts = self.company_weight > 0.0;
        for level in levels.iter_mut().filter(|level| counts && level.beside.is_none()) {
            level.company = Some(Company::learn(training, level, self.company_weight)?);
        }
        levels.push(product_level(&levels, &population));
        set_weights(training, &mut levels, self.half_life_days);
        let days = population.days;
        Ok(Box::new(Learnt { levels, days, half_life_days: self.half_life_days }))
    }
}

impl Configured for NewProducts {
    const NAME: &'static str = NAME;
    const SPACE: &'static [Axis] = &[
        Axis { setting: "half_life_days", range: Range::LogReal(7.0, 3_650.0) },
        Axis { setting: "beside_power", range: Range::Real(0.0, 1.0) },
        Axis { setting: "company_weight", range: Range::Real(0.0, 4.0) },
    ];
}

/// What is known of groups of products; the last level is that of products.
struct Learnt {
    levels: Vec<Level>,
    /// Days of the history, each counting what is left of it.
    days: f64,
    half_life_days: f64,
}

impl Fitted for Learnt {
    fn score(&self, query: &Query<'_>, row: &mut Row) {
        let counts = Counts::of(query.lines, query.as_of, &self.levels, self.half_life_days);
        if counts.lines <= 0.0 {
            return;
        }
        let each = self.levels.iter().enumerate();
        let factors: Vec<Vec<f64>> =
            each.map(|(place, level)| level.factors(place, &counts)).collect();
        let activity = counts.lines / self.days;
        row.add_all((0..self.products()).map(|product| {
            let each = self.levels.iter().zip(&factors);
            each.fold(activity, |score, (level, factors)| score * factors[level.group(product)])
        }));
    }

    fn products(&self) -> usize {
        self.levels.last().map_or(0, Level::products)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::conformance::{self, draws, history};
    use crate::{Attributes, Purchases};

    /// Slow enough that the few lines of a test count; each group by itself.
    fn slow() -> NewProducts {
        NewProducts { half_life_days: 180.0, company_weight: 0.0, ..NewProducts::default() }
    }

    fn scores(past: &Purchases, products: &Attributes, estimator: &NewProducts) -> Vec<Vec<f64>> {
        let customers = Attributes::none(past.customers());
        let training = Training { history: past, as_of: 100, products, customers: &customers };
        let fitted = estimator.fit(&training).unwrap();
        let mut row = Row::new(past.products());
        let mut of = |customer| {
            fitted.score(&Query::of(past, customer, 100), &mut row);
            let scores = (0..past.products() as u32).map(|product| row.get(product));
            let scores = scores.map(|score| score.unwrap_or(f64::NAN)).collect();
            row.clear();
            scores
        };
        (0..past.customers() as u32).map(&mut of).collect()
    }

    #[test]
    fn conforms() {
        conformance::check_recommender(&NewProducts::default());
        let plain = NewProducts { chain: Vec::new(), beside: Vec::new(), ..NewProducts::default() };
        conformance::check_recommender(&plain);
        let attributes = Attributes::none(0);
        let nobody = history(0, 0, &[]);
        let training =
            Training { history: &nobody, as_of: 9, products: &attributes, customers: &attributes };
        let wrong = NewProducts { half_life_days: 0.0, ..NewProducts::default() };
        assert_eq!(wrong.fit(&training).err().unwrap().code(), "T0405");
    }

    /// Products 0 and 1 are of one type, 2 and 3 of another, 4 and 5 of no known one; 1, 3 and 5 are new. Products 0 and
    /// 3 are of one manufacturer.
    #[test]
    fn a_new_product_is_for_who_buys_its_type_and_its_manufacturer() {
        let list = |values: &[u32]| values.iter().map(|value| vec![*value]).collect::<Vec<_>>();
        let types: Vec<Vec<u32>> = [list(&[0, 0, 1, 1]), vec![vec![]; 2]].concat();
        let products = Attributes::none(6).with("category", &vec![vec![0]; 6]);
        let products = products.and_then(|known| known.with("product_type", &types)).unwrap();
        let lines: Vec<(u32, i32, u32)> = (0..40)
            .map(|day| (day as u32 % 20, day, [0, 2][(day as usize / 4) % 2]))
            .chain((0..30).flat_map(|day| [(20, 2 * day, 0), (21, 2 * day, 2), (22, 2 * day, 4)]))
            .collect();
        let past = history(24, 6, &lines);
        let found = scores(&past, &products, &slow());
        let first = |product: usize| {
            (0..23).max_by(|a: &usize, b| found[*a][product].total_cmp(&found[*b][product]))
        };
        assert_eq!((first(1), first(3), first(5)), (Some(20), Some(21), Some(22)));
        assert!(found[23].iter().all(|score| score.is_nan()), "who never bought has no score");
        // All that is expected of a customer is what the customer buys.
        let total: f64 = found[20].iter().sum();
        let days = (1.0 - (-100.0_f64 / 180.0).exp2()) * 180.0 / std::f64::consts::LN_2;
        let lines: f64 = (0..30).map(|day| (-(100.0 - 2.0 * f64::from(day)) / 180.0).exp2()).sum();
        assert!((total - lines / days).abs() < 1e-12, "{total}");

        let made = products.with("manufacturer", &list(&[7, 8, 8, 7, 8, 8])).unwrap();
        let with_maker = scores(&past, &made, &slow());
        let liking = |scores: &[Vec<f64>]| scores[20][3] / scores[22][3];
        assert!(liking(&with_maker) > 1.05 * liking(&found));
    }

    #[test]
    fn a_new_product_is_for_who_buys_what_goes_with_its_type() {
        // Types 0 and 1 are bought by the same customers, type 2 by others; product 3 is a new one of type 1.
        let types = [vec![0], vec![1], vec![2], vec![1]];
        let products = Attributes::none(4).with("product_type", &types).unwrap();
        let both = (0..40).flat_map(|customer| [(customer, 50, 0), (customer, 51, 1)]);
        let others = (40..80).flat_map(|customer| [(customer, 50, 2), (customer, 51, 2)]);
        let lines: Vec<_> = both.chain(others).chain([(80, 60, 0), (81, 60, 2)]).collect();
        let past = history(82, 4, &lines);
        let apart = scores(&past, &products, &slow());
        assert_eq!(apart[80][3].to_bits(), apart[81][3].to_bits(), "neither bought the type");
        let together = scores(&past, &products, &NewProducts { company_weight: 2.0, ..slow() });
        assert!(together[80][3] > 1.05 * together[81][3], "{:?}", &together[80..]);
    }

    /// Customers draw products of two groups from an urn: after a draw of a group, there is one more of it. Shares then
    /// spread as those of a Dirichlet distribution whose weight is the number of balls at the start.
    #[test]
    fn the_weight_of_all_customers_is_found() {
        let mut draw = draws(4);
        let (customers, balls, each) = (4_000, 6_u32, 30);
        let mut lines = Vec::new();
        for customer in 0..customers {
            let mut first = balls / 2;
            for place in 0..each {
                let is_first = draw(balls + place) < first;
                first += u32::from(is_first);
                lines.push((customer, 99, u32::from(!is_first)));
            }
        }
        let past = history(customers as usize, 2, &lines);
        let attributes = Attributes::none(2).with("category", &[vec![0], vec![1]]).unwrap();
        let mut levels = levels_of(&attributes, &["category".to_owned()], &[], 1.0);
        let nobody = Attributes::none(customers as usize);
        let training =
            Training { history: &past, as_of: 100, products: &attributes, customers: &nobody };
        levels[0].set_shares(&Population::of(&training, 1e5).sold);
        set_weights(&training, &mut levels, 1e5);
        assert!((levels[0].weight / f64::from(balls) - 1.0).abs() < 0.1, "{}", levels[0].weight);
    }

    #[test]
    fn what_sells_is_expected_more_of_and_what_does_not_less() {
        // Product 0 sells daily, 1 has sold once long ago, 2 has never been on sale, others sell now and then.
        let mut lines: Vec<(u32, i32, u32)> = (0..90).map(|day| (day % 9, day as i32, 0)).collect();
        lines.push((1, 3, 1));
        lines.extend((0..30).map(|day| (day % 7, 3 * day as i32, 3 + day % 3)));
        let past = history(9, 6, &lines);
        let found = scores(&past, &Attributes::none(6), &slow());
        let sum = |product: usize| found.iter().map(|scores| scores[product]).sum::<f64>();
        assert!(sum(0) > sum(3) && sum(3) > sum(1) && sum(2) > sum(1), "{found:?}");
    }
}
