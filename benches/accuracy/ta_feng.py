"""How much of the next basket is found, on Ta Feng?

    pip install -r benches/accuracy/requirements.txt
    python benches/accuracy/ta_feng.py --data FOLDER --tercet target/release/tercet [--validation] [--parts ablation]

FOLDER holds baskets.parquet: 13,858 customers, each with a history of baskets and the last one, which is judged. All
11,997 products are ranked, also those bought before; every customer counts the same; the ideal of nDCG is of the whole
basket. `--validation` judges the basket before, known are those before that: settings of the blend were chosen by that
alone, those of the others are the published ones. Ties of `personal` are broken as in the published scripts, by what
was bought first; `personal-by-popularity` breaks them by what most buy. The redraws are of 20 % of the customers.
"""

import json
import pathlib
import tempfile

from common import arguments, header, row, said

SETTINGS = pathlib.Path(__file__).with_suffix(".json")
BASE = "up-cf"
MODELS = ("global", "personal-first", "personal-and-global", "personal-by-popularity", "tifu-knn", BASE, "blend")
GROUPS = ("popular", "personal", "tifu-knn", "up-cf", "customer", "product", "pair")


def judged(found, settings, models, base, *words):
    """By model and metric, what `tercet evaluate` says at 10."""
    words = ["--data", found.data / "baskets.parquet", "--settings", settings, "--models", ",".join(models), *words]
    words += ["--split", "leave-last-basket", "--k", 10, "--metric", "recall", "--against", base, "--json"]
    if found.validation:
        words.append("--validation")
    models = json.loads(said(found.tercet, "evaluate", *words))["comparison"]["models"]
    return {model["model"]: {figure["metric"]: figure for figure in model["figures"]} for model in models}


def interval(value, ends, form):
    return f"{value:{form}}, {ends[0]:{form}} to {ends[1]:{form}}"


def models(found):
    whole = judged(found, SETTINGS, MODELS, BASE)
    redrawn = judged(found, SETTINGS, MODELS, BASE, "--test-share", 0.2, "--redraws", 5)
    header("model", "recall@10, 95 % interval", f"less {BASE}", "nDCG@10", "PHR@10", "recall@10, mean of 5 redraws")
    for model, figures in whole.items():
        recall, again = figures["recall"], redrawn[model]["recall"]["redrawn"]
        paired = recall.get("paired")
        row(
            model,
            interval(recall["value"], recall["interval"], ".4f"),
            interval(paired["value"], paired["interval"], "+.4f") if paired else "–",
            f"{figures['ndcg_whole_ideal']['value']:.4f}",
            f"{figures['hit_rate']['value']:.4f}",
            f"{again['mean']:.4f} ± {again['deviation']:.4f}",
        )


def ablation(found):
    """The blend without one group of features, or without one member."""
    known = json.loads(SETTINGS.read_text())
    blend = {"estimator": "blend", **known["recommenders"].get("blend", {})}
    names = {f"without {group}": {**blend, "left_out": [group]} for group in GROUPS}
    with tempfile.TemporaryDirectory() as folder:
        settings = pathlib.Path(folder) / "settings.json"
        settings.write_text(json.dumps({"recommenders": {"blend": blend, **names}}))
        without = judged(found, settings, ["blend", *names], "blend")
    header("blend", "recall@10", "less the whole, 95 % interval")
    for model, figures in without.items():
        paired = figures["recall"].get("paired")
        less = interval(paired["value"], paired["interval"], "+.4f") if paired else "–"
        row(model, f"{figures['recall']['value']:.4f}", less)


def main():
    tables = {"models": models, "ablation": ablation}
    found = arguments(__doc__.splitlines()[0], "baskets.parquet", tuple(tables), ("validation",))
    for part in found.parts:
        tables[part](found)


main()
