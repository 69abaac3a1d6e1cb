//! Which products may be recommended at all?

use clap::Args;
use tercet_types::{Error, Result};

use super::known::Known;

/// What may be ranked: all of it must hold.
#[derive(Debug, Args)]
pub(in crate::commands) struct FilterArguments {
    /// Rank these products only, separated by commas: a list that another system made, to be ranked again
    #[arg(long, value_name = "ID,ID", value_delimiter = ',')]
    products: Vec<String>,
    /// Rank the products of this table only: a white list, what is in stock
    #[arg(long, value_name = "PLACE")]
    among: Option<String>,
    /// Rank products with this attribute only: category=CHEESE; given again, of several attributes all must hold
    #[arg(long = "where", value_name = "ATTRIBUTE=VALUE")]
    with: Vec<String>,
}

impl FilterArguments {
    /// Per product whether it may be ranked; none where all may.
    ///
    /// # Errors
    /// `T1086` for a product of `--products`, an attribute or a value that nobody knows; those of a table.
    pub(super) fn among(&self, known: &Known) -> Result<Option<Vec<bool>>> {
        let mut masks: Vec<Vec<bool>> = Vec::new();
        let count = known.product_ids.len();
        let mask = |products: &mut dyn Iterator<Item = u32>| {
            let mut mask = vec![false; count];
            products.for_each(|product| mask[product as usize] = true);
            mask
        };
        if !self.products.is_empty() {
            masks.push(mask(&mut known.products_named(&self.products)?.into_iter()));
        }
        if let Some(place) = &self.among {
            // A product of the list that nobody ever bought cannot be ranked, and is no fault of the list.
            masks.push(mask(&mut known.products_in(place)?.into_iter()));
        }
        for asked in &self.with {
            let Some((kind, value)) = asked.split_once('=') else {
                return Err(Error::config("T1086", format!("--where {asked}: there is no '='"))
                    .hint("write it as ATTRIBUTE=VALUE, for example category=CHEESE"));
            };
            let rows = known.products.rows_with(kind.trim(), value.trim())?;
            masks.push(mask(&mut rows.iter().copied()));
        }
        masks.extend(known.on_sale.clone());
        let both = |one: Vec<bool>, other: Vec<bool>| {
            one.into_iter().zip(other).map(|(one, other)| one && other).collect()
        };
        Ok(masks.into_iter().reduce(both))
    }
}
