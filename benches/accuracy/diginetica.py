"""Which product comes next in an anonymous session of Diginetica's?

    pip install -r benches/accuracy/requirements.txt
    python benches/accuracy/diginetica.py --data FOLDER --tercet target/release/tercet [--validation]

FOLDER holds train_sessions.parquet (186,670 sessions, a row each, in order of time) and test_prefixes.parquet
(60,858 prefixes of later sessions, each with the product that followed): the split of SR-GNN's authors. Every product
is ranked, those of the session too. Sessions have no time: a thousand rows are called a day.
`--validation` judges every prefix of the last tenth of the training's sessions, learnt without them: settings in
diginetica.toml were chosen by that alone.
"""

import pathlib
import tempfile

import pandas as pd
from common import arguments, evaluate, header, percent, row

SETTINGS = pathlib.Path(__file__).with_suffix(".toml")
MODELS = ("popular-decayed", "item-to-item", "session-knn")
SESSIONS_A_DAY = 1_000
VALIDATION_PART = 10


def lines(lists, part, day, name):
    """A row per product of each list."""
    table = pd.DataFrame({"customer": [f"{name}{at:07}" for at in range(len(lists))], "product": lists})
    table["day"], table["part"] = day, part
    table = table.explode("product").reset_index(drop=True)
    table["position"] = table.groupby("customer").cumcount()
    return table


def prefixes(sessions):
    """Every beginning of each session with what followed."""
    pairs = [(session[:cut], session[cut]) for session in sessions for cut in range(1, len(session))]
    return pd.DataFrame(pairs, columns=["prefix", "target"])


def whole(sessions, asked):
    """One table: sessions to learn from, prefixes that ask and what they are judged by."""
    last = len(sessions) // SESSIONS_A_DAY + 1
    learnt = lines(list(sessions), "train", [at // SESSIONS_A_DAY for at in range(len(sessions))], "session ")
    known = lines(list(asked.prefix), "query", last, "test ")
    truth = lines([[target] for target in asked.target], "test", last, "test ")
    truth["position"] = 1_000_000
    return pd.concat([learnt, known, truth])


def main():
    found = arguments(__doc__.splitlines()[0], "train_sessions.parquet", flags=("validation",))
    sessions = list(found.table["items"])
    if found.validation:
        cut = len(sessions) - len(sessions) // VALIDATION_PART
        sessions, asked = sessions[:cut], prefixes(sessions[cut:])
    else:
        asked = pd.read_parquet(found.data / "test_prefixes.parquet")
    with tempfile.TemporaryDirectory() as folder:
        place = pathlib.Path(folder) / "sessions.parquet"
        whole(sessions, asked).to_parquet(place)
        words = ["--split", "given", "--seen", "keep", "--k", 20, "--metric", "mrr", "--draws", 200]
        judged = evaluate(found.tercet, place, SETTINGS, MODELS, *words)
    print(f"{len(sessions)} sessions learnt from, {len(asked)} prefixes")
    header("model", "P@20, %, 95 % interval", "MRR@20, %, 95 % interval")
    for model, figures in judged.items():
        row(model, percent(figures["hit_rate", 20]), percent(figures["mrr", 20]))


main()
