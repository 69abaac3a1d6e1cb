"""How much faster than LightGBM's own C++ predict, and than lleaves, is the scorer, on the same model and rows?

    pip install lightgbm numpy lleaves llvmlite==0.44.0
    cargo build --release -p tercet-scoring --example scorer_speed
    python bench/scorer_vs_lightgbm.py [--json OUT] [--quick] [--example PATH] [--promotions 100 500] [--groups 20]

Trains 300 trees × 31 leaves on 100 features (50 of the customer, 20 of the promotion, 30 of both, given per
category of promotions). Everything runs on one thread and starts from the same three small tables. LightGBM and
lleaves get a row per pair: `build` is the time to write these rows, `predict` that of their own predict on them.
The scorer's time includes spreading the tables into its lanes, which is all the building it needs. Every score is
compared. (lleaves 1.3 asks llvmlite for passes that 0.45 left out.) Each measurement is repeated; the best repeat counts, and the spread between the quartiles is given
beside it.

A ratio is the scorer's rate over that of the anchor's predict alone: `ratio_with_build` counts the building of
rows on the anchor's side too.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from importlib.metadata import version
from pathlib import Path

import lightgbm as lgb
import numpy as np

try:
    import lleaves
except ImportError:
    lleaves = None

TREES, LEAVES = 300, 31
FEATURES = (50, 20, 30)
PAIRS, REPEATS = 20_000, 7
PAIRS_QUICK, REPEATS_QUICK = 10_000, 3
ROOT = Path(__file__).resolve().parent.parent

# Least ratios over an anchor's predict: by kernel, anchor and number of promotions.
GOALS = {
    ("avx512", "lightgbm", 100): 100.0,
    ("avx512", "lightgbm", 500): 250.0,
    ("avx2", "lightgbm", 100): 45.0,
    ("avx2", "lightgbm", 500): 45.0,
    ("avx512", "lleaves", 100): 10.0,
    ("avx512", "lleaves", 500): 10.0,
    ("avx2", "lleaves", 100): 10.0,
    ("avx2", "lleaves", 500): 10.0,
}


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


def repeated(work, repeats):
    """The seconds of every repeat, and what came out."""
    seconds, result = [], None
    for _ in range(repeats):
        start = time.perf_counter()
        result = work()
        seconds.append(time.perf_counter() - start)
    return seconds, result


def figure(seconds, pairs):
    """Pairs a second: of the best repeat, of the median and of each, and how far the quartiles lie apart, as a share
    of the median."""
    low, middle, high = np.percentile(seconds, [25, 50, 75])
    return dict(
        pairs_per_s=pairs / min(seconds),
        median_pairs_per_s=pairs / middle,
        spread=float((high - low) / middle),
        repeats=[pairs / second for second in seconds],
    )


def compiled(booster, folder):
    """lleaves' machine code of the model, for one thread."""
    path = folder / "model.txt"
    booster.save_model(path)
    model = lleaves.Model(model_file=str(path))
    model.compile()
    return model


def scorer(example, trees, sides, group_of):
    """Seconds of every repeat by kernel, and the margins."""
    with tempfile.TemporaryDirectory() as folder:
        folder = Path(folder)
        model = dict(
            base=0.0, features=FEATURES, customers=len(sides[0]), group_of=group_of.tolist(), trees=trees
        )
        (folder / "model.json").write_text(json.dumps(model))
        for name, values in zip(("customers", "promotions", "cross"), sides):
            values.astype("<f4").tofile(folder / f"{name}.f32")
        lines = subprocess.run([example, folder], check=True, capture_output=True, text=True).stdout
        margins = np.fromfile(folder / "margins.f64", "<f8")
    kernels = {}
    for line in lines.splitlines()[1:]:
        _, kernel, _, _, seconds = line.split("\t")
        kernels[kernel] = [float(second) for second in seconds.split(",")]
    return kernels, margins


def measured(booster, fast, trees, promotions, options):
    """The figures for one number of promotions."""
    rng = np.random.default_rng(promotions)
    quick = options.quick
    customers = max(1, (PAIRS_QUICK if quick else PAIRS) // promotions)
    repeats = REPEATS_QUICK if quick else REPEATS
    group_of = np.arange(promotions) % options.groups
    sides = tables(rng, customers, promotions, options.groups)
    build, matrix = repeated(lambda: pairs(sides, group_of), repeats)
    count = len(matrix)
    predict, expected = repeated(
        lambda: booster.predict(matrix, num_threads=1, raw_score=True), repeats
    )
    anchors = {"lightgbm": figure(predict, count)}
    if fast is not None:
        seconds, theirs = repeated(lambda: fast.predict(matrix, n_jobs=1), repeats)
        anchors["lleaves"] = figure(seconds, count)
        if np.max(np.abs(theirs - expected)) > 1e-5 * np.max(np.abs(expected)):
            raise SystemExit("lleaves and LightGBM disagree")
    kernels, margins = scorer(options.example, trees, sides, group_of)
    error = float(np.max(np.abs(margins - expected) / np.maximum(1.0, np.abs(expected))))
    case = dict(
        promotions=promotions,
        groups=options.groups,
        customers=customers,
        build=figure(build, count),
        anchors=anchors,
        kernels={},
        largest_relative_error=error,
    )
    for kernel, seconds in kernels.items():
        found = figure(seconds, count)
        for name, anchor in anchors.items():
            both = 1 / (1 / anchor["pairs_per_s"] + 1 / case["build"]["pairs_per_s"])
            found[name] = dict(
                ratio=found["pairs_per_s"] / anchor["pairs_per_s"],
                ratio_with_build=found["pairs_per_s"] / both,
                goal=GOALS.get((kernel, name, promotions)),
            )
        case["kernels"][kernel] = found
    return case


def shown(case):
    """Prints one case."""
    print(f"{case['promotions']} promotions, {case['groups']} groups, {case['customers']} customers")
    print(f"  {'build rows':<16}{case['build']['pairs_per_s']:>14,.0f} pairs/s")
    for name, anchor in case["anchors"].items():
        print(f"  {name:<16}{anchor['pairs_per_s']:>14,.0f} pairs/s   ± {anchor['spread']:.0%}")
    for kernel, found in case["kernels"].items():
        ratios = [
            f"{found[name]['ratio']:.1f} × {name} ({found[name]['ratio_with_build']:.1f} × with rows built"
            + (f"; goal {goal:.0f})" if (goal := found[name]["goal"]) else ")")
            for name in case["anchors"]
        ]
        print(f"  {kernel:<16}{found['pairs_per_s']:>14,.0f} pairs/s   ± {found['spread']:.0%}   {', '.join(ratios)}")
    print(f"  largest difference of scores, relative: {case['largest_relative_error']:.1e}")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    target = Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target"))
    parser.add_argument("--example", default=target / "release/examples/scorer_speed")
    parser.add_argument("--promotions", type=int, nargs="+", default=[100, 500])
    parser.add_argument("--groups", type=int, default=20)
    parser.add_argument("--json", type=Path, help="where to write the figures")
    parser.add_argument("--quick", action="store_true", help="fewer pairs and repeats")
    options = parser.parse_args()
    booster = trained(np.random.default_rng(7), options.groups)
    trees = exported(booster)
    with tempfile.TemporaryDirectory() as folder:
        fast = compiled(booster, Path(folder)) if lleaves is not None else None
        if fast is None:
            print("lleaves is not installed: left out")
        cases = [measured(booster, fast, trees, count, options) for count in options.promotions]
    for case in cases:
        shown(case)
    if options.json:
        found = dict(
            trees=TREES,
            leaves=LEAVES,
            features=sum(FEATURES),
            threads=1,
            lightgbm=lgb.__version__,
            lleaves=None if lleaves is None else version("lleaves"),
            cases=cases,
        )
        options.json.write_text(json.dumps(found, indent=1) + "\n")
    return 0 if all(case["largest_relative_error"] <= 1e-5 for case in cases) else 1


if __name__ == "__main__":
    sys.exit(main())
