"""Which differences less two covariates does statsmodels find, from rows, on a hundred of the cases of agreement.py?

    pip install statsmodels gbstats==0.8.0 numpy scipy
    python covariates.py > covariates.csv

Pooled: slopes of one regression of all units without an indicator of the arm, as CUPED has them. By arm: the
coefficient of the indicator in a regression with each centred covariate and its product with the indicator (Lin
2013); its error from the residuals of each arm.
"""

import numpy as np
import statsmodels.api as sm
from agreement import units

CASES = range(0, 1000, 10)

if __name__ == "__main__":
    print("case,pooled,pooled_error,explained,by_arm,by_arm_error")
    for case in CASES:
        arms = [np.array(units(case, arm), dtype=float) for arm in (0, 1)]
        y = np.concatenate([arm[0] for arm in arms])
        x = np.concatenate([arm[2:].T for arm in arms])
        treated = np.concatenate([np.full(arm.shape[1], k) for k, arm in enumerate(arms)])
        slopes = sm.OLS(y, sm.add_constant(x)).fit().params[1:]
        left = [arm[0] - slopes @ arm[2:] for arm in arms]
        squared = lambda parts: sum(part.var(ddof=1) / len(part) for part in parts)
        pooled = left[1].mean() - left[0].mean()
        explained = 1 - squared(left) / squared([arm[0] for arm in arms])
        centred = x - x.mean(axis=0)
        full = np.column_stack([np.ones(len(y)), treated, centred, centred * treated[:, None]])
        by_arm = sm.OLS(y, full).fit().params[1]
        own = [sm.OLS(arm[0], sm.add_constant(arm[2:].T)).fit().scale / arm.shape[1] for arm in arms]
        row = [pooled, np.sqrt(squared(left)), explained, by_arm, np.sqrt(sum(own))]
        print(case, *(f"{number:.12g}" for number in row), sep=",")
