"""How long do DuckDB and Polars take for the statements of bench/sql, on the same Parquet files?

    pip install -r bench/requirements.txt
    python bench/rfm_anchor.py --engine duckdb --query rfm --data SHOP/data [--threads 2]

Prints one line of JSON as `query_speed` does: seconds, CPU seconds, peak memory of this process, and one row of
numbers that change with any value of the result. DuckDB gets the faster of its two ways for orders: `rfm` counts
them with `count(distinct)`, `orders_rfm` groups by order first.
"""

import argparse
import json
import os
import resource
import sys
import time

ANCHORS = ("duckdb", "polars")
QUERIES = ("rfm", "orders_rfm", "customer_category")

RESULT = """
select
  count(*) as rows, sum(last_day)::bigint as last_day, sum(orders)::bigint as orders,
  sum(amount_minor)::bigint as amount_minor,
  sum((customer_id % 9973) * (last_day + 31 * orders + 17 * amount_minor))::bigint as weighed
from ({}) where orders > 0
"""

DUCKDB = {
    "rfm": """
select
  customer_id,
  date_diff('day', date '1970-01-01', max(case when kind = 'sale' then occurred_at end)::date) as last_day,
  count(distinct order_id) filter (where kind = 'sale') as orders,
  sum(amount_minor)::bigint as amount_minor
from transactions
group by customer_id
""",
    "orders_rfm": """
select
  customer_id,
  date_diff('day', date '1970-01-01', max(case when is_sale = 1 then day end)) as last_day,
  sum(is_sale)::bigint as orders,
  sum(amount_minor)::bigint as amount_minor
from (
  select
    customer_id, order_id, occurred_at::date as day,
    max(case when kind = 'sale' then 1 else 0 end) as is_sale,
    sum(amount_minor)::bigint as amount_minor
  from transactions
  group by customer_id, order_id, occurred_at::date
)
group by customer_id
""",
    "customer_category": """
select
  t.customer_id,
  p.category,
  date_diff('day', date '1970-01-01', max(case when t.kind = 'sale' then t.occurred_at end)::date) as last_day,
  count(distinct t.order_id) filter (where t.kind = 'sale') as orders,
  sum(t.amount_minor)::bigint as amount_minor
from transactions t
join products p on p.product_id = t.product_id
group by t.customer_id, p.category
""",
}


def duckdb_row(query, data, threads, memory_mb):
    import duckdb

    connection = duckdb.connect(config={"threads": threads})
    if memory_mb:
        connection.execute(f"set memory_limit = '{memory_mb}MiB'")
    for table, files in tables_of(data).items():
        connection.execute(f"create view {table} as select * from read_parquet('{files}')")

    def work():
        cursor = connection.execute(RESULT.format(DUCKDB[query]))
        names = [column[0] for column in cursor.description]
        return dict(zip(names, cursor.fetchone()))

    return work


def polars_row(query, data, threads, memory_mb):
    if memory_mb:
        raise SystemExit("polars has no memory limit to set")
    os.environ["POLARS_MAX_THREADS"] = str(threads)
    import polars as pl

    files = tables_of(data)
    lines = pl.scan_parquet(files["transactions"])
    is_sale = pl.col("kind") == "sale"
    day = pl.col("occurred_at").dt.date()
    if query == "orders_rfm":
        orders = lines.group_by("customer_id", "order_id", day.alias("day")).agg(
            is_sale.max().alias("is_sale"), pl.col("amount_minor").sum()
        )
        facts = orders.group_by("customer_id").agg(
            pl.col("day").filter(pl.col("is_sale")).max().to_physical().alias("last_day"),
            pl.col("is_sale").sum().alias("orders"),
            pl.col("amount_minor").sum(),
        )
    else:
        key = ["customer_id"]
        if query == "customer_category":
            products = pl.scan_parquet(files["products"]).select("product_id", "category")
            lines = lines.join(products, on="product_id")
            key.append("category")
        facts = lines.group_by(key).agg(
            pl.col("occurred_at").filter(is_sale).max().dt.date().to_physical().alias("last_day"),
            pl.col("order_id").filter(is_sale).n_unique().alias("orders"),
            pl.col("amount_minor").sum(),
        )
    number = {name: pl.col(name).cast(pl.Int64) for name in ("last_day", "orders", "amount_minor", "customer_id")}
    value = number["last_day"] + 31 * number["orders"] + 17 * number["amount_minor"]
    shown = facts.filter(pl.col("orders") > 0).select(
        pl.len().alias("rows"),
        *(number[name].sum().alias(name) for name in ("last_day", "orders", "amount_minor")),
        ((number["customer_id"] % 9973) * value).sum().alias("weighed"),
    )
    return lambda: shown.collect(engine="streaming").row(0, named=True)


def tables_of(data):
    return {"transactions": f"{data}/transactions/*.parquet", "products": f"{data}/products.parquet"}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--engine", choices=ANCHORS, required=True)
    parser.add_argument("--query", choices=QUERIES, required=True)
    parser.add_argument("--data", required=True)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--memory-mb", type=int)
    options = parser.parse_args()
    prepare = {"duckdb": duckdb_row, "polars": polars_row}[options.engine]
    work = prepare(options.query, options.data, options.threads, options.memory_mb)
    start, cpu = time.perf_counter(), time.process_time()
    row = work()
    seconds, cpu = time.perf_counter() - start, time.process_time() - cpu
    peak_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 // 1_000_000
    print(json.dumps(dict(seconds=round(seconds, 3), cpu_seconds=round(cpu, 2), peak_mb=peak_mb, row=row)))
    return 0


if __name__ == "__main__":
    sys.exit(main())
