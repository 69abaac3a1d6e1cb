"""Which metrics does the referee have to arrive at on a small random case?

Independent of the Rust code: dense NumPy matrices customers x products instead of sorted lists.
Writes offline.json beside itself. Run: python3 offline.py
"""

import json
import pathlib

import numpy as np

rng = np.random.default_rng(20170904)
PRODUCTS, PROMOTIONS, CUSTOMERS, WEEKS = 30, 14, 40, 3
SCOPES = ["narrow", "broad", "all"]
ENGINES = ["tercet", "personal"]
SEGMENTS = ["both", "neither", "transaction_only"]
DISCOUNTS = 1 / np.log2(np.arange(2, 5))

weeks, truth = [], []
for w in range(WEEKS):
    narrow = rng.random(PROMOTIONS) < 0.6
    size = np.where(narrow, rng.integers(1, 6, PROMOTIONS), rng.integers(8, 20, PROMOTIONS))
    eligible = np.zeros((PROMOTIONS, PRODUCTS), bool)
    for p in range(PROMOTIONS):
        eligible[p, rng.choice(PRODUCTS, size[p], replace=False)] = True
    eligible[1] = eligible[0] | eligible[2]  # nested sets
    narrow[1] = narrow[0]
    present = np.sort(rng.choice(CUSTOMERS, 32, replace=False))
    bought = rng.random((32, PRODUCTS)) < rng.choice([0.0, 0.1, 0.25], (32, 1))
    spend = np.where(bought, rng.integers(0, 2000, (32, PRODUCTS)), 0)
    before = rng.random((32, PRODUCTS)) < rng.choice([0.02, 0.3], (32, 1))
    mailed = rng.random(32) < 0.5
    redeemed = (rng.random((32, PROMOTIONS)) < 0.1) & mailed[:, None]
    segment = rng.choice(SEGMENTS, 32)
    picks = {}
    for scope in SCOPES:
        inside = {"narrow": narrow, "broad": ~narrow, "all": np.ones(PROMOTIONS, bool)}[scope]
        for engine in ENGINES:
            slates = []
            for _ in range(32):
                slate = [int(p) for p in rng.permutation(np.flatnonzero(inside))[:3]]
                slate += [None] * (3 - len(slate))
                if rng.random() < 0.3:
                    slate[rng.integers(0, 3)] = None
                slates.append(slate)
            picks[engine, scope] = slates
    truth.append((narrow, eligible, present, bought, spend, before, mailed, redeemed, segment, picks))
    weeks.append({
        "name": f"2017-09-{4 + 7 * w:02d}",
        "promotions": [
            {"products": np.flatnonzero(eligible[p]).tolist(), "narrow": bool(narrow[p])}
            for p in range(PROMOTIONS)
        ],
        "customers": [
            {
                "customer": int(present[c]),
                "purchases": [[int(k), int(spend[c, k])] for k in np.flatnonzero(bought[c])],
                "bought_before": np.flatnonzero(before[c]).tolist(),
                "redeemed": np.flatnonzero(redeemed[c]).tolist() if mailed[c] else None,
                "segment": str(segment[c]),
            }
            for c in range(32)
        ],
        "slates": {e: {s: picks[e, s] for s in SCOPES} for e in ENGINES},
    })


def gains(spend, eligible, order):
    """Spend newly covered by each promotion of an order."""
    covered = np.zeros(PRODUCTS, bool)
    out = []
    for p in order:
        out.append(spend[eligible[p] & ~covered].sum())
        covered |= eligible[p]
    return out


def ideal(spend, eligible, inside):
    chosen = []
    for _ in range(3):
        left = [(gains(spend, eligible, chosen + [p])[-1], -p) for p in inside if p not in chosen]
        if not left or max(left)[0] == 0:
            break
        chosen.append(-max(left)[1])
    return sum(g * d for g, d in zip(gains(spend, eligible, chosen), DISCOUNTS))


def metrics(engine, scope, keep):
    """All nine values over the customer-weeks that keep(w, c) admits."""
    rows, caught, new, made = [], 0, 0, 0
    offered, candidates, seen = set(), 0, set()
    for w, (narrow, eligible, present, bought, spend, before, mailed, redeemed, segment, picks) in enumerate(truth):
        inside = np.flatnonzero({"narrow": narrow, "broad": ~narrow, "all": narrow | True}[scope])
        if keep(w, None):
            candidates += len(inside)
        for c in range(32):
            if not keep(w, c):
                continue
            slate = [p for p in picks[engine, scope][c] if p is not None]
            caught += sum(redeemed[c, p] for p in slate)
            new += sum(not (eligible[p] & before[c]).any() for p in slate)
            made += len(slate)
            offered |= {(w, p) for p in slate}
            if not bought[c].any():
                continue
            union = eligible[slate].any(axis=0) if slate else np.zeros(PRODUCTS, bool)
            hits = [(eligible[p] & bought[c]).any() for p in slate]
            dcg = sum(g * d for g, d in zip(gains(spend[c], eligible, slate), DISCOUNTS))
            best = ideal(spend[c], eligible, inside)
            first = union & bought[c] & ~before[c]
            rows.append([
                float(any(hits)), sum(hits) / 3, min(1.0, dcg / best) if best > 0 else 0.0,
                float(spend[c][union].sum()), float(first.any()), float(spend[c][first].sum()),
            ])
    mean = np.mean(rows, axis=0)
    names = ["hit_rate_at_3", "precision_at_3", "ndcg_at_3", "spend_captured_minor",
             "discovery_hit_rate_at_3", "discovery_spend_minor"]
    out = dict(zip(names, mean.tolist()))
    out |= {"redemptions_caught": float(caught), "new_product_offer_share": new / made,
            "coverage": len(offered) / candidates, "customers": len(rows)}
    return out


def all_scopes(engine, keep):
    return {scope: metrics(engine, scope, keep) for scope in SCOPES}


expect = {
    "all": {e: all_scopes(e, lambda w, c: True) for e in ENGINES},
    "by_week": {
        e: {weeks[k]["name"]: all_scopes(e, lambda w, c, k=k: w == k) for k in range(WEEKS)}
        for e in ENGINES
    },
    "by_segment": {
        e: {s: all_scopes(e, lambda w, c, s=s: c is None or truth[w][8][c] == s) for s in SEGMENTS}
        for e in ENGINES
    },
}
here = pathlib.Path(__file__).parent
(here / "offline.json").write_text(json.dumps({"weeks": weeks, "expect": expect}) + "\n")
