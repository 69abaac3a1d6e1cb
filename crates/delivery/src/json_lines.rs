//! What do the offers look like to a program?
//!
//! JSON Lines: one object per offer and line, keys as the columns of the table, dates as
//! `YYYY-MM-DD`, money in minor units, no code as `null`; UTF-8, every line ends with a line feed.

use tercet_types::{Error, Result};

use crate::offers::Offer;

/// The offers as the bytes of a JSON Lines file, in the order given.
///
/// # Errors
/// `T0806` when an offer cannot be written as JSON, which its types rule out.
pub fn write(offers: &[Offer]) -> Result<Vec<u8>> {
    let mut bytes = Vec::with_capacity(384 * offers.len());
    for offer in offers {
        serde_json::to_writer(&mut bytes, offer)
            .map_err(|cause| Error::internal("T0806", "offers: cannot write JSON").cause(cause))?;
        bytes.push(b'\n');
    }
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use tercet_types::Date;

    proptest! {
        #[test]
        fn every_offer_reads_back(
            rows in prop::collection::vec(
                ("\\PC*", any::<i32>(), prop::option::of("\\PC+"), "[\\s\\S]*", any::<i64>()), 0..4,
            ),
        ) {
            let offers: Vec<Offer> = rows
                .into_iter()
                .map(|(customer_id, slot, code, reasons, value_minor)| Offer {
                    customer_id,
                    slot,
                    promotion_id: "P".into(),
                    decision_id: "d".into(),
                    code,
                    valid_from: Date::from_days(17_413),
                    valid_to: Date::from_days(17_419),
                    reasons,
                    engine: "tercet".into(),
                    arm: "treatment".into(),
                    model_version: "m".into(),
                    value_minor,
                    run_id: "r".into(),
                })
                .collect();
            let bytes = write(&offers).unwrap();
            let read: Vec<Offer> = bytes
                .split_inclusive(|&byte| byte == b'\n')
                .map(|line| serde_json::from_slice(line).unwrap())
                .collect();
            prop_assert_eq!(read, offers);
        }
    }
}
