"""What do dense matrices make of customers' likeness? Writes neighbours.json: purchase lines, and that.

pip install numpy; python neighbours.py
"""

import json

import numpy as np

rng = np.random.default_rng(11)
customers, products, promotions, as_of = 45, 60, 12, 300
types = (rng.permutation(products) // 4 * 3).tolist()
taste = rng.dirichlet(np.full(products, 0.15), size=customers)
lines = set()
for customer in range(customers):
    # The last seven have not been seen for long; a few lines fall on and after the as-of day.
    last = 200 if customer >= 38 else as_of + 6
    for order in range(int(rng.integers(3, 14))):
        day = int(rng.integers(0, last))
        basket = rng.choice(products, size=1 + rng.poisson(3), p=0.7 * taste[customer] + 0.3 / products)
        lines |= {(customer, day, order, int(product)) for product in basket}
lines = sorted(lines)
eligible = [sorted(set(rng.choice(products, size=int(rng.integers(0, 12))).tolist())) for _ in range(promotions)]
eligible[5] = []

past = [line for line in lines if line[1] < as_of]
kind = {t: at for at, t in enumerate(sorted(set(types)))}
product_kind = np.array([kind[t] for t in types])
to_kind = np.eye(len(kind))[product_kind]
E = np.zeros((promotions, products))
for promotion, listed in enumerate(eligible):
    E[promotion, listed] = 1


def counts(first, half_life=None):
    N = np.zeros((customers, products))
    for customer, day, _, product in past:
        if day >= first:
            N[customer, product] += 1 if half_life is None else 0.5 ** ((as_of - day) / half_life)
    return N


def weights(X, active, neighbours, power):
    """Row-normalised similarity of all customers to the nearest active ones."""
    rarity = np.log((1 + active.sum()) / (1 + (X[active] > 0).sum(axis=0)))
    Z = X**power * rarity
    length = np.linalg.norm(Z, axis=1, keepdims=True)
    Z = np.divide(Z, length, out=np.zeros_like(Z), where=length > 0)
    S = Z @ Z.T
    np.fill_diagonal(S, 0)
    S[:, ~active] = 0
    for row in S:
        row[np.argsort(-row, kind="stable")[neighbours:]] = 0
    total = S.sum(axis=1, keepdims=True)
    return np.divide(S, total, out=np.zeros_like(S), where=total > 0)


def features(active_days, window_days, neighbours, product_half_life, type_half_life, power, min_cosine, floor):
    active = counts(as_of - active_days).sum(axis=1) > 0
    ever = counts(-10**6) > 0
    N = counts(-10**6, product_half_life)
    recent = counts(as_of - window_days)
    by_type = counts(-10**6, type_half_life) @ to_kind
    together = ((recent @ to_kind)[active] > 0).astype(float)
    C = together.T @ together
    size = np.maximum(np.diag(C), floor)
    cosine = C / np.sqrt(np.outer(size, size))
    np.fill_diagonal(cosine, 0)
    cosine[cosine < min_cosine] = 0
    sold = recent.sum(axis=0)
    share = (E * sold) @ to_kind / np.maximum(sold @ to_kind, 1)
    out = [((ever @ to_kind) > 0).astype(float) @ cosine @ share.T]
    for vectors in (N, by_type):
        lent = weights(vectors, active, neighbours, power) @ N
        out += [lent @ E.T, (lent * ~ever) @ E.T]
    return np.stack(out)


def baseline(half_life, similarity_half_life, power, active_days, neighbours, own_share):
    active = counts(as_of - active_days).sum(axis=1) > 0
    N = counts(-10**6, half_life)
    W = weights(counts(-10**6, similarity_half_life), active, neighbours, power)
    return own_share * N @ E.T + (1 - own_share) * W @ N @ E.T


settings = [
    dict(active_days=56, window_days=84, neighbours=100, product_half_life=60, type_half_life=90, power=0.5, min_cosine=0.15, floor=5),
    dict(active_days=30, window_days=120, neighbours=6, product_half_life=25, type_half_life=40, power=0.8, min_cosine=0.4, floor=12),
]
tuned = [
    dict(half_life=150, similarity_half_life=42, power=0.5, active_days=56, neighbours=200, own_share=0.6),
    dict(half_life=60, similarity_half_life=90, power=1.0, active_days=30, neighbours=5, own_share=0.3),
]
json.dump(
    dict(
        customers=customers, products=products, as_of=as_of, types=types, lines=lines, eligible=eligible,
        features=[dict(s, values=np.round(features(**s), 8).tolist()) for s in settings],
        personal_decayed=[dict(s, values=np.round(baseline(**s), 8).tolist()) for s in tuned],
    ),
    open("neighbours.json", "w"),
)
