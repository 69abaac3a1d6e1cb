"""Which weights has scikit-learn's Poisson regression? Writes log_linear.json.

pip install scikit-learn==1.9.1 numpy; python log_linear.py
"""

import json

import numpy as np
from sklearn.linear_model import PoissonRegressor

rng = np.random.default_rng(11)
cases = []
for rows, width, ridge, whole in ((240, 3, 0.0, True), (400, 5, 3.0, False), (90, 2, 40.0, False)):
    facts = np.round(rng.normal(0, 1, (rows, width)) * rng.uniform(0.2, 5, width) + rng.normal(0, 3, width), 3)
    scaled = (facts - facts.mean(0)) / facts.std(0)
    rate = np.exp(-1.5 + scaled @ rng.normal(0, 0.6, width))
    counts = rng.poisson(rate) if whole else np.round(np.minimum(rng.exponential(rate), 1.0), 4)
    fitted = PoissonRegressor(alpha=ridge / rows, tol=1e-12, max_iter=100_000).fit(scaled, counts)
    cases.append(dict(
        width=width, ridge=ridge, facts=facts.ravel().tolist(), counts=counts.astype(float).tolist(),
        expected=fitted.predict(scaled)[:20].tolist(),
    ))
with open("log_linear.json", "w") as file:
    json.dump(cases, file)
