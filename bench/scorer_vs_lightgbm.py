"""How much faster than LightGBM's own C++ predict is the scorer, on the same model and rows in the same run?

    pip install lightgbm numpy
    cargo build --release -p tercet-scoring --example scorer_speed
    python bench/scorer_vs_lightgbm.py [--example PATH] [--promotions 100 500] [--groups 20]

Trains 300 trees × 31 leaves on 100 features (50 of the customer, 20 of the promotion, 30 of both, given per
category of promotions), times `Booster.predict` on one thread over the full matrix of pairs, then the scorer's
kernels on one thread over the three small tables, and compares every score. The best of several short repeats
counts on both sides. Building the matrix of pairs, which LightGBM needs, is not in its time; spreading the three
tables into lanes is in the scorer's.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import lightgbm as lgb
import numpy as np

TREES, LEAVES = 300, 31
FEATURES = (50, 20, 30)
REPEATS = 7
ROOT = Path(__file__).resolve().parent.parent


def tables(rng, customers, promotions, groups):
    """Values of the three sides in f32, one in twenty missing."""
    shapes = [(customers, FEATURES[0]), (promotions, FEATURES[1]), (customers * groups, FEATURES[2])]
    sides = []
    for shape in shapes:
        values = rng.normal(size=shape).astype(np.float32)
        values[rng.random(shape) < 0.05] = np.nan
        sides.append(values)
    return sides


def pairs(sides, group_of):
    """The matrix of pairs, customer after customer."""
    own, of_promotion, cross = sides
    customers, promotions, groups = len(own), len(of_promotion), len(cross) // len(own)
    customer = np.repeat(np.arange(customers), promotions)
    promotion = np.tile(np.arange(promotions), customers)
    return np.hstack([own[customer], of_promotion[promotion], cross[customer * groups + group_of[promotion]]])


def trained(rng, groups):
    """A model of a target that hangs on features of all sides."""
    promotions = 60
    group_of = np.arange(promotions) % groups
    rows = pairs(tables(rng, 800, promotions, groups), group_of)
    weights = rng.normal(size=(rows.shape[1], 3)) * (rng.random((rows.shape[1], 3)) < 0.3)
    hidden = np.nan_to_num(rows) @ weights
    target = hidden[:, 0] + np.abs(hidden[:, 1]) * np.sign(hidden[:, 2]) + rng.normal(size=len(rows))
    params = dict(num_leaves=LEAVES, learning_rate=0.05, num_threads=1, verbose=-1, seed=1, max_bin=63)
    return lgb.train(params, lgb.Dataset(rows, target), TREES)


def below(threshold):
    """LightGBM's `value <= threshold` (f64) as `value < ours` (f32), the same for every f32 value."""
    largest = float(np.finfo(np.float32).max)
    if threshold >= largest:
        # Only infinity is not below; 1e39 reads as infinity in f32.
        return 1e39
    down = np.float32(threshold)
    if float(down) > threshold:
        down = np.nextafter(down, np.float32(-np.inf))
    return float(np.nextafter(down, np.float32(np.inf)))


def exported(booster):
    """The trees as parallel arrays, children behind their parent."""
    trees = []
    for tree in booster.dump_model()["tree_info"]:
        out = {name: [] for name in ("feature", "threshold", "default_left", "left", "right", "value")}

        def add(node):
            at = len(out["left"])
            leaf = "leaf_value" in node
            missing = node.get("missing_type")
            if not leaf and (node["decision_type"] != "<=" or missing == "Zero"):
                raise SystemExit(f"cannot export {node['decision_type']} with missing type {missing}")
            default_left = not leaf and (node["default_left"] if missing == "NaN" else 0.0 <= node["threshold"])
            out["feature"].append(0 if leaf else node["split_feature"])
            out["threshold"].append(0.0 if leaf else below(node["threshold"]))
            out["default_left"].append(int(default_left))
            out["value"].append(node["leaf_value"] if leaf else 0.0)
            out["left"].append(0)
            out["right"].append(0)
            if not leaf:
                out["left"][at] = add(node["left_child"])
                out["right"][at] = add(node["right_child"])
            return at

        add(tree["tree_structure"])
        trees.append(out)
    return trees


def best_seconds(work):
    """The shortest of some repeats, and what came out."""
    shortest, result = float("inf"), None
    for _ in range(REPEATS):
        start = time.perf_counter()
        result = work()
        shortest = min(shortest, time.perf_counter() - start)
    return shortest, result


def measured(booster, trees, example, promotions, groups):
    """Prints rates and ratios for one number of promotions; False when a score differs."""
    rng = np.random.default_rng(promotions)
    customers = max(1, 20_000 // promotions)
    group_of = np.arange(promotions) % groups
    sides = tables(rng, customers, promotions, groups)
    matrix = pairs(sides, group_of)
    seconds, expected = best_seconds(lambda: booster.predict(matrix, num_threads=1, raw_score=True))
    reference = len(matrix) / seconds
    print(f"{promotions} promotions, {groups} groups, {customers} customers")
    print(f"  {'LightGBM ' + lgb.__version__:<16}{reference:>14,.0f} pairs/s")
    with tempfile.TemporaryDirectory() as folder:
        folder = Path(folder)
        model = dict(
            base=0.0, features=FEATURES, customers=customers, group_of=group_of.tolist(), trees=trees
        )
        (folder / "model.json").write_text(json.dumps(model))
        for name, values in zip(("customers", "promotions", "cross"), sides):
            values.astype("<f4").tofile(folder / f"{name}.f32")
        lines = subprocess.run([example, folder], check=True, capture_output=True, text=True).stdout
        margins = np.fromfile(folder / "margins.f64", "<f8")
    for line in lines.splitlines():
        _, kernel, rate, _ = line.split("\t")
        print(f"  {kernel:<16}{float(rate):>14,.0f} pairs/s {float(rate) / reference:>8.1f} ×")
    error = np.max(np.abs(margins - expected) / np.maximum(1.0, np.abs(expected)))
    print(f"  largest difference of {len(margins):,} scores, relative: {error:.1e}")
    return error <= 1e-5


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    target = Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target"))
    parser.add_argument("--example", default=target / "release/examples/scorer_speed")
    parser.add_argument("--promotions", type=int, nargs="+", default=[100, 500])
    parser.add_argument("--groups", type=int, default=20)
    options = parser.parse_args()
    booster = trained(np.random.default_rng(7), options.groups)
    trees = exported(booster)
    agree = [
        measured(booster, trees, options.example, promotions, options.groups)
        for promotions in options.promotions
    ]
    return 0 if all(agree) else 1


if __name__ == "__main__":
    sys.exit(main())
