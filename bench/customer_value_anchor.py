"""How long does lifetimes take to fit BG/NBD, on the same customers?

    pip install -r bench/requirements.txt
    python bench/customer_value_anchor.py make HISTORIES CUSTOMERS
    python bench/customer_value_anchor.py fit HISTORIES

`make` draws customers from the model at the parameters of CDNOW's, whole days over up to a year, times in weeks:
three numbers of 64 bits each (frequency, recency, age). `fit` prints one line of JSON: seconds and CPU seconds of
the fit alone, the parameters and the log-likelihood.
"""

import json
import pathlib
import sys
import time

import numpy as np

R, ALPHA, A, B = 0.2426, 4.4135, 0.7929, 2.4258
DAYS = 365
SEED = 1


def make(file, customers):
    rng = np.random.default_rng(SEED)
    rate = rng.gamma(R, 1 / ALPHA, customers) / 7
    leaves = rng.beta(A, B, customers)
    age = rng.integers(1, DAYS + 1, customers)
    frequency, last = np.zeros(customers), np.zeros(customers)
    now, alive = np.zeros(customers), np.arange(customers)
    while len(alive):
        now[alive] += rng.exponential(1 / np.maximum(rate[alive], 1e-300))
        alive = alive[now[alive] <= age[alive]]
        day = np.ceil(now[alive])
        # A day counts once.
        frequency[alive] += day > last[alive]
        last[alive] = day
        alive = alive[rng.random(len(alive)) >= leaves[alive]]
    file.parent.mkdir(parents=True, exist_ok=True)
    np.column_stack([frequency, last / 7, age / 7]).astype("<f8").tofile(file)


def fit(file):
    import warnings

    # lifetimes calls what NumPy and autograd are about to take away.
    warnings.simplefilter("ignore")
    from lifetimes import BetaGeoFitter

    frequency, recency, age = np.fromfile(file, "<f8").reshape(-1, 3).T.copy()
    model = BetaGeoFitter()
    start, cpu = time.perf_counter(), time.process_time()
    model.fit(frequency, recency, age)
    seconds, cpu = time.perf_counter() - start, time.process_time() - cpu
    found = {
        "seconds": round(seconds, 3),
        "cpu_seconds": round(cpu, 2),
        "parameters": [float(model.params_[name]) for name in ("r", "alpha", "a", "b")],
        "log_likelihood": -float(model._negative_log_likelihood_) * len(frequency),
    }
    print(json.dumps(found))


def main():
    verb, file = sys.argv[1], pathlib.Path(sys.argv[2])
    if verb == "make":
        make(file, int(sys.argv[3]))
    else:
        fit(file)


main()
