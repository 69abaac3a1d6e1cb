"""Does uplift find whom the women's e-mail of Hillstrom's trial changes, and nobody where there is nobody?

    pip install -r benches/accuracy/requirements.txt
    python benches/accuracy/hillstrom.py --data FOLDER --tercet target/release/tercet

FOLDER holds hillstrom.parquet (64,000 customers, three arms). Effects are those of the whole trial. Rankings
are judged on random halves, by scikit-uplift itself: a model is learnt on one half (`tercet uplift fit`, which
chooses its settings by cross-validation on that half), applied to the other (`tercet uplift apply`), and
ranks it by predicted uplift, or by the outcome it expects whatever the arm.
"""

import pathlib
import tempfile
import warnings

import numpy as np
import pandas as pd
from common import arguments, estimate, fit, header, row, run
from sklift.metrics import qini_auc_score, uplift_at_k

# scikit-uplift calls what scikit-learn is about to take away.
warnings.simplefilter("ignore", FutureWarning)

NONE, MEN, WOMEN = "No E-Mail", "Mens E-Mail", "Womens E-Mail"
OUTCOMES = ("visit", "conversion", "spend")
LEARNERS = ("dr", "r", "x", "t", "s")
PARTS = ("effects", "halves", "verdicts")
SPLITS = 10


def words(outcome, *more):
    ignored = ",".join(other for other in OUTCOMES if other != outcome)
    return ["--treatment", "segment", "--control", NONE, "--outcome", outcome, "--ignore", ignored, *more]


def effects(tercet, table):
    header("outcome", "arm", "effect, 95 % interval", "sample ratio")
    for outcome in OUTCOMES:
        found = fit(tercet, table, *words(outcome, "--learner", "t", "--splits", "2"))
        ratio = found["sample_ratio"]
        for arm in found["arms"]:
            row(outcome, arm["arm"], estimate(arm["effect"]), f"χ² {ratio['chi2']:.4f}, p {ratio['p_value']:.3f}")


def halves(tercet, trial, folder):
    trial = trial[trial.segment.isin([NONE, WOMEN])].reset_index(drop=True)
    found = {}
    for split in range(SPLITS):
        places = np.random.default_rng(split).permutation(len(trial))
        learn, judge = (trial.iloc[half] for half in np.array_split(places, 2))
        learn.to_parquet(folder / "learn.parquet")
        judge.to_parquet(folder / "judge.parquet")
        treated = (judge.segment == WOMEN).astype(int).to_numpy()
        visit = judge.visit.to_numpy()
        for learner in LEARNERS:
            model, out = folder / "model.json", folder / "uplift.csv"
            how = words("visit", "--learner", learner, "--splits", "2", "--model", model)
            fit(tercet, folder / "learn.parquet", *how)
            run(tercet, "apply", "--model", model, "--data", folder / "judge.parquet", "--out", out)
            said = pd.read_csv(out)
            for ranking, column in ((learner, f"uplift {WOMEN}"), ("predicted outcome", "expected outcome")):
                score = said[column].to_numpy()
                figures = (
                    qini_auc_score(visit, score, treated),
                    uplift_at_k(visit, score, treated, strategy="overall", k=0.3),
                )
                found.setdefault(ranking, {})[split] = figures
    plain = found["predicted outcome"]
    header("ranked by", "Qini, mean ± sd", "least", "uplift at 30 %", "above predicted outcome")
    for ranking, by_split in found.items():
        qini, top = np.array(list(by_split.values())).T
        above = sum(by_split[split][0] > plain[split][0] for split in by_split)
        row(
            ranking,
            f"{qini.mean():.4f} ± {qini.std(ddof=1):.4f}",
            f"{qini.min():.4f}",
            f"{top.mean():.4f}",
            "–" if ranking == "predicted outcome" else f"{above} of {SPLITS}",
        )


def verdicts(tercet, table):
    header("arm", "outcome", "learner", "slope, 95 % interval", "p", "usable", "advice")
    for arm, outcome in ((MEN, "visit"), (MEN, "spend"), (WOMEN, "visit"), (WOMEN, "spend")):
        for learner in ("dr", "r"):
            found = fit(tercet, table, *words(outcome, "--arms", arm, "--learner", learner, "--splits", "10"))
            judged = found["arms"][0]
            test = judged["heterogeneity"]
            slope = estimate(test["slope"], 2) if "slope" in test else test["refused"]
            p = f"{test['p_value']:.4f}" if "slope" in test else "–"
            advice = found["advice"]
            advice = advice if isinstance(advice, str) else next(iter(advice))
            row(arm, outcome, learner, slope, p, judged["usable"], advice)


def main():
    found = arguments(__doc__.splitlines()[0], "hillstrom.parquet", PARTS)
    table = found.data / "hillstrom.parquet"
    if "effects" in found.parts:
        effects(found.tercet, table)
    if "halves" in found.parts:
        with tempfile.TemporaryDirectory() as folder:
            halves(found.tercet, found.table, pathlib.Path(folder))
    if "verdicts" in found.parts:
        verdicts(found.tercet, table)


main()
