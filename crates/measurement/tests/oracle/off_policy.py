"""Which values have policies by random logs, in an independent port of Open Bandit Pipeline's formulas to NumPy?

    pip install numpy scipy
    python off_policy.py > off_policy.json          # the port alone
    pip install --no-deps obp==0.5.7 && pip install scikit-learn pandas matplotlib seaborn tqdm pyyaml
    python off_policy.py --obp > off_policy.json    # each value checked against obp to 1e-10 first

1,000 logs, whose rounds are not written down: the test makes them of the same integers (see `draw`). obp has point
estimates and the bounds by which lambda is chosen; errors are the textbook ones: of a mean, of a ratio and of a sum
of a mean and a ratio by the delta method, with sums over customers as units. Every second log has customers. Of
slates, SIPS is the product of the slots' weights; PI is written down from Swaminathan et al. 2017.
"""

import json
import sys

import numpy as np
from scipy.stats import t as student
from stand_in import stand_in_for_torch

LAMBDAS = [1.0, 2.0, 5.0, 10.0, 20.0, 50.0, 100.0, 200.0, 500.0, 1e3, 1e4, 1e5, 1e6, np.inf]
LEVEL = 0.95
MASK = (1 << 64) - 1


def stream(seed):
    """SplitMix64: the test draws the same."""
    state = seed
    while True:
        state = (state + 0x9E3779B97F4A7C15) & MASK
        z = state
        z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & MASK
        z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & MASK
        yield (z ^ (z >> 31)) >> 11


def draw(seed):
    """A log: actions, policies and rewards; every number is made from integers by one division."""
    numbers = stream(seed)
    below = lambda n: next(numbers) % n
    rounds, actions = 60 + below(140), 2 + below(6)
    are_binary = below(2) == 0
    flat = 1 + below(30)
    log = []
    customer = 0
    for _ in range(rounds):
        behaviour = [flat + below(20) for _ in range(actions)]
        target = [below(30) for _ in range(actions)]
        target[0] += 1
        at = below(sum(behaviour))
        action = next(a for a in range(actions) if at < sum(behaviour[: a + 1]))
        reward = below(2) if are_binary else below(100)
        predicted = [below(101) / 100 if are_binary else below(100) for _ in range(actions)]
        customer += 1 if below(3) > 0 else 0
        log.append((behaviour, target, action, reward, predicted, customer))
    share = lambda parts: np.array(parts) / sum(parts)
    return {
        "behaviour": np.array([share(r[0]) for r in log]),
        "target": np.array([share(r[1]) for r in log]),
        "action": np.array([r[2] for r in log]),
        "reward": np.array([r[3] for r in log], float),
        "predicted": np.array([r[4] for r in log], float),
        "customer": np.array([r[5] for r in log]),
        "are_binary": are_binary,
    }


def digits(numbers):
    """Eleven digits: agreement is asserted to nine."""
    return [float(f"{number:.11g}") for number in numbers]


def interval(value, variance, units):
    error = np.sqrt(variance)
    reach = error * student.ppf(0.5 + LEVEL / 2, units - 1)
    return [value, value - reach, value + reach, error]


def linear(value, influence, units):
    """A value whose units have this influence, of mean zero."""
    return interval(value, influence @ influence / (units - 1) / units, units)


def estimates(log, by_customer):
    n = len(log["action"])
    rows = np.arange(n)
    w = log["target"][rows, log["action"]] / log["behaviour"][rows, log["action"]]
    r, q = log["reward"], log["predicted"][rows, log["action"]]
    dm = np.average(log["predicted"], weights=log["target"], axis=1)
    if by_customer:
        _, place = np.unique(log["customer"], return_inverse=True)
    else:
        place = rows
    units = place.max() + 1
    total = lambda x: np.bincount(place, weights=x, minlength=units)
    ones = np.ones(n)

    def mean(x):
        value = x.mean()
        return linear(value, (total(x) - value * total(ones)) / (n / units), units)

    def ratio(x, y):
        value = x.sum() / y.sum()
        return value, (total(x) - value * total(y)) / (y.sum() / units)

    snips, influence = ratio(w * r, w)
    y = w * (r - q)
    rho, rho_influence = ratio(y, w)
    centred = (total(dm) - dm.mean() * total(ones)) / (n / units)
    found = {
        "ips": mean(w * r),
        "snips": linear(snips, influence, units),
        "dm": mean(dm),
        "dr": mean(dm + y),
        "sndr": linear(dm.mean() + rho, centred + rho_influence, units),
        "logged": mean(r),
        "dr_over_logged": mean(dm + y - r),
    }
    scale = 1.0 if log["are_binary"] else np.abs(r - q).max()
    lambdas = {}
    for name in ["switch_dr", "dr_os"]:
        tried = []
        for lam in LAMBDAS:
            if name == "switch_dr":
                shrunk = w * (w <= lam)
            else:
                shrunk = w if np.isinf(lam) else lam * w / (w**2 + lam)
            terms = dm + shrunk * (r - q)
            estimate = mean(terms)
            variance = estimate[3] ** 2 * (units - 1) / units
            bias = abs(((w - shrunk) * (r - q)).mean())
            bias += scale * np.sqrt(2 * (w**2).mean() * np.log(2 / 0.05) / n)
            bias += scale * 2 * w.max() * np.log(2 / 0.05) / (3 * n)
            tried.append((variance + bias**2, lam, estimate))
        bound, lam, estimate = min(tried, key=lambda one: one[0])
        found[name] = estimate
        lambdas[name] = [None if np.isinf(lam) else lam, float(f"{bound:.11g}")]
    _, spread = ratio(w, ones)
    weights = {
        "mean": w.mean(),
        "error": np.sqrt(spread @ spread / (units - 1) / units),
        "effective": w.sum() ** 2 / (w**2).sum(),
        "max": w.max(),
        "zeros": float((w == 0).mean()),
    }
    return found, lambdas, weights


def check_obp(log, found, lambdas):
    """Holds the point estimates, and the lambdas and bounds of unclustered shares, against obp."""
    from obp import ope

    n = len(log["action"])
    rows = np.arange(n)
    known = dict(
        reward=log["reward"],
        action=log["action"],
        pscore=log["behaviour"][rows, log["action"]],
        action_dist=log["target"][:, :, None],
        position=np.zeros(n, int),
    )
    with_model = dict(known, estimated_rewards_by_reg_model=log["predicted"][:, :, None])
    for name, estimator, of in [
        ("ips", ope.InverseProbabilityWeighting(), known),
        ("snips", ope.SelfNormalizedInverseProbabilityWeighting(), known),
        ("dr", ope.DoublyRobust(), with_model),
        ("sndr", ope.SelfNormalizedDoublyRobust(), with_model),
    ]:
        value = estimator.estimate_policy_value(**of)
        assert abs(value - found[name][0]) < 1e-10 * max(1, abs(value)), name
    value = ope.DirectMethod().estimate_policy_value(
        action_dist=known["action_dist"],
        position=known["position"],
        estimated_rewards_by_reg_model=with_model["estimated_rewards_by_reg_model"],
    )
    assert abs(value - found["dm"][0]) < 1e-10 * max(1, abs(value)), "dm"
    if not log["are_binary"]:
        return
    for name, kind in [
        ("switch_dr", ope.SwitchDoublyRobust),
        ("dr_os", ope.DoublyRobustWithShrinkage),
    ]:
        bounds = []
        for lam in LAMBDAS:
            score = kind(lambda_=lam)._estimate_mse_score(**with_model, use_bias_upper_bound=True)
            bounds.append((score, lam))
        score, lam = min(bounds)
        chosen, bound = lambdas[name]
        assert (np.inf if chosen is None else chosen) == lam, (name, chosen, lam)
        assert abs(bound - score) < 1e-10 * max(1, score), (name, bound, score)
        value = kind(lambda_=lam).estimate_policy_value(**with_model)
        assert abs(value - found[name][0]) < 1e-10, name


def slates(seed):
    """Slates of three slots that are drawn independently of four promotions each."""
    numbers = stream(seed)
    below = lambda n: next(numbers) % n
    rounds = []
    for _ in range(120):
        propensities, targets = [], []
        for _ in range(3):
            behaviour = [20 + below(10) for _ in range(4)]
            target = [10 + below(20) for _ in range(4)]
            at = below(sum(behaviour))
            action = next(a for a in range(4) if at < sum(behaviour[: a + 1]))
            propensities.append(behaviour[action] / sum(behaviour))
            targets.append(target[action] / sum(target))
        rounds.append((propensities, targets, below(50)))
    p = np.array([r[0] for r in rounds])
    e = np.array([r[1] for r in rounds])
    r = np.array([r[2] for r in rounds], float)
    of = lambda x: interval(x.mean(), x.var(ddof=1) / len(x), len(x))
    return of((e / p).prod(axis=1) * r), of(((e / p).sum(axis=1) - 3 + 1) * r)


def main():
    with_obp = "--obp" in sys.argv
    if with_obp:
        stand_in_for_torch()
    logs = []
    for seed in range(1000):
        log = draw(seed)
        by_customer = seed % 2 == 1
        found, lambdas, weights = estimates(log, by_customer)
        if with_obp:
            alone, alone_lambdas, _ = estimates(log, False)
            check_obp(log, alone, alone_lambdas)
        names = ["ips", "snips", "dm", "dr", "sndr", "switch_dr", "dr_os", "logged", "dr_over_logged"]
        # Value and error of each; a fifth of the logs has interval ends and the rest.
        row = {"values": [digits([found[name][0], found[name][3]]) for name in names]}
        if seed % 10 < 2:
            row["ends"] = [digits(found[name][1:3]) for name in names]
            row["lambdas"] = list(lambdas.values())
            row["weights"] = digits(weights.values())
        logs.append(row)
    slate_rows = [[digits(found) for found in slates(seed)] for seed in range(1000, 1050)]
    json.dump({"logs": logs, "slates": slate_rows}, sys.stdout, separators=(",", ":"))
    print()


main()
