//! How much is it, to the last minor unit?

use std::fmt;

use crate::{Error, Result};

/// An ISO 4217 currency code with its number of decimals.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Currency {
    code: [u8; 3],
    decimals: u8,
}

impl Currency {
    /// The currency of an ISO 4217 code, for example `USD`.
    ///
    /// # Errors
    /// `T0102` when the code is not three capital letters.
    pub fn new(code: &str) -> Result<Self> {
        let bytes: [u8; 3] = code
            .as_bytes()
            .try_into()
            .ok()
            .filter(|bytes: &[u8; 3]| bytes.iter().all(u8::is_ascii_uppercase))
            .ok_or_else(|| {
                Error::config("T0102", format!("'{code}' is not a currency code"))
                    .hint("use the three capital letters of ISO 4217, for example USD or EUR")
            })?;
        let decimals = match code {
            "JPY" | "KRW" | "CLP" | "ISK" | "VND" | "XAF" | "XOF" | "XPF" | "UGX" | "PYG"
            | "RWF" => 0,
            "BHD" | "IQD" | "JOD" | "KWD" | "LYD" | "OMR" | "TND" => 3,
            _ => 2,
        };
        Ok(Self { code: bytes, decimals })
    }

    /// The three letters.
    pub fn code(&self) -> &str {
        // The constructor admits ASCII capitals only.
        std::str::from_utf8(&self.code).unwrap_or("XXX")
    }

    /// Decimals of the major unit: 2 for USD, 0 for JPY.
    pub const fn decimals(&self) -> u8 {
        self.decimals
    }

    /// Minor units in one major unit: 100 for USD.
    pub const fn minor_per_major(&self) -> i64 {
        10_i64.pow(self.decimals as u32)
    }
}

/// How a fraction of a minor unit is rounded; named at every call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rounding {
    /// To the nearest, halves to even: sums of many stay unbiased.
    HalfEven,
    /// Towards zero: never promises more than there is.
    TowardsZero,
}

/// An amount in minor units of a currency.
///
/// ```
/// use tercet_types::{Currency, Money, Rounding};
/// let usd = Currency::new("USD").unwrap();
/// assert_eq!(Money::from_major(12.345, usd, Rounding::HalfEven).unwrap().minor(), 1234);
/// assert_eq!(Money::new(-1205, usd).to_string(), "USD -12.05");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Money {
    minor: i64,
    currency: Currency,
}

impl Money {
    /// `minor` minor units.
    pub const fn new(minor: i64, currency: Currency) -> Self {
        Self { minor, currency }
    }

    /// `major` major units; `None` when it is not finite or too large for `i64` minor units.
    pub fn from_major(major: f64, currency: Currency, rounding: Rounding) -> Option<Self> {
        let exact = major * currency.minor_per_major() as f64;
        let rounded = match rounding {
            Rounding::HalfEven => exact.round_ties_even(),
            Rounding::TowardsZero => exact.trunc(),
        };
        // 2^62 leaves head-room for sums and is exact in f64.
        (rounded.abs() < (1_i64 << 62) as f64).then(|| Self::new(rounded as i64, currency))
    }

    /// Minor units.
    pub const fn minor(&self) -> i64 {
        self.minor
    }

    /// The currency.
    pub const fn currency(&self) -> Currency {
        self.currency
    }
}

impl fmt::Display for Money {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let per_major = self.currency.minor_per_major().unsigned_abs();
        let sign = if self.minor < 0 { "-" } else { "" };
        let (major, rest) =
            (self.minor.unsigned_abs() / per_major, self.minor.unsigned_abs() % per_major);
        write!(f, "{} {sign}{major}", self.currency.code())?;
        if self.currency.decimals > 0 {
            write!(f, ".{rest:0width$}", width = usize::from(self.currency.decimals))?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rounding_and_display() {
        let check = |code: &str, major: f64, rounding, expect: &str| {
            let money = Money::from_major(major, Currency::new(code).unwrap(), rounding);
            assert_eq!(money.map_or("none".into(), |m| m.to_string()), expect);
        };
        check("USD", 0.125, Rounding::HalfEven, "USD 0.12");
        check("USD", 0.129, Rounding::TowardsZero, "USD 0.12");
        check("USD", -0.5, Rounding::HalfEven, "USD -0.50");
        check("JPY", 1234.5, Rounding::HalfEven, "JPY 1234");
        check("KWD", 1.2345, Rounding::TowardsZero, "KWD 1.234");
        check("EUR", f64::NAN, Rounding::HalfEven, "none");
        check("EUR", 1e300, Rounding::HalfEven, "none");
        assert!(Currency::new("usd").is_err() && Currency::new("EURO").is_err());
    }
}
