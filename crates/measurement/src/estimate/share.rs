//! How large is a share of the units?

use super::{Estimate, Method, Refusal, UNITS_MIN};
use crate::student;

/// The share of `hits` among `units`, by the score interval (Wilson 1927,
/// doi:10.1080/01621459.1927.10502953), which stays within 0 to 1 and does not shrink to nothing there.
pub fn share(hits: u64, units: u64, level: f64) -> Result<Estimate, Refusal> {
    if !(level > 0.0 && level < 1.0) {
        return Err(Refusal::NoLevel);
    }
    if units < UNITS_MIN || hits > units {
        return Err(Refusal::TooFewUnits);
    }
    let (count, value) = (units as f64, hits as f64 / units as f64);
    let dof = f64::INFINITY;
    let z = student::quantile(0.5 + level / 2.0, dof);
    let widened = 1.0 + z * z / count;
    let centre = (value + z * z / (2.0 * count)) / widened;
    let variance = value * (1.0 - value) / count;
    let reach = z * (variance + (z / (2.0 * count)).powi(2)).sqrt() / widened;
    let (low, high) = ((centre - reach).max(0.0), (centre + reach).min(1.0));
    let std_error = variance.sqrt();
    let (p_value, method) = (None, Method::WilsonShare);
    Ok(Estimate { value, low, high, std_error, dof, level, p_value, method })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::estimate::LEVEL;

    #[test]
    fn shares_are_those_of_scipy() {
        for line in include_str!("../../tests/oracle/share.csv").lines().skip(1) {
            let row: Vec<f64> = line.split(',').map(|cell| cell.parse().unwrap()).collect();
            let found = share(row[0] as u64, row[1] as u64, row[2]).unwrap();
            let off = (found.low - row[3]).abs().max((found.high - row[4]).abs());
            assert!(off < 1e-12, "{line}: {found:?}");
        }
        assert_eq!(share(1, 29, LEVEL).err(), Some(Refusal::TooFewUnits));
        assert_eq!(share(31, 30, LEVEL).err(), Some(Refusal::TooFewUnits));
        assert_eq!(share(1, 30, 1.0).err(), Some(Refusal::NoLevel));
    }
}
