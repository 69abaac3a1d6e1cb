//! How do data and template become a page?

use minijinja::{Environment, UndefinedBehavior, Value};
use tercet_types::{Currency, Date, Error, Result};

use crate::{format, reasons};

/// Every template, by name; `.html` escapes.
const TEMPLATES: &[(&str, &str)] = &[
    ("layout.html", include_str!("../../templates/layout.html")),
    ("parts.html", include_str!("../../templates/parts.html")),
    ("run.html", include_str!("../../templates/run.html")),
    ("backtest.html", include_str!("../../templates/backtest.html")),
    ("lift.html", include_str!("../../templates/lift.html")),
    ("evaluation.html", include_str!("../../templates/evaluation.html")),
    ("uplift.html", include_str!("../../templates/uplift.html")),
];

/// ISO 4217's code for no currency, for pages of tables that name none.
pub(super) const NO_CURRENCY: &str = "XXX";

/// The style sheet of all pages.
const STYLE: &str = include_str!("../../templates/style.css");

/// Renders `template` with `context`.
///
/// An undefined name is an error: a page never goes out with a hole in it.
pub(crate) fn render(template: &str, context: Value, currency: Currency) -> Result<String> {
    let mut environment = Environment::new();
    environment.set_undefined_behavior(UndefinedBehavior::Strict);
    environment.add_filter("count", format::count);
    environment.add_filter("money", move |minor: i64| format::money(minor, currency));
    environment.add_filter("spoken", |name: &str| spoken(name));
    environment.add_filter("date", |day: &str| {
        day.parse().map_or_else(
            |_| day.to_owned(),
            |day: Date| format!("{} {}", short_date(day), day.civil().0),
        )
    });
    environment.add_global("style", Value::from_safe_string(STYLE.to_owned()));
    let failed = |cause: minijinja::Error| {
        Error::internal("T0807", format!("{template}: the page cannot be rendered")).cause(cause)
    };
    for (name, source) in TEMPLATES {
        environment.add_template(name, source).map_err(failed)?;
    }
    environment.get_template(template).and_then(|page| page.render(context)).map_err(failed)
}

/// `4 September 2017`.
pub(crate) fn long_date(day: Date) -> String {
    let (year, month, day) = day.civil();
    format!("{day} {} {year}", month_name(month))
}

/// `4 Sep`.
pub(crate) fn short_date(day: Date) -> String {
    let (_, month, day) = day.civil();
    format!("{day} {}", month_name(month).get(..3).unwrap_or_default())
}

fn month_name(month: u32) -> &'static str {
    const NAMES: [&str; 12] = [
        "January",
        "February",
        "March",
        "April",
        "May",
        "June",
        "July",
        "August",
        "September",
        "October",
        "November",
        "December",
    ];
    NAMES.get(month as usize - 1).copied().unwrap_or_default()
}

/// A name from a table in words: `transaction_only` as `Transaction only`.
pub(crate) fn spoken(name: &str) -> String {
    let words = name.replace('_', " ");
    let mut letters = words.chars();
    let first = letters.next().map(|letter| letter.to_uppercase().to_string());
    reasons::polite(&format!("{}{}", first.unwrap_or_default(), letters.as_str()))
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// Nothing comes from outside, no id stands twice, and every figure has both its drawings.
    pub(crate) fn assert_whole(html: &str) {
        for outside in ["<script", "http://", "https://", "src=", "<link", "@import", "url("] {
            assert!(!html.contains(outside), "{outside}");
        }
        let mut ids: Vec<&str> =
            html.split(" id=\"").skip(1).filter_map(|rest| rest.split('"').next()).collect();
        let all = ids.len();
        ids.sort_unstable();
        ids.dedup();
        assert_eq!(ids.len(), all, "an id twice");
        assert_eq!(
            html.matches("<svg class=\"chart\"").count(),
            2 * html.matches("<figure").count()
        );
    }

    #[test]
    fn names_and_dates_in_words() {
        assert_eq!(spoken("transaction_only"), "Transaction only");
        assert_eq!(spoken(""), "");
        let day = "2017-09-04".parse().unwrap();
        assert_eq!((long_date(day), short_date(day)), ("4 September 2017".into(), "4 Sep".into()));
    }

    #[test]
    fn the_style_sheet_asks_for_nothing() {
        for word in ["url(", "@import", "http", "</"] {
            assert!(!STYLE.contains(word), "{word}");
        }
    }
}
