"""How far are effects learnt by EconML from the truth, with LightGBM as base learner?

    pip install econml==0.17.0 lightgbm==4.7.0 numpy
    python uplift.py > uplift.json

The trial is set-up A of Nie and Wager 2021, drawn by the generator of `tests/uplift.rs` (seed 5, 3,000 rows;
errors are taken on seed 6, 1,000 rows). Chances of treatment are known to all learners. EconML's DRLearner,
NonParamDML (which is the R learner), XLearner, TLearner and SLearner with trees of the same settings.
"""

import json
import math
import sys
import warnings

import numpy as np
from econml.dml import NonParamDML
from econml.dr import DRLearner
from econml.metalearners import SLearner, TLearner, XLearner
from lightgbm import LGBMRegressor
from sklearn.base import BaseEstimator, ClassifierMixin

warnings.simplefilter("ignore")


def draws(seed):
    state = seed
    while True:
        state = (state * 6364136223846793005 + 1442695040888963407) % 2**64
        yield (state >> 11) / 2**53


def world(rows, seed):
    draw = draws(seed)
    features, outcomes, arms, effects = [], [], [], []
    for _ in range(rows):
        x = [next(draw) for _ in range(5)]
        wave = math.sin(math.pi * x[0] * x[1])
        noise = sum(next(draw) for _ in range(12)) - 6
        treated = next(draw) < min(max(wave, 0.1), 0.9)
        effect = (x[0] + x[1]) / 2
        base = wave + 2 * (x[2] - 0.5) ** 2 + x[3] + 0.5 * x[4]
        features.append(x)
        outcomes.append(base + (treated - 0.5) * effect + 0.5 * noise)
        arms.append(int(treated))
        effects.append(effect)
    return tuple(np.array(column) for column in (features, outcomes, arms, effects))


class Known(ClassifierMixin, BaseEstimator):
    """The chances by which arms were drawn."""

    def fit(self, features, arms, sample_weight=None):
        self.classes_ = np.array([0, 1])
        return self

    def predict_proba(self, features):
        chance = np.clip(np.sin(np.pi * features[:, 0] * features[:, 1]), 0.1, 0.9)
        return np.column_stack([1 - chance, chance])

    def predict(self, features):
        return (self.predict_proba(features)[:, 1] > 0.5).astype(int)


def trees(leaves, rounds):
    return LGBMRegressor(
        num_leaves=leaves, n_estimators=rounds, learning_rate=0.1, min_child_samples=20, reg_lambda=1.0,
        random_state=7, n_jobs=1, verbose=-1,
    )


LEARNERS = {
    "dr": DRLearner(
        model_propensity=Known(), model_regression=trees(8, 40), model_final=trees(4, 30), cv=4,
        min_propensity=0.01, random_state=1,
    ),
    "r": NonParamDML(
        model_y=trees(8, 40), model_t=Known(), model_final=trees(4, 30), discrete_treatment=True, cv=4,
        random_state=1,
    ),
    "x": XLearner(models=trees(8, 40), cate_models=trees(4, 30), propensity_model=Known()),
    "t": TLearner(models=trees(8, 40)),
    "s": SLearner(overall_model=trees(8, 40)),
}

features, outcomes, arms, _ = world(3000, 5)
fresh, _, _, truth = world(1000, 6)
errors = {"same for all": float(np.sqrt(np.mean((truth.mean() - truth) ** 2)))}
for name, learner in LEARNERS.items():
    learner.fit(outcomes, arms, X=features)
    errors[name] = float(np.sqrt(np.mean((learner.effect(fresh).ravel() - truth) ** 2)))
json.dump(errors, sys.stdout, indent=1)
sys.stdout.write("\n")
