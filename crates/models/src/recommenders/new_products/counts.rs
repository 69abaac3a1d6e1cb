//! What did a customer, and all customers, buy of each group of products, what is long ago counting less?

use std::collections::BTreeMap;

use rayon::prelude::*;

use super::level::Level;
use crate::{Purchase, Training};

/// Customers that are added up together; such parts are added in order, whatever the threads.
const PART_CUSTOMERS: usize = 4_096;

/// Lines of a group.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Lines {
    /// What they count.
    pub(super) lines: f64,
    /// The squares of what each counts, which is how much their number moves by chance.
    squares: f64,
}

/// One customer's lines.
pub(super) struct Counts {
    /// What all of them count.
    pub(super) lines: f64,
    squares: f64,
    /// By level, the groups that they are of, ascending.
    pub(super) by_level: Vec<BTreeMap<u32, Lines>>,
}

/// What is left of a line after so many days.
fn left(days: f64, half_life_days: f64) -> f64 {
    (-days / half_life_days).exp2()
}

impl Counts {
    /// Lines of products that no level knows say nothing.
    pub(super) fn of(
        lines: &[Purchase],
        as_of: i32,
        levels: &[Level],
        half_life_days: f64,
    ) -> Self {
        let products = levels.last().map_or(0, Level::products);
        let mut found =
            Self { lines: 0.0, squares: 0.0, by_level: vec![BTreeMap::new(); levels.len()] };
        for line in lines.iter().filter(|line| (line.product as usize) < products) {
            let left = left(f64::from(as_of) - f64::from(line.day), half_life_days);
            found.lines += left;
            found.squares += left * left;
            for (level, groups) in levels.iter().zip(&mut found.by_level) {
                let group = groups.entry(level.group(line.product as usize) as u32).or_default();
                group.lines += left;
                group.squares += left * left;
            }
        }
        found
    }

    /// What a level's groups above have of the customer's lines.
    pub(super) fn above(&self, level: &Level) -> Vec<Lines> {
        let mut above = vec![Lines::default(); level.groups_above()];
        match level.parent {
            Some(parent) => {
                let known = self.by_level[parent].iter();
                known.for_each(|(group, lines)| above[*group as usize] = *lines);
            }
            None => above.fill(Lines { lines: self.lines, squares: self.squares }),
        }
        above
    }
}

/// What was sold of a product to all customers.
#[derive(Clone, Copy, Debug)]
pub(super) struct Sold {
    pub(super) lines: f64,
    squares: f64,
    /// The day of its first sale.
    first: i32,
}

/// All customers together.
pub(super) struct Population {
    /// By product.
    pub(super) sold: Vec<Sold>,
    /// Days of the history, each counting what is left of it.
    pub(super) days: f64,
    as_of: i32,
    half_life_days: f64,
}

impl Population {
    pub(super) fn of(training: &Training<'_>, half_life_days: f64) -> Self {
        let none = Sold { lines: 0.0, squares: 0.0, first: training.as_of };
        let mut sold = vec![none; training.history.products()];
        let mut first = training.as_of;
        for customer in 0..training.history.customers() as u32 {
            for line in training.lines(customer) {
                let product = &mut sold[line.product as usize];
                let days = f64::from(training.as_of) - f64::from(line.day);
                let left = left(days, half_life_days);
                product.lines += left;
                product.squares += left * left;
                product.first = product.first.min(line.day);
                first = first.min(line.day);
            }
        }
        let mut population = Self { sold, days: 1.0, as_of: training.as_of, half_life_days };
        population.days = population.days_since(first).max(1.0);
        population
    }

    /// The days since a day, each counting what is left of it.
    fn days_since(&self, day: i32) -> f64 {
        let days = f64::from(self.as_of) - f64::from(day);
        (1.0 - left(days, self.half_life_days)) * self.half_life_days / std::f64::consts::LN_2
    }

    /// Lines a day of every product: between the mean of its group and what it sold (gamma-Poisson, by moments).
    pub(super) fn rates(&self, group_of: &[u32]) -> Vec<f64> {
        let groups = group_of.iter().max().map_or(0, |most| *most as usize + 1);
        let (mut lines, mut days) = (vec![1.0; groups], vec![1.0; groups]);
        for (sold, group) in self.sold.iter().zip(group_of) {
            lines[*group as usize] += sold.lines;
            days[*group as usize] += self.days_since(sold.first);
        }
        let expected = |product: usize| {
            let group = group_of[product] as usize;
            let a_day = lines[group] / days[group];
            (a_day, a_day * self.days_since(self.sold[product].first))
        };
        let (mut of_mean, mut beyond) = (0.0, 0.0);
        for (product, sold) in self.sold.iter().enumerate() {
            let (_, lines) = expected(product);
            of_mean += lines * lines;
            beyond += (sold.lines - lines).powi(2) - sold.squares;
        }
        let shape = if beyond > 0.0 { (of_mean / beyond).max(1e-3) } else { 1e6 };
        let rate = |(product, sold): (usize, &Sold)| {
            let (a_day, lines) = expected(product);
            a_day * (sold.lines + shape) / (lines + shape)
        };
        self.sold.iter().enumerate().map(rate).collect()
    }
}

/// How far customers are from all customers within the groups above a level, what of it is chance, and the most it
/// could be: sums of `Σ(n − n's)²`, `(1 − Σs²) Σw²` and `(1 − Σs²)(n'² − Σw²)`.
type Spread = [f64; 3];

/// Sets the weight of every level by the moments of a Dirichlet-multinomial.
pub(super) fn set_weights(training: &Training<'_>, levels: &mut [Level], half_life_days: f64) {
    let squares: Vec<Vec<f64>> = levels.iter().map(squares_of_shares).collect();
    let customers: Vec<u32> = (0..training.history.customers() as u32).collect();
    let part = |customers: &[u32]| {
        let mut sums: Vec<Spread> = vec![[0.0; 3]; levels.len()];
        for customer in customers {
            let lines = training.lines(*customer);
            let counts = Counts::of(lines, training.as_of, levels, half_life_days);
            for (place, (level, sum)) in levels.iter().zip(&mut sums).enumerate() {
                let found = spread(place, level, &squares[place], &counts);
                sum.iter_mut().zip(found).for_each(|(sum, one)| *sum += one);
            }
        }
        sums
    };
    let parts: Vec<Vec<Spread>> = customers.par_chunks(PART_CUSTOMERS).map(part).collect();
    for (place, level) in levels.iter_mut().enumerate() {
        let sum = |which: usize| parts.iter().map(|sums| sums[place][which]).sum::<f64>();
        level.set_weight(sum(0), sum(1), sum(2));
    }
}

/// `Σs²` over the groups below each group above.
fn squares_of_shares(level: &Level) -> Vec<f64> {
    let mut squares = vec![0.0; level.groups_above()];
    for (group, share) in level.shares.iter().enumerate() {
        squares[level.above(group)] += share * share;
    }
    squares
}

/// The spread of one customer.
fn spread(place: usize, level: &Level, squares: &[f64], counts: &Counts) -> Spread {
    let above = counts.above(level);
    let mut found = [0.0; 3];
    for (lines, squares) in above.iter().zip(squares).filter(|(lines, _)| lines.lines > 0.0) {
        let whole = lines.lines * lines.lines;
        found[0] += whole * squares;
        found[1] += (1.0 - squares) * lines.squares;
        found[2] += (1.0 - squares) * (whole - lines.squares);
    }
    for (group, lines) in &counts.by_level[place] {
        let group = *group as usize;
        let whole = above[level.above(group)].lines;
        found[0] += lines.lines * (lines.lines - 2.0 * whole * level.shares[group]);
    }
    found
}
