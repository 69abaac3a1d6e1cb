"""What do TIFU-kNN and UP-CF say, written down a second time? Writes next_basket.json.

pip install numpy; python next_basket.py
"""

import json

import numpy as np

rng = np.random.default_rng(11)
customers, products = 24, 18
taste = rng.dirichlet(np.full(products, 0.4), size=4)
orders = []
for customer in range(customers):
    chance = 0.8 * taste[customer % 4] + 0.2 / products
    sizes = 1 + rng.poisson(2.5, size=1 + rng.integers(20))
    orders.append([
        sorted(rng.choice(products, size=min(size, products), replace=False, p=chance).tolist())
        for size in sizes
    ])


def basket(order):
    held = np.zeros(products)
    held[order] = 1
    return held


def tifu_vector(history, group_orders, within_decay, group_decay):
    """Groups are cut from the end; only the first may hold fewer orders."""
    baskets = [basket(order) for order in history]
    groups = []
    while baskets:
        groups.insert(0, baskets[-group_orders:])
        baskets = baskets[:-group_orders]
    vectors = []
    for group in groups:
        decay = within_decay ** np.arange(len(group) - 1, -1, -1)
        vectors.append((decay[:, None] * group).mean(axis=0))
    decay = group_decay ** np.arange(len(groups) - 1, -1, -1)
    return (decay[:, None] * vectors).mean(axis=0)


def tifu(neighbours, own_share, **settings):
    vectors = np.array([tifu_vector(history, **settings) for history in orders])
    scores = []
    for at, own in enumerate(vectors):
        distance = np.linalg.norm(vectors - own, axis=1)
        distance[at] = np.inf
        nearest = np.argsort(distance, kind="stable")[: min(neighbours, customers - 1)]
        lent = vectors[nearest].mean(axis=0) if len(nearest) else np.zeros(products)
        scores.append(own_share * own + (1 - own_share) * lent)
    return scores


def up_cf(recent_orders, locality, asymmetry, neighbours):
    counts = np.array([sum(map(basket, history)) for history in orders])
    recent = np.array([np.mean([basket(order) for order in history[-recent_orders:]], axis=0) for history in orders])
    length = np.linalg.norm(counts, axis=1)
    scores = []
    for at in range(customers):
        likeness = counts @ counts[at] / (length[at] ** (2 * asymmetry) * length ** (2 * (1 - asymmetry)))
        likeness[at] = -np.inf
        others = [n for n in np.argsort(-likeness, kind="stable")[: neighbours - 1] if likeness[n] > 0]
        scores.append(recent[at] + sum((likeness[n] ** locality * recent[n] for n in others), np.zeros(products)))
    return scores


def cases(of, *settings):
    return [dict(settings=one, scores=np.array(of(**one)).tolist()) for one in settings]


json.dump(
    dict(
        products=products,
        orders=orders,
        tifu=cases(
            tifu,
            dict(neighbours=5, own_share=0.7, group_orders=7, within_decay=0.9, group_decay=0.7),
            dict(neighbours=300, own_share=0.2, group_orders=3, within_decay=0.6, group_decay=0.95),
            dict(neighbours=0, own_share=1.0, group_orders=4, within_decay=1.0, group_decay=0.5),
        ),
        up_cf=cases(
            up_cf,
            dict(recent_orders=10, locality=1.0, asymmetry=0.75, neighbours=6),
            dict(recent_orders=3, locality=2.5, asymmetry=0.5, neighbours=100),
            dict(recent_orders=1, locality=0.0, asymmetry=0.1, neighbours=2),
        ),
    ),
    open("next_basket.json", "w"),
)
