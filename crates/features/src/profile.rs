//! Which of the shop's own customer columns may describe a customer, and which could identify one?

use std::collections::BTreeMap;

use tercet_engine::{Engine, POSITION_COLUMNS};
use tercet_types::tables::sources::CUSTOMERS;
use tercet_types::{Error, Result};

use crate::ProfileSettings;
use crate::statement::quoted;

const CHECK: &str = include_str!("../sql/customer/profile_check.sql");

/// A column with more distinct values than this share of its filled rows is nearly an id.
const DISTINCT_RATE_MAX: f64 = 0.5;

/// Below this many filled rows the share of distinct values says nothing.
const FILLED_MIN: i64 = 20;

/// Parts of a column's name that speak of a person; compared with the name's words, joined.
const PERSONAL: &[&str] = &[
    "email",
    "mail",
    "phone",
    "mobile",
    "telephone",
    "fax",
    "address",
    "street",
    "zip",
    "zipcode",
    "postcode",
    "postalcode",
    "birth",
    "birthday",
    "birthdate",
    "dateofbirth",
    "dob",
    "name",
    "firstname",
    "lastname",
    "surname",
    "fullname",
    "username",
    "login",
    "iban",
    "ssn",
    "passport",
    "ip",
    "ipaddress",
    "latitude",
    "longitude",
];

/// The shop's own columns of `customers` that become profile categories, in the table's order.
///
/// # Errors
/// `T0303` for a column that looks personal (by its name or its values) or nearly unique;
/// `T0304` for a configured column that is not there.
pub fn profile_columns(engine: &Engine, settings: &ProfileSettings) -> Result<Vec<String>> {
    let extras: Vec<String> = engine
        .columns(CUSTOMERS.name)?
        .into_iter()
        .map(|column| column.name)
        .filter(|name| {
            CUSTOMERS.column(name).is_none() && !POSITION_COLUMNS.contains(&name.as_str())
        })
        .collect();
    let chosen: Vec<String> = match &settings.columns {
        None => extras,
        Some(wanted) => {
            if let Some(lacking) = wanted.iter().find(|name| !extras.contains(name)) {
                return Err(Error::config(
                    "T0304",
                    format!("customers: there is no profile column '{lacking}'"),
                )
                .hint("map it in [sources.customers.columns], or take it out of [features.profile] columns"));
            }
            extras.into_iter().filter(|name| wanted.contains(name)).collect()
        }
    };
    for name in &chosen {
        if looks_personal(name) {
            return Err(refused(name, "its name speaks of a person"));
        }
        let facts = engine
            .query(&CHECK.replace("{column}", &quoted(name)), &BTreeMap::new())
            .map_err(|error| error.context(format!("customers: column '{name}'")))?;
        let first = |column: &str| -> Result<i64> {
            Ok(facts.i64_or_null(column)?.first().copied().flatten().unwrap_or(0))
        };
        let (filled, distinct) = (first("filled")?, first("distinct_values")?);
        if first("addresses")? > 0 {
            return Err(refused(name, "it holds e-mail addresses"));
        }
        if filled >= FILLED_MIN && distinct as f64 > DISTINCT_RATE_MAX * filled as f64 {
            let what = format!("it is nearly unique: {distinct} values in {filled} rows");
            return Err(refused(name, &what));
        }
    }
    Ok(chosen)
}

/// True when a word of the name, or two neighbours joined, speaks of a person.
fn looks_personal(name: &str) -> bool {
    let mut words: Vec<String> = vec![String::new()];
    let mut was_lower = false;
    for letter in name.chars() {
        let starts = !letter.is_alphanumeric() || (letter.is_uppercase() && was_lower);
        if starts {
            words.push(String::new());
        }
        if letter.is_alphanumeric()
            && let Some(word) = words.last_mut()
        {
            word.extend(letter.to_lowercase());
        }
        was_lower = letter.is_lowercase();
    }
    words.retain(|word| !word.is_empty());
    let personal = |word: &str| PERSONAL.contains(&word);
    words.iter().any(|word| personal(word)) || words.windows(2).any(|pair| personal(&pair.concat()))
}

fn refused(name: &str, why: &str) -> Error {
    Error::config("T0303", format!("customers: column '{name}' is refused as a profile category: {why}"))
        .hint("take it out of [sources.customers.columns], or name the columns to use in [features.profile] columns; group its values first if you need it (age band for a birthday, region for an address)")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_speak_of_a_person() {
        let check = |name: &str, expect: bool| assert_eq!(looks_personal(name), expect, "{name}");
        for name in [
            "email",
            "E-Mail",
            "customer_email",
            "phoneNumber",
            "first_name",
            "date_of_birth",
            "zip_code",
            "Street",
            "dob",
        ] {
            check(name, true);
        }
        for name in [
            "age",
            "income",
            "household_size",
            "marital_status",
            "home_ownership",
            "kids_count",
            "namespace",
            "region_group",
        ] {
            check(name, false);
        }
    }
}
