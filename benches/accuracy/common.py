"""What do the accuracy scripts share: where data are, and how the binary is asked?"""

import argparse
import json
import pathlib
import subprocess
import sys

import pandas as pd


def arguments(question, file, parts=()):
    parser = argparse.ArgumentParser(description=question)
    parser.add_argument("--data", required=True, type=pathlib.Path, help=f"the folder that holds {file}")
    parser.add_argument("--tercet", default="tercet", help="the binary")
    if parts:
        parser.add_argument("--parts", nargs="*", choices=parts, default=parts, help="which tables to make")
    found = parser.parse_args()
    if not (found.data / file).is_file():
        sys.exit(f"data set absent: there is no {found.data / file}")
    found.table = pd.read_parquet(found.data / file)
    return found


def run(tercet, *words):
    done = subprocess.run([tercet, "--quiet", "uplift", *map(str, words)], capture_output=True, text=True)
    if done.returncode:
        sys.exit(done.stderr)
    return done.stdout


def fit(tercet, data, *words):
    """What `tercet uplift fit` says of a table."""
    return json.loads(run(tercet, "fit", "--data", data, "--format", "json", *words))


def row(*cells):
    print("| " + " | ".join(str(cell) for cell in cells) + " |", flush=True)


def header(*cells):
    print()
    row(*cells)
    row(*["---"] * len(cells))


def estimate(found, digits=5):
    value = f"{found['value']:+.{digits}f} (se {found['std_error']:.{digits}f})"
    return f"{value}, {found['low']:+.{digits}f} to {found['high']:+.{digits}f}"
