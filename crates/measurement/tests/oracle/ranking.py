"""Figures of rankings, by ranx, pytrec_eval and scikit-learn: `python ranking.py > ranking.json`.

    pip install ranx==0.3.21 pytrec-eval-terrier scikit-learn

Random scores with many ties are ranked with ties by product; all libraries get that order. Where two libraries have a
figure they must agree. Coverage, Gini coefficient, novelty and popularity are in none of them: numpy, by the
definitions in `src/ranking/metric.rs`.
"""

import json
import sys

import numpy as np
import pytrec_eval
from ranx import Qrels, Run, evaluate
from sklearn.metrics import ndcg_score

KS = [1, 3, 10]
rng = np.random.default_rng(20261122)


def ranked(scores, length):
    order = sorted(range(len(scores)), key=lambda product: (-scores[product], product))
    return [int(product) for product in order[:length]]


def libraries(ranking, truth, products):
    qrels = {"q": {str(product): 1 for product in truth}}
    run = {"q": {str(product): float(-place) for place, product in enumerate(ranking)}}
    expect = []
    for k in KS:
        names = [f"recall@{k}", f"precision@{k}", f"hit_rate@{k}", f"ndcg@{k}", f"mrr@{k}", f"map@{k}"]
        found = evaluate(Qrels(qrels), Run(run), names)
        cut = {"q": {str(product): float(-place) for place, product in enumerate(ranking[:k])}}
        measures = {f"recall.{k}", f"P.{k}", f"ndcg_cut.{k}", f"map_cut.{k}", "ndcg", "recip_rank"}
        trec = pytrec_eval.RelevanceEvaluator(qrels, measures).evaluate(cut)["q"]
        pairs = [("recall", "recall"), ("precision", "P"), ("ndcg", "ndcg_cut"), ("map", "map_cut")]
        for ours, theirs in pairs:
            assert abs(found[f"{ours}@{k}"] - trec[f"{theirs}_{k}"]) < 1e-12, (ours, found, trec)
        assert abs(found[f"mrr@{k}"] - trec["recip_rank"]) < 1e-12
        if len(ranking) == products:
            relevance = np.isin(np.arange(products), list(truth)).astype(float)
            places = np.empty(products)
            places[ranking] = -np.arange(products)
            assert abs(ndcg_score([relevance], [places], k=k) - found[f"ndcg@{k}"]) < 1e-12
        expect.append([
            found[f"recall@{k}"], found[f"precision@{k}"], found[f"hit_rate@{k}"], found[f"ndcg@{k}"],
            trec["ndcg"], found[f"mrr@{k}"], found[f"map@{k}"],
        ])
    return [[float(value) for value in row] for row in expect]


def single():
    products = int(rng.integers(2, 40))
    scores = rng.integers(0, 6, products)
    length = products if rng.random() < 0.5 else int(rng.integers(0, products + 1))
    ranking = ranked(scores, length)
    truth = rng.choice(products, int(rng.integers(1, min(products, 15) + 1)), replace=False)
    lines = [int(product) for product in np.concatenate([truth, rng.choice(truth, 2)])]
    known = [int(product) for product in rng.integers(0, products, 4)]
    return {"products": products, "known": known, "truth": lines, "list": ranking,
            "expect": libraries(ranking, {int(p) for p in truth}, products) if ranking
            else [[0.0] * 7] * len(KS)}


def together():
    products, customers = 25, 40
    popular = 1 / np.arange(1, products + 1)
    history = [[int(p) for p in rng.choice(products, 8, p=popular / popular.sum())] for _ in range(customers)]
    lists = [ranked(rng.integers(0, 4, products) * popular, 10) for _ in range(customers)]
    buyers = np.array([sum(product in set(own) for own in history) for product in range(products)])
    share = np.maximum(buyers, 1) / customers
    expect = []
    for k in KS:
        cut = [own[:k] for own in lists]
        counts = np.sort(np.bincount(np.concatenate(cut), minlength=products))
        place = np.arange(1, products + 1)
        expect.append([
            float(np.mean([np.mean(-np.log2(share[own])) for own in cut])),
            float(np.mean([np.mean(buyers[own] / customers) for own in cut])),
            float(np.mean(counts > 0)),
            float(np.sum((2 * place - products - 1) * counts) / (products * counts.sum())),
        ])
    return {"products": products, "histories": history, "lists": lists, "expect": expect}


json.dump({"ks": KS, "customers": [single() for _ in range(300)], "together": [together() for _ in range(5)]},
          sys.stdout, separators=(",", ":"))
