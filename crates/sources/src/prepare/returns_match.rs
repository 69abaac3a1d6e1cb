//! Which purchase does a return take back, and how much of it?

use std::collections::BTreeMap;

/// An order line that may be taken back.
#[derive(Clone, Debug)]
pub(crate) struct Sale {
    pub number: i64,
    pub order: String,
    pub customer: String,
    pub product: String,
    pub day: i32,
    pub micros: i64,
    pub quantity: f64,
    pub amount_minor: i64,
}

/// An order line that takes something back; quantity and amount are not positive.
#[derive(Clone, Debug)]
pub(crate) struct Return {
    pub number: i64,
    pub order: String,
    pub original: Option<String>,
    pub customer: String,
    pub product: String,
    pub day: i32,
    pub micros: i64,
    pub quantity: f64,
    pub amount_minor: i64,
}

/// What becomes of an order line.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Changed {
    pub number: i64,
    pub quantity: f64,
    pub amount_minor: i64,
    /// The order that a return takes back, where it was found.
    pub original: Option<String>,
    /// True for returns, false for purchases.
    pub is_return: bool,
    /// True when nothing is left of the line.
    pub gone: bool,
}

/// What the netting did.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Netting {
    /// Lines that are not as they were, by number.
    pub changed: BTreeMap<i64, Changed>,
    /// Returns merged into a purchase of the same day.
    pub merged: u64,
    /// Returns of an earlier day's purchase: kept as negative lines that name it.
    pub linked: u64,
    /// Returns without a purchase: kept as negative lines.
    pub unmatched: u64,
}

/// Nets returns against purchases.
///
/// A return takes back the lines of its original order that hold the product; without one, those of its
/// own order (cancellations carry the order's id), then the customer's most recent earlier purchases of
/// it. What was bought on the return's own day shrinks. What was bought earlier stays as it was known
/// until then, and the return stays a negative line, dated by itself, that names the order: sums are net
/// from that day on, and no earlier as-of date learns of it.
///
/// `sales` and `returns` are in order of time.
pub(crate) fn net(sales: &[Sale], returns: &[Return]) -> Netting {
    let mut by_pair: BTreeMap<(&str, &str), Vec<usize>> = BTreeMap::new();
    for (index, sale) in sales.iter().enumerate() {
        by_pair.entry((&sale.customer, &sale.product)).or_default().push(index);
    }
    let mut left: Vec<(f64, i64)> =
        sales.iter().map(|sale| (sale.quantity, sale.amount_minor)).collect();
    let mut netting = Netting::default();
    for back in returns {
        let (mut quantity, mut amount) = (-back.quantity, -back.amount_minor);
        let mut unmerged = (quantity, amount);
        let mut original = None;
        let candidates = by_pair.get(&(back.customer.as_str(), back.product.as_str()));
        for &index in order_of_search(candidates.map_or(&[], Vec::as_slice), sales, back).iter() {
            if quantity <= 0.0 && amount <= 0 {
                break;
            }
            let sale = &sales[index];
            let (taken, paid) =
                (quantity.min(left[index].0).max(0.0), amount.min(left[index].1).max(0));
            if taken <= 0.0 && paid <= 0 {
                continue;
            }
            left[index] = (left[index].0 - taken, left[index].1 - paid);
            (quantity, amount) = (quantity - taken, amount - paid);
            original.get_or_insert_with(|| sale.order.clone());
            if sale.day == back.day {
                unmerged = (unmerged.0 - taken, unmerged.1 - paid);
                let line = netting.changed.entry(sale.number).or_insert_with(|| Changed {
                    number: sale.number,
                    quantity: sale.quantity,
                    amount_minor: sale.amount_minor,
                    original: None,
                    is_return: false,
                    gone: false,
                });
                line.quantity -= taken;
                line.amount_minor -= paid;
                line.gone = line.quantity <= 0.0 && line.amount_minor <= 0;
            }
        }
        let gone = unmerged.0 <= 0.0 && unmerged.1 <= 0;
        match (&original, gone) {
            (_, true) => netting.merged += 1,
            (Some(_), false) => netting.linked += 1,
            (None, false) => netting.unmatched += 1,
        }
        netting.changed.insert(
            back.number,
            Changed {
                number: back.number,
                quantity: -unmerged.0.max(0.0),
                amount_minor: -unmerged.1.max(0),
                original: back.original.clone().or(original),
                is_return: true,
                gone,
            },
        );
    }
    netting
}

/// The purchases that a return may take back, best first.
fn order_of_search(candidates: &[usize], sales: &[Sale], back: &Return) -> Vec<usize> {
    if let Some(original) = &back.original {
        return candidates.iter().copied().filter(|&i| sales[i].order == *original).collect();
    }
    let own = candidates.iter().copied().filter(|&i| sales[i].order == back.order);
    let earlier = candidates
        .iter()
        .rev()
        .copied()
        .filter(|&i| sales[i].order != back.order && sales[i].micros <= back.micros);
    own.chain(earlier).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sale(number: i64, order: &str, day: i32, quantity: f64, amount_minor: i64) -> Sale {
        Sale {
            number,
            order: order.to_owned(),
            customer: "a".to_owned(),
            product: "p".to_owned(),
            day,
            micros: i64::from(day) * 86_400_000_000 + number,
            quantity,
            amount_minor,
        }
    }

    fn back(
        number: i64,
        original: Option<&str>,
        day: i32,
        quantity: f64,
        amount_minor: i64,
    ) -> Return {
        let Sale { order, customer, product, micros, .. } = sale(number, "r", day, 0.0, 0);
        let original = original.map(str::to_owned);
        Return { number, order, original, customer, product, day, micros, quantity, amount_minor }
    }

    /// Sums of everything, as known on each day, must be those of the rows as they came.
    fn sums_hold(sales: &[Sale], returns: &[Return], netting: &Netting) {
        for day in 0..20 {
            let came: i64 =
                sales.iter().filter(|s| s.day <= day).map(|s| s.amount_minor).sum::<i64>()
                    + returns.iter().filter(|r| r.day <= day).map(|r| r.amount_minor).sum::<i64>();
            let of = |number: i64, amount: i64| {
                netting
                    .changed
                    .get(&number)
                    .map_or(amount, |c| if c.gone { 0 } else { c.amount_minor })
            };
            let net: i64 = sales
                .iter()
                .filter(|s| s.day <= day)
                .map(|s| of(s.number, s.amount_minor))
                .sum::<i64>()
                + returns
                    .iter()
                    .filter(|r| r.day <= day)
                    .map(|r| of(r.number, r.amount_minor))
                    .sum::<i64>();
            assert_eq!(came, net, "day {day}");
        }
    }

    #[test]
    fn a_return_of_the_same_day_disappears_into_its_purchase() {
        let sales = [sale(1, "o1", 3, 2.0, 200)];
        let returns = [back(9, Some("o1"), 3, -1.0, -100)];
        let netting = net(&sales, &returns);
        assert_eq!((netting.merged, netting.linked, netting.unmatched), (1, 0, 0));
        assert_eq!((netting.changed[&1].quantity, netting.changed[&1].amount_minor), (1.0, 100));
        assert!(netting.changed[&9].gone && !netting.changed[&1].gone);
        sums_hold(&sales, &returns, &netting);
    }

    #[test]
    fn a_later_return_stays_and_names_the_most_recent_earlier_purchase() {
        let sales =
            [sale(1, "o1", 3, 1.0, 100), sale(2, "o2", 5, 1.0, 110), sale(3, "o3", 9, 1.0, 120)];
        let returns = [back(9, None, 7, -1.0, -110)];
        let netting = net(&sales, &returns);
        assert_eq!((netting.merged, netting.linked, netting.unmatched), (0, 1, 0));
        assert_eq!(netting.changed.len(), 1);
        assert_eq!(netting.changed[&9].original.as_deref(), Some("o2"));
        sums_hold(&sales, &returns, &netting);
    }

    #[test]
    fn what_was_never_bought_stays_negative_and_nothing_is_taken_back_twice() {
        let sales = [sale(1, "o1", 3, 1.0, 100)];
        let returns = [
            back(8, None, 3, -1.0, -100),
            back(9, None, 3, -1.0, -100),
            back(10, Some("o7"), 4, -1.0, -5),
        ];
        let netting = net(&sales, &returns);
        assert_eq!((netting.merged, netting.linked, netting.unmatched), (1, 0, 2));
        assert!(netting.changed[&1].gone);
        assert_eq!(netting.changed[&9].amount_minor, -100);
        sums_hold(&sales, &returns, &netting);
    }
}
