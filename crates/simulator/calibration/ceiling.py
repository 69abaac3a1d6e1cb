"""How near to the oracle comes who knows only part of the truth of a simulated shop?

    pip install numpy pandas pyarrow scipy
    tercet simulate --customers 5000 --products 5000 --promotions 250 --weeks 22 --seed 1 --out shop
    python crates/simulator/calibration/ceiling.py shop

Every customer who buys at all gets the three narrow or broad promotions that a ranking puts first, in four weeks behind
the first twelve. What these are expected to bring, by the shop's truth and without fatigue, is shown as a share of what
the oracle's three bring. Rankings know single facts of the truth, or only what the tables show up to the week: what
stands in one row and not in the other is what there is to learn, or what nobody can.
"""

import pathlib
import sys
import tomllib

import numpy as np
import pandas as pd
import scipy.sparse

WEEKS = (12, 15, 18, 21)
OFFERS = 3
TOPICS = 8
STEPS = 60
SEED = 1


def table(shop, name):
    """A table of one file, or of a folder of them."""
    path = shop / name
    files = sorted(path.rglob("*.parquet")) if path.is_dir() else [path.with_suffix(".parquet")]
    return pd.concat([pd.read_parquet(file) for file in files], ignore_index=True)


def number(names):
    """The numbers, from 0, at the end of names such as `Type 12`."""
    return names.str.split(" ").str[-1].astype(int).to_numpy() - 1


class Shop:
    """The truth and the purchases of a shop, as arrays by customer, product, product type and promotion."""

    def __init__(self, folder):
        world = tomllib.loads((folder / "world.toml").read_text())
        self.response, self.purchases = world["response"], world["purchases"]
        self.start = pd.Timestamp(world["start_on"])
        customers, products = table(folder, "truth/customers"), table(folder, "data/products")
        promotions, truth = table(folder, "data/promotions"), table(folder, "truth/promotions")
        self.customers, self.products = len(customers), len(products)
        self.type_of, self.department_of = number(products.product_type), number(products.department)
        self.types, self.departments = self.type_of.max() + 1, self.department_of.max() + 1
        self.launched = pd.to_datetime(products.launched_on)
        self.valid = pd.to_datetime(promotions.valid_from), pd.to_datetime(promotions.valid_to)
        self.focus = truth.focus_product_id.to_numpy() - 1
        self.depth, self.appeal = truth.depth.to_numpy(), truth.appeal.to_numpy()
        self.covered = self.coverage(products, table(folder, "data/promotion_products"), len(promotions))
        self.narrow = self.covered.sum(1) <= self.response["need_products_max"]
        self.buys = customers.orders_per_week.to_numpy() > 0
        persuadable = (customers["class"] == "persuadable").to_numpy() & self.buys
        self.responsiveness = np.where(persuadable, customers.responsiveness, 0)
        self.novelty = customers.novelty.to_numpy() / self.purchases["novelty"]
        segments = table(folder, "truth/segments")
        tastes = np.zeros((segments.segment.max(), self.departments))
        tastes[segments.segment - 1, number(segments.department)] = segments.taste
        share = customers.segment_1_share.to_numpy()[:, None]
        self.taste = share * tastes[customers.segment_1 - 1] + (1 - share) * tastes[customers.segment_2 - 1]
        self.likes = np.zeros((self.customers, self.types), bool)
        interests, needs = table(folder, "truth/interests"), table(folder, "truth/needs")
        self.likes[interests.customer_id - 1, interests.product_type_number - 1] = True
        self.needs = np.zeros((self.customers, self.products), bool)
        self.needs[needs.customer_id - 1, needs.product_id - 1] = True
        self.need_types = np.zeros((self.customers, self.types), bool)
        self.need_types[needs.customer_id - 1, self.type_of[needs.product_id - 1]] = True
        lines = table(folder, "data/transactions")
        lines = lines[lines.kind == "sale"]
        self.week_of = ((pd.to_datetime(lines.occurred_at) - self.start).dt.days // 7).to_numpy()
        self.lines = lines.customer_id.to_numpy() - 1, lines.product_id.to_numpy() - 1

    def coverage(self, products, rules, promotions):
        covered = np.zeros((promotions, self.products), bool)
        for rule in rules.itertuples():
            of = products.product_id.astype(str) if rule.level == "product" else products[rule.level]
            covered[rule.promotion_id - 1] |= (of == str(rule.value)).to_numpy()
        return covered

    def monday(self, week):
        return self.start + pd.Timedelta(weeks=week)

    def running(self, week):
        """The promotions that hold on the week's Monday."""
        return np.flatnonzero((self.valid[0] <= self.monday(week)) & (self.valid[1] >= self.monday(week)))

    def new(self, week):
        """The products that are new in a week."""
        until = self.monday(week) + pd.Timedelta(days=6)
        since = self.monday(week) - pd.Timedelta(weeks=self.purchases["novelty_weeks"])
        return ((self.launched <= until) & (self.launched > since)).to_numpy()

    def bought(self, week, of, count):
        """How many lines each customer had, before a week, of each product or product type."""
        before = self.week_of < week
        places = self.lines[0][before], of[self.lines[1][before]]
        return scipy.sparse.csr_matrix((np.ones(before.sum()), places), shape=(self.customers, count)).toarray()


def topics(lines):
    """How much each customer is after each type, by non-negative factors (Lee and Seung 2001, divergence)."""
    rng = np.random.default_rng(SEED)
    lines = np.sqrt(lines)
    left = rng.gamma(1, 1, (len(lines), TOPICS)) + 0.1
    right = rng.gamma(1, 1, (TOPICS, lines.shape[1])) + 0.1
    for _ in range(STEPS):
        left *= (lines / (left @ right + 1e-9)) @ right.T / right.sum(1)
        right *= left.T @ (lines / (left @ right + 1e-9)) / (left.sum(0)[:, None] + 1e-9)
    return left @ right / (left @ right).mean(1, keepdims=True).clip(1e-12)


def rankings(shop, week):
    """What every running promotion brings each customer, and the scores of the rankings."""
    running = shop.running(week)
    focus, narrow = shop.focus[running], shop.narrow[running]
    needed = np.stack([(shop.needs & shop.covered[one]).any(1) for one in running], 1) & narrow
    liked = shop.likes[:, shop.type_of[focus]] & narrow
    of_type = shop.need_types[:, shop.type_of[focus]] & narrow
    factors = [shop.response[f"{of}_factor"] for of in ("need", "type", "interest")]
    fit = np.select([needed, of_type, liked], factors, 1.0)
    is_new = shop.new(week)[focus]
    pull = np.where(is_new, shop.response["new_factor"], 1.0)
    taste = shop.taste[:, shop.department_of[focus]]
    brings = shop.responsiveness[:, None] * shop.appeal[running] * taste * fit * pull
    brings *= np.where(is_new, shop.novelty[:, None], 1.0)
    brings = np.minimum(brings, shop.response["uplift_max"])
    depth = np.broadcast_to(shop.depth[running] ** 2, fit.shape)
    appeal = np.broadcast_to(shop.appeal[running], fit.shape)
    products = shop.bought(week, np.arange(shop.products), shop.products)
    before = np.stack([products[:, shop.covered[one]].sum(1) for one in running], 1) * narrow
    after = topics(shop.bought(week, shop.type_of, shop.types))[:, shop.type_of[focus]] * narrow
    return brings, {
        "the oracle": brings,
        "known: fit, tastes, appeals": fit * taste * appeal * pull,
        "known: fit and tastes; seen: depths, new products": fit * taste * depth * pull,
        "known: appeals; seen: topics of types, new products": after * appeal * pull,
        "seen: topics of types, depths, new products": after * depth * pull,
        "seen: depths, new products": depth * pull,
        "seen: bought before": before,
        "chance": np.zeros(fit.shape),
    }


def main():
    shop = Shop(pathlib.Path(sys.argv[1]))
    found = {}
    for week in WEEKS:
        brings, scores = rankings(shop, week)
        ties = np.random.default_rng(SEED + week).random(brings.shape)
        for name, score in scores.items():
            best = np.lexsort((ties, -score))[:, :OFFERS]
            found.setdefault(name, []).append(np.take_along_axis(brings, best, 1)[shop.buys].sum(1).mean())
    oracle = np.mean(found["the oracle"])
    print("| ranked by | lines brought, a customer and week | of the oracle's |\n| --- | --- | --- |")
    for name, brought in found.items():
        print(f"| {name} | {np.mean(brought):.3f} | {np.mean(brought) / oracle:.0%} |")


if __name__ == "__main__":
    main()
