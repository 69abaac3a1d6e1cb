//! What did each customer take up, and in which order?

use tercet_types::{Error, Result};

/// Where a table itself says that a line belongs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Part {
    /// Learnt from.
    #[default]
    Train,
    /// Known of a customer who is asked for, and not learnt from.
    Query,
    /// What settings are chosen by.
    Validation,
    /// What is judged.
    Test,
}

/// One product that a customer took up.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Line {
    /// The day, or the place in the sequence where no days are known.
    pub day: i32,
    /// The order or event; unique within the customer, rising with the day.
    pub order: u32,
    /// The product's index.
    pub product: u32,
    /// What was paid, minor units; 0 where nobody says.
    pub spend_minor: i64,
    /// Where the table itself says that the line belongs; heeded by [`super::Split::Given`].
    pub part: Part,
}

/// Lines of customers `0..customers()`, per customer by day, order and product.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Histories {
    starts: Vec<usize>,
    lines: Vec<Line>,
    customer_keys: Vec<u64>,
    product_keys: Vec<u64>,
}

impl Histories {
    /// Groups `(customer, line)` pairs, given in any order.
    ///
    /// A key is a hash of an id: what is drawn is drawn by it, so that the same customer and product fall alike
    /// in every table.
    ///
    /// # Errors
    /// `T0730` (data) for a customer or product without a key.
    pub fn new(
        customer_keys: Vec<u64>,
        product_keys: Vec<u64>,
        mut lines: Vec<(u32, Line)>,
    ) -> Result<Self> {
        let (customers, products) = (customer_keys.len(), product_keys.len());
        let outside = |(customer, line): &(u32, Line)| {
            *customer as usize >= customers || line.product as usize >= products
        };
        if let Some(at) = lines.iter().position(outside) {
            let (customer, line) = lines[at];
            return Err(Error::data(
                "T0730",
                format!(
                    "line {at}: customer {customer} of {customers}, product {} of {products}",
                    line.product
                ),
            )
            .hint("number customers and products without gaps"));
        }
        lines.sort_unstable();
        let mut starts = vec![0_usize; customers + 1];
        lines.iter().for_each(|(customer, _)| starts[*customer as usize + 1] += 1);
        (0..customers).for_each(|at| starts[at + 1] += starts[at]);
        let lines = lines.into_iter().map(|(_, line)| line).collect();
        Ok(Self { starts, lines, customer_keys, product_keys })
    }

    /// The number of customers.
    pub fn customers(&self) -> usize {
        self.customer_keys.len()
    }

    /// The number of products: the catalogue that is ranked.
    pub fn products(&self) -> usize {
        self.product_keys.len()
    }

    /// All lines, customer by customer.
    pub fn lines(&self) -> &[Line] {
        &self.lines
    }

    /// The lines of a customer, by day, order and product.
    pub fn of(&self, customer: u32) -> &[Line] {
        &self.lines[self.range(customer)]
    }

    /// The key of a customer.
    pub fn customer_key(&self, customer: u32) -> u64 {
        self.customer_keys[customer as usize]
    }

    pub(super) fn product_key(&self, product: u32) -> u64 {
        self.product_keys[product as usize]
    }

    /// Where the lines of a customer stand among all.
    pub(super) fn range(&self, customer: u32) -> std::ops::Range<usize> {
        self.starts[customer as usize]..self.starts[customer as usize + 1]
    }

    /// The customers, ascending.
    pub(super) fn everybody(&self) -> std::ops::Range<u32> {
        // Customers are named by u32 throughout; more could not have been given a line.
        0..u32::try_from(self.customers()).unwrap_or(u32::MAX)
    }
}
