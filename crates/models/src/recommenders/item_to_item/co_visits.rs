//! How often, and how close to each other, did customers have two products?

use super::{ItemToItem, Kept};
use crate::sequences::{Moment, Sequences};

/// Distances whose weights are looked up.
const KNOWN_STEPS: usize = 256;

/// Where a product has fewer pairs than this part of all products, those that it meets are looked at one by one.
const DENSE_PART: usize = 8;

/// Counts pairs of products, one product at a time.
pub(super) struct CoVisits<'a> {
    settings: &'a ItemToItem,
    past: &'a Sequences,
    /// Whether some pairs weigh other than 1.
    weighed: bool,
    /// `steps^(−distance_power)`.
    by_steps: Vec<f64>,
}

/// What is counted for one product.
pub(super) struct Scratch {
    met: Vec<u32>,
    /// Empty where every pair weighs 1.
    weights: Vec<f64>,
    /// The products that were met come first, so many.
    touched: Vec<u32>,
    count: usize,
    /// The heaviest pair of one customer, by product.
    heaviest: Vec<f64>,
    of_customer: Vec<u32>,
}

impl Scratch {
    fn touched(&self) -> &[u32] {
        &self.touched[..self.count]
    }

    pub(super) fn clear(&mut self) {
        let touched = &self.touched[..self.count];
        if self.count < self.met.len() / DENSE_PART {
            touched.iter().for_each(|product| self.met[*product as usize] = 0);
        } else {
            self.met.fill(0);
        }
        if !self.weights.is_empty() {
            touched.iter().for_each(|product| self.weights[*product as usize] = 0.0);
        }
        self.count = 0;
    }

    /// Notes every product that was met, without a branch for each.
    fn touch_met(&mut self) {
        for (product, met) in (0_u32..).zip(&self.met) {
            self.touched[self.count] = product;
            self.count += usize::from(*met > 0);
        }
    }

    #[inline]
    fn meet(&mut self, product: u32) {
        let met = &mut self.met[product as usize];
        if *met == 0 {
            self.touched[self.count] = product;
            self.count += 1;
        }
        *met += 1;
    }

    /// A pair of one customer.
    #[inline]
    fn see(&mut self, product: u32, weight: f64) {
        let heaviest = &mut self.heaviest[product as usize];
        if *heaviest == 0.0 && weight > 0.0 {
            self.of_customer.push(product);
        }
        *heaviest = heaviest.max(weight);
    }

    /// Adds up what was seen of a customer.
    fn finish(&mut self, scale: f64) {
        for product in std::mem::take(&mut self.of_customer) {
            let weight = std::mem::take(&mut self.heaviest[product as usize]);
            self.meet(product);
            self.weights[product as usize] += weight * scale;
        }
    }
}

impl<'a> CoVisits<'a> {
    pub(super) fn new(settings: &'a ItemToItem, past: &'a Sequences) -> Self {
        let power = |steps: usize| (steps.max(1) as f64).powf(-settings.distance_power);
        let weighed = settings.weighs_pairs();
        Self { settings, past, weighed, by_steps: (0..KNOWN_STEPS).map(power).collect() }
    }

    /// Room to count in.
    pub(super) fn scratch(&self) -> Scratch {
        let products = self.past.products();
        let weights = if self.weighed { products } else { 0 };
        Scratch {
            met: vec![0; products],
            weights: vec![0.0; weights],
            // One more: what is not met is written behind those that are.
            touched: vec![0; products + 1],
            count: 0,
            heaviest: vec![0.0; weights],
            of_customer: Vec::new(),
        }
    }

    /// How many customers had a product.
    pub(super) fn customers_of(&self, product: u32) -> u32 {
        self.past.holders(product).len() as u32
    }

    /// Counts who had a product together with which others.
    pub(super) fn count(&self, product: u32, scratch: &mut Scratch) {
        let holders = self.past.holders(product);
        if self.weighed {
            holders.iter().for_each(|customer| self.weigh(product, *customer, scratch));
            return;
        }
        let pairs: usize = holders.iter().map(|customer| self.past.of(*customer).len()).sum();
        if pairs < scratch.met.len() / DENSE_PART {
            let others = holders.iter().flat_map(|customer| self.past.of(*customer));
            others.for_each(|other| scratch.meet(*other));
            return;
        }
        // Most products are met: to look through all of them is quicker than to ask each time whether it is the first.
        for customer in holders {
            for other in self.past.of(*customer) {
                scratch.met[*other as usize] += 1;
            }
        }
        scratch.touch_met();
    }

    /// `(other, customers, weight)` of every product that somebody had with this one.
    pub(super) fn counted(
        &self,
        product: u32,
        scratch: &Scratch,
    ) -> impl Iterator<Item = (u32, u32, f64)> {
        let (weighed, returns) = (self.weighed, self.settings.returns);
        let others = scratch.touched().iter().filter(move |other| returns || **other != product);
        others.map(move |other| {
            let met = scratch.met[*other as usize];
            let weight = if weighed { scratch.weights[*other as usize] } else { f64::from(met) };
            (*other, met, weight)
        })
    }

    /// The pairs of one customer.
    fn weigh(&self, product: u32, customer: u32, scratch: &mut Scratch) {
        let (reach, backward) = (self.settings.reach_orders, self.settings.backward);
        let (ahead, back) = match self.settings.kept {
            Kept::Followers => (1.0, backward),
            Kept::Leaders => (backward, 1.0),
        };
        let share = |a: &Moment, b: &Moment, share| if a.order == b.order { 1.0 } else { share };
        let (products, moments) = (self.past.of(customer), self.past.moments(customer));
        for (at, own) in (0..).zip(moments).filter(|(at, _)| products[*at] == product) {
            let near = |other: &(&u32, &Moment)| other.1.order.abs_diff(own.order) <= reach;
            let after = products[at + 1..].iter().zip(&moments[at + 1..]);
            for (other, moment) in after.take_while(near) {
                scratch.see(*other, share(own, moment, ahead) * self.weight(own, moment));
            }
            let before = products[..at].iter().zip(&moments[..at]).rev();
            for (other, moment) in before.take_while(near) {
                scratch.see(*other, share(moment, own, back) * self.weight(moment, own));
            }
        }
        scratch.finish((products.len() as f64).powf(-self.settings.history_discount));
    }

    /// What two lines of a customer weigh, the earlier one first.
    fn weight(&self, earlier: &Moment, later: &Moment) -> f64 {
        let steps = (later.order - earlier.order) as usize;
        let far = || (steps as f64).powf(-self.settings.distance_power);
        let near = self.by_steps.get(steps).copied().unwrap_or_else(far);
        let days = f64::from(later.day) - f64::from(earlier.day);
        self.settings.half_life_days.map_or(near, |half| near * (-days / half).exp2())
    }
}
