"""Which Shapley values has LightGBM for the rows of small models? Writes treeshap.json: models, rows, and each feature's
value (`pred_contrib`, path-dependent TreeSHAP).

    pip install lightgbm==4.7.0 numpy
    python crates/models/tests/oracle/treeshap.py
"""

import json
from pathlib import Path

import lightgbm as lgb
import numpy as np

HERE = Path(__file__).resolve().parent
FEATURES, ROWS = 7, 40


def below(threshold):
    """LightGBM's `value <= threshold` (f64) as `value < ours` (f32), the same for every f32 value."""
    largest = float(np.finfo(np.float32).max)
    if threshold >= largest:
        # All numbers are below: the rows have none that is as large.
        return largest
    down = np.float32(threshold)
    if float(down) > threshold:
        down = np.nextafter(down, np.float32(-np.inf))
    return float(np.nextafter(down, np.float32(np.inf)))


def exported(tree):
    """The tree as parallel arrays, breadth first, so that children stand side by side behind their parent."""
    names = ("feature", "threshold", "default_left", "left", "right", "value", "cover")
    out = {name: [] for name in names}
    queue, numbered = [tree], 1
    while queue:
        node = queue.pop(0)
        leaf = "leaf_value" in node
        out["feature"].append(0 if leaf else node["split_feature"])
        out["threshold"].append(0.0 if leaf else below(node["threshold"]))
        default_left = not leaf and (node["default_left"] if node["missing_type"] == "NaN" else 0.0 <= node["threshold"])
        out["default_left"].append(bool(default_left))
        out["left"].append(0 if leaf else numbered)
        out["right"].append(0 if leaf else numbered + 1)
        out["value"].append(node["leaf_value"] if leaf else 0.0)
        out["cover"].append(node["leaf_count"] if leaf else node["internal_count"])
        if not leaf:
            queue += [node["left_child"], node["right_child"]]
            numbered += 2
    return out


def model(rng, leaves, rounds):
    x = rng.normal(size=(1500, FEATURES)).astype(np.float32)
    x[rng.random(x.shape) < 0.1] = np.nan
    hidden = np.nan_to_num(x)
    y = hidden[:, 0] * hidden[:, 1] + np.abs(hidden[:, 2]) + np.isnan(x[:, 3]) + np.sin(3 * hidden[:, 4]) * hidden[:, 5]
    params = dict(num_leaves=leaves, learning_rate=0.3, min_data_in_leaf=5, max_bin=63, num_threads=1, verbose=-1, seed=1)
    booster = lgb.train(dict(params, deterministic=True), lgb.Dataset(x, y), rounds)
    rows = x[:ROWS]
    return dict(
        leaves=leaves,
        trees=[exported(tree["tree_structure"]) for tree in booster.dump_model()["tree_info"]],
        rows=[[None if np.isnan(v) else float(v) for v in row] for row in rows],
        contributions=booster.predict(rows, pred_contrib=True).tolist(),
    )


def main():
    rng = np.random.default_rng(3)
    oracle = dict(library=f"lightgbm {lgb.__version__}", models=[model(rng, 6, 12), model(rng, 60, 3)])
    (HERE / "treeshap.json").write_text(json.dumps(oracle, separators=(",", ":")) + "\n")


main()
