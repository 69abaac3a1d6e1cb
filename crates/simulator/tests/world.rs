//! Does the world keep to what it says of itself?
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::allow_attributes,
    reason = "a failed test should stop at once"
)]

use std::collections::BTreeMap;

use proptest::prelude::*;
use tercet_simulator::{
    Block, Column, Customer, Events, Margins, REFERENCE, REFERENCE_WEEKS, ResponseClass, Settings,
    Size, State, Table, World,
};
use tercet_types::segment::Behaviour;

const SMALL: Size = Size { customers: 300, products: 600, promotions: 40, weeks: 6 };

fn world(size: Size, seed: u64, change: impl FnOnce(&mut Settings)) -> World {
    let mut settings = Settings::default();
    change(&mut settings);
    World::new(settings, size, seed).unwrap()
}

fn ints<'a>(table: &'a Table, name: &str) -> &'a [i64] {
    match table.column(name) {
        Some(Column::Int(values) | Column::Instant(values)) => values,
        other => panic!("{name}: {other:?}"),
    }
}

fn days<'a>(table: &'a Table, name: &str) -> &'a [i32] {
    match table.column(name) {
        Some(Column::Day(values)) => values,
        other => panic!("{name}: {other:?}"),
    }
}

/// Puts the rows of blocks below each other.
fn joined(blocks: &[Block]) -> (String, Margins) {
    let mut rows: BTreeMap<(usize, &str), Vec<String>> = BTreeMap::new();
    let mut margins = Margins::default();
    for block in blocks {
        margins.merge(&block.margins);
        for (number, table) in block.tables.iter().chain(&block.truth).enumerate() {
            for (name, column) in &table.columns {
                let values = rows.entry((number, name)).or_default();
                match column {
                    Column::Int(v) | Column::Instant(v) => {
                        values.extend(v.iter().map(i64::to_string))
                    }
                    Column::Day(v) => values.extend(v.iter().map(i32::to_string)),
                    Column::Real(v) => {
                        values.extend(v.iter().map(|x| format!("{:x}", x.to_bits())))
                    }
                    Column::IntOrNull(v) => values.extend(v.iter().map(|x| format!("{x:?}"))),
                    Column::DayOrNull(v) => values.extend(v.iter().map(|x| format!("{x:?}"))),
                    Column::Flag(v) => values.extend(v.iter().map(bool::to_string)),
                    Column::Word(v, words) => {
                        values.extend(v.iter().map(|&x| words[usize::from(x)].to_owned()));
                    }
                    Column::Text(v) => values.extend(v.iter().cloned()),
                }
            }
        }
    }
    (format!("{rows:?}"), margins)
}

#[test]
fn rows_do_not_depend_on_blocks_or_threads() {
    let world = world(SMALL, 3, |_| {});
    let cut = |size: u32| -> Vec<Block> {
        let starts: Vec<u32> = (0..SMALL.customers).step_by(size as usize).collect();
        // A thread a block, started last first.
        std::thread::scope(|scope| {
            let threads: Vec<_> = starts
                .iter()
                .rev()
                .map(|&from| {
                    let world = &world;
                    scope.spawn(move || {
                        world.block(from..(from + size).min(SMALL.customers), |c| c % 2 == 0)
                    })
                })
                .collect();
            let mut blocks: Vec<Block> = threads.into_iter().map(|t| t.join().unwrap()).collect();
            blocks.reverse();
            blocks
        })
    };
    let whole = joined(&cut(SMALL.customers));
    assert!(whole.0.len() > 1_000_000, "{}", whole.0.len());
    assert!(whole == joined(&cut(37)), "another cut gives other rows");
    assert!(whole == joined(&cut(100)), "another cut gives other rows");
    let other = World::new(Settings::default(), SMALL, 4).unwrap();
    assert!(whole.0 != joined(&[other.block(0..SMALL.customers, |_| true)]).0);
}

#[test]
fn margins_come_near_the_real_shop() {
    let file: BTreeMap<String, f64> =
        serde_json::from_str(include_str!("../calibration/complete_journey.json")).unwrap();
    assert_eq!(file.len(), REFERENCE.len());
    // What the seeds differ by at this size, and what is known to be off.
    let bands = [0.15, 0.25, 0.15, 0.25, 0.25, 0.15, 0.34, 0.1, 0.08, 0.6];
    let size = Size { customers: 1_000, products: 20_000, promotions: 300, weeks: REFERENCE_WEEKS };
    let block = world(size, 11, |_| {}).block(0..size.customers, |_| true);
    for (((name, found), (known, expected)), band) in
        block.margins.values(size.weeks).into_iter().zip(REFERENCE).zip(bands)
    {
        assert_eq!(name, known);
        assert_eq!(file[name], expected, "{name}: the constant is not what was measured");
        assert!((found / expected - 1.0).abs() <= band, "{name}: {found}, the real one {expected}");
    }
}

/// Lines and orders of a customer in a week, with and without offers.
fn twice(world: &World, index: u32, week: u32, offers: &[u32]) -> (Events, Events) {
    let customer = world.customer(index);
    let run = |last: &[u32]| {
        let mut state = world.begin(&customer);
        let mut before = Events::default();
        for earlier in 0..week {
            world.week(&customer, earlier, &mut state, &[], &mut before);
        }
        let mut events = Events::default();
        world.week(&customer, week, &mut state, last, &mut events);
        events
    };
    (run(offers), run(&[]))
}

#[test]
fn an_offer_brings_what_the_truth_says() {
    let size = Size { customers: 3_000, products: 600, promotions: 20, weeks: 4 };
    let strong = |settings: &mut Settings| {
        settings.response.uplift = 0.15;
        settings.purchases.return_rate = 0.0;
        settings.products.discontinued_share = 0.0;
        settings.products.launch_share = 0.0;
    };
    let world = world(size, 5, strong);
    let (mut expected, mut variance, mut extra) = (0.0, 0.0, 0_i64);
    let (mut lost, mut cheaper_used) = (0_i64, 0);
    for index in 0..size.customers {
        let customer = world.customer(index);
        let offers = &world.running(1)[..2];
        let (with, without) = twice(&world, index, 1, offers);
        let more = with.lines.order_id.len() as i64 - without.lines.order_id.len() as i64;
        assert_eq!(with.visits, without.visits, "offers do not move what is looked at");
        match customer.class {
            ResponseClass::Persuadable if customer.behaviour != Behaviour::BrowsingOnly => {
                for &offer in offers {
                    let q = world.uplift(&customer, 1, 0.0, offer);
                    expected += q;
                    variance += q * (1.0 - q);
                }
                extra += more;
            }
            ResponseClass::PutOff => {
                assert!(more <= 0, "{more}");
                lost -= more;
            }
            _ => {
                assert_eq!(with.lines.order_id, without.lines.order_id);
                cheaper_used += with.used.customer_id.len();
            }
        }
    }
    assert!(expected > 100.0, "{expected}");
    let error = (extra as f64 - expected).abs() / f64::sqrt(variance);
    assert!(error < 4.0, "{extra} extra lines, the truth says {expected}: {error} standard errors");
    assert!(lost > 0, "nobody was put off");
    assert!(cheaper_used > 0, "nobody only got it cheaper");
}

#[test]
fn chance_can_be_drawn_again_and_effects_are_those_of_the_truth_on_average() {
    const DRAWS: u64 = 400;
    let world = world(SMALL, 7, |settings| {
        settings.response.uplift = 0.15;
        settings.purchases.return_rate = 0.0;
        settings.products.discontinued_share = 0.0;
        settings.products.launch_share = 0.0;
    });
    let offers = &world.running(1)[..2];
    let rows = |customer: &Customer, chance: u64, offers: &[u32]| {
        let mut state = State { chance, ..world.begin(customer) };
        let (mut whole, mut bought) = (Events::default(), Events::default());
        world.week(customer, 1, &mut state.clone(), offers, &mut whole);
        world.purchases(customer, 1, &mut state, offers, &mut bought);
        assert_eq!((&whole.lines, &whole.used), (&bought.lines, &bought.used));
        assert!(bought.visits.event.is_empty());
        whole.lines
    };
    let moved = |customer: &Customer| world.uplift(customer, 1, 0.0, offers[0]) > 0.05;
    let customer = (0..SMALL.customers).map(|index| world.customer(index)).find(moved).unwrap();
    assert_eq!(rows(&customer, world.seed(), offers), rows(&customer, world.seed(), offers));
    // Somebody who orders seldom has weeks that are alike: empty ones.
    let first = rows(&customer, 1, offers);
    assert!((2..20).any(|chance| rows(&customer, chance, offers) != first));
    let expected: f64 = offers.iter().map(|&o| world.uplift(&customer, 1, 0.0, o)).sum();
    let lines = |chance, offers: &[u32]| rows(&customer, chance, offers).order_id.len() as f64;
    let extra: f64 = (0..DRAWS).map(|chance| lines(chance, offers) - lines(chance, &[])).sum();
    let (found, error) = (extra / DRAWS as f64, (expected / DRAWS as f64).sqrt());
    assert!((found - expected).abs() < 4.0 * error, "{found} lines a week, not {expected}");
}

#[test]
fn contacts_tire_and_better_customers_get_more() {
    let world = world(SMALL, 6, |_| {});
    let tired = (0..SMALL.customers)
        .map(|index| world.customer(index))
        .find(|customer| customer.responsiveness > 0.0 && customer.fatigue > 0.01);
    let tired = tired.unwrap();
    let offer = world.running(2)[0];
    let fresh = world.uplift(&tired, 2, 0.0, offer);
    let after = world.uplift(&tired, 2, 3.0, offer);
    assert!((after / fresh - (-3.0 * tired.fatigue).exp()).abs() < 1e-12);
    let mut state = world.begin(&tired);
    world.week(&tired, 0, &mut state, &[offer], &mut Events::default());
    world.week(&tired, 1, &mut state, &[], &mut Events::default());
    assert!((state.contacts - world.settings().response.fatigue_memory).abs() < 1e-12);

    let mut rates: Vec<(f64, usize)> = (0..SMALL.customers)
        .map(|index| world.customer(index))
        .filter(|customer| customer.orders_per_week > 0.0)
        .map(|customer| {
            let sent =
                (0..SMALL.weeks).map(|week| world.legacy_offers(&customer, week).len()).sum();
            (customer.orders_per_week, sent)
        })
        .collect();
    rates.sort_by(|a, b| a.0.total_cmp(&b.0));
    let half = rates.len() / 2;
    let mean = |part: &[(f64, usize)]| {
        part.iter().map(|(_, sent)| *sent as f64).sum::<f64>() / part.len() as f64
    };
    let (low, high) = (mean(&rates[..half]), mean(&rates[half..]));
    assert!(high > 1.4 * low && low > 0.0, "{low} {high}");
}

#[test]
fn rows_are_of_their_time_and_refer_to_what_there_is() {
    let world = world(SMALL, 8, |s| {
        s.promotions.depth_min = 0.2;
        s.products.launch_share = 0.06;
    });
    let fixed = world.fixed_tables();
    let block = world.block(0..SMALL.customers, |_| true);
    let of = |name: &str| block.tables.iter().find(|table| table.name == name).unwrap();
    let (products, promotions) = (&fixed[0], &fixed[1]);
    assert_eq!((products.rows(), promotions.rows()), (600, 40));
    let start = world.as_of_day() - 7 * SMALL.weeks as i32;
    let inside = |day: i64| (i64::from(start)..i64::from(world.as_of_day())).contains(&day);
    let lines = of("transactions");
    let (Some(Column::DayOrNull(launched)), Some(Column::DayOrNull(ended))) =
        (products.column("launched_on"), products.column("discontinued_on"))
    else {
        panic!("products")
    };
    assert!(launched.iter().flatten().count() > 20 && ended.iter().flatten().count() > 10);
    for (at, product) in ints(lines, "occurred_at").iter().zip(ints(lines, "product_id")) {
        let day = at.div_euclid(86_400_000_000);
        assert!(inside(day));
        let product = *product as usize - 1;
        // A week is the grain of the shelf; a line brought back came from the same week.
        assert!(launched[product].is_none_or(|launch| i64::from(launch) <= day));
        assert!(ended[product].is_none_or(|end| day < i64::from(end)));
    }
    let visits = of("interactions");
    assert!(ints(visits, "occurred_at").iter().all(|at| inside(at.div_euclid(86_400_000_000))));
    let (from, to) = (days(promotions, "valid_from"), days(promotions, "valid_to"));
    let used = of("redemptions");
    assert!(used.rows() > 0);
    for (promotion, day) in ints(used, "promotion_id").iter().zip(days(used, "redeemed_on")) {
        let promotion = *promotion as usize - 1;
        assert!((from[promotion]..=to[promotion]).contains(day), "used outside its window");
    }
    let Some(Column::Word(mechanics, words)) = promotions.column("mechanic") else { panic!() };
    let kinds: std::collections::BTreeSet<&str> =
        mechanics.iter().map(|&m| words[usize::from(m)]).collect();
    assert!(kinds.len() >= 3, "{kinds:?}");
    assert!(!world.running(SMALL.weeks).is_empty(), "nothing to decide for");
    // Amounts are what is left of the price, and never negative on a sale.
    let (Some(Column::Real(quantity)), amounts) =
        (lines.column("quantity"), ints(lines, "amount_minor"))
    else {
        panic!()
    };
    assert!(
        quantity
            .iter()
            .zip(amounts)
            .all(|(q, amount)| (*q > 0.0) == (*amount >= 0) || *amount == 0)
    );
    assert!(quantity.iter().any(|q| *q < 0.0), "no returns");
}

#[test]
fn own_price_elasticity_is_the_one_configured() {
    let size = Size { customers: 400, products: 2_000, promotions: 1, weeks: 4 };
    let share = |elasticity: f64| {
        let world = world(size, 12, |s| {
            s.purchases.elasticity = elasticity;
            s.purchases.elasticity_spread = 0.0;
            // Low, so that no reduction reaches a chance of one; without needs, which wait until accepted.
            s.purchases.accept_rate = 0.2;
            s.purchases.needs_mean = 0.0;
            s.products.demand_spread = 0.0; // Else a few products decide.
            s.products.shelf_rate = 0.5;
            s.products.shelf_depth_min = 0.3;
            s.products.shelf_depth_max = 0.3;
        });
        let block = world.block(0..size.customers, |_| true);
        let lines = block.tables.iter().find(|table| table.name == "transactions").unwrap();
        let reduced = ints(lines, "discount_minor").iter().filter(|minor| **minor > 0).count();
        let sales = ints(lines, "amount_minor").iter().filter(|minor| **minor > 0).count();
        reduced as f64 / sales as f64
    };
    for elasticity in [0.0, 1.5, 3.0] {
        // Half of the products are 30 % cheaper, and bought 0.7^-e times as often.
        let more = 0.7_f64.powf(-elasticity);
        let expected = more / (1.0 + more);
        let found = share(elasticity);
        assert!(
            (found - expected).abs() < 0.03,
            "elasticity {elasticity}: {found}, not {expected}"
        );
    }
}

#[test]
fn who_logs_in_late_is_nameless_until_then_and_bots_always() {
    let world = world(SMALL, 13, |s| s.browsing.bot_share = 0.05);
    let block = world.block(0..SMALL.customers, |_| true);
    let visits = block.tables.iter().find(|table| table.name == "interactions").unwrap();
    let (
        Some(Column::Word(events, names)),
        Some(Column::IntOrNull(customers)),
        Some(Column::Word(agents, said)),
    ) = (visits.column("event_type"), visits.column("customer_id"), visits.column("user_agent"))
    else {
        panic!("interactions")
    };
    let mut logged_in: BTreeMap<i64, bool> = BTreeMap::new();
    let (mut bots, mut nameless, mut logins) = (0, 0, 0);
    for (row, visitor) in ints(visits, "visitor_id").iter().enumerate() {
        if said[usize::from(agents[row])].contains("Bot") {
            assert_eq!(customers[row], None);
            bots += 1;
            continue;
        }
        let customer = world.customer(((visitor - 1) / 2) as u32);
        let known = logged_in.entry(*visitor).or_insert(customer.login_week == 0);
        if names[usize::from(events[row])] == "login" {
            assert!(!*known, "logs in twice");
            (*known, logins) = (true, logins + 1);
        }
        assert_eq!(customers[row], known.then(|| i64::from(customer.index) + 1));
        nameless += usize::from(!*known);
    }
    assert!(bots > 100 && nameless > 100 && logins > 20, "{bots} {nameless} {logins}");
}

fn reals<'a>(table: &'a Table, name: &str) -> &'a [f64] {
    match table.column(name) {
        Some(Column::Real(values)) => values,
        other => panic!("{name}: {other:?}"),
    }
}

fn texts(table: &Table, name: &str) -> Vec<String> {
    match table.column(name) {
        Some(Column::Text(values)) => values.clone(),
        Some(Column::Word(places, words)) => {
            places.iter().map(|&place| words[usize::from(place)].to_owned()).collect()
        }
        other => panic!("{name}: {other:?}"),
    }
}

/// The formula of `truth.md`, from the tables alone.
#[test]
fn the_tables_of_the_truth_hold_the_whole_effect() {
    let world = world(SMALL, 14, |s| {
        s.products.launch_share = 0.3;
        s.response.need_products_max = 40; // Fewer than a department has.
        s.response.type_factor = 3.0;
    });
    let block = world.block(0..SMALL.customers, |_| false);
    let (people, needs) = (&block.truth[0], &block.truth[1]);
    let truth = world.truth_tables();
    let of = |name: &str| truth.iter().find(|table| table.name == name).unwrap();
    let fixed = world.fixed_tables();
    let departments = texts(&fixed[0], "department");
    let (types, brands) = (texts(&fixed[0], "product_type"), texts(&fixed[0], "brand"));
    let Some(Column::DayOrNull(launched)) = fixed[0].column("launched_on") else { panic!() };
    let tastes: BTreeMap<(i64, String), f64> = ints(of("segments"), "segment")
        .iter()
        .copied()
        .zip(texts(of("segments"), "department"))
        .zip(reals(of("segments"), "taste").iter().copied())
        .collect();
    let rows: Vec<(i64, String, String)> = ints(&fixed[2], "promotion_id")
        .iter()
        .zip(texts(&fixed[2], "level"))
        .zip(texts(&fixed[2], "value"))
        .map(|((&id, level), value)| (id, level, value))
        .collect();
    let covers = |promotion: i64, product: usize| {
        rows.iter().filter(|row| row.0 == promotion).any(|(_, level, value)| match level.as_str() {
            "product" => *value == (product + 1).to_string(),
            "product_type" => *value == types[product],
            "brand" => *value == brands[product],
            _ => *value == departments[product],
        })
    };
    let mut favourites: BTreeMap<i64, Vec<usize>> = BTreeMap::new();
    for (customer, product) in ints(needs, "customer_id").iter().zip(ints(needs, "product_id")) {
        favourites.entry(*customer).or_default().push(*product as usize - 1);
    }
    let mut liked: BTreeMap<i64, Vec<String>> = BTreeMap::new();
    let interests = &block.truth[2];
    let numbers = ints(interests, "product_type_number");
    for (customer, number) in ints(interests, "customer_id").iter().zip(numbers) {
        liked.entry(*customer).or_default().push(format!("Type {number}"));
    }
    let (week, contacts, settings) = (3, 1.7, world.settings());
    let start = world.as_of_day() - 7 * SMALL.weeks as i32;
    let (mut moved, mut new, mut by_type, mut by_interest) = (0, 0, 0, 0);
    for row in 0..people.rows() {
        let value = |name: &str| reals(people, name)[row];
        let id = ints(people, "customer_id")[row];
        for &promotion in world.running(week) {
            let focus = ints(of("promotions"), "focus_product_id")[promotion as usize] as usize - 1;
            let taste =
                |segment: &str| tastes[&(ints(people, segment)[row], departments[focus].clone())];
            let share = value("segment_1_share");
            let held = |p: usize| covers(i64::from(promotion) + 1, p);
            let narrow = (0..departments.len()).filter(|&p| held(p)).count()
                <= settings.response.need_products_max as usize;
            let needed =
                narrow && favourites.get(&id).is_some_and(|ids| ids.iter().any(|&p| held(p)));
            let is_liked = narrow
                && !needed
                && liked.get(&id).is_some_and(|names| names.contains(&types[focus]));
            let is_new = launched[focus].is_some_and(|day| {
                let first = (day - start) / 7;
                (first..first + settings.purchases.novelty_weeks as i32).contains(&(week as i32))
            });
            let of_need = favourites
                .get(&id)
                .is_some_and(|ids| ids.iter().any(|&p| types[p] == types[focus]));
            let is_of_type = narrow && !needed && of_need;
            let q = value("responsiveness")
                * reals(of("promotions"), "appeal")[promotion as usize]
                * (share * taste("segment_1") + (1.0 - share) * taste("segment_2"))
                * if needed { settings.response.need_factor } else { 1.0 }
                * if is_of_type { settings.response.type_factor } else { 1.0 }
                * if is_liked { settings.response.interest_factor } else { 1.0 }
                * if is_new {
                    settings.response.new_factor * value("novelty") / settings.purchases.novelty
                } else {
                    1.0
                }
                * (-value("fatigue") * contacts).exp();
            let class = &texts(people, "class")[row];
            let q = if class == "put_off" { 0.0 } else { q.min(settings.response.uplift_max) };
            let found = world.uplift(&world.customer(row as u32), week, contacts, promotion);
            assert!(
                (found - q).abs() < 1e-12,
                "customer {id}, promotion {promotion}: {found}, {q}"
            );
            moved += usize::from(q > 0.0);
            new += usize::from(q > 0.0 && is_new);
            by_type += usize::from(q > 0.0 && is_of_type);
            by_interest += usize::from(q > 0.0 && is_liked);
        }
    }
    let found = [moved, new, by_type, by_interest];
    assert!(moved > 500 && found[1..].iter().all(|&count| count > 50), "{found:?}");
}

#[test]
fn shares_are_as_configured() {
    let size = Size { customers: 4_000, ..SMALL };
    let world = world(size, 9, |_| {});
    let mut counts = BTreeMap::new();
    for index in 0..size.customers {
        let customer = world.customer(index);
        *counts.entry(customer.behaviour).or_insert(0.0) += 1.0 / f64::from(size.customers);
        assert_eq!(customer.orders_per_week > 0.0, customer.behaviour != Behaviour::BrowsingOnly);
        assert_eq!(
            customer.sessions_per_week > 0.0,
            customer.behaviour != Behaviour::TransactionOnly
        );
    }
    // Four standard errors of a share among 4,000.
    let near = |behaviour, share: f64| (counts[&behaviour] - share).abs() < 0.032;
    assert!(near(Behaviour::TransactionOnly, 0.45), "{counts:?}");
    assert!(near(Behaviour::BrowsingOnly, 0.15), "{counts:?}");
    assert!(near(Behaviour::Both, 0.40), "{counts:?}");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn any_world_within_its_bounds_answers(
        seed in any::<u64>(),
        products in 12_u32..300,
        promotions in 1_u32..30,
        weeks in 2_u32..8,
        changes in prop::collection::vec(0.0_f64..1.0, 8),
    ) {
        let size = Size { customers: 20, products, promotions, weeks };
        let world = world(size, seed, |s| {
            s.products.launch_share = changes[0];
            s.products.discontinued_share = changes[1];
            s.promotions.narrow_share = changes[2];
            s.response.uplift = changes[3];
            s.purchases.novelty = changes[4] / 2.0;
            s.browsing.bot_share = changes[5];
            s.purchases.needs_mean = 60.0 * changes[6];
            s.policy.favourite_weight = 10.0 * changes[7];
        });
        let block = world.block(0..size.customers, |_| true);
        for table in block.tables.iter().chain(&block.truth).chain(&world.fixed_tables()) {
            let rows = table.rows();
            prop_assert!(table.columns.iter().all(|(_, column)| column.rows() == rows), "{}", table.name);
        }
        let used = block.tables.iter().find(|table| table.name == "redemptions").unwrap();
        prop_assert!(ints(used, "discount_minor").iter().all(|discount| *discount >= 0));
    }
}
