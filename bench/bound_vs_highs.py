"""What is the optimum of the linear relaxation of the scarce shop, and how long does HiGHS take to find it?

    pip install -r bench/requirements.txt
    python bench/bound_vs_highs.py --customers 1000 [--promotions 100] [--seed 1] [--margin]

Makes the problem of crates/allocation/examples/scarce number by number: three slots, each promotion for one of
them, a cap a promotion, one budget; with --margin one of margin for every other promotion, too. Prints one line of JSON: the pairs, the optimum, and the seconds HiGHS took once
it had the matrix. At most 100 promotions, for which every customer has all of them.
"""

import argparse
import json
import sys
import time

import highspy
import numpy as np

SLOTS = 3
PROMOTIONS_MAX = 100


def scatter(seed, purpose, at):
    """Numbers within 0 and 1 that depend on seed, purpose and place alone (splitmix64, doi:10.1145/2660193.2660195)."""
    z = np.uint64(seed) ^ np.uint64(purpose << 56) ^ at.astype(np.uint64) * np.uint64(0x9E3779B97F4A7C15)
    z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return ((z ^ (z >> np.uint64(31))) >> np.uint64(11)).astype(np.float64) / float(1 << 53)


def problem(seed, customers, promotions, with_margin):
    """Values, costs and losses of margin by customer and promotion, the cap of each promotion, the budgets."""
    cap = max(1, customers // promotions)
    customer, promotion = np.arange(customers), np.arange(promotions)
    pair = customer[:, None] * 10_000 + promotion[None, :]
    likes = 0.3 + scatter(seed, 1, promotion)
    spends = (200.0 / (0.2 + scatter(seed, 2, customer)))[:, None]
    taste = scatter(seed, 4, pair)
    costs = 1 + (spends * 0.2 * scatter(seed, 5, pair)).astype(np.int64)
    values = 1 + (spends * likes[None, :] * taste * taste).astype(np.int64)
    losses = np.ceil(costs * np.maximum(scatter(seed, 7, pair) * 1.5 - 0.5, 0.0)).astype(np.int64)

    def pays_for(amounts, share):
        return int(float(amounts.sum()) / amounts.size * float(cap * promotions) * share)

    return values, costs, losses, cap, (pays_for(costs, 0.5), pays_for(losses, 0.125) if with_margin else None)


def relaxation(values, costs, losses, cap, budgets):
    """The linear program, by columns: customer and slot at most once, promotions at most to their cap, the budgets."""
    customers, promotions = values.shape
    budget, of_margin = budgets
    seats = customers * SLOTS
    rows = seats + promotions + (1 if of_margin is None else 2)
    customer = np.repeat(np.arange(customers), promotions)
    promotion = np.tile(np.arange(promotions), customers)
    columns = values.size
    lp = highspy.HighsLp()
    lp.num_col_, lp.num_row_ = columns, rows
    lp.sense_ = highspy.ObjSense.kMaximize
    lp.col_cost_ = values.ravel().astype(np.float64)
    lp.col_lower_, lp.col_upper_ = np.zeros(columns), np.ones(columns)
    lp.row_lower_ = np.full(rows, -highspy.kHighsInf)
    ends = [float(budget)] if of_margin is None else [float(budget), float(of_margin)]
    lp.row_upper_ = np.concatenate([np.ones(seats), np.full(promotions, float(cap)), ends])
    lp.a_matrix_.format_ = highspy.MatrixFormat.kColwise
    index = [customer * SLOTS + promotion % SLOTS, seats + promotion, np.full(columns, seats + promotions)]
    weight = [np.ones(columns), np.ones(columns), costs.ravel().astype(np.float64)]
    if of_margin is not None:
        index.append(np.full(columns, rows - 1))
        weight.append(losses.ravel() * (promotion % 2 == 0).astype(np.float64))
    lp.a_matrix_.start_ = np.arange(columns + 1) * len(index)
    index, weight = np.stack(index, axis=1), np.stack(weight, axis=1)
    lp.a_matrix_.index_, lp.a_matrix_.value_ = index.ravel().astype(np.int32), weight.ravel()
    return lp


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--customers", type=int, required=True)
    parser.add_argument("--promotions", type=int, default=PROMOTIONS_MAX)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--margin", action="store_true")
    options = parser.parse_args()
    if options.promotions > PROMOTIONS_MAX:
        raise SystemExit(f"at most {PROMOTIONS_MAX} promotions")
    lp = relaxation(*problem(options.seed, options.customers, options.promotions, options.margin))
    highs = highspy.Highs()
    highs.setOptionValue("output_flag", False)
    highs.passModel(lp)
    start = time.perf_counter()
    highs.run()
    seconds = time.perf_counter() - start
    if highs.getModelStatus() != highspy.HighsModelStatus.kOptimal:
        raise SystemExit(f"no optimum: {highs.getModelStatus()}")
    optimum = highs.getInfo().objective_function_value
    print(json.dumps(dict(pairs=lp.num_col_, optimum=optimum, seconds=round(seconds, 3))))
    return 0


if __name__ == "__main__":
    sys.exit(main())
