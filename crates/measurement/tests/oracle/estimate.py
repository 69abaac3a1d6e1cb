"""Which estimates and intervals do reference libraries give for random moments?

    pip install gbstats==0.8.0 scipy statsmodels numpy
    python estimate.py > estimate.json

Welch's difference is that of statsmodels (CompareMeans, unequal variances), the relative difference and the
ratio are those of gbstats (TwoSidedTTest, RatioStatistic), the paired relative difference is the delta method
by a numerical gradient over the covariance matrix of numpy, and quantiles of t are scipy's.
"""

import json
import sys

import numpy as np
from gbstats.frequentist.tests import FrequentistConfig, TwoSidedTTest
from gbstats.models.statistics import RatioStatistic, SampleMeanStatistic
from scipy.stats import t
from statsmodels.stats.weightstats import CompareMeans, DescrStatsW

rng = np.random.default_rng(20261122)


def draw(n):
    """One number per unit: what is spent, mostly nothing; how often; or something like a normal."""
    kind = rng.integers(3)
    if kind == 0:
        return np.where(rng.random(n) < 0.4, rng.lognormal(3, 1, n), 0.0)
    if kind == 1:
        return rng.poisson(rng.uniform(1, 6), n).astype(float)
    return rng.normal(rng.uniform(50, 90), rng.uniform(1, 9), n)


def parts(x):
    return [len(x), x.mean(), ((x - x.mean()) ** 2).sum()]


def statistic(x):
    return SampleMeanStatistic(n=len(x), sum=x.sum(), sum_squares=(x**2).sum())


def delta(x, y):
    """y̅ / x̅ − 1 with its standard error, by a central difference over the means."""
    mean = np.array([x.mean(), y.mean()])
    ratio = lambda m: m[1] / m[0]
    step = 1e-6 * mean
    gradient = np.array(
        [
            (ratio(mean + np.eye(2)[k] * step) - ratio(mean - np.eye(2)[k] * step)) / (2 * step[k])
            for k in range(2)
        ]
    )
    return ratio(mean) - 1, np.sqrt(gradient @ (np.cov(x, y) / len(x)) @ gradient)


cases = []
for _ in range(60):
    n, m = (int(v) for v in np.exp(rng.uniform(np.log(150), np.log(4000), 2)))
    a, b = draw(n), draw(m)
    level = float(rng.choice([0.8, 0.9, 0.95, 0.99]))
    welch = CompareMeans(DescrStatsW(b), DescrStatsW(a))
    low, high = welch.tconfint_diff(alpha=1 - level, usevar="unequal")
    relative = TwoSidedTTest(
        statistic(a), statistic(b), FrequentistConfig(difference_type="relative", alpha=1 - level)
    ).compute_result()
    x = draw(n)
    y = np.round(x * rng.uniform(0.5, 1.5, n) + rng.poisson(1.0, n), 2)
    value, error = delta(x, y)
    reach = t.ppf(0.5 + level / 2, n - 1) * error
    ratio = RatioStatistic(
        n=n, m_statistic=statistic(y), d_statistic=statistic(x), m_d_sum_of_products=(x * y).sum()
    )
    cases.append(
        {
            "control": parts(a),
            "treatment": parts(b),
            "level": level,
            "difference": [b.mean() - a.mean(), low, high],
            "relative": [relative.expected, *relative.ci],
            "first": parts(x),
            "second": parts(y),
            "cross": ((x - x.mean()) * (y - y.mean())).sum(),
            "ratio": [ratio.mean, np.sqrt(ratio.variance / n)],
            "paired": [value, value - reach, value + reach],
        }
    )
quantiles = [
    [p, dof, t.ppf(p, dof)]
    for p in (0.6, 0.9, 0.95, 0.975, 0.995, 0.9995)
    for dof in (1.0, 1.7, 2.5, 7.0, 29.3, 120.0, 999.0, 1000.0, 54321.0, 1e7)
]
json.dump({"cases": cases, "quantiles": quantiles}, sys.stdout, indent=0)
print()
