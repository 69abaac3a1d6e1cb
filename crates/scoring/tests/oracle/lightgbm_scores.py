"""What does LightGBM say of pairs, by a small model of its own? Writes lightgbm_scores.json: model, pairs, and that.

    pip install lightgbm numpy
    python crates/scoring/tests/oracle/lightgbm_scores.py
"""

import json
import sys
from pathlib import Path

import lightgbm as lgb
import numpy as np

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parents[3] / "bench"))
import scorer_vs_lightgbm as bench  # noqa: E402

CUSTOMERS, PROMOTIONS, GROUPS = 12, 9, 4
bench.FEATURES = (3, 2, 3)


def rounded(values):
    return [None if np.isnan(value) else float(np.float32(value)) for value in values.ravel()]


def main():
    rng = np.random.default_rng(5)
    group_of = np.arange(PROMOTIONS) * 3 % GROUPS
    many = bench.tables(rng, 300, PROMOTIONS, GROUPS)
    rows = bench.pairs(many, group_of)
    target = np.nan_to_num(rows) @ rng.normal(size=rows.shape[1]) + np.isnan(rows[:, 0]) * 2 + np.abs(np.nan_to_num(rows[:, 6]))
    params = dict(num_leaves=15, learning_rate=0.3, num_threads=1, verbose=-1, seed=1, max_bin=31, deterministic=True)
    small = lgb.train(params, lgb.Dataset(rows, target), 8)
    params.update(num_leaves=45, min_data_in_leaf=5)
    large = lgb.train(params, lgb.Dataset(rows, target - small.predict(rows)), 2)
    sides = bench.tables(rng, CUSTOMERS, PROMOTIONS, GROUPS)
    pairs = bench.pairs(sides, group_of)
    expected = small.predict(pairs, raw_score=True) + large.predict(pairs, raw_score=True)
    oracle = dict(
        library=f"lightgbm {lgb.__version__}",
        features=bench.FEATURES,
        customers=CUSTOMERS,
        group_of=group_of.tolist(),
        trees=bench.exported(small) + bench.exported(large),
        values=[rounded(side) for side in sides],
        expected=expected.tolist(),
    )
    (HERE / "lightgbm_scores.json").write_text(json.dumps(oracle, separators=(",", ":")) + "\n")


main()
