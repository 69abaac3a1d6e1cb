"""Do customers look again at what they did not buy, and do they buy what they looked at?

    pip install numpy pandas pyarrow
    python looking.py EVENTS.csv   (user_id, item_id, time_stamp as month and day, action_type: 0 a click, 2 a purchase)
    python looking.py SHOP         (the same of a simulated shop, of customers who log in and buy)

A look is a product, a customer and a day. Of looks at products that the customer had not bought yet: how many are of a
product that the customer had looked at a week or longer before, and how many would be if the same looks were dealt to
the same customers by chance? And of products looked at, how many were then bought, by the number of days on which they
had been looked at? Intervals are of 1,000 bootstrap draws of customers.
"""

import json
import pathlib
import sys

import numpy as np
import pandas as pd

AGAIN_DAYS, DRAWS, SEED = 7, 1_000, 0
# The day of singles' sales, on which everybody buys what was put aside for it.
LAST_DAY = pd.Timestamp("2014-11-10")


def real(path):
    events = pd.read_csv(path)
    events["day"] = pd.to_datetime("2014" + events.time_stamp.astype(str).str.zfill(4), format="%Y%m%d")
    events = events[events.day <= LAST_DAY].rename(columns={"user_id": "customer", "item_id": "product"})
    of = lambda kind: events.loc[events.action_type == kind, ["customer", "product", "day"]]
    return of(0), of(2)


def simulated(shop):
    def table(name):
        path = shop / "data" / name
        files = sorted(path.rglob("*.parquet")) if path.is_dir() else [path.with_suffix(".parquet")]
        return pd.concat([pd.read_parquet(file) for file in files], ignore_index=True)

    def rows(events, at):
        frame = events[["customer_id", "product_id", at]].set_axis(["customer", "product", "day"], axis=1)
        return frame.assign(day=frame.day.dt.normalize())

    lines = table("transactions")
    views = table("interactions")
    known = views.dropna(subset=["customer_id"]).drop_duplicates("visitor_id").set_index("visitor_id").customer_id
    views = views[views.event_type == "view_item"].assign(customer_id=views.visitor_id.map(known))
    views = views.dropna(subset=["customer_id", "product_id"])
    sales = rows(lines[lines.kind == "sale"], "occurred_at")
    looks = rows(views, "occurred_at")
    return looks[looks.customer.isin(sales.customer)], sales


def measured(looks, sales):
    looks = looks.drop_duplicates()
    bought = sales.groupby(["customer", "product"]).day.min().rename("bought").reset_index()
    looks = looks.merge(bought, on=["customer", "product"], how="left")
    looks = looks[looks.bought.isna() | (looks.day < looks.bought)]
    again = lambda looks: (looks.day - looks.groupby(["customer", "product"]).day.transform("min")).dt.days >= AGAIN_DAYS
    rng = np.random.default_rng(SEED)
    dealt = looks.assign(product=rng.permutation(looks["product"].to_numpy()))
    looks = looks.assign(again=again(looks), dealt=again(dealt))
    pairs = looks.groupby(["customer", "product"]).agg(days=("day", "size"), bought=("bought", "min"))
    pairs = pairs.assign(bought=pairs.bought.notna()).reset_index()
    by = pd.concat(
        {
            "looks": looks.groupby("customer").size(),
            "again": looks.groupby("customer").again.sum(),
            "dealt": looks.groupby("customer").dealt.sum(),
            "once": pairs[pairs.days == 1].groupby("customer").size(),
            "once_bought": pairs[pairs.days == 1].groupby("customer").bought.sum(),
            "more": pairs[pairs.days > 1].groupby("customer").size(),
            "more_bought": pairs[pairs.days > 1].groupby("customer").bought.sum(),
        },
        axis=1,
    ).fillna(0)
    table = by.to_numpy()
    drawn = np.stack([table[rng.integers(0, len(table), len(table))].sum(0) for _ in range(DRAWS)])
    name = {column: place for place, column in enumerate(by.columns)}

    def share(over, under):
        draws = drawn[:, name[over]] / np.maximum(drawn[:, name[under]], 1)
        low, high = np.percentile(draws, [2.5, 97.5])
        of = int(by[under].sum())
        return {"of": of, "share": round(by[over].sum() / max(of, 1), 5), "interval": [round(low, 5), round(high, 5)]}

    return {
        "customers": len(by),
        "looks_of_a_product_looked_at_a_week_before": share("again", "looks"),
        "the_same_by_chance": share("dealt", "looks"),
        "looked_at_on_one_day_and_bought": share("once_bought", "once"),
        "looked_at_on_more_days_and_bought": share("more_bought", "more"),
    }


if __name__ == "__main__":
    path = pathlib.Path(sys.argv[1])
    print(json.dumps(measured(*(real(path) if path.is_file() else simulated(path))), indent=1))
