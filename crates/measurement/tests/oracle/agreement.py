"""What does GrowthBook's gbstats estimate on 1,000 random groups of units?

    pip install gbstats==0.8.0 numpy scipy
    python agreement.py > agreement.csv

Units are made from the number of the case alone, by splitmix64, and so are the same in tests/agreement.rs: only what
gbstats says of them is written. Each unit has spend, orders, spend before and orders before.

A line has, of each method, value, lower end and (of differences) p-value, at level 0.95:
- Welch's difference and relative difference; the same with CUPED (RegressionAdjustedStatistic);
- difference and relative difference of spend per order (RatioStatistic);
- the difference of spend per order less spend per order before: gbstats 0.8.0 on PyPI has none, so that the formulas
  of GrowthBook's later RegressionAdjustedRatioStatistic (gradient times 4x4 covariance) stand below in NumPy, but
  for the slope, to which each arm adds by its units;
- the confidence sequence around Welch's difference, planned for twice the units (SequentialTwoSidedTTest).
"""

import numpy as np
from gbstats.frequentist.tests import (
    FrequentistConfig,
    SequentialConfig,
    SequentialTwoSidedTTest,
    TwoSidedTTest,
)
from gbstats.models.statistics import (
    RatioStatistic,
    RegressionAdjustedStatistic,
    SampleMeanStatistic,
)
from scipy.stats import t

CASES, ALPHA = 1000, 0.05
np.seterr(over="ignore")


def scatter(place):
    step = np.uint64(0x9E3779B97F4A7C15)
    z = place * step + step
    z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return z ^ (z >> np.uint64(31))


def below(case, arm, unit, column, bound):
    """A number below the bound."""
    place = ((np.uint64(case * 2 + arm) * np.uint64(1024) + unit) * np.uint64(8)) + np.uint64(column)
    return (scatter(place) % np.uint64(bound)).astype(np.int64)


def units(case, arm):
    count = 100 + int(below(case, arm, np.uint64(1023), 0, 300))
    unit = np.arange(count, dtype=np.uint64)
    draw = lambda column, bound: below(case, arm, unit, column, bound)
    buys = (draw(0, 100) < 70).astype(np.int64)
    large = 1 + 4 * (draw(1, 8) == 0).astype(np.int64)
    spend = buys * (draw(2, 5000) + 1) * large * (100 + arm * (case % 30)) // 100
    orders = buys * (1 + draw(3, 6))
    before = spend * draw(4, 100) // 100 + draw(5, 2000)
    orders_before = orders // 2 + draw(6, 4)
    return spend, orders, before, orders_before


def mean(x):
    return SampleMeanStatistic(n=len(x), sum=float(x.sum()), sum_squares=float((x * x).sum()))


def of(result, p=True):
    return [result.expected, result.ci[0]] + ([result.p_value] if p else [])


def test(a, b, difference):
    config = FrequentistConfig(difference_type=difference, alpha=ALPHA)
    return TwoSidedTTest(a(), b(), config).compute_result()


def adjusted_ratio(groups):
    """A ratio less the ratio before, absolute."""
    parts = []
    for m, d, m0, d0 in groups:
        x = np.array([m, d, m0, d0], dtype=float)
        centre, covariance = x.mean(axis=1), np.cov(x)
        now = np.array([1 / centre[1], -centre[0] / centre[1] ** 2])
        then = np.array([-1 / centre[3], centre[2] / centre[3] ** 2])
        parts.append((x.shape[1], centre, covariance, now, then))
    shared = sum(n * (then @ c[2:, :2] @ now) for n, _, c, now, then in parts)
    theta = -shared / sum(n * (then @ c[2:, 2:] @ then) for n, _, c, _, then in parts)
    means, variances, dofs = [], [], []
    for n, centre, covariance, now, then in parts:
        gradient = np.concatenate([now, theta * then])
        means.append(centre[0] / centre[1] - theta * centre[2] / centre[3])
        variances.append(gradient @ covariance @ gradient / n)
        dofs.append(n - 1)
    error = np.sqrt(sum(variances))
    dof = sum(variances) ** 2 / sum(v * v / d for v, d in zip(variances, dofs))
    value = means[1] - means[0]
    return [value, value - t.ppf(1 - ALPHA / 2, dof) * error, 2 * t.sf(abs(value / error), dof)]


if __name__ == "__main__":
    for case in range(CASES):
        groups = [units(case, arm) for arm in (0, 1)]
        plain = [lambda g=g: mean(g[0]) for g in groups]
        less = [
            lambda g=g: RegressionAdjustedStatistic(
                n=len(g[0]),
                post_statistic=mean(g[0]),
                pre_statistic=mean(g[2]),
                post_pre_sum_of_products=float((g[0] * g[2]).sum()),
                theta=0,
            )
            for g in groups
        ]
        ratio = [
            lambda g=g: RatioStatistic(
                n=len(g[0]),
                m_statistic=mean(g[0]),
                d_statistic=mean(g[1]),
                m_d_sum_of_products=float((g[0] * g[1]).sum()),
            )
            for g in groups
        ]
        planned = 2 * sum(len(g[0]) for g in groups)
        sequence = SequentialTwoSidedTTest(
            plain[0](),
            plain[1](),
            SequentialConfig(
                difference_type="absolute", alpha=ALPHA, sequential_tuning_parameter=planned
            ),
        ).compute_result()
        line = []
        for a, b in (plain, less, ratio):
            line += of(test(a, b, "absolute")) + of(test(a, b, "relative"), p=False)
        line += adjusted_ratio(groups) + of(sequence)
        print(",".join(f"{number:.12g}" for number in line))
