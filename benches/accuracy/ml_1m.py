"""What else does a viewer of MovieLens like, of a tenth of the ratings drawn by chance?

    pip install -r benches/accuracy/requirements.txt
    python benches/accuracy/ml_1m.py --data FOLDER --tercet target/release/tercet [--validation]

FOLDER holds interactions.parquet (999,611 ratings of MovieLens 1M). RecBole's protocol for general recommendation:
ratings of 3 and more, viewers and films with ten or more of these, a viewer's ratings drawn 8:1:1, learnt from the
eight parts, all films ranked but those of the viewer's other parts. Figures are means over seeds of the split.
`--validation` judges the ninth part, the tenth being out of sight: settings in ml_1m.toml were chosen by that alone.
"""

import pathlib
import tempfile
from statistics import mean, stdev

from common import arguments, evaluate, header, row

SETTINGS = pathlib.Path(__file__).with_suffix(".toml")
MODELS = ("popular-decayed", "item-to-item", "ease", "als")
RATING_MIN, CORE = 3, 10
SEEDS = (1, 2, 3, 4, 5)


def cored(table):
    """Viewers and films with ten or more, until all are."""
    table = table[table.rating >= RATING_MIN]
    while True:
        counts = [table.groupby(of).user.transform("size") for of in ("user", "item")]
        enough = (counts[0] >= CORE) & (counts[1] >= CORE)
        if enough.all():
            return table
        table = table[enough]


def main():
    found = arguments(__doc__.splitlines()[0], "interactions.parquet", flags=("validation",))
    table = cored(found.table)[["user", "item", "pos"]]
    stage = "--validation" if found.validation else "--fit-without-validation"
    by_model = {}
    with tempfile.TemporaryDirectory() as folder:
        place = pathlib.Path(folder) / "ratings.parquet"
        table.to_parquet(place)
        for seed in SEEDS:
            words = ["--split", "random", "--shares", "8:1:1", "--seed", seed, "--seen", "drop", "--k", 10, stage]
            for model, figures in evaluate(found.tercet, place, SETTINGS, MODELS, *words, "--draws", 100).items():
                by_model.setdefault(model, []).append(figures)
    print(f"{len(table)} ratings of {table.user.nunique()} viewers, {table.item.nunique()} films")
    header("model", f"NDCG@10, mean of {len(SEEDS)} splits ± sd", "Recall@10")
    for model, splits in by_model.items():
        cells = []
        for metric in ("ndcg", "recall"):
            values = [figures[metric, 10][0] for figures in splits]
            cells.append(f"{mean(values):.4f} ± {stdev(values):.4f}")
        row(model, *cells)


main()
