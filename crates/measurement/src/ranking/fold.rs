//! What is learnt from, what is known of whom is asked for, and what is the truth?

use super::history::{Histories, Line};

/// What a line is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// Learnt from, and known of its customer.
    Fit,
    /// Known of its customer, and not learnt from.
    Known,
    /// What is to be found.
    Truth,
    /// Out of sight.
    Hidden,
}

/// One way to cut histories into what is known and what is judged.
#[derive(Clone, Debug)]
pub struct Fold<'a> {
    pub(super) histories: &'a Histories,
    /// What it is called in results.
    pub name: String,
    /// The day as of which everybody is asked for; none where each customer has a day of their own.
    pub as_of: Option<i32>,
    pub(super) roles: Vec<Role>,
}

impl<'a> Fold<'a> {
    /// The histories that were cut.
    pub const fn histories(&self) -> &'a Histories {
        self.histories
    }

    /// The lines to learn from, customer by customer.
    pub fn training(&self) -> impl Iterator<Item = (u32, &'a Line)> + '_ {
        let fits = |role: Role| role == Role::Fit;
        self.histories
            .everybody()
            .flat_map(move |customer| self.of(customer, fits).map(move |line| (customer, line)))
    }

    /// What is known of a customer who is asked for, by day and order.
    pub fn known(&self, customer: u32) -> impl Iterator<Item = &'a Line> + '_ {
        self.of(customer, |role| matches!(role, Role::Fit | Role::Known))
    }

    /// What is to be found, by day and order.
    pub fn truth(&self, customer: u32) -> impl Iterator<Item = &'a Line> + '_ {
        self.of(customer, |role| role == Role::Truth)
    }

    /// The day that is stood on to learn: that of the fold, else the one after the last line to learn from.
    pub fn training_day(&self) -> i32 {
        let last = || self.training().map(|(_, line)| line.day.saturating_add(1)).max();
        self.as_of.unwrap_or_else(|| last().unwrap_or(i32::MAX))
    }

    /// The day as of which a customer is asked for: that of the fold, else that of the first line to be found, and
    /// none before the last that is known.
    pub fn day_of(&self, customer: u32) -> i32 {
        let known = || self.known(customer).last().map(|line| line.day);
        let own = || self.truth(customer).next().map(|line| line.day).max(known());
        self.as_of.or_else(own).unwrap_or_else(|| self.training_day())
    }

    /// Customers of whom something is known and something is to be found, ascending.
    pub fn judged(&self) -> Vec<u32> {
        let is_judged = |customer: &u32| {
            self.truth(*customer).next().is_some() && self.known(*customer).next().is_some()
        };
        self.histories.everybody().filter(is_judged).collect()
    }

    /// Customers of whom nothing is known though something is to be found: nobody is asked for them.
    pub fn unknown_customers(&self) -> usize {
        let is_unknown = |customer: &u32| {
            self.truth(*customer).next().is_some() && self.known(*customer).next().is_none()
        };
        self.histories.everybody().filter(is_unknown).count()
    }

    /// In how many customers' training lines each product stands, and how many customers have such lines.
    pub fn buyers(&self) -> (Vec<u32>, u32) {
        let mut buyers = vec![0; self.histories.products()];
        let mut last = vec![u32::MAX; self.histories.products()];
        let (mut customers, mut before) = (0, None);
        for (customer, line) in self.training() {
            if before.replace(customer) != Some(customer) {
                customers += 1;
            }
            let product = line.product as usize;
            if std::mem::replace(&mut last[product], customer) != customer {
                buyers[product] += 1;
            }
        }
        (buyers, customers)
    }

    fn of<'f>(
        &'f self,
        customer: u32,
        wanted: impl Fn(Role) -> bool + 'f,
    ) -> impl Iterator<Item = &'a Line> + 'f {
        let range = self.histories.range(customer);
        let lines = &self.histories.lines()[range.clone()];
        lines.iter().zip(&self.roles[range]).filter(move |(_, role)| wanted(**role)).map(|(l, _)| l)
    }
}
