"""Which metrics, calibration and isotonic fits have scikit-learn and SciPy? Writes quality.json.

pip install scikit-learn==1.9.1 scipy==1.17.1 numpy; python quality.py
"""

import json

import numpy as np
from scipy.stats import spearmanr
from sklearn.isotonic import IsotonicRegression
from sklearn.metrics import log_loss, mean_absolute_error, r2_score, roc_auc_score, root_mean_squared_error

rng = np.random.default_rng(5)
cases = []
for n, digits in ((60, 2), (237, 1), (97, 6)):
    p = np.clip(np.round(rng.beta(2, 3, n), digits), 0.01, 0.99)
    y = (rng.uniform(size=n) < p ** 1.5).astype(float)
    v = np.round(p * 40 + rng.normal(0, 8, n), digits)
    w = np.round(rng.uniform(0.2, 3, n), 2)
    order = np.argsort(p, kind="stable")
    deciles = [
        [float(p[part].mean()), float(y[part].mean()), len(part)] for part in np.array_split(order, 10)
    ]
    ece = sum(c * abs(a - b) for a, b, c in deciles) / n
    iso = IsotonicRegression(out_of_bounds="clip").fit(p, y, sample_weight=w)
    queries = np.round(np.linspace(-0.1, 1.1, 41), 4)
    cases.append(dict(
        predicted=p.tolist(), response=y.tolist(), value=v.tolist(), weights=w.tolist(),
        rmse=float(root_mean_squared_error(v, p)), mae=float(mean_absolute_error(v, p)),
        r2=float(r2_score(v, p)), spearman=float(spearmanr(v, p).statistic),
        auc=float(roc_auc_score(y, p)), log_loss=float(log_loss(y, p)),
        deciles=deciles, expected_calibration_error=float(ece),
        queries=queries.tolist(), isotonic=[float(f) for f in iso.predict(queries)],
    ))
json.dump(cases, open("quality.json", "w"))
