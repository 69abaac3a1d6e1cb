"""What do BG/NBD and Gamma-Gamma say by lifetimes, on histories drawn from the models themselves?

    pip install lifetimes==0.11.3 numpy==2.4.6 pandas==3.1.1
    python customer_value.py > customer_value.json

Three shops: few purchases, frequent ones, and one whose customers seldom leave. Days are whole and times weeks.
Log-likelihoods, and predictions for the first customers, are at fixed parameters; fitted parameters come with
their standard errors over their values, which are the standard errors of their logarithms.
"""

import json
import sys

import numpy as np
import pandas as pd
from lifetimes import BetaGeoFitter, GammaGammaFitter

SHOPS = [
    # customers, weeks, r, alpha, a, b, p, q, v
    (700, 39, (0.25, 4.4, 0.8, 2.4), (6.0, 4.0, 15.0)),
    (500, 60, (1.4, 2.1, 0.5, 6.0), (1.5, 3.0, 40.0)),
    (500, 26, (0.7, 3.0, 0.3, 9.0), (3.0, 6.0, 8.0)),
]
PREDICTED = 40
HORIZONS = (1.0, 13.0, 52.0)


def shop(customers, weeks, times, values, seed):
    rng = np.random.default_rng(seed)
    (r, alpha, a, b), (p, q, v) = times, values
    rows = []
    for _ in range(customers):
        rate, leaves = rng.gamma(r, 1 / alpha), rng.beta(a, b)
        age = int(rng.integers(1, weeks * 7)) if rng.random() < 0.8 else weeks * 7
        days, now = set(), 0.0
        while True:
            now += rng.exponential(1 / rate)
            if now * 7 >= age:
                break
            days.add(int(now * 7) + 1)
            if rng.random() < leaves:
                break
        days = {min(day, age) for day in days}
        scale = rng.gamma(q, 1 / v)
        mean = round(float(rng.gamma(p * len(days), 1 / (scale * len(days)))), 2) if days else 0.0
        rows.append((len(days), max(days, default=0) / 7, age / 7, max(mean, 0.01) if days else 0.0))
    return pd.DataFrame(rows, columns=["frequency", "recency", "age", "mean_value"])


def answers(table, times, values):
    columns = [table.frequency.astype(float), table.recency, table.age]
    ones, repeat = np.ones(len(table)), table[table.frequency > 0]
    purchases, spending = BetaGeoFitter(), GammaGammaFitter()
    purchases.params_ = pd.Series(times, index=["r", "alpha", "a", "b"])
    spending.params_ = pd.Series(values, index=["p", "q", "v"])
    purchases.predict = purchases.conditional_expected_number_of_purchases_up_to_time
    logs = [np.log(parameters) for parameters in (times, values)]
    likelihood = -purchases._negative_log_likelihood(logs[0], *columns, ones, 0.0) * len(table)
    means = [repeat.frequency.astype(float), repeat.mean_value]
    of_values = -spending._negative_log_likelihood(logs[1], *means, np.ones(len(repeat)), 0.0) * len(repeat)
    head = table.head(PREDICTED)
    few = [column.head(PREDICTED) for column in columns]
    found = {
        "times": times,
        "values": values,
        "log_likelihood": likelihood,
        "value_log_likelihood": of_values,
        "alive": list(np.asarray(purchases.conditional_probability_alive(*few))),
        "expected": [
            list(np.asarray(purchases.conditional_expected_number_of_purchases_up_to_time(horizon, *few)))
            for horizon in HORIZONS
        ],
        "value": list(spending.conditional_expected_average_profit(few[0], head.mean_value)),
        "lifetime_value": list(
            spending.customer_lifetime_value(purchases, *few, head.mean_value, time=12, discount_rate=0.01, freq="W")
        ),
    }
    fitted = BetaGeoFitter().fit(*columns)
    of_repeat = GammaGammaFitter().fit(*means)
    for name, model, parameters in (("fitted", fitted, "r alpha a b"), ("value_fitted", of_repeat, "p q v")):
        values = model.params_[parameters.split()]
        found[name] = list(values)
        found[name + "_errors"] = list(model.standard_errors_[values.index] / values)
    return found


def main():
    shops = []
    for seed, (customers, weeks, times, values) in enumerate(SHOPS):
        table = shop(customers, weeks, times, values, seed)
        days = [[int(x), round(tx * 7), round(age * 7), z] for x, tx, age, z in table.itertuples(index=False)]
        shops.append({"customers": days, **answers(table, times, values)})
    json.dump({"horizons": HORIZONS, "shops": shops}, sys.stdout, default=float, separators=(",", ":"))
    print()


main()
