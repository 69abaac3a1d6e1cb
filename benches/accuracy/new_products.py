"""Is it told who will buy products that nobody bought yet, better than by what they buy of the product's type?

    pip install -r benches/accuracy/requirements.txt
    python benches/accuracy/new_products.py --data FOLDER --tercet target/release/tercet

FOLDER holds transactions.parquet and products.parquet of Complete Journey (40 weeks of a grocer, CC0).
Products first sold in weeks 30 to 40 with at least ten buyers by then; all households are scored from weeks up to
29 (`tercet recommend --model new-products`), and a product's buyers are to come first: area under the curve over
households, and the share of buyers in the top 5 %, each averaged over products. Products first sold in weeks 10 to
15, 16 to 25 and 20 to 29, households from the weeks before, are the validation: settings were chosen there, and
`--validation` leaves the test alone. Differences are paired by product. The data name no price, so no price tier is
used.
"""

import argparse
import pathlib
import subprocess
import sys
import tempfile

import numpy as np
import pandas as pd
from common import header, row

FILES = ("transactions.parquet", "products.parquet")
VALIDATION = [(10, 15), (16, 25), (20, 29)]
TEST = [(30, 40)]
ATTRIBUTES = {
    "product_id": "product_id",
    "product_category": "category",
    "product_type": "product_type",
    "manufacturer_id": "manufacturer",
    "brand": "brand",
}
BUYERS_MIN = 10
TOP = 0.05
NORMAL_975 = 1.959964


def read(folder):
    for file in FILES:
        if not (folder / file).is_file():
            sys.exit(f"data set absent: there is no {folder / file}")
    lines, products = (pd.read_parquet(folder / file) for file in FILES)
    lines = lines.drop_duplicates(["household_id", "basket_id", "product_id"])
    # Some products that were sold are not in the list of products: nothing is known of them.
    products = products[list(ATTRIBUTES)].rename(columns=ATTRIBUTES)
    lines = lines.merge(products, on="product_id", how="left")
    lines["date"] = pd.to_datetime(lines.transaction_timestamp).dt.strftime("%Y-%m-%d")
    return lines, products


def predicted(tercet, settings, known, products, as_of, targets, households):
    """The score of every household for every target, by the binary; 0 where it has none."""
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        data, attributes, among, out = (folder / f"{n}.parquet" for n in ("lines", "products", "among", "scores"))
        known[["household_id", "basket_id", "product_id", "date"]].astype(str).to_parquet(data)
        products.astype("string").to_parquet(attributes)
        pd.DataFrame({"product_id": targets.astype(str)}).to_parquet(among)
        words = ["--data", data, "--as-of", as_of, "--attributes", attributes, "--among", among]
        words += ["--model", "new-products", "-k", len(targets), "--out", out]
        words += ["--settings", settings] if settings else []
        done = subprocess.run([tercet, "--quiet", "recommend", *map(str, words)], capture_output=True, text=True)
        if done.returncode:
            sys.exit(done.stderr)
        scores = pd.read_parquet(out)
    scores = scores.pivot(index="customer_id", columns="product_id", values="score")
    return scores.reindex(index=households.astype(str), columns=targets.astype(str)).fillna(0).to_numpy().T


def frequency(known, products, level, targets, households):
    """How many lines every household has of the target's type, or category."""
    counts = known.pivot_table(index="household_id", columns=level, aggfunc="size").reindex(households)
    of = products.set_index("product_id")[level].reindex(targets)
    return counts.reindex(columns=of).fillna(0).to_numpy().T


def judged(scores, bought):
    """Area under the curve, and the share of buyers in the top, of every product; ties count in part."""
    found = []
    for score, yes in zip(scores, bought):
        ranks, count, buyers = pd.Series(score).rank().to_numpy(), len(score), yes.sum()
        area = (ranks[yes].sum() - buyers * (buyers + 1) / 2) / (buyers * (count - buyers))
        places = int(np.ceil(TOP * count))
        line = np.partition(score, -places)[-places]
        above, at = score > line, score == line
        share = (places - above.sum()) / at.sum()
        found.append((area, (yes[above].sum() + share * yes[at].sum()) / buyers))
    return np.array(found)


def interval(differences):
    mean, error = differences.mean(), differences.std(ddof=1) / np.sqrt(len(differences))
    return f"{mean:+.4f} ({mean - NORMAL_975 * error:+.4f} to {mean + NORMAL_975 * error:+.4f})"


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", required=True, type=pathlib.Path, help=f"the folder that holds {FILES[0]}")
    parser.add_argument("--tercet", default="tercet", help="the binary")
    parser.add_argument("--settings", type=pathlib.Path, help="a file with other settings, [recommenders.new-products]")
    parser.add_argument("--validation", action="store_true", help="the validation alone")
    options = parser.parse_args()
    lines, products = read(options.data)
    households = np.sort(lines.household_id.unique())
    first = lines.groupby("product_id").week.min()
    for begin, end in VALIDATION if options.validation else VALIDATION + TEST:
        known = lines[lines.week < begin]
        bought = lines[lines.product_id.isin(first[first.between(begin, end)].index) & (lines.week <= end)]
        buyers = bought.groupby("product_id").household_id.unique()
        buyers = buyers[buyers.map(len) >= BUYERS_MIN]
        targets = buyers.index
        truth = np.array([np.isin(households, of) for of in buyers])
        as_of = lines[lines.week == begin].date.min()
        scores = {
            "type": frequency(known, products, "product_type", targets, households),
            "category": frequency(known, products, "category", targets, households),
            "activity": np.tile(known.groupby("household_id").size().reindex(households, fill_value=0), (len(targets), 1)),
            "new-products": predicted(options.tercet, options.settings, known, products, as_of, targets, households),
        }
        plain = judged(scores["type"], truth)
        period = "test" if (begin, end) in TEST else "validation"
        print(f"\n{period}, weeks {begin} to {end}: {len(targets)} products, {len(households)} households, as of {as_of}")
        header("ranked by", "AUC", "over type", "recall in the top 5 %", "over type")
        for name, score in scores.items():
            found = judged(score, truth)
            over = [interval(found[:, which] - plain[:, which]) if name != "type" else "" for which in (0, 1)]
            row(name, f"{found[:, 0].mean():.4f}", over[0], f"{found[:, 1].mean():.4f}", over[1])


main()
