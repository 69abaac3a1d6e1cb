"""Where do the starter shop's CSV files come from? 60 made-up customers, six weeks, seeded, no dependencies.

    python3 scripts/make_data.py data
"""
import csv
import datetime as dt
import pathlib
import random
import sys

SEED = 20260105
STORES = ["MARKET", "STATION"]  # a customer goes to one of them, and now and then to the other
START = dt.date(2026, 1, 5)  # a Monday
WEEKS = 6
TYPES = {
    "coffee": ("drinks", ["Arabica 500 g", "Espresso 250 g", "Decaf 250 g"], 649),
    "tea": ("drinks", ["Green tea", "Earl Grey", "Rooibos"], 329),
    "juice": ("drinks", ["Orange juice 1 l", "Apple juice 1 l"], 219),
    "bread": ("bakery", ["Rye loaf", "Sourdough", "Toast", "Rolls"], 279),
    "cake": ("bakery", ["Carrot cake", "Brownies"], 549),
    "cheese": ("dairy", ["Gouda", "Cheddar", "Goat cheese", "Feta"], 429),
    "yogurt": ("dairy", ["Plain yogurt", "Berry yogurt", "Skyr"], 119),
    "pasta": ("pantry", ["Penne", "Spaghetti", "Fusilli"], 149),
    "sauce": ("pantry", ["Tomato sauce", "Pesto", "Arrabbiata"], 259),
    "chocolate": ("pantry", ["Dark chocolate", "Milk chocolate", "Nut chocolate"], 229),
}


def main(out: pathlib.Path) -> None:
    rng = random.Random(SEED)
    products = []
    for kind, (category, names, price) in TYPES.items():
        for name in names:
            products.append((f"P{len(products) + 1:03}", name, category, kind,
                             rng.choice(["Own", "Hill & Son", "Marlow"]), price + rng.randrange(-20, 90)))
    by_kind = {kind: [p for p in products if p[3] == kind] for kind in TYPES}
    lines, order = [], 0
    for customer in range(1, 61):
        tastes = rng.sample(list(TYPES), 4)
        favourites = {kind: rng.choice(by_kind[kind]) for kind in TYPES}
        day = rng.randrange(0, 9)
        every = rng.choice([3, 5, 7, 10])
        while day < 7 * WEEKS:
            order += 1
            when = dt.datetime.combine(START, dt.time(8)) + dt.timedelta(days=day, minutes=rng.randrange(720))
            store = STORES[(customer % 3 == 0) != (order % 8 == 0)]
            kinds = [k for k in tastes if rng.random() < 0.6] or [rng.choice(tastes)]
            if rng.random() < 0.25:
                kinds.append(rng.choice(list(TYPES)))
            for kind in dict.fromkeys(kinds):
                product = favourites[kind] if rng.random() < 0.75 else rng.choice(by_kind[kind])
                quantity = rng.choice([1, 1, 1, 2])
                lines.append((f"O{order:04}", f"C{customer:03}", product[0], when.isoformat(sep=" "),
                              quantity, f"{product[5] * quantity / 100:.2f}", store))
            day += max(1, every + rng.randrange(-2, 3))
    # One return, so that netting can be seen.
    first = lines[0]
    back = dt.datetime.fromisoformat(first[3]) + dt.timedelta(days=3)
    lines.append(("R0001", first[1], first[2], back.isoformat(sep=" "), -first[4], f"-{first[5]}", first[6]))
    lines.sort(key=lambda line: (line[3], line[0], line[2]))

    promotions, eligible = [], []
    for week in range(WEEKS + 1):
        monday = START + dt.timedelta(weeks=week)
        for number, kind in enumerate(rng.sample(list(TYPES), 6)):
            key = f"W{week + 2:02}-{number + 1}"
            mechanic, rate, minor = rng.choice([("percent", "0.20", ""), ("money_off", "", "50"), ("percent", "0.10", "")])
            promotions.append((key, f"{kind.capitalize()} of the week", mechanic, rate, minor,
                               monday, monday + dt.timedelta(days=6), f"{kind.upper()}{week + 2}",
                               "STATION" if number == 2 else ""))
            eligible.append((key, "product_type", kind))

    def write(name, header, rows):
        with open(out / name, "w", newline="") as file:
            writer = csv.writer(file, lineterminator="\n")
            writer.writerow(header)
            writer.writerows(rows)

    out.mkdir(parents=True, exist_ok=True)
    write("products.csv", ["product_id", "product_name", "category", "product_type", "brand", "price_cents"], products)
    write("transactions.csv", ["receipt", "customer", "product_id", "bought_at", "quantity", "paid", "store"], lines)
    write("promotions.csv", ["promotion_id", "promotion_name", "mechanic", "value_rate", "value_minor",
                             "valid_from", "valid_to", "code", "store_scope"], promotions)
    write("promotion_products.csv", ["promotion_id", "level", "value"], eligible)


if __name__ == "__main__":
    main(pathlib.Path(sys.argv[1]))
