//! How is a number written for a reader?

use serde::{Deserialize, Serialize};
use tercet_types::{Currency, Money};

/// What a number measures, and so how it is written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Unit {
    /// How many: `12,345`.
    Count,
    /// A share or probability, 0 to 1: `4.2%`.
    Rate,
    /// A difference of two shares: `1.02 pp`.
    Points,
    /// Minor units of the report's currency: `$12.34`.
    Money,
    /// Seconds: `1.2 s`.
    Seconds,
    /// Anything else: `0.1234`.
    #[default]
    Number,
}

/// `12345` as `12,345`.
pub fn count(value: i64) -> String {
    let digits = value.unsigned_abs().to_string();
    let mut text = String::from(if value < 0 { "−" } else { "" });
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// Minor units as `$1,234.50`, or with the code before it where there is no common symbol.
pub fn money(minor: i64, currency: Currency) -> String {
    let plain = Money::new(minor.saturating_abs(), currency).to_string();
    let amount = plain.split_once(' ').map_or(plain.as_str(), |(_, amount)| amount);
    let (major, rest) = amount.split_once('.').map_or((amount, None), |(m, r)| (m, Some(r)));
    let mut text = format!("{}{}", symbol(currency), count(major.parse().unwrap_or(i64::MAX)));
    if let Some(rest) = rest {
        text.push('.');
        text.push_str(rest);
    }
    if minor < 0 { format!("−{text}") } else { text }
}

/// `$` for USD, `CHF ` for CHF.
pub(crate) fn symbol(currency: Currency) -> String {
    match currency.code() {
        "USD" => "$".to_owned(),
        "EUR" => "€".to_owned(),
        "GBP" => "£".to_owned(),
        "JPY" => "¥".to_owned(),
        code => format!("{code}\u{a0}"),
    }
}

/// A value of `unit` in full; a value that is not finite is a dash.
pub fn value(value: f64, unit: Unit, currency: Currency) -> String {
    if !value.is_finite() {
        return "–".to_owned();
    }
    match unit {
        Unit::Count => count(value.round() as i64),
        Unit::Rate => minus(&format!("{:.*}%", rate_decimals(value), value * 100.0)),
        Unit::Points => minus(&format!("{:.2} pp", value * 100.0)),
        Unit::Money => money(value.round() as i64, currency),
        Unit::Seconds => seconds(value),
        Unit::Number => minus(&significant(value)),
    }
}

/// The same with its sign, for a difference; zero has none.
pub fn signed(number: f64, unit: Unit, currency: Currency) -> String {
    let text = value(number, unit, currency);
    let is_zero = !text.chars().any(|c| ('1'..='9').contains(&c));
    if number > 0.0 && !is_zero { format!("+{text}") } else { text }
}

/// A value short enough for an axis: `12k`, `$1.5M`, `40%`.
pub(crate) fn short(number: f64, unit: Unit, currency: Currency) -> String {
    match unit {
        Unit::Rate => minus(&format!("{}%", trimmed(number * 100.0))),
        Unit::Points => minus(&format!("{} pp", trimmed(number * 100.0))),
        Unit::Seconds => format!("{} s", trimmed(number)),
        Unit::Money => {
            let major = number / currency.minor_per_major() as f64;
            let sign = if number < 0.0 { "−" } else { "" };
            format!("{sign}{}{}", symbol(currency), scaled(major.abs()))
        }
        Unit::Count | Unit::Number => minus(&scaled(number)),
    }
}

/// `4.21 s`, `340 ms`, `2 min 5 s`.
pub fn seconds(value: f64) -> String {
    if value < 1.0 {
        format!("{:.0} ms", value * 1000.0)
    } else if value < 10.0 {
        format!("{value:.2} s")
    } else if value < 120.0 {
        format!("{value:.1} s")
    } else {
        let whole = value.round() as i64;
        format!("{} min {} s", whole / 60, whole % 60)
    }
}

fn rate_decimals(value: f64) -> usize {
    if value.abs() < 0.00995 { 2 } else { 1 }
}

/// Four significant digits, no exponent for what people meet in reports.
fn significant(value: f64) -> String {
    let magnitude = value.abs();
    if magnitude >= 1000.0 {
        count(value.round() as i64)
    } else if magnitude >= 100.0 {
        format!("{value:.1}")
    } else if magnitude >= 10.0 {
        format!("{value:.2}")
    } else if magnitude >= 0.001 || magnitude == 0.0 {
        format!("{value:.4}")
    } else {
        format!("{value:.2e}")
    }
}

fn scaled(value: f64) -> String {
    let (divisor, suffix) = match value.abs() {
        v if v >= 1e9 => (1e9, "B"),
        v if v >= 1e6 => (1e6, "M"),
        v if v >= 1e4 => (1e3, "k"),
        v if v >= 1e3 => return count(value.round() as i64),
        _ => (1.0, ""),
    };
    format!("{}{suffix}", trimmed(value / divisor))
}

/// Up to four decimals, none of them idle zeros.
fn trimmed(value: f64) -> String {
    let text = format!("{value:.4}");
    let text = text.trim_end_matches('0').trim_end_matches('.');
    if text == "-0" { "0".to_owned() } else { text.to_owned() }
}

/// The minus sign, as wide as the plus.
fn minus(text: &str) -> String {
    text.strip_prefix('-').map_or_else(|| text.to_owned(), |rest| format!("−{rest}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_read_well() {
        let usd = Currency::new("USD").unwrap();
        let check = |number, unit, expect: &str| assert_eq!(value(number, unit, usd), expect);
        check(0.0, Unit::Count, "0");
        check(999.0, Unit::Count, "999");
        check(-1_234_567.0, Unit::Count, "−1,234,567");
        check(123_456.0, Unit::Money, "$1,234.56");
        check(-5.0, Unit::Money, "−$0.05");
        check(0.0421, Unit::Rate, "4.2%");
        check(0.00421, Unit::Rate, "0.42%");
        check(-0.0102, Unit::Points, "−1.02 pp");
        check(0.421, Unit::Rate, "42.1%");
        check(0.34, Unit::Seconds, "340 ms");
        check(125.2, Unit::Seconds, "2 min 5 s");
        check(0.12345, Unit::Number, "0.1235");
        check(f64::NAN, Unit::Rate, "–");
        assert_eq!(signed(0.02, Unit::Rate, usd), "+2.0%");
        assert_eq!(signed(-0.02, Unit::Rate, usd), "−2.0%");
        assert_eq!(signed(0.0, Unit::Rate, usd), "0.00%");
        assert_eq!(money(1234, Currency::new("JPY").unwrap()), "¥1,234");
        assert_eq!(
            money(i64::MIN, Currency::new("CHF").unwrap()),
            "−CHF\u{a0}92,233,720,368,547,758.07"
        );
    }

    #[test]
    fn axes_read_short() {
        let usd = Currency::new("USD").unwrap();
        let check = |number, unit, expect: &str| assert_eq!(short(number, unit, usd), expect);
        check(15_000.0, Unit::Count, "15k");
        check(2_500_000.0, Unit::Count, "2.5M");
        check(150_000.0, Unit::Money, "$1,500");
        check(0.05, Unit::Rate, "5%");
        check(-0.005, Unit::Rate, "−0.5%");
        check(2.0, Unit::Seconds, "2 s");
    }
}
