"""Which beauty product does a customer of Amazon's take up next?

    pip install -r benches/accuracy/requirements.txt
    python benches/accuracy/amazon_beauty.py --data FOLDER --tercet target/release/tercet [--validation]

FOLDER holds sequences.parquet: 22,363 customers, 12,101 products, five or more of each. The last product of each
customer is judged, the one before is for validation: nothing is learnt from it, whoever asks knows it. All products
are ranked but those that the customer had. `--validation` judges the one before, known are those before that:
settings in amazon_beauty.toml were chosen by that alone.
"""

import pathlib

from common import arguments, evaluate, header, percent, row

SETTINGS = pathlib.Path(__file__).with_suffix(".toml")
MODELS = ("popular-decayed", "item-to-item", "session-knn")


def main():
    found = arguments(__doc__.splitlines()[0], "sequences.parquet", flags=("validation",))
    stage = "--validation" if found.validation else "--fit-without-validation"
    words = ["--split", "leave-last-out", "--seen", "drop", "--k", 10, "--metric", "ndcg", stage]
    judged = evaluate(found.tercet, found.data / "sequences.parquet", SETTINGS, MODELS, *words)
    header("model", "HR@10, %, 95 % interval", "NDCG@10, %, 95 % interval")
    for model, figures in judged.items():
        row(model, percent(figures["hit_rate", 10]), percent(figures["ndcg", 10]))


main()
