"""Which figures of rankings do scikit-uplift and causalml give, for random trials with many ties?

    pip install scikit-uplift==0.5.1 causalml==0.18.0
    python uplift.py > uplift.json

A case is [outcomes, arms, scores, figures]: digits, one per unit. scikit-uplift gets outcome >= 5 as its
binary outcome, causalml the digit. Figures: qini_auc_score, uplift_auc_score, uplift_at_k overall and
by_group at .3, auuc_score, qini_score; null where the library has no finite answer, or one of rounding alone.

causalml sorts with an unstable sort, so that equal scores come as it happens; here its sort is made stable.
"""

import json
import math
import sys
import warnings

import numpy as np
import pandas as pd

sort_values = pd.DataFrame.sort_values
pd.DataFrame.sort_values = lambda self, by, **rest: sort_values(self, by, **{"kind": "stable", **rest})

from causalml.metrics.visualize import auuc_score, get_cumgain, get_qini, qini_score  # noqa: E402
from sklearn.metrics import auc  # noqa: E402
from sklift.metrics import (  # noqa: E402
    perfect_qini_curve,
    perfect_uplift_curve,
    qini_auc_score,
    uplift_at_k,
    uplift_auc_score,
)

warnings.simplefilter("ignore")
rng = np.random.default_rng(20071)
SHARE = 0.3


def finite(figure):
    try:
        value = float(figure())
    except (ValueError, ZeroDivisionError):
        return None
    return value if math.isfinite(value) else None


def by_best(score, perfect, binary, scores, arms):
    """The score, unless the best area is 0 but for rounding: then the library divides noise by noise."""
    counts, heights = perfect(binary, arms)
    above = auc(counts, heights) - counts[-1] * heights[-1] / 2
    return score(binary, scores, arms) if abs(above) > 1e-9 else math.nan


def by_last(score, curve, frame):
    """The score, unless the curve ends at 0: then the library divides by 0, and skips what is 0 / 0."""
    return score(frame)["score"] if curve(frame)["score"].iloc[-1] != 0 else math.nan


def case():
    units = int(rng.integers(10, 60))
    while True:
        arms = (rng.random(units) < rng.choice([0.2, 0.5, 0.8])).astype(int)
        if 0 < arms.sum() < units:
            break
    outcomes = rng.integers(0, 10, units)
    # Up to 2, 10 or (nearly) no ties; some rankings follow the outcome.
    scores = rng.integers(0, rng.choice([2, 4, 10]), units)
    if rng.random() < 0.3:
        scores = np.clip((outcomes * (2 * arms - 1) + 9) // 2, 0, 9)
    binary = (outcomes >= 5).astype(int)
    frame = pd.DataFrame({"y": outcomes, "w": arms, "score": scores})
    figures = [
        lambda: by_best(qini_auc_score, perfect_qini_curve, binary, scores, arms),
        lambda: by_best(uplift_auc_score, perfect_uplift_curve, binary, scores, arms),
        lambda: uplift_at_k(binary, scores, arms, strategy="overall", k=SHARE),
        lambda: uplift_at_k(binary, scores, arms, strategy="by_group", k=SHARE),
        lambda: by_last(auuc_score, get_cumgain, frame),
        lambda: by_last(qini_score, get_qini, frame),
    ]
    digits = ["".join(map(str, values)) for values in (outcomes, arms, scores)]
    return [*digits, [finite(figure) for figure in figures]]


cases = [case() for _ in range(1000)]
sys.stdout.write("[\n" + ",\n".join(json.dumps(one) for one in cases) + "\n]\n")
