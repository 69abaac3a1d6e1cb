//! Into which groups do products fall, and which share of a customer's lines does each group get?

use std::collections::BTreeMap;

use super::company::Company;
use super::counts::{Counts, Population, Sold};
use crate::Attributes;

/// Between these an estimated weight of what all customers buy is held.
const WEIGHT_MIN: f64 = 0.01;
const WEIGHT_MAX: f64 = 1e6;

/// Products in groups, each within a group of the level above.
pub(super) struct Level {
    /// The group of every product.
    group_of: Vec<u32>,
    /// The group above, of every group.
    above: Vec<u32>,
    /// The level above; none where all products are one group above.
    pub(super) parent: Option<usize>,
    /// The share of each group in the one above, by all customers.
    pub(super) shares: Vec<f64>,
    /// How many lines of the group above weigh as much as what all customers buy.
    pub(super) weight: f64,
    /// Beside the chain: the power of how much a customer favours a group, which multiplies what the chain says.
    pub(super) beside: Option<f64>,
    /// Which groups go with others that a customer buys; none where that is not learnt.
    pub(super) company: Option<Company>,
}

/// The levels of a chain of attributes and of attributes beside it, without shares and weights.
pub(super) fn levels_of(
    products: &Attributes,
    chain: &[String],
    beside: &[String],
    power: f64,
) -> Vec<Level> {
    let mut levels: Vec<Level> = Vec::new();
    let known = |names: &'_ [String]| -> Vec<Vec<Option<u32>>> {
        let kinds = names.iter().filter_map(|name| products.kind(name));
        let value = |kind: &crate::Kind, product| kind.of(product).first().copied();
        kinds
            .map(|kind| (0..products.rows() as u32).map(|one| value(kind, one)).collect())
            .collect()
    };
    for (place, values) in known(chain).into_iter().enumerate() {
        let level = Level::new(&levels, place.checked_sub(1), &values, None);
        levels.push(level);
    }
    let within: Vec<Option<usize>> = match levels.len() {
        0 => vec![None],
        chain => (0..chain).map(Some).collect(),
    };
    for values in known(beside) {
        for parent in &within {
            let level = Level::new(&levels, *parent, &values, Some(power));
            levels.push(level);
        }
    }
    levels
}

/// The level of products themselves, within the last of the chain, with shares by what was sold of each.
pub(super) fn product_level(levels: &[Level], population: &Population) -> Level {
    let parent = levels.iter().rposition(|level| level.beside.is_none());
    let products = population.sold.len();
    let above: Vec<u32> = match parent {
        Some(parent) => levels[parent].group_of.clone(),
        None => vec![0; products],
    };
    let rates = population.rates(&above);
    let mut level = Level {
        group_of: (0..products as u32).collect(),
        above,
        parent,
        shares: rates,
        weight: 1.0,
        beside: None,
        company: None,
    };
    level.normalise();
    level
}

impl Level {
    /// Groups by a value of products within the groups of a parent; products without a value are one of their own.
    fn new(
        levels: &[Self],
        parent: Option<usize>,
        values: &[Option<u32>],
        beside: Option<f64>,
    ) -> Self {
        let above = |product: usize| parent.map_or(0, |parent| levels[parent].group_of[product]);
        let key = |(product, value): (usize, &Option<u32>)| (above(product), *value);
        let mut groups: BTreeMap<(u32, Option<u32>), u32> =
            values.iter().enumerate().map(|one| (key(one), 0)).collect();
        groups.values_mut().zip(0..).for_each(|(group, place)| *group = place);
        Self {
            group_of: values.iter().enumerate().map(|one| groups[&key(one)]).collect(),
            above: groups.keys().map(|(above, _)| *above).collect(),
            parent,
            shares: Vec::new(),
            weight: 1.0,
            beside,
            company: None,
        }
    }

    pub(super) const fn products(&self) -> usize {
        self.group_of.len()
    }

    pub(super) const fn groups(&self) -> usize {
        self.above.len()
    }

    pub(super) fn group(&self, product: usize) -> usize {
        self.group_of[product] as usize
    }

    /// The group above a group.
    pub(super) fn above(&self, group: usize) -> usize {
        self.above[group] as usize
    }

    /// How many groups there are above.
    pub(super) fn groups_above(&self) -> usize {
        self.above.iter().max().map_or(0, |most| *most as usize + 1)
    }

    /// Shares by what was sold of each product; a line more for every group, so that none is 0.
    pub(super) fn set_shares(&mut self, sold: &[Sold]) {
        self.shares = vec![1.0; self.groups()];
        for (product, sold) in sold.iter().enumerate() {
            self.shares[self.group_of[product] as usize] += sold.lines;
        }
        self.normalise();
    }

    /// Makes the shares of the groups below each group add up to 1.
    fn normalise(&mut self) {
        let mut sums = vec![0.0; self.groups_above()];
        for (group, share) in self.shares.iter().enumerate() {
            sums[self.above(group)] += share;
        }
        for group in 0..self.shares.len() {
            self.shares[group] /= sums[self.above(group)];
        }
    }

    /// Sets the weight by how far customers are from all customers: `1 + A` is what lines would spread if each
    /// customer bought of one group alone, over what they spread beyond chance.
    pub(super) fn set_weight(&mut self, apart: f64, by_chance: f64, most: f64) {
        if most > 0.0 {
            let beyond = (apart - by_chance).max(f64::MIN_POSITIVE);
            self.weight = (most / beyond - 1.0).clamp(WEIGHT_MIN, WEIGHT_MAX);
        }
    }

    /// What a customer's lines say of every group: its share in the group above, times what goes with the customer's
    /// other groups; beside the chain a power of that share over the one of all customers.
    pub(super) fn factors(&self, place: usize, counts: &Counts) -> Vec<f64> {
        let above = counts.above(self);
        let mut lines = vec![0.0; self.groups()];
        for (group, found) in &counts.by_level[place] {
            lines[*group as usize] = found.lines;
        }
        let factor = |(group, lines): (usize, &f64)| {
            let share = self.shares[group];
            let own =
                (lines + self.weight * share) / (above[self.above(group)].lines + self.weight);
            self.beside.map_or(own, |power| (own / share).powf(power))
        };
        let mut factors: Vec<f64> = lines.iter().enumerate().map(factor).collect();
        if let Some(company) = &self.company {
            let bought = counts.by_level[place].keys().copied();
            company.factors(bought).for_each(|(group, more)| factors[group as usize] *= more);
        }
        factors
    }
}
