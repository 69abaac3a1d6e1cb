//! Why this offer, in a sentence that a customer and a marketer both understand?
//!
//! A reason code is a name and its parameters, separated by `:`; codes are separated by `|`,
//! strongest first: `due:GROUND BEEF:14|saves:120`. A code that is not in the table `PHRASES`, or whose
//! parameters do not read, comes out as its own plain words: a reason is never worth an error.

use tercet_types::Currency;

use crate::format;

/// What a parameter of a code holds, and so how it is worded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Parameter {
    /// A product, product type or category.
    Name,
    /// A brand: a proper name.
    Brand,
    /// A number of days.
    Days,
    /// How often.
    Times,
    /// An amount in minor units.
    Amount,
}

use Parameter::{Amount, Brand, Days, Name, Times};

/// Code, its parameters and its sentence; `{0}` is the first parameter.
const PHRASES: &[(&str, &[Parameter], &str)] = &[
    ("due", &[Name, Days], "You buy {0} about every {1}, and it is due"),
    ("bought", &[Name, Times], "You have bought {0} {1}"),
    ("category", &[Name], "You have bought things like {0}"),
    ("brand", &[Brand], "You often choose {0}"),
    ("goes_with", &[Name, Name], "{1} goes well with the {0} you buy"),
    ("popular", &[], "Popular with other customers right now"),
    ("new_for_you", &[Name], "Something new for you: {0}"),
    ("new_for_you", &[], "Something new for you"),
    ("similar_customers", &[], "Customers with baskets like yours buy it"),
    ("browsed", &[Name, Times], "You looked at {0} {1}"),
    ("browsed", &[Name], "You looked at {0}"),
    ("saves", &[Amount], "You save about {0}"),
];

/// Brand names that are kinds of brand in many shops' tables.
const BRAND_KINDS: &[(&str, &str)] = &[
    ("private", "our own brand"),
    ("private label", "our own brand"),
    ("national", "well-known brands"),
];

/// Words that stay in capitals.
const ACRONYMS: &[&str] = &["BBQ", "CD", "DIY", "DVD", "LED", "TV", "UHT", "UK", "USA", "USB"];

/// What is said when there is no reason code.
const NO_REASON: &str = "Picked for you";

/// One sentence per code, strongest first, without full stops; none for no codes.
pub fn sentences(codes: Option<&str>, currency: Currency) -> Vec<String> {
    codes
        .unwrap_or_default()
        .split('|')
        .map(str::trim)
        .filter(|code| !code.is_empty())
        .map(|code| sentence(code, currency))
        .collect()
}

/// All reasons as running text: `You have bought things like yogurt. You save about $1.20.`
pub fn in_words(codes: Option<&str>, currency: Currency) -> String {
    let sentences = sentences(codes, currency);
    if sentences.is_empty() {
        return format!("{NO_REASON}.");
    }
    let mut text = sentences.join(". ");
    text.push('.');
    text
}

/// The sentence of one code.
///
/// ```
/// # use tercet_delivery::reasons::sentence;
/// let usd = tercet_types::Currency::new("USD").unwrap();
/// assert_eq!(
///     sentence("due:GROUND BEEF:14", usd),
///     "You buy ground beef about every 14 days, and it is due"
/// );
/// ```
pub fn sentence(code: &str, currency: Currency) -> String {
    let mut parts = code.split(':').map(str::trim);
    let name = parts.next().unwrap_or_default();
    let arguments: Vec<&str> = parts.collect();
    PHRASES
        .iter()
        .filter(|(known, ..)| *known == name)
        .find_map(|(_, parameters, template)| fill(parameters, template, &arguments, currency))
        .unwrap_or_else(|| plain_words(code))
}

/// The template with its parameters worded; `None` when they do not fit.
fn fill(
    parameters: &[Parameter],
    template: &str,
    arguments: &[&str],
    currency: Currency,
) -> Option<String> {
    if parameters.len() != arguments.len() {
        return None;
    }
    let words: Vec<String> = parameters
        .iter()
        .zip(arguments)
        .map(|(&parameter, argument)| word(parameter, argument, currency))
        .collect::<Option<_>>()?;
    // One pass, so that a name that itself holds `{1}` stays a name.
    let mut text = String::new();
    let mut rest = template;
    while let Some((before, after)) = rest.split_once('{') {
        text.push_str(before);
        let (index, after) = after.split_once('}')?;
        text.push_str(words.get(index.parse::<usize>().ok()?)?);
        rest = after;
    }
    text.push_str(rest);
    Some(capitalised(&text))
}

fn word(parameter: Parameter, argument: &str, currency: Currency) -> Option<String> {
    if argument.is_empty() {
        return None;
    }
    let whole =
        || argument.parse::<f64>().ok().filter(|n| n.is_finite() && *n >= 0.0).map(f64::round);
    match parameter {
        Name => Some(polite(argument)),
        Brand => {
            let lower = argument.to_lowercase();
            let kind = BRAND_KINDS.iter().find(|(name, _)| *name == lower);
            Some(kind.map_or_else(|| titled(argument), |(_, words)| (*words).to_owned()))
        }
        Days => whole().map(|days| match days {
            d if d <= 1.0 => "day".to_owned(),
            7.0 => "week".to_owned(),
            d => format!("{} days", format::count(d as i64)),
        }),
        Times => whole().map(|times| match times {
            t if t <= 1.0 => "once".to_owned(),
            2.0 => "twice".to_owned(),
            t => format!("{} times", format::count(t as i64)),
        }),
        Amount => argument.parse().ok().map(|minor| format::money(minor, currency)),
    }
}

/// A name as one would say it: shouting capitals become small letters, everything else stays.
///
/// ```
/// # use tercet_delivery::reasons::polite;
/// assert_eq!(polite("BATH  TISSUES"), "bath tissues");
/// assert_eq!(polite("BBQ SAUCE"), "BBQ sauce");
/// assert_eq!(polite("Müller Yogurt"), "Müller Yogurt");
/// ```
pub fn polite(name: &str) -> String {
    recased(name, str::to_lowercase)
}

/// A proper name: shouting capitals become Title Case, everything else stays.
pub fn titled(name: &str) -> String {
    recased(name, |word| capitalised(&word.to_lowercase()))
}

fn recased(name: &str, quiet: impl Fn(&str) -> String) -> String {
    let shouting = !name.chars().any(char::is_lowercase);
    name.split_whitespace()
        .map(|word| {
            let keep = !shouting || ACRONYMS.contains(&word);
            if keep { word.to_owned() } else { quiet(word) }
        })
        .collect::<Vec<_>>()
        .join(" ")
}

fn capitalised(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}

/// `basket_gap:WINE:2` as `Basket gap: wine, 2`.
fn plain_words(code: &str) -> String {
    let mut parts = code.split(':').map(str::trim).filter(|part| !part.is_empty());
    let name = capitalised(&polite(&parts.next().unwrap_or_default().replace('_', " ")));
    let rest: Vec<String> = parts.map(polite).collect();
    match (name.is_empty(), rest.is_empty()) {
        (true, _) => NO_REASON.to_owned(),
        (false, true) => name,
        (false, false) => format!("{name}: {}", rest.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn every_code_has_its_sentence() {
        let usd = Currency::new("USD").unwrap();
        let check = |code: &str, expect: &str| assert_eq!(sentence(code, usd), expect);
        check("due:GROUND BEEF:14", "You buy ground beef about every 14 days, and it is due");
        check("due:MILK:7", "You buy milk about every week, and it is due");
        check("bought:SOFT DRINKS:6", "You have bought soft drinks 6 times");
        check("bought:SOFT DRINKS:2", "You have bought soft drinks twice");
        check("category:YOGURT", "You have bought things like yogurt");
        check("brand:Private", "You often choose our own brand");
        check("brand:HEINZ", "You often choose Heinz");
        check("goes_with:PASTA:PASTA SAUCE", "Pasta sauce goes well with the pasta you buy");
        check("popular", "Popular with other customers right now");
        check("new_for_you:CHEESE", "Something new for you: cheese");
        check("similar_customers", "Customers with baskets like yours buy it");
        check("browsed:COFFEE:3", "You looked at coffee 3 times");
        check("saves:120", "You save about $1.20");
        // What does not fit the table is said plainly.
        check("basket_gap:WINE:2", "Basket gap: wine, 2");
        check("due:GROUND BEEF:soon", "Due: ground beef, soon");
        check("due:GROUND BEEF", "Due: ground beef");
        check("category:", "Category");
        check("category:{1}", "You have bought things like {1}");
        check(":", "Picked for you");
    }

    #[test]
    fn texts_join_and_are_never_empty() {
        let usd = Currency::new("USD").unwrap();
        let check = |codes: Option<&str>, expect: &str| assert_eq!(in_words(codes, usd), expect);
        check(None, "Picked for you.");
        check(Some(" | "), "Picked for you.");
        check(
            Some("popular|saves:50"),
            "Popular with other customers right now. You save about $0.50.",
        );
    }

    proptest! {
        #[test]
        fn no_code_is_an_error(code in "\\PC*") {
            let usd = Currency::new("USD").unwrap();
            prop_assert!(!sentence(&code, usd).is_empty());
        }
    }
}
