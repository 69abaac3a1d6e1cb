"""How long does implicit take to learn from the same interactions?

    pip install -r bench/requirements.txt
    python bench/implicit_anchor.py make FILE INTERACTIONS
    python bench/implicit_anchor.py item-knn|als-cg|als-cholesky|als-top-3 FILE THREADS

`make` draws customers with long and short histories over 20,000 products with a long tail, of 40 tastes: two numbers
of 32 bits for each customer and product, by customer, each pair once. The others fit on FILE and print one line of
JSON: seconds and CPU seconds of the fit alone (`als-top-3`: of the three best new products of every customer), and
what must be the same.
"""

import json
import os
import pathlib
import sys
import time

# Threads are what is asked for: no library takes others.
os.environ["OPENBLAS_NUM_THREADS"] = "1"

import numpy as np
import scipy.sparse

PRODUCTS = 20_000
TASTES = 40
LINES = 100
# Some draws fall on what a customer has already.
DRAWS = 1.6
NEIGHBOURS = 100
FACTORS, ITERATIONS, REGULARISATION = 64, 3, 0.01
# Of what was bought; of all else it is 1.
CONFIDENCE = 10
BEST = 3
SEED = 1


def make(file, interactions):
    rng = np.random.default_rng(SEED)
    customers = interactions // LINES
    lines = rng.lognormal(0, 1, customers)
    lines = np.maximum(1, lines * (DRAWS * interactions / lines.sum())).astype(np.int64)
    customer = np.repeat(np.arange(customers), lines)
    # Half of what a customer buys is of its taste, which is a part of the products, popular ones and others.
    popularity = (np.arange(PRODUCTS) + 10.0) ** -0.9
    rank = rng.choice(PRODUCTS, len(customer), p=popularity / popularity.sum())
    taste = rng.integers(0, TASTES, customers)[customer]
    own = rng.random(len(customer)) < 0.5
    product = np.where(own, np.minimum(rank // TASTES * TASTES + taste, PRODUCTS - 1), rank)
    pairs = np.unique(customer * PRODUCTS + product)
    pairs = np.sort(rng.choice(pairs, interactions, replace=False))
    file.parent.mkdir(parents=True, exist_ok=True)
    np.column_stack([pairs // PRODUCTS, pairs % PRODUCTS]).astype("<u4").tofile(file)


def read(file):
    customer, product = np.fromfile(file, "<u4").reshape(-1, 2).T
    ones = np.ones(len(customer))
    return scipy.sparse.csr_matrix((ones, (customer, product)), shape=(customer.max() + 1, PRODUCTS))


def timed(fit):
    start, cpu = time.perf_counter(), time.process_time()
    fit()
    return {
        "seconds": round(time.perf_counter() - start, 3),
        "cpu_seconds": round(time.process_time() - cpu, 2),
    }


def item_knn(had, threads):
    import warnings

    from implicit.nearest_neighbours import CosineRecommender

    # implicit warns of a matrix that it made itself.
    warnings.simplefilter("ignore")
    # A product is its own nearest.
    model = CosineRecommender(K=NEIGHBOURS + 1, num_threads=threads)
    found = timed(lambda: model.fit(had, show_progress=False))
    likeness = model.similarity
    return found | {"likeness": float(likeness.sum() - likeness.diagonal().sum())}


def als(had, threads, cg, ranking=False):
    from implicit.cpu.als import AlternatingLeastSquares

    model = AlternatingLeastSquares(
        factors=FACTORS,
        regularization=REGULARISATION,
        iterations=ITERATIONS,
        use_cg=cg,
        num_threads=threads,
        random_state=SEED,
    )
    confidence = (had * CONFIDENCE).astype(np.float32)
    fitting = timed(lambda: model.fit(confidence, show_progress=False))
    lists = []
    everybody = np.arange(had.shape[0])
    ranked = timed(lambda: lists.append(model.recommend(everybody, confidence, N=BEST)))
    (_, scores), = lists
    return (ranked if ranking else fitting) | {"score": float(scores.mean())}


MODELS = {
    "item-knn": item_knn,
    "als-cg": lambda had, threads: als(had, threads, cg=True),
    "als-cholesky": lambda had, threads: als(had, threads, cg=False),
    "als-top-3": lambda had, threads: als(had, threads, cg=True, ranking=True),
}


def main():
    verb, file, number = sys.argv[1], pathlib.Path(sys.argv[2]), int(sys.argv[3])
    if verb == "make":
        make(file, number)
    else:
        print(json.dumps(MODELS[verb](read(file), number)))


main()
