"""What do the accuracy scripts share: where data are, and how the binary is asked?"""

import argparse
import json
import pathlib
import subprocess
import sys

import pandas as pd


def arguments(question, file, parts=(), flags=()):
    parser = argparse.ArgumentParser(description=question)
    parser.add_argument("--data", required=True, type=pathlib.Path, help=f"the folder that holds {file}")
    parser.add_argument("--tercet", default="tercet", help="the binary")
    if parts:
        parser.add_argument("--parts", nargs="*", choices=parts, default=parts, help="which tables to make")
    for flag in flags:
        parser.add_argument(f"--{flag}", action="store_true")
    found = parser.parse_args()
    if not (found.data / file).is_file():
        sys.exit(f"data set absent: there is no {found.data / file}")
    found.table = pd.read_parquet(found.data / file)
    return found


def said(tercet, *words):
    done = subprocess.run([tercet, "--quiet", *map(str, words)], capture_output=True, text=True)
    if done.returncode:
        sys.exit(done.stderr)
    return done.stdout


def run(tercet, *words):
    return said(tercet, "uplift", *words)


def evaluate(tercet, data, settings, models, *words):
    """By model, what `tercet evaluate` says of its metrics: (metric, k) to a value and its interval."""
    words = ["--data", data, "--settings", settings, "--models", ",".join(models), "--json", *words]
    found = json.loads(said(tercet, "evaluate", *words))
    return {
        one["model"]: {
            (figure["metric"], figure["k"]): (figure["value"], figure.get("interval")) for figure in one["figures"]
        }
        for one in found["comparison"]["models"]
    }


def fit(tercet, data, *words):
    """What `tercet uplift fit` says of a table."""
    return json.loads(run(tercet, "fit", "--data", data, "--format", "json", *words))


def row(*cells):
    print("| " + " | ".join(str(cell) for cell in cells) + " |", flush=True)


def header(*cells):
    print()
    row(*cells)
    row(*["---"] * len(cells))


def percent(figure):
    value, (low, high) = figure
    return f"{100 * value:.2f}, {100 * low:.2f} to {100 * high:.2f}"


def estimate(found, digits=5):
    value = f"{found['value']:+.{digits}f} (se {found['std_error']:.{digits}f})"
    return f"{value}, {found['low']:+.{digits}f} to {found['high']:+.{digits}f}"
