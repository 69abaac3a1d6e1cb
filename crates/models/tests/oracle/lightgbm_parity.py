"""How far off is LightGBM on synthetic rows that were held out? Writes lightgbm_parity.csv: rows, RMSE and log-loss.

pip install lightgbm==4.7.0 numpy; python lightgbm_parity.py
"""

import lightgbm as lgb
import numpy as np

rng = np.random.default_rng(11)
n, train = 2400, 1400
x = np.round(rng.uniform(0, 1, (n, 5)), 3)
signal = 3 * x[:, 0] + 2 * np.sin(6 * x[:, 1]) + 4 * x[:, 2] * x[:, 3]
x[rng.uniform(size=n) < 0.1, 1] = np.nan
value = np.round(signal + rng.normal(0, 0.5, n), 3)
response = (rng.uniform(size=n) < 1 / (1 + np.exp(-(signal - 3)))).astype(int)

common = dict(
    num_leaves=15, learning_rate=0.1, min_data_in_leaf=20, lambda_l2=1.0, max_bin=255,
    min_sum_hessian_in_leaf=1e-3, deterministic=True, verbose=-1, num_threads=1, seed=1,
)
rows = []
for objective, y in (("regression", value), ("binary", response)):
    model = lgb.train(dict(common, objective=objective), lgb.Dataset(x[:train], y[:train]), 80)
    p = model.predict(x[train:])
    t = y[train:]
    loss = np.sqrt(np.mean((p - t) ** 2)) if objective == "regression" else -np.mean(
        t * np.log(p) + (1 - t) * np.log(1 - p))
    rows.append(f"# {objective},{loss:.6f}")
with open("lightgbm_parity.csv", "w") as out:
    out.write("\n".join(rows) + "\nx0,x1,x2,x3,x4,value,response\n")
    for i in range(n):
        out.write(",".join("" if np.isnan(v) else f"{v:g}" for v in x[i]) + f",{value[i]:g},{response[i]}\n")
