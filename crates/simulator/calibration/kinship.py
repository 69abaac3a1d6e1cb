"""How far does what customers bought tell what they will buy for the first time, beyond what everybody buys?

    pip install numpy pandas pyarrow scipy
    python kinship.py              (The Complete Journey, product categories)
    python kinship.py SHOP         (the same of a simulated shop, product types)

First purchases of a category in six weeks, among categories that the customer did not buy in the sixteen weeks before.
Each is a choice among all of these (conditional logit), by the category's share of first purchases and by closeness:
ridge regression of each category on the others (EASE, Steck 2019, doi:10.1145/3308558.3313710) and non-negative topics
(Lee and Seung 2001). Coefficients are learnt on half of the customers; the gain over shares alone, nats a first
purchase, is of the other half.
"""

import pathlib
import sys

import numpy as np
import pandas as pd
from scipy.optimize import minimize

REAL = pathlib.Path(__file__).parents[3] / "examples" / "complete-journey" / "data"
FROM, HISTORY, AHEAD = 4, 16, 6
CUSTOMERS, BUYERS_MIN = 2_400, 20
RIDGE, TOPICS, STEPS, SEED = 200.0, 8, 80, 0


def real():
    lines = pd.read_parquet(REAL / "transactions.parquet")
    products = pd.read_parquet(REAL / "products.parquet")
    lines = lines.merge(products[["product_id", "department", "product_category"]], on="product_id")
    lines = lines[~lines.department.isin(["FUEL", "MISCELLANEOUS"])].dropna(subset=["product_category"])
    return lines.household_id, lines.product_category, pd.to_datetime(lines.transaction_timestamp)


def simulated(shop):
    def table(name):
        path = shop / "data" / name
        files = sorted(path.rglob("*.parquet")) if path.is_dir() else [path.with_suffix(".parquet")]
        return pd.concat([pd.read_parquet(file) for file in files], ignore_index=True)

    lines = table("transactions")
    lines = lines[lines.kind == "sale"].merge(table("products")[["product_id", "product_type"]], on="product_id")
    return lines.customer_id, lines.product_type, pd.to_datetime(lines.occurred_at)


def counts(customers, categories, moments, first):
    """Lines of each customer and category, before and after the cut."""
    week = ((moments - moments.min().normalize()).dt.days // 7).to_numpy() - first
    rng = np.random.default_rng(SEED)
    known = np.unique(customers[(week >= 0) & (week < HISTORY)])
    kept = pd.Index(rng.permutation(known)[:CUSTOMERS])
    row, column = kept.get_indexer(customers), categories.astype("category").cat.codes.to_numpy()
    tables = []
    for begin, end in ((0, HISTORY), (HISTORY, HISTORY + AHEAD)):
        of = (row >= 0) & (week >= begin) & (week < end)
        table = np.zeros((len(kept), column.max() + 1))
        np.add.at(table, (row[of], column[of]), 1)
        tables.append(table)
    common = (tables[0] > 0).sum(0) >= BUYERS_MIN
    return tables[0][:, common], tables[1][:, common], rng.random(len(kept)) < 0.5


def ease(bought):
    gram = bought.T @ bought + RIDGE * np.eye(bought.shape[1])
    inverse = np.linalg.inv(gram)
    weights = -inverse / np.diag(inverse)
    np.fill_diagonal(weights, 0)
    return bought @ weights


def topics(lines):
    rng = np.random.default_rng(SEED)
    lines = np.sqrt(lines)
    left = rng.gamma(1, 1, (len(lines), TOPICS)) + 0.1
    right = rng.gamma(1, 1, (TOPICS, lines.shape[1])) + 0.1
    for _ in range(STEPS):
        left *= (lines / (left @ right + 1e-9)) @ right.T / right.sum(1)
        right *= left.T @ (lines / (left @ right + 1e-9)) / left.sum(0)[:, None]
    return np.log(left @ right + 1e-3)


def main():
    shop = len(sys.argv) > 1
    source = simulated(pathlib.Path(sys.argv[1])) if shop else real()
    before, after, learnt = counts(*source, 0 if shop else FROM)
    first = (before == 0) & (after > 0)
    share = np.log((first[learnt].sum(0) + 0.5) / ((before[learnt] == 0).sum(0) + 1))
    offered = np.where(before == 0, share, -np.inf)
    chance = np.exp(offered)
    chance /= chance.sum(1, keepdims=True)

    def standard(score):
        """Apart from what customers and categories are on average."""
        score = score - (chance * score).sum(1, keepdims=True)
        score = score - (score * chance).sum(0) / chance.sum(0)
        return score / np.sqrt((chance * score**2).sum() / len(score))

    scores = [standard(ease((before > 0).astype(float))), standard(topics(before))]

    def likelihood(weights, rows):
        utility = (offered + sum(weight * score for weight, score in zip(weights, scores)))[rows]
        top = utility.max(1, keepdims=True)
        total = np.log(np.exp(utility - top).sum(1)) + top[:, 0]
        events = first[rows]
        return (utility[events].sum() - (total * events.sum(1)).sum()) / events.sum()

    best = minimize(lambda weights: -likelihood(weights, learnt), [0.1, 0.1], method="Nelder-Mead").x
    gain = likelihood(best, ~learnt) - likelihood([0.0, 0.0], ~learnt)
    print(f"{len(before)} customers, {before.shape[1]} categories, {first.sum()} first purchases: {gain:.3f} nats each")


main()
