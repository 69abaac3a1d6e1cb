"""Do BG/NBD and Gamma-Gamma come to the published parameters on CDNOW's customers?

    pip install -r benches/accuracy/requirements.txt lifetimes==0.11.3
    python benches/accuracy/cdnow.py --data FOLDER --tercet target/release/tercet

FOLDER holds CDNOW_master.txt: purchases of CDs by 23,570 customers, January 1997 to June 1998. The papers use one
customer in ten, whose ids stand in a file that comes with lifetimes, and the first 39 weeks, until 30 September
1997; the 39 weeks behind them are what was expected of each customer (`tercet customer-value`). The published
parameters of Gamma-Gamma are those of mean values in cents, half a cent rounded up.
"""

import argparse
import importlib.util
import json
import pathlib
import subprocess
import sys
import tempfile

import numpy as np
import pandas as pd
from common import header, row

FILE = "CDNOW_master.txt"
COLUMNS = ["customer_id", "date", "cds", "value"]
UNTIL, WEEKS = "1997-09-30", 39
PUBLISHED = {
    "r": 0.2426, "alpha": 4.4135, "a": 0.7929, "b": 2.4258,
    "p": 6.249, "q": 3.745, "v": 15.448,
    "log-likelihood of BG/NBD": -9582.4,
    "purchases in 39 weeks, x = 2, t = 30.43, T = 38.86": 1.2259,
}  # fmt: skip


def asked(tercet, table):
    with tempfile.TemporaryDirectory() as folder:
        place = pathlib.Path(folder) / "purchases.csv"
        table.to_csv(place, index=False)
        words = ["--quiet", "customer-value", "--data", place, "--until", UNTIL, "--weeks", WEEKS, "--format", "json"]
        done = subprocess.run([tercet, *map(str, words)], capture_output=True, text=True)
    if done.returncode:
        sys.exit(done.stderr)
    return json.loads(done.stdout)


def in_cents(table):
    """The purchases with each day's value replaced by the customer's mean behind the first day, in cents, half up."""
    days = table[table.date <= UNTIL.replace("-", "")].groupby(["customer_id", "date"], as_index=False).value.sum()
    is_later = days.groupby("customer_id").cumcount() > 0
    means = np.floor(100 * days[is_later].groupby("customer_id").value.mean() + 0.5 + 1e-9) / 100
    days.loc[is_later, "value"] = days.customer_id.map(means)
    return days


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", required=True, type=pathlib.Path, help=f"the folder that holds {FILE}")
    parser.add_argument("--tercet", default="tercet", help="the binary")
    options = parser.parse_args()
    if not (options.data / FILE).is_file():
        sys.exit(f"data set absent: there is no {options.data / FILE}")
    master = pd.read_csv(options.data / FILE, sep=r"\s+", names=COLUMNS, skiprows=1, dtype={"date": str})
    library = importlib.util.find_spec("lifetimes").submodule_search_locations[0]
    sample = pd.read_csv(pathlib.Path(library) / "datasets" / "CDNOW_sample.txt", sep=r"\s+", header=None)
    table = master[master.customer_id.isin(sample[0].unique())]
    said = asked(options.tercet, table)
    customers = pd.DataFrame(said["by_customer"])
    customers["customer"] = customers.customer.astype(int)
    rounded = asked(options.tercet, in_cents(table))["gamma_gamma"]["parameters"]
    exact = [one | {"name": f"{one['name']}, means not rounded"} for one in said["gamma_gamma"]["parameters"]]
    parameters = said["bg_nbd"]["parameters"] + rounded + exact
    found = {one["name"]: one["value"] for one in parameters}
    interval = {one["name"]: f"{one['low']:.4f} to {one['high']:.4f}" for one in parameters}
    alike = customers[(customers.repeat_purchases == 2) & (customers.recency_weeks.round(2) == 30.43)]
    example = alike[alike.age_weeks.round(2) == 38.86].expected_purchases.iloc[0]
    found |= dict(zip(list(PUBLISHED)[-2:], (said["bg_nbd"]["log_likelihood"], example)))

    print(f"{said['customers']} customers, {said['gamma_gamma']['customers']} came back")
    header("", "published", "found", "95 % interval")
    for name, value in found.items():
        row(name, PUBLISHED.get(name, ""), f"{value:.4f}", interval.get(name, ""))

    later = table[table.date > UNTIL.replace("-", "")]
    bought = later.groupby("customer_id").date.nunique().reindex(customers.customer, fill_value=0).to_numpy()
    customers["bought"] = bought
    header("repeat purchases", "customers", "expected in 39 weeks", "bought")
    bands = customers.repeat_purchases.clip(upper=7)
    for band, some in customers.groupby(bands):
        name = f"{band} or more" if band == 7 else band
        row(name, len(some), f"{some.expected_purchases.mean():.3f}", f"{some.bought.mean():.3f}")
    row("all", len(customers), f"{customers.expected_purchases.mean():.3f}", f"{bought.mean():.3f}")
    print(f"\ncorrelation of expected and bought: {np.corrcoef(customers.expected_purchases, bought)[0, 1]:.3f}")


main()
