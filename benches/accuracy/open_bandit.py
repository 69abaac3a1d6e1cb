"""Do values of policies agree with Open Bandit Pipeline on Open Bandit Data, estimator by estimator?

    pip install -r benches/accuracy/requirements.txt scikit-learn pyyaml
    python benches/accuracy/open_bandit.py --data FOLDER --tercet target/release/tercet
    pip install --no-deps obp==0.5.7 && python benches/accuracy/open_bandit.py --data FOLDER --tercet ... --obp

FOLDER holds {random,bts}_{all,men,women}.parquet and prior_bts.yaml: 10,000 rounds each of a fashion shop, with
the propensities with which its two policies chose. Each is judged on the other's log. Thompson sampling's
probabilities are simulated as obp does (100,000 draws, seed 12345); the reward model is a logistic regression on
position, item, visitor and the affinity of both, fitted on the other half of the log. Program, formulas in NumPy
and, with --obp, the library get the same numbers. Between 38 and 69 rounds of a log have a click: which policy wins
cannot be told from these logs, and is not.
"""

import argparse
import json
import pathlib
import subprocess
import sys
import tempfile

import numpy as np
import pandas as pd
import yaml
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import OneHotEncoder

SEED = 12345
SIMULATED = 100_000
CAMPAIGNS = ("all", "men", "women")
LAMBDAS = [1, 2, 5, 10, 20, 50, 100, 200, 500, 1e3, 1e4, 1e5, 1e6, np.inf]
TOLERANCE = 1e-9


def thompson(prior, actions, positions):
    """Probability of each action in each position; the draws are obp's."""
    rng = np.random.RandomState(SEED)
    counts = np.zeros((actions, positions))
    for _ in range(SIMULATED // 1000):
        scores = rng.beta(prior["alpha"], prior["beta"], size=(1000, actions))
        chosen = scores.argsort(axis=1)[:, ::-1][:, :positions]
        for position in range(positions):
            np.add.at(counts[:, position], chosen[:, position], 1)
    return counts / SIMULATED


def model(log, actions):
    """Expected click of every action in every round, from the other half of the rounds."""
    visitor = [name for name in log if name.startswith("user_feature")]
    affinity = log[[f"user-item_affinity_{action}" for action in range(actions)]].to_numpy(float)
    context = OneHotEncoder(sparse_output=False).fit_transform(log[visitor + ["position"]])
    half = np.random.RandomState(SEED).permutation(len(log)) % 2
    items = np.eye(actions)

    def features(rows, chosen):
        return np.hstack([context[rows], items[chosen], affinity[rows, chosen][:, None]])

    expected = np.zeros((len(log), actions))
    for fold in (0, 1):
        learn, judge = np.flatnonzero(half != fold), np.flatnonzero(half == fold)
        fitted = LogisticRegression(max_iter=1000)
        fitted.fit(features(learn, log.item_id.to_numpy()[learn]), log.click.to_numpy()[learn])
        for action in range(actions):
            rows = features(judge, np.full(len(judge), action))
            expected[judge, action] = fitted.predict_proba(rows)[:, 1]
    return expected


def by_formulas(log, policy, expected):
    rows = np.arange(len(log))
    action, position = log.item_id.to_numpy(), log.position.to_numpy()
    target = policy.T[position]
    w = target[rows, action] / log.propensity_score.to_numpy()
    r, q = log.click.to_numpy(float), expected[rows, action]
    dm = (target * expected).sum(axis=1) / target.sum(axis=1)
    found = {
        "IPS": (w * r).mean(),
        "SNIPS": (w * r).sum() / w.sum(),
        "DM": dm.mean(),
        "DR": (dm + w * (r - q)).mean(),
        "SNDR": (dm + w * (r - q) / w.mean()).mean(),
    }
    n = len(r)
    for name in ("Switch-DR", "DRos"):
        tried = []
        for lam in LAMBDAS:
            if name == "DRos":
                shrunk = w if np.isinf(lam) else lam * w / (w**2 + lam)
            else:
                shrunk = w * (w <= lam)
            terms = dm + shrunk * (r - q)
            bias = abs(((w - shrunk) * (r - q)).mean())
            bias += np.sqrt(2 * (w**2).mean() * np.log(40) / n) + 2 * w.max() * np.log(40) / (3 * n)
            tried.append((terms.var() / n + bias**2, terms.mean()))
        found[name] = min(tried, key=lambda one: one[0])[1]
    return found


def by_obp(log, policy, expected):
    sys.path.insert(0, str(pathlib.Path(__file__).parents[2] / "crates/measurement/tests/oracle"))
    from stand_in import stand_in_for_torch

    stand_in_for_torch()
    from obp import ope

    n = len(log)
    known = dict(
        reward=log.click.to_numpy(float),
        action=log.item_id.to_numpy(),
        position=log.position.to_numpy(),
        pscore=log.propensity_score.to_numpy(),
        action_dist=np.tile(policy, (n, 1, 1)),
    )
    modelled = dict(known, estimated_rewards_by_reg_model=np.repeat(expected[:, :, None], policy.shape[1], axis=2))
    direct = {name: modelled[name] for name in ("action_dist", "position", "estimated_rewards_by_reg_model")}

    def tuned(kind):
        scores = [(kind(lambda_=lam)._estimate_mse_score(**modelled, use_bias_upper_bound=True), lam) for lam in LAMBDAS]
        return kind(lambda_=min(scores)[1]).estimate_policy_value(**modelled)

    return {
        "IPS": ope.InverseProbabilityWeighting().estimate_policy_value(**known),
        "SNIPS": ope.SelfNormalizedInverseProbabilityWeighting().estimate_policy_value(**known),
        "DM": ope.DirectMethod().estimate_policy_value(**direct),
        "DR": ope.DoublyRobust().estimate_policy_value(**modelled),
        "SNDR": ope.SelfNormalizedDoublyRobust().estimate_policy_value(**modelled),
        "Switch-DR": tuned(ope.SwitchDoublyRobust),
        "DRos": tuned(ope.DoublyRobustWithShrinkage),
    }


def by_tercet(binary, folder, log, policy, expected):
    """What the program says of the same log, policy and predictions, as tables."""
    table = log[["item_id", "position", "click", "propensity_score"]].reset_index(names="round")
    table.to_parquet(folder / "log.parquet")
    actions = policy.shape[0]
    pd.DataFrame(
        {
            "round": np.repeat(np.arange(len(log)), actions),
            "item_id": np.tile(np.arange(actions), len(log)),
            "probability": policy.T[log.position].ravel(),
            "expected": expected.ravel(),
        }
    ).to_parquet(folder / "policy.parquet")
    words = f"--quiet evaluate-policy --log {folder}/log.parquet --policy {folder}/policy.parquet --key round"
    words += " --action item_id --reward click --propensity propensity_score --format json"
    done = subprocess.run([binary, *words.split()], capture_output=True, text=True)
    if done.returncode:
        sys.exit(done.stderr)
    return json.loads(done.stdout)["policies"][0]["views"][0]


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", required=True, type=pathlib.Path, help="the folder of the logs")
    parser.add_argument("--tercet", default="tercet", help="the binary")
    parser.add_argument("--obp", action="store_true", help="hold against the library, too")
    asked = parser.parse_args()
    if not (asked.data / "prior_bts.yaml").is_file():
        sys.exit(f"data set absent: there is no {asked.data / 'prior_bts.yaml'}")
    priors = yaml.safe_load((asked.data / "prior_bts.yaml").read_text())
    worst, refused = 0.0, 0
    print("| log | policy | estimator | value | 95 % | formulas | obp |\n|---|---|---|---|---|---|---|")
    for campaign in CAMPAIGNS:
        logs = {name: pd.read_parquet(asked.data / f"{name}_{campaign}.parquet") for name in ("random", "bts")}
        for log in logs.values():
            # obp numbers positions from 0, by their order.
            log["position"] = log.position.rank(method="dense").astype(int) - 1
        actions = len(pd.read_parquet(asked.data / f"random_{campaign}_items.parquet"))
        positions = logs["random"].position.nunique()
        policies = {
            "bts": thompson(priors[campaign], actions, positions),
            "random": np.full((actions, positions), 1 / actions),
        }
        for behaviour, target in (("random", "bts"), ("bts", "random")):
            log, policy = logs[behaviour], policies[target]
            expected = model(log, actions)
            formulas = by_formulas(log, policy, expected)
            library = by_obp(log, policy, expected) if asked.obp else {}
            with tempfile.TemporaryDirectory() as folder:
                said = by_tercet(asked.tercet, pathlib.Path(folder), log, policy, expected)
            for facts in said["values"]:
                name, value = facts["estimator"], facts["value"]
                obp = f"{library[name]:.8f}" if library else "–"
                ends = f"{value['low']:.5f} to {value['high']:.5f}" if "value" in value else value["refused"]
                shown = f"{value['value']:.8f}" if "value" in value else "–"
                print(f"| {behaviour}, {campaign} | {target} | {name} | {shown} | {ends} | {formulas[name]:.8f} | {obp} |")
                if library:
                    worst = max(worst, abs(library[name] - formulas[name]))
                if "value" in value:
                    worst = max(worst, abs(value["value"] - formulas[name]))
                else:
                    refused += 1
            weights = said["weights"]
            print(
                f"| {behaviour}, {campaign} | {target} | weights | mean {weights['mean']:.4f} ± {weights['mean_error']:.4f}"
                f" | {weights['effective_rounds']:.0f} effective of {weights['rounds']} | largest {weights['max']:.1f} | |"
            )
    print(f"\nlargest difference {worst:.1e}, tolerance {TOLERANCE:.0e}; {refused} values refused by the program")
    if worst > TOLERANCE:
        sys.exit("the estimators do not agree")


main()
