//! How are histories cut into what is known and what is judged?

use std::ops::Range;

use tercet_types::{Error, Result};

use super::fold::{Fold, Role};
use super::history::{Histories, Line, Part};
use crate::offline::bootstrap::mix;

/// Days of a rolling week.
const WEEK: i32 = 7;

/// The most rolling weeks: as many models are fitted.
const WEEKS_MAX: u32 = 104;

/// The share of the customers who are held out where a table itself says what is judged, and nothing of validation.
const HELD_OUT_SHARE: f64 = 0.1;

/// A way to cut histories. Each is stable: rows in another order, or more customers, change no cut of the others.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Split {
    /// The last line of every customer with two or more is judged; of a last order of several lines, the one with the
    /// least hash.
    LeaveLastOut,
    /// The last order of every customer with two or more is judged.
    LeaveLastBasket,
    /// What lies on or after a day is judged.
    Time {
        /// The first day that is judged.
        from: i32,
        /// How many days are judged; all that follow, where none.
        days: Option<u32>,
    },
    /// Each of the last weeks is judged by what lies before it.
    RollingWeeks {
        /// How many weeks.
        weeks: u32,
    },
    /// Each customer's lines are drawn into training, validation and test by shares.
    Random {
        /// The shares of training, validation and test, such as 8, 1 and 1.
        shares: [u32; 3],
        /// The seed of the draw.
        seed: u64,
    },
    /// Each line says where it belongs ([`Part`]). Where no line is for validation, the last line of a tenth of the
    /// training's customers, none of whom is learnt from, takes its place.
    Given,
}

/// What is judged: settings, or what was made with them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// Settings are chosen here: cut in the same way inside the training part.
    Validation,
    /// Reported on; only once settings are chosen.
    Test {
        /// Whether what validation judges is learnt from; else it is only known of its customers.
        fit_validation: bool,
    },
}

/// Whether a key is among a share of all keys; another seed draws anew.
pub fn is_drawn(key: u64, seed: u64, share: f64) -> bool {
    (mix(key ^ mix(seed)) >> 11) as f64 <= share * (1_u64 << 53) as f64
}

impl Split {
    /// The folds of a stage: one, or one per rolling week, the earliest first.
    ///
    /// # Errors
    /// `T0731` (data) when nothing is left to learn from or nobody to judge; `T0733` (config) for shares, days or
    /// weeks that are none.
    pub fn folds<'a>(&self, histories: &'a Histories, stage: Stage) -> Result<Vec<Fold<'a>>> {
        self.check()?;
        let folds = match (*self, stage) {
            (Self::RollingWeeks { weeks }, _) => rolling(histories, weeks, stage),
            (Self::Given, Stage::Validation) => vec![whole(histories, given_validation(histories))],
            (_, Stage::Validation) => {
                let test = self.roles(histories, None);
                let mut fold = whole(histories, self.roles(histories, Some(&test.0)).0);
                fold.as_of = match *self {
                    Self::Time { from, days } => Some(earlier(histories, from, days)),
                    _ => None,
                };
                vec![fold]
            }
            (_, Stage::Test { fit_validation }) => {
                let (mut roles, as_of) = self.roles(histories, None);
                if !fit_validation {
                    let validation = self.folds(histories, Stage::Validation)?;
                    known_only(&mut roles, &validation);
                }
                vec![Fold { as_of, ..whole(histories, roles) }]
            }
        };
        folds.iter().try_for_each(check_fold)?;
        Ok(folds)
    }

    fn check(&self) -> Result<()> {
        let (fault, hint) = match *self {
            Self::Random { shares, .. } if shares.contains(&0) => {
                ("a share of the random split is 0", "give three shares, such as 8:1:1")
            }
            Self::RollingWeeks { weeks } if !(1..=WEEKS_MAX).contains(&weeks) => {
                ("the rolling weeks are none, or too many", "give a number of weeks, such as 4")
            }
            Self::Time { days: Some(0), .. } => {
                ("no day is to be judged", "give a number of days, such as 28")
            }
            _ => return Ok(()),
        };
        Err(Error::config("T0733", fault).hint(hint))
    }

    /// The roles of all lines; with `test`, those inside its training part, its truth being out of sight.
    fn roles(&self, histories: &Histories, test: Option<&[Role]>) -> (Vec<Role>, Option<i32>) {
        let visible = |at: usize| test.is_none_or(|roles| roles[at] == Role::Fit);
        let lines = histories.lines();
        let mut roles: Vec<Role> =
            (0..lines.len()).map(|at| if visible(at) { Role::Fit } else { Role::Hidden }).collect();
        let mut as_of = None;
        match *self {
            Self::LeaveLastOut => per_customer(histories, &mut roles, |customer, own, roles| {
                let fit: Vec<usize> = own.filter(|at| roles[*at] == Role::Fit).collect();
                if let Some(last) = last_out(histories, customer, &fit) {
                    roles[last] = Role::Truth;
                }
            }),
            Self::LeaveLastBasket => per_customer(histories, &mut roles, |_, own, roles| {
                let fit: Vec<usize> = own.filter(|at| roles[*at] == Role::Fit).collect();
                let Some(last) = fit.last().map(|at| lines[*at].order) else { return };
                if fit.iter().any(|at| lines[*at].order != last) {
                    fit.iter()
                        .filter(|at| lines[**at].order == last)
                        .for_each(|at| roles[*at] = Role::Truth);
                }
            }),
            Self::Time { from, days } => {
                let until = days.map(|days| i64::from(from) + i64::from(days));
                let (from, until) = match test {
                    None => (from, until),
                    Some(_) => (earlier(histories, from, days), Some(i64::from(from))),
                };
                as_of = Some(from);
                cut(histories, &mut roles, from, until);
            }
            Self::Random { shares, seed } => {
                per_customer(histories, &mut roles, |customer, own, roles| {
                    let key = mix(histories.customer_key(customer) ^ mix(seed));
                    draw(histories, key, own, shares, test.is_some(), roles);
                });
            }
            Self::Given => lines.iter().zip(&mut roles).for_each(|(line, role)| {
                *role = match line.part {
                    Part::Train | Part::Validation => Role::Fit,
                    Part::Query => Role::Known,
                    Part::Test => Role::Truth,
                };
            }),
            Self::RollingWeeks { .. } => (),
        }
        (roles, as_of)
    }
}

fn whole(histories: &Histories, roles: Vec<Role>) -> Fold<'_> {
    Fold { histories, name: String::new(), as_of: None, roles }
}

fn per_customer(
    histories: &Histories,
    roles: &mut [Role],
    set: impl Fn(u32, Range<usize>, &mut [Role]),
) {
    histories.everybody().for_each(|customer| set(customer, histories.range(customer), roles));
}

/// Which of a customer's lines is the last, where there are two or more: lines of one order have no order among
/// themselves but that of products' ids, so that the least hash is taken of the last order's.
fn last_out(histories: &Histories, customer: u32, own: &[usize]) -> Option<usize> {
    let [.., _, last] = own else { return None };
    let lines = histories.lines();
    let key = mix(histories.customer_key(customer));
    let hash = |at: &usize| mix(key ^ histories.product_key(lines[*at].product));
    let of_last = own.iter().filter(|at| lines[**at].order == lines[*last].order);
    of_last.min_by_key(|at| (hash(at), **at)).copied()
}

/// What lies before a day is known, what lies from it on and before `until` is judged.
fn cut(histories: &Histories, roles: &mut [Role], from: i32, until: Option<i64>) {
    for (line, role) in histories.lines().iter().zip(roles) {
        if line.day >= from {
            let judged = until.is_none_or(|until| i64::from(line.day) < until);
            *role = if judged { Role::Truth } else { Role::Hidden };
        }
    }
}

/// The first day that validation judges: as many days before `from` as the test has.
fn earlier(histories: &Histories, from: i32, days: Option<u32>) -> i32 {
    let last = histories.lines().iter().map(|line| line.day).max().unwrap_or(from);
    let days = days.map_or(i64::from(last) - i64::from(from) + 1, i64::from).max(1);
    i32::try_from(i64::from(from) - days).unwrap_or(i32::MIN)
}

/// One fold per week; validation takes the weeks before those of the test.
fn rolling(histories: &Histories, weeks: u32, stage: Stage) -> Vec<Fold<'_>> {
    let last = histories.lines().iter().map(|line| line.day).max().unwrap_or(0);
    let weeks = weeks.min(WEEKS_MAX) as i32;
    let start = |back: i32| last.saturating_add(1).saturating_sub(back * WEEK);
    let backs = match stage {
        Stage::Validation => weeks + 1..=2 * weeks,
        Stage::Test { .. } => 1..=weeks,
    };
    let held_back = |day: i32| {
        stage == (Stage::Test { fit_validation: false })
            && (start(2 * weeks)..start(weeks)).contains(&day)
    };
    backs
        .rev()
        .map(|back| {
            let from = start(back);
            let mut roles = vec![Role::Fit; histories.lines().len()];
            cut(histories, &mut roles, from, Some(i64::from(from) + i64::from(WEEK)));
            for (line, role) in histories.lines().iter().zip(&mut roles) {
                if *role == Role::Fit && held_back(line.day) {
                    *role = Role::Known;
                }
            }
            // The earliest week is the first of its stage.
            let number = if back > weeks { 2 * weeks - back } else { weeks - back } + 1;
            let name = format!("week {number}");
            Fold { name, as_of: Some(from), ..whole(histories, roles) }
        })
        .collect()
}

/// Draws a customer's lines: the least hashes are the test, the next validation, counts rounded down.
fn draw(
    histories: &Histories,
    key: u64,
    own: Range<usize>,
    shares: [u32; 3],
    is_validation: bool,
    roles: &mut [Role],
) {
    let lines = histories.lines();
    let hash = |line: &Line| {
        mix(key ^ mix(histories.product_key(line.product)) ^ mix(line.day as u64).rotate_left(7))
    };
    let count = own.len() as u64;
    let mut drawn: Vec<(u64, u32, usize)> =
        own.map(|at| (hash(&lines[at]), lines[at].order, at)).collect();
    drawn.sort_unstable();
    let total: u64 = shares.iter().map(|share| u64::from(*share)).sum();
    let of = |share: u32| (count * u64::from(share) / total) as usize;
    let (test, validation) = (of(shares[2]), of(shares[1]));
    for (place, (_, _, at)) in drawn.into_iter().enumerate() {
        roles[at] = match (place < test, place < test + validation, is_validation) {
            (true, _, false) | (false, true, true) => Role::Truth,
            (true, _, true) => Role::Hidden,
            _ => Role::Fit,
        };
    }
}

/// Validation where the table says what is judged.
fn given_validation(histories: &Histories) -> Vec<Role> {
    let lines = histories.lines();
    if lines.iter().any(|line| line.part == Part::Validation) {
        let role = |line: &Line| match line.part {
            Part::Train => Role::Fit,
            Part::Validation => Role::Truth,
            Part::Query | Part::Test => Role::Hidden,
        };
        return lines.iter().map(role).collect();
    }
    let mut roles: Vec<Role> = lines
        .iter()
        .map(|line| if line.part == Part::Train { Role::Fit } else { Role::Hidden })
        .collect();
    for customer in histories.everybody() {
        let key = histories.customer_key(customer);
        let own: Vec<usize> =
            histories.range(customer).filter(|at| roles[*at] == Role::Fit).collect();
        if let Some(last) = last_out(histories, customer, &own)
            && is_drawn(key, 0, HELD_OUT_SHARE)
        {
            own.iter().for_each(|at| roles[*at] = Role::Known);
            roles[last] = Role::Truth;
        }
    }
    roles
}

/// What validation judges is known, and no longer learnt from.
fn known_only(roles: &mut [Role], validation: &[Fold<'_>]) {
    for fold in validation {
        for (role, judged) in roles.iter_mut().zip(&fold.roles) {
            if *role == Role::Fit && *judged == Role::Truth {
                *role = Role::Known;
            }
        }
    }
}

fn check_fold(fold: &Fold<'_>) -> Result<()> {
    let place = if fold.name.is_empty() { String::new() } else { format!("{}: ", fold.name) };
    if !fold.roles.contains(&Role::Fit) {
        return Err(Error::data("T0731", format!("{place}nothing is left to learn from"))
            .hint("give more history, or judge a later or shorter time"));
    }
    if fold.judged().is_empty() {
        return Err(Error::data("T0731", format!("{place}nobody is left to judge")).hint(
            "a customer is judged when something is known of them and something is held back",
        ));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEST: Stage = Stage::Test { fit_validation: true };

    /// One customer per text: `3a 4b 4c` is product `a` on day 3, `b` and `c` on day 4; a day is an order. A mark
    /// behind says what the table says: `?` query, `!` validation, `*` test.
    fn histories(customers: &[&str]) -> Histories {
        let line = |(customer, word): (usize, &str)| {
            let mark = word.chars().last().unwrap();
            let part = match mark {
                '?' => Part::Query,
                '!' => Part::Validation,
                '*' => Part::Test,
                _ => Part::Train,
            };
            let word = word.trim_end_matches(['?', '!', '*']);
            let (day, product) = word.split_at(word.len() - 1);
            let day: i32 = day.parse().unwrap();
            let product = u32::from(product.as_bytes()[0] - b'a');
            (customer as u32, Line { day, order: day as u32, product, spend_minor: 1, part })
        };
        let words = customers.iter().enumerate();
        let lines = words.flat_map(|(at, text)| text.split(' ').map(move |word| (at, word)));
        let keys = |count: u64| (0..count).map(mix).collect::<Vec<u64>>();
        Histories::new(keys(customers.len() as u64), keys(26), lines.map(line).collect()).unwrap()
    }

    /// The roles as one letter each: what is fitted, known, to be found, hidden.
    fn roles(fold: &Fold<'_>) -> String {
        let letter = |role: &Role| match role {
            Role::Fit => 'f',
            Role::Known => 'k',
            Role::Truth => 'T',
            Role::Hidden => '-',
        };
        fold.roles.iter().map(letter).collect()
    }

    #[test]
    fn each_split_cuts_as_it_says() {
        let known_only = Stage::Test { fit_validation: false };
        let check = |split: Split, customers: &[&str], expect: [&str; 3]| {
            let histories = histories(customers);
            for (stage, expect) in [TEST, Stage::Validation, known_only].into_iter().zip(expect) {
                let folds = split.folds(&histories, stage).unwrap();
                let found: Vec<String> = folds.iter().map(roles).collect();
                assert_eq!(found.join(" "), expect, "{split:?} {stage:?}");
            }
        };
        let two = ["1a 2b 3c 3d", "5a"];
        check(Split::LeaveLastOut, &two, ["ffTff", "ff-Tf", "ffTkf"]);
        check(Split::LeaveLastBasket, &two, ["ffTTf", "fT--f", "fkTTf"]);
        let days = ["1a 5b 8c 9d", "2a 3b 6a 7b"];
        let time = |days| Split::Time { from: 7, days };
        check(time(None), &days, ["ffTTfffT", "fT--ffT-", "fkTTffkT"]);
        check(time(Some(2)), &days, ["ffT-fffT", "fT--ffT-", "fkT-ffkT"]);
        let weeks = ["1a 8b 15c 22d 29e"];
        let rolling = Split::RollingWeeks { weeks: 2 };
        check(rolling, &weeks, ["fffT- ffffT", "fT--- ffT--", "fkkT- fkkfT"]);
        let marked = ["1a 2b! 3c*", "1a 2b"];
        check(Split::Given, &marked, ["ffTff", "fT-ff", "fkTff"]);
    }

    #[test]
    fn the_last_of_an_order_is_drawn_by_a_hash() {
        let texts = vec!["1a 1z 2b 2c 2d"; 400];
        let histories = histories(&texts);
        let test = &Split::LeaveLastOut.folds(&histories, TEST).unwrap()[0];
        let mut counts = [0; 3];
        for own in roles(test).as_bytes().chunks(5) {
            let place = own.iter().position(|role| *role == b'T').unwrap();
            assert_eq!(own.iter().filter(|role| **role == b'T').count(), 1);
            counts[place - 2] += 1;
        }
        assert!(counts.iter().all(|count| (90..=180).contains(count)), "{counts:?}");
        let validation = &Split::LeaveLastOut.folds(&histories, Stage::Validation).unwrap()[0];
        for (test, validation) in roles(test).chars().zip(roles(validation).chars()) {
            assert_eq!(test == 'T', validation == '-', "what is tested is out of sight");
        }
        // More customers change nobody's.
        let one = super::tests::histories(&texts[..1]);
        let alone = &Split::LeaveLastOut.folds(&one, TEST).unwrap()[0];
        assert_eq!(roles(alone), roles(test)[..5]);
    }

    #[test]
    fn a_session_that_is_asked_for_is_not_learnt_from() {
        let sessions: Vec<String> = (0..40).map(|_| "1a 2b 3c".to_owned()).collect();
        let mut texts: Vec<&str> = sessions.iter().map(String::as_str).collect();
        texts.push("1a? 2d*");
        let histories = histories(&texts);
        let test = &Split::Given.folds(&histories, TEST).unwrap()[0];
        assert_eq!((test.judged(), roles(test)), (vec![40], format!("{}kT", "fff".repeat(40))));
        let validation = &Split::Given.folds(&histories, Stage::Validation).unwrap()[0];
        let judged = validation.judged();
        assert!((1..=10).contains(&judged.len()), "{judged:?}");
        for (customer, own) in roles(validation).as_bytes().chunks(3).enumerate() {
            let expect = match judged.contains(&(customer as u32)) {
                true => "kkT",
                false if customer == 40 => "--",
                false => "fff",
            };
            assert_eq!(std::str::from_utf8(own).unwrap(), expect);
        }
    }

    #[test]
    fn a_draw_hangs_on_its_customer_alone() {
        let long: String = (1..=20).map(|day| format!("{day}{} ", (b'a' + day) as char)).collect();
        let split = Split::Random { shares: [8, 1, 1], seed: 3 };
        let alone = histories(&[long.trim()]);
        let roles_of = |histories: &Histories, split: Split, stage| {
            let fold = &split.folds(histories, stage).unwrap()[0];
            roles(fold)[..20].to_owned()
        };
        let (test, validation) =
            (roles_of(&alone, split, TEST), roles_of(&alone, split, Stage::Validation));
        let count = |text: &str, letter| text.matches(letter).count();
        assert_eq!((count(&test, 'T'), count(&test, 'f')), (2, 18));
        assert_eq!((count(&validation, 'T'), count(&validation, '-')), (2, 2));
        for (test, validation) in test.chars().zip(validation.chars()) {
            assert_eq!(test == 'T', validation == '-', "what is tested is out of sight");
        }
        let beside = histories(&[long.trim(), "1a 2b"]);
        assert_eq!(roles_of(&beside, split, TEST), test);
        let other = Split::Random { shares: [8, 1, 1], seed: 4 };
        assert_ne!(roles_of(&alone, other, TEST), test);
    }

    #[test]
    fn what_cannot_be_cut_is_refused() {
        let check = |split: Split, customers: &[&str], stage, expect: &str| {
            let histories = histories(customers);
            let error = split.folds(&histories, stage).unwrap_err();
            assert!(error.hint_text().is_some());
            assert_eq!(error.code(), expect, "{error}");
        };
        check(Split::LeaveLastOut, &["1a", "2b"], TEST, "T0731");
        check(Split::LeaveLastOut, &["1a 2b"], Stage::Validation, "T0731");
        check(Split::Time { from: 0, days: None }, &["1a 2b"], TEST, "T0731");
        check(Split::Time { from: 9, days: None }, &["1a 2b"], TEST, "T0731");
        check(Split::RollingWeeks { weeks: 9 }, &["1a 9b"], TEST, "T0731");
        check(Split::Given, &["1a 2b"], TEST, "T0731");
        check(Split::Time { from: 2, days: Some(0) }, &["1a 2b"], TEST, "T0733");
        check(Split::RollingWeeks { weeks: 0 }, &["1a 2b"], TEST, "T0733");
        check(Split::RollingWeeks { weeks: u32::MAX }, &["1a 2b"], TEST, "T0733");
        check(Split::Random { shares: [8, 0, 2], seed: 1 }, &["1a 2b"], TEST, "T0733");
        let nobody = Histories::new(vec![], vec![], vec![]).unwrap();
        assert_eq!(Split::LeaveLastOut.folds(&nobody, TEST).unwrap_err().code(), "T0731");
        let line = Line { day: 1, order: 1, product: 3, spend_minor: 0, part: Part::Train };
        let outside = Histories::new(vec![1], vec![1], vec![(0, line)]);
        assert_eq!(outside.unwrap_err().code(), "T0730");
    }
}
