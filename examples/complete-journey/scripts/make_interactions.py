"""Which browsing could households like these have left, seen only from what was already past?

Makes `data/interactions.parquet`: SYNTHETIC browsing to stand beside the real grocery transactions,
which have none. Every event at time t is drawn from chance and from purchases strictly before t:
never from the same moment, never from later ones. It therefore says nothing about the future that
the transactions before t do not say already.

    python make_interactions.py            # check, then write ../data/interactions.parquet
    python make_interactions.py --check    # check only, and compare with the file that is there

Needs duckdb and numpy. Same seed and same inputs give the same rows.

How the prefix property comes about: each session has a random generator of its own, seeded by
(seed, kind of actor, number of the actor, number of the session); the calendar of sessions is fixed
by that alone; and an event looks up purchases by binary search below its own time. `check` proves it:
the transactions are cut at several days, everything is made again, and the events before each cut
must be equal, row by row.
"""

import argparse
import hashlib
import pathlib
from datetime import datetime, timedelta

import duckdb
import numpy as np

SEED = 20170101
DATA = pathlib.Path(__file__).resolve().parent.parent / "data"
OUT = DATA / "interactions.parquet"

FIRST_DAY = datetime(2017, 1, 1)
LAST_DAY = datetime(2017, 9, 30)
DAYS = (LAST_DAY - FIRST_DAY).days + 1
DAY_S = 86_400
WEEK_S = 7 * DAY_S

BROWSING_HOUSEHOLD_SHARE = 0.13  # about 310 of the households
LOGIN_VISITORS = 40  # visitors without a name who log in one day
ANONYMOUS_VISITORS = 300  # visitors who never do
BOTS = 5
BOT_BURSTS = 4
BOT_EVENTS_AN_HOUR = 240
HOUSEHOLD_SESSIONS_A_WEEK = 0.55
LOGGED_IN_SHARE = 0.6  # of a household's sessions; the others only carry its visitor id
SESSION_ID_SHARE = 0.55  # of sessions; the others must be cut by gaps
PURCHASE_HALF_LIFE_DAYS = 28.0
POPULARITY_WEEKS = 4
SAME_PRODUCT, SAME_CATEGORY = 0.50, 0.35  # the rest: whatever is popular
ADD_TO_CART_RATE = 0.15
EVENTS_A_SESSION_MAX = 25

# Kinds of actor: part of every generator's seed. Never renumber.
HOUSEHOLD, ANONYMOUS, LOGIN, BOT = 1, 2, 3, 4

DEVICES = ("mobile", "desktop", "tablet")
DEVICE_RATES = (0.58, 0.34, 0.08)
TRAFFIC_SOURCES = ("organic", "direct", "email", "paid_search", "social", "referral")
TRAFFIC_RATES = (0.34, 0.28, 0.14, 0.12, 0.08, 0.04)
USER_AGENTS = {
    "mobile": "Mozilla/5.0 (Linux; Android 7.0) AppleWebKit/537.36 Chrome/58.0 Mobile Safari/537.36",
    "desktop": "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 Chrome/58.0 Safari/537.36",
    "tablet": "Mozilla/5.0 (iPad; CPU OS 10_3 like Mac OS X) AppleWebKit/603.1 Version/10.0 Safari/602.1",
}
BOT_AGENT = "Mozilla/5.0 (compatible; ExampleBot/2.1; +https://bot.example/about)"

COLUMNS = (
    "event_id", "visitor_id", "customer_id", "occurred_at", "event_type", "product_id", "category",
    "session_id", "device", "traffic_source", "user_agent",
)


def generator(*key):
    """A generator for one actor or session, from the seed and its numbers alone."""
    return np.random.default_rng([SEED, *key])


def share(word, number):
    """A number in [0, 1) from a word and an id alone: who belongs to which group."""
    digest = hashlib.sha256(f"{SEED}|{word}|{number}".encode()).digest()
    return int.from_bytes(digest[:8], "big") / 2**64


class Past:
    """Purchases in order of time; every question takes a time and looks only below it."""

    def __init__(self, cut=None):
        """Reads the lines before `cut` (a datetime; None reads all)."""
        until = f"and t.transaction_timestamp < timestamp '{cut}'" if cut else ""
        lines = duckdb.sql(f"""
            select t.household_id, t.basket_id, t.product_id,
                   coalesce(p.product_category, '') as category,
                   epoch(t.transaction_timestamp)::bigint as bought_s
            from '{DATA}/transactions.parquet' t join '{DATA}/products.parquet' p using (product_id)
            where p.department not in ('FUEL', 'MISCELLANEOUS')
              and p.product_category is not null and p.product_category not like 'COUPON%' {until}
            order by bought_s, household_id, basket_id, product_id
        """).fetchnumpy()
        self.at = lines["bought_s"].astype(np.int64)
        self.product = lines["product_id"].astype(np.int64)
        self.category = lines["category"]
        household = lines["household_id"].astype(np.int64)
        self.households = {int(h): np.flatnonzero(household == h) for h in np.unique(household)}
        order = np.argsort(self.category.astype(str), kind="stable")
        names, starts = np.unique(self.category[order].astype(str), return_index=True)
        self.categories = dict(zip(names, np.split(order, starts[1:]), strict=True))
        self.catalogue = duckdb.sql(f"""
            select product_id, product_category as category from '{DATA}/products.parquet'
            where product_category is not null and product_category not like 'COUPON%'
              and department not in ('FUEL', 'MISCELLANEOUS')
            order by product_id
        """).fetchnumpy()

    def bought(self, household, at):
        """True when the household bought anything before `at`."""
        rows = self.households.get(household)
        return rows is not None and self.at[rows[0]] < at

    def own_line(self, rng, household, at):
        """A line the household bought before `at`, recent ones likelier; None when there is none."""
        rows = self.households.get(household)
        age_s = int(rng.exponential(PURCHASE_HALF_LIFE_DAYS / np.log(2)) * DAY_S)
        pick = rng.random()
        if rows is None:
            return None
        times = self.at[rows]
        known = int(np.searchsorted(times, at, side="left"))
        if known == 0:
            return None
        # The last trip at least that old, else the oldest trip; then any line of the trip.
        last = int(np.searchsorted(times[:known], at - age_s, side="right")) - 1
        moment = times[max(last, 0)]
        low = int(np.searchsorted(times[:known], moment, side="left"))
        high = int(np.searchsorted(times[:known], moment, side="right"))
        row = rows[low + int(pick * (high - low))]
        return int(self.product[row]), str(self.category[row])

    def popular_line(self, rng, at, category=None):
        """A line anybody bought in the four weeks before this week's Monday, so by popularity."""
        pick = rng.random()
        # 2017-01-02 was a Monday; epoch day 3 (1970-01-05) was the first Monday after the epoch.
        monday = (at // DAY_S - 4) // 7 * 7 + 4
        until, since = monday * DAY_S, monday * DAY_S - POPULARITY_WEEKS * WEEK_S
        rows = None if category is None else self.categories.get(category)
        if category is not None and rows is None:
            return None
        times = self.at if rows is None else self.at[rows]
        low, high = np.searchsorted(times, [since, until], side="left")
        if high <= low:
            return None
        row = int(low) + int(pick * (high - low))
        row = row if rows is None else rows[row]
        return int(self.product[row]), str(self.category[row])

    def chance_line(self, rng):
        """Any product of the catalogue."""
        row = int(rng.random() * len(self.catalogue["product_id"]))
        return int(self.catalogue["product_id"][row]), str(self.catalogue["category"][row])


def interest(past, rng, household, at):
    """The product an event at `at` is about: from the household's past, from popularity, or by chance."""
    kind = rng.random()
    own = past.own_line(rng, household, at) if household is not None else None
    if own is not None and kind < SAME_PRODUCT:
        return own
    if own is not None and kind < SAME_PRODUCT + SAME_CATEGORY:
        return past.popular_line(rng, at, own[1]) or own
    return past.popular_line(rng, at) or past.chance_line(rng)


def session(past, rng, start, visitor, number, household, customer, taste, login=False):
    """The events of one visit. `household` shapes the interest, `customer` is what the log may tell."""
    device = str(rng.choice(DEVICES, p=DEVICE_RATES)) if rng.random() < 0.2 else DEVICES[taste % 3]
    source = str(rng.choice(TRAFFIC_SOURCES, p=TRAFFIC_RATES))
    named = f"{visitor}-s{number:03d}" if rng.random() < SESSION_ID_SHARE else None
    length = min(1 + int(rng.geometric(0.28)), EVENTS_A_SESSION_MAX)
    at = start
    events = []

    def event(kind, product=None, category=None):
        events.append((at, visitor, customer, kind, product, category, named, device, source, USER_AGENTS[device]))

    if login:
        event("login")
    for _ in range(length):
        at += 4 + int(rng.exponential(35.0))
        product, category = interest(past, rng, household, at)
        kind = rng.random()
        if kind < 0.14:
            event("view_item_list", None, category)
        elif kind < 0.20:
            event("view_promotion", None, category)
            if rng.random() < 0.25:
                at += 2 + int(rng.exponential(6.0))
                event("select_promotion", None, category)
        else:
            event("view_item", product, category)
            if rng.random() < ADD_TO_CART_RATE:
                at += 3 + int(rng.exponential(15.0))
                event("add_to_cart", product, category)
    return events


def start_of(rng, day):
    """A second of the day, in waking hours."""
    hour = float(np.clip(rng.normal(16.5, 4.0), 6.0, 22.5))
    epoch_s = int((FIRST_DAY - datetime(1970, 1, 1)).total_seconds())
    return epoch_s + int(day) * DAY_S + int(hour * 3600) + int(rng.integers(0, 60))


def household_events(past, household):
    """A household that browses: two devices, a rhythm, part of the visits logged in."""
    actor = generator(HOUSEHOLD, household)
    rate = HOUSEHOLD_SESSIONS_A_WEEK * actor.gamma(2.0, 0.5)
    days = np.flatnonzero(actor.random(DAYS) < rate / 7.0)
    taste = int(actor.choice(3, p=DEVICE_RATES))
    for number, day in enumerate(days):
        rng = generator(HOUSEHOLD, household, number)
        start = start_of(rng, day)
        visitor = f"v{100_000 + household * 10 + int(rng.random() < 0.25)}"
        logged_in = rng.random() < LOGGED_IN_SHARE
        if past.bought(household, start):  # a household is known from its first purchase on
            yield from session(past, rng, start, visitor, number, household, str(household) if logged_in else None, taste)


def anonymous_events(past, number):
    """A visitor who only browses: comes a few times within some weeks, never logs in."""
    actor = generator(ANONYMOUS, number)
    first = int(actor.integers(0, DAYS))
    span = int(actor.integers(7, 90))
    visits = 1 + int(actor.geometric(0.28))
    days = sorted(int(d) for d in first + actor.integers(0, span, visits) if d < DAYS)
    taste = int(actor.choice(3, p=DEVICE_RATES))
    for visit, day in enumerate(days):
        rng = generator(ANONYMOUS, number, visit)
        yield from session(past, rng, start_of(rng, day), f"v{number:06d}", visit, None, None, taste)


def login_events(past, number, household):
    """A visitor who browses without a name and one day logs in: `login` carries the customer."""
    actor = generator(LOGIN, number)
    days = sorted(int(d) for d in actor.choice(DAYS, size=int(actor.integers(5, 14)), replace=False))
    login_visit = int(actor.integers(2, len(days)))
    taste = int(actor.choice(3, p=DEVICE_RATES))
    for visit, day in enumerate(days):
        rng = generator(LOGIN, number, visit)
        start = start_of(rng, day)
        if not past.bought(household, start):
            continue  # the household is not a customer so far: it does not browse either
        logs_in = visit == login_visit
        customer = str(household) if logs_in else None
        yield from session(past, rng, start, f"v{ANONYMOUS_VISITORS + number:06d}", visit, household, customer, taste, logs_in)


def bot_events(past, number):
    """A crawler: walks the catalogue in order, hundreds of events an hour."""
    ids, names = past.catalogue["product_id"], past.catalogue["category"]
    for burst in range(BOT_BURSTS):
        rng = generator(BOT, number, burst)
        at = start_of(rng, int(rng.integers(0, DAYS)))
        row = int(rng.integers(0, len(ids)))
        for _ in range(BOT_EVENTS_AN_HOUR):
            at += 1 + int(rng.integers(0, 2 * 3600 // BOT_EVENTS_AN_HOUR - 1))
            row = (row + 1) % len(ids)
            yield (at, f"v{990_000 + number:06d}", None, "view_item", int(ids[row]), str(names[row]), None, "desktop", None, BOT_AGENT)


def make(past):
    """All events in order of time, as tuples in the order of COLUMNS."""
    browsing = [h for h in past.households if share("browses", h) < BROWSING_HOUSEHOLD_SHARE]
    others = sorted((h for h in range(1, 2_501) if share("browses", h) >= BROWSING_HOUSEHOLD_SHARE), key=lambda h: share("logs in", h))
    events = []
    for household in browsing:
        events += household_events(past, household)
    for number in range(1, ANONYMOUS_VISITORS + 1):
        events += anonymous_events(past, number)
    for number, household in enumerate(others[:LOGIN_VISITORS], start=1):
        events += login_events(past, number, household)
    for number in range(1, BOTS + 1):
        events += bot_events(past, number)
    events.sort(key=lambda event: tuple("" if field is None else str(field) for field in (f"{event[0]:012d}", *event[1:])))
    end = int((LAST_DAY + timedelta(days=1) - datetime(1970, 1, 1)).total_seconds())
    rows = []
    for number, event in enumerate((e for e in events if e[0] < end), start=1):
        at, visitor, customer, kind, product, category, named, device, source, agent = event
        moment = datetime(1970, 1, 1) + timedelta(seconds=at)
        product = None if product is None else str(product)
        rows.append((f"e{number:06d}", visitor, customer, moment, kind, product, category, named, device, source, agent))
    return rows


def check(rows):
    """Asserts that no event depends on a purchase at or after its own time, and the shape of the whole."""
    for cut in (datetime(2017, 1, 20), datetime(2017, 4, 12), datetime(2017, 7, 3, 12), datetime(2017, 9, 4)):
        before = [row for row in rows if row[3] < cut]
        again = [row for row in make(Past(cut)) if row[3] < cut]
        assert before == again, f"events before {cut} depend on later purchases"
        print(f"events before {cut}: {len(before)}, equal without the purchases after it")
    times = [row[3] for row in rows]
    assert times == sorted(times) and times[0] >= FIRST_DAY
    assert len({row[0] for row in rows}) == len(rows)
    first = dict(duckdb.sql(f"select household_id::varchar, min(transaction_timestamp) from '{DATA}/transactions.parquet' group by 1").fetchall())
    for row in rows:
        assert row[2] is None or first[row[2]] < row[3], f"{row[0]}: the customer has not bought so far"


def write(rows):
    """Writes the rows as Parquet; its key-value metadata say that they are synthetic."""
    columns = dict(zip(COLUMNS, (list(column) for column in zip(*rows, strict=True)), strict=True))
    types = ", ".join(f"{name} {'TIMESTAMP' if name == 'occurred_at' else 'VARCHAR'}" for name in COLUMNS)
    with duckdb.connect() as con:
        con.execute("set threads = 1")
        con.execute(f"create table interactions ({types})")
        wanted = ", ".join(f"unnest(${name}::{'TIMESTAMP' if name == 'occurred_at' else 'VARCHAR'}[])" for name in COLUMNS)
        con.execute(f"insert into interactions select {wanted}", columns)
        con.execute(f"""copy (select * from interactions order by event_id) to '{OUT}' (
            format parquet, compression zstd, compression_level 19, row_group_size 200000,
            kv_metadata {{synthetic: 'true', made_by: 'scripts/make_interactions.py', seed: '{SEED}'}})""")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--check", action="store_true", help="write nothing; compare with the file that is there")
    only_check = parser.parse_args().check
    rows = make(Past())
    check(rows)
    if only_check:
        there = duckdb.sql(f"select {', '.join(COLUMNS)} from '{OUT}' order by event_id").fetchall()
        assert there == rows, f"{OUT.name} is not what this script makes"
        print(f"{OUT.name}: {len(rows)} events, as this script makes them")
        return
    write(rows)
    print(f"{OUT}: {len(rows)} synthetic events, {OUT.stat().st_size} bytes")


if __name__ == "__main__":
    main()
