"""What do dense matrices, and implicit, make of products' likeness? Writes item_to_item.json: lines, and that.

pip install numpy scipy implicit; python item_to_item.py
"""

import json

import numpy as np
import scipy.sparse
from implicit.nearest_neighbours import CosineRecommender

rng = np.random.default_rng(5)
customers, products, as_of = 50, 30, 200
taste = rng.dirichlet(np.full(products, 0.2), size=customers)
lines = set()
for customer in range(customers):
    day = 0
    for order in range(int(rng.integers(1, 9))):
        day += int(rng.integers(0, 30))
        basket = rng.choice(products, size=1 + rng.poisson(1), p=0.8 * taste[customer] + 0.2 / products)
        lines |= {(customer, day, order, int(product)) for product in basket}
lines = sorted(lines)

had = np.zeros((customers, products))
for customer, _, _, product in lines:
    had[customer, product] = 1
both, n = had.T @ had, had.sum(axis=0)


def likeness(case, weights):
    i, j = n[:, None], n[None, :]
    with np.errstate(divide="ignore", invalid="ignore"):
        held = {
            "count": weights,
            "probability": weights / i,
            "cosine": weights / np.sqrt(i * j),
            "lift": weights * customers / (i * j),
        }[case["measure"]]
        found = held * j ** -case["popularity_discount"] * both / (both + case["shrinkage"])
    found[(both < case["min_customers"]) | ~np.isfinite(found)] = 0
    np.fill_diagonal(found, 0)
    return found


def weights(case):
    """The heaviest pair of lines of every customer, added up, pair by pair."""
    found = np.zeros((products, products))
    for customer in range(customers):
        own = [line for line in lines if line[0] == customer]
        ranks = {order: at for at, order in enumerate(sorted({line[2] for line in own}))}
        heaviest = np.zeros((products, products))
        for _, day, order, product in own:
            for _, other_day, other_order, other in own:
                steps, days = ranks[other_order] - ranks[order], abs(other_day - day)
                if abs(steps) > case["reach_orders"]:
                    continue
                weight = max(abs(steps), 1) ** -case["distance_power"] * 0.5 ** (days / case["half_life_days"])
                weight *= case["backward"] if steps < 0 else 1
                heaviest[product, other] = max(heaviest[product, other], weight)
        found += heaviest * len(own) ** -case["history_discount"]
    return found


plain = [
    {"measure": "cosine", "popularity_discount": 0.0, "shrinkage": 0.0, "min_customers": 1},
    {"measure": "lift", "popularity_discount": 0.0, "shrinkage": 4.0, "min_customers": 1},
    {"measure": "probability", "popularity_discount": 0.5, "shrinkage": 0.0, "min_customers": 3},
    {"measure": "count", "popularity_discount": 0.3, "shrinkage": 2.0, "min_customers": 2},
]
timed = [
    {"measure": "count", "backward": 0.25, "distance_power": 1.5, "reach_orders": 3, "half_life_days": 40.0},
    {"measure": "cosine", "backward": 0.0, "distance_power": 0.5, "reach_orders": 99, "half_life_days": 25.0},
]
cases = []
for case in plain:
    cases.append({"settings": case, "likeness": likeness(case, both).tolist()})
for case in timed:
    case = {**plain[0], **case, "history_discount": 0.5}
    cases.append({"settings": case, "likeness": likeness(case, weights(case)).tolist()})

library = CosineRecommender(K=products)
library.fit(scipy.sparse.csr_matrix(had), show_progress=False)
apart = np.abs(library.similarity.toarray() * (1 - np.eye(products)) - np.array(cases[0]["likeness"])).max()
assert apart < 1e-12, f"implicit is {apart} apart"

text = json.dumps({"customers": customers, "products": products, "as_of": as_of, "lines": lines, "cases": cases})
open("item_to_item.json", "w").write(text + "\n")
