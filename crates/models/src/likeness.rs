//! Which customers are near to which, by what they bought?

mod alike;
mod nearest;
mod neighbourhood;
mod scale;

use rayon::prelude::*;

pub(crate) use self::alike::{Alike, Similar};
pub(crate) use self::neighbourhood::Neighbourhood;
pub(crate) use self::scale::Comparison;
use crate::{Purchase, Purchases};

/// The customers with a line in so many days before the as-of day, ascending.
pub(crate) fn active(history: &Purchases, as_of: i32, active_days: u32) -> Vec<u32> {
    let is_active = |customer: &u32| !history.window(*customer, as_of, active_days).is_empty();
    history.all_customers().filter(is_active).collect()
}

/// A list, or `most` of it that are spaced evenly.
pub(crate) fn evenly<T>(mut list: Vec<T>, most: usize) -> Vec<T> {
    let length = list.len();
    let (mut place, mut kept) = (0, 0);
    list.retain(|_| {
        let keep = length <= most || (kept < most && place == kept * length / most);
        place += 1;
        kept += usize::from(keep);
        keep
    });
    list
}

/// One line per order and product.
pub(crate) fn order_lines(lines: &[Purchase]) -> impl Iterator<Item = &Purchase> {
    let same =
        |a: &Purchase, b: &Purchase| (a.day, a.order, a.product) == (b.day, b.order, b.product);
    lines.chunk_by(same).filter_map(<[Purchase]>::first)
}

/// `(key, decayed lines)` by key; lines of one key are added up in the order of their days.
pub(crate) fn vector(
    lines: &[Purchase],
    as_of: i32,
    half_life_days: f64,
    key: &(dyn Fn(u32) -> u32 + Sync),
) -> Vec<(u32, f64)> {
    let mut weights = Vec::with_capacity(lines.len());
    for day in lines.chunk_by(|a, b| a.day == b.day) {
        let age_days = f64::from(as_of) - f64::from(day[0].day);
        let weight = (-age_days / half_life_days).exp2();
        weights.extend(order_lines(day).map(|line| (key(line.product), weight)));
    }
    summed(weights)
}

/// The weights of each key added up in the order given, by key.
pub(crate) fn summed(mut weights: Vec<(u32, f64)>) -> Vec<(u32, f64)> {
    weights.sort_by_key(|(key, _)| *key);
    weights.dedup_by(|later, kept| {
        let same = later.0 == kept.0;
        if same {
            kept.1 += later.1;
        }
        same
    });
    weights
}
