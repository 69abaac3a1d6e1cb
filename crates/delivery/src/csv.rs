//! What do the offers look like to a spreadsheet or a mail provider?
//!
//! RFC 4180: comma, CRLF, a header, and quotes around a cell that holds a comma, a quote or a line
//! break. UTF-8 without a byte order mark.
//!
//! **Formula injection.** A spreadsheet runs a cell that begins with `=`, `+`, `-`, `@`, tab, carriage
//! return, line feed or one of the full-width twins `＝＋－＠`. Such a *text* cell, also when
//! apostrophes stand before that character, gets one apostrophe in front, and every such cell is
//! quoted. To read a file back exactly, take one apostrophe off a cell whose first character after its
//! leading apostrophes is one of these. Number and date cells are written as they are.
//! Source: OWASP, "CSV Injection".

use tercet_types::Date;
use tercet_types::tables::decisions::OFFERS;

use crate::offers::Offer;

/// The characters a spreadsheet takes for the start of a formula.
const FORMULA_STARTS: &[char] = &['=', '+', '-', '@', '\t', '\r', '\n', '＝', '＋', '－', '＠'];

/// The offers as the bytes of a CSV file, in the order given; columns of
/// [`tercet_types::tables::decisions::OFFERS`]. No code is an empty cell.
pub fn write(offers: &[Offer]) -> Vec<u8> {
    // A row is some 200 bytes; one allocation serves most runs.
    let mut text = String::with_capacity(256 * (offers.len() + 1));
    for (index, column) in OFFERS.columns.iter().enumerate() {
        if index > 0 {
            text.push(',');
        }
        text.push_str(column.name);
    }
    text.push_str("\r\n");
    for offer in offers {
        write_row(&mut text, offer);
    }
    text.into_bytes()
}

fn write_row(text: &mut String, offer: &Offer) {
    let number = |text: &mut String, value: i64| text.push_str(&value.to_string());
    let date = |text: &mut String, day: Date| text.push_str(&day.to_string());
    let next = |text: &mut String| text.push(',');

    write_text(text, &offer.customer_id);
    next(text);
    number(text, i64::from(offer.slot));
    next(text);
    write_text(text, &offer.promotion_id);
    next(text);
    write_text(text, &offer.decision_id);
    next(text);
    write_text(text, offer.code.as_deref().unwrap_or_default());
    next(text);
    date(text, offer.valid_from);
    next(text);
    date(text, offer.valid_to);
    next(text);
    write_text(text, &offer.reasons);
    next(text);
    write_text(text, &offer.engine);
    next(text);
    write_text(text, &offer.arm);
    next(text);
    write_text(text, &offer.model_version);
    next(text);
    number(text, offer.value_minor);
    next(text);
    write_text(text, &offer.run_id);
    text.push_str("\r\n");
}

fn write_text(text: &mut String, cell: &str) {
    let is_formula = cell.trim_start_matches('\'').starts_with(FORMULA_STARTS);
    if !is_formula && !cell.contains([',', '"', '\r', '\n']) {
        text.push_str(cell);
        return;
    }
    text.push('"');
    if is_formula {
        text.push('\'');
    }
    for letter in cell.chars() {
        if letter == '"' {
            text.push('"');
        }
        text.push(letter);
    }
    text.push('"');
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn offer(customer: &str, code: Option<&str>, reasons: &str, value_minor: i64) -> Offer {
        Offer {
            customer_id: customer.into(),
            slot: 1,
            promotion_id: "P".into(),
            decision_id: "d".into(),
            code: code.map(Into::into),
            valid_from: "2017-09-04".parse().unwrap(),
            valid_to: "2017-09-10".parse().unwrap(),
            reasons: reasons.into(),
            engine: "tercet".into(),
            arm: "treatment".into(),
            model_version: "m".into(),
            value_minor,
            run_id: "r".into(),
        }
    }

    /// A reader by RFC 4180, character by character, that also undoes the apostrophe.
    fn read(bytes: &[u8]) -> Vec<Vec<String>> {
        let text = std::str::from_utf8(bytes).unwrap();
        let (mut rows, mut row, mut cell, mut quoted) = (vec![], vec![], String::new(), false);
        let mut letters = text.chars().peekable();
        while let Some(letter) = letters.next() {
            match letter {
                '"' if quoted && letters.peek() == Some(&'"') => cell.push(letters.next().unwrap()),
                '"' => quoted = !quoted,
                ',' if !quoted => row.push(std::mem::take(&mut cell)),
                '\r' if !quoted && letters.peek() == Some(&'\n') => {
                    letters.next();
                    row.push(std::mem::take(&mut cell));
                    rows.push(std::mem::take(&mut row));
                }
                other => cell.push(other),
            }
        }
        assert!(cell.is_empty() && row.is_empty() && !quoted);
        for cell in rows.iter_mut().flatten() {
            let numeric = cell.parse::<i64>().is_ok();
            if !numeric && cell.trim_start_matches('\'').starts_with(FORMULA_STARTS) {
                assert_eq!(cell.remove(0), '\'', "{cell:?} is not neutralised");
            }
        }
        rows
    }

    #[test]
    fn the_file_is_what_a_coupon_system_expects() {
        let bytes = write(&[offer("k1", None, "You often buy \"fresh, red\" apples.", -5)]);
        assert_eq!(
            String::from_utf8(bytes).unwrap(),
            "customer_id,slot,promotion_id,decision_id,code,valid_from,valid_to,reasons,engine,arm,\
             model_version,value_minor,run_id\r\n\
             k1,1,P,d,,2017-09-04,2017-09-10,\"You often buy \"\"fresh, red\"\" apples.\",tercet,\
             treatment,m,-5,r\r\n"
        );
    }

    #[test]
    fn formulas_are_neutralised() {
        let check = |cell: &str, expect: &str| {
            let mut text = String::new();
            write_text(&mut text, cell);
            assert_eq!(text, expect);
        };
        check("=1+1", "\"'=1+1\"");
        check("-2", "\"'-2\"");
        check("@cmd", "\"'@cmd\"");
        check("\tx", "\"'\tx\"");
        check("\rx", "\"'\rx\"");
        check("＝1", "\"'＝1\"");
        check("'=1", "\"''=1\"");
        check("'tis", "'tis");
        check("a=b", "a=b");
        check("", "");
    }

    proptest! {
        #[test]
        fn every_offer_reads_back(
            customer in "[=+@'\",\r\n\ta-zé-]{0,8}", code in "[=+@'\",a-z-]{1,6}",
            reasons in "[\\s\\S]{0,24}", value_minor in any::<i64>(),
        ) {
            prop_assume!(customer.parse::<i64>().is_err() && reasons.parse::<i64>().is_err());
            let bytes = write(&[offer(&customer, Some(&code), &reasons, value_minor)]);
            let rows = read(&bytes);
            prop_assert_eq!(rows.len(), 2);
            prop_assert_eq!(&rows[1][0], &customer);
            prop_assert_eq!(&rows[1][4], &code);
            prop_assert_eq!(&rows[1][7], &reasons);
            prop_assert_eq!(&rows[1][11], &value_minor.to_string());
        }
    }
}
