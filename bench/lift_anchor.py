"""How long does DuckDB take for the head of a lift report of millions?

    python lift_anchor.py make FOLDER CUSTOMERS PARTS     writes units, outcomes and their manifest
    python lift_anchor.py ask FOLDER THREADS              prints seconds and figures as JSON

Ten weeks of a campaign, ten weeks before it and four after it; customers order in a third of their weeks, spend is
lognormal, and customers in treatment spend two per cent more. Numbers come from hashes: the same every time.
"""

import json
import pathlib
import sys
import time

import duckdb

WEEKS, BEFORE, AFTER = 10, 10, 4

UNITS = """
copy (
  select
    cast(unit as int) as unit, 'c' || lpad(cast(unit as varchar), 9, '0') as customer_id,
    date '2025-01-06' as entered_on,
    case when hash(unit, 1) % 10 = 0 then 'control' else 'treatment' end as arm,
    cast(null as varchar) as experiment_arm,
    ['both', 'browsing_only', 'transaction_only'][cast(1 + hash(unit, 2) % 3 as bigint)] as segment,
    ['phone', 'desktop', 'tablet'][cast(1 + hash(unit, 3) % 3 as bigint)] as device,
    hash(unit, 4) % 100 = 0 as opted_out
  from range({first}, {last}) t(unit)
  order by unit
) to '{path}' (format parquet, compression zstd)
"""

OUTCOMES = """
copy (
  with weeks as (
    select
      unit, week, arm,
      exp(7 + 0.8 * sin(unit) + 0.6 * sin(unit * 31.7 + week * 12.9898))
        * case when arm = 'treatment' and week between 0 and 9 then 1.02 else 1 end as spend
    from '{units}', range(-{before}, {all}) w(week)
    where hash(unit, week) % 3 = 0
  )
  select
    unit, cast(week as int) as week,
    cast(1 as bigint) as orders,
    cast(spend as bigint) as revenue_minor,
    cast(spend * 0.3 as bigint) as margin_minor,
    cast(hash(unit, week, 5) % 50 as bigint) as discount_minor,
    cast(hash(unit, week, 6) % 20 = 0 as bigint) as coupons_used,
    cast(0 as bigint) as first_coupons,
    cast(hash(unit, week, 7) % 4 as bigint) as repeats,
    cast(hash(unit, week, 8) % 2 as bigint) as first_purchases,
    cast(0 as bigint) as new_products,
    cast(arm = 'treatment' and week between 0 and 9 as bigint) as contacts,
    cast(case when arm = 'treatment' and week between 0 and 9 then 3 else 0 end as bigint) as offers_sent,
    cast(0 as bigint) as offers_seen,
    cast(0 as bigint) as offers_used,
    cast(0 as bigint) as attributed_minor
  from weeks
  order by unit, week
) to '{path}' (format parquet, compression zstd)
"""

ASK = """
with of_unit as (
  select
    unit,
    sum(revenue_minor) filter (where week between 0 and {last}) as revenue,
    sum(margin_minor) filter (where week between 0 and {last}) as margin,
    sum(revenue_minor) filter (where week < 0) as before
  from read_parquet('{outcomes}')
  group by unit
)
select
  u.arm, count(*) as units,
  avg(coalesce(revenue, 0)) as revenue, var_samp(coalesce(revenue, 0)) as revenue_variance,
  avg(coalesce(margin, 0)) as margin, var_samp(coalesce(margin, 0)) as margin_variance,
  var_samp(coalesce(before, 0)) as before_variance,
  covar_samp(coalesce(revenue, 0), coalesce(before, 0)) as covariance
from read_parquet('{units}') u left join of_unit o on o.unit = u.unit
group by u.arm
order by u.arm
"""


def make(folder, customers, parts):
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "units").mkdir(exist_ok=True)
    (folder / "outcomes").mkdir(exist_ok=True)
    step = -(-customers // parts)
    for part in range(parts):
        units = folder / "units" / f"part-{part:04}.parquet"
        first, last = part * step, min((part + 1) * step, customers)
        duckdb.sql(UNITS.format(first=first, last=last, path=units))
        path = folder / "outcomes" / f"part-{part:04}.parquet"
        duckdb.sql(OUTCOMES.format(units=units, before=BEFORE, all=WEEKS + AFTER, path=path))
    manifest = {
        "tercet_version": "bench", "first_day": "2025-01-06", "until": "2025-04-14",
        "weeks": WEEKS, "weeks_after": AFTER, "weeks_before": BEFORE, "known_until": 0, "runs": [], "experiment": None,
        "parts": parts, "units": customers, "moved": 0, "others": 0, "gone": 0,
        "planned": [0.1, 0.9], "planned_test": None,
        "segments": ["both", "browsing_only", "transaction_only"], "caps_minor": [100000, 30000],
        "caps_are_configured": [True, True], "margin_rate": 0.3, "attribution": ["code"], "attributed": {}, "quarantined": 0,
    }
    (folder / "measurement.json").write_text(json.dumps(manifest))


def ask(folder, threads):
    duckdb.sql(f"set threads = {threads}")
    begun = time.perf_counter()
    sql = ASK.format(last=WEEKS - 1, outcomes=folder / "outcomes/*", units=folder / "units/*")
    rows = duckdb.sql(sql).fetchall()
    seconds = time.perf_counter() - begun
    control, treatment = rows
    print(json.dumps({
        "seconds": seconds,
        "control": control[1], "treated": treatment[1],
        "revenue": treatment[2] - control[2], "margin": treatment[4] - control[4],
        "revenue_error": (treatment[3] / treatment[1] + control[3] / control[1]) ** 0.5,
    }))


if __name__ == "__main__":
    folder = pathlib.Path(sys.argv[2])
    if sys.argv[1] == "make":
        make(folder, int(sys.argv[3]), int(sys.argv[4]))
    else:
        ask(folder, int(sys.argv[3]))
