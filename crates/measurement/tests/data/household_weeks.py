"""What did households spend in 10 weeks, and then week by week in the next 10?

    pip install duckdb
    python household_weeks.py > household_weeks.csv

The Complete Journey, CC0 1.0, see examples/complete-journey/PROVENANCE.md. Spend is in cents; orders are baskets;
weeks begin on Mondays, the first ten with 2017-05-08 and the next ten with 2017-07-17. Every household that ever
bought in 2017 until September has a row, also when it bought nothing in these weeks.
"""

import pathlib

import duckdb

DATA = pathlib.Path(__file__).parents[4] / "examples/complete-journey/data/transactions.parquet"
START, WEEKS = "2017-05-08", 10

rows = duckdb.sql(
    f"""
    with lines as (
        select
            household_id,
            basket_id,
            cast(round(sales_value * 100) as bigint) as cents,
            date_diff('day', date '{START}', cast(transaction_timestamp as date)) // 7 as week,
            cast(transaction_timestamp as date) >= date '{START}' as counts
        from '{DATA}'
    )
    select
        coalesce(sum(cents) filter (counts and week < {WEEKS}), 0),
        count(distinct basket_id) filter (counts and week < {WEEKS}),
        count(distinct basket_id) filter (counts and week between {WEEKS} and {2 * WEEKS - 1}),
        {", ".join(f"coalesce(sum(cents) filter (counts and week = {w}), 0)" for w in range(WEEKS, 2 * WEEKS))}
    from lines
    group by household_id
    order by household_id
    """
).fetchall()
weeks = ",".join(f"week_{w}" for w in range(1, WEEKS + 1))
print(f"before,orders_before,orders,{weeks}")
for row in rows:
    print(*(int(cell) for cell in row), sep=",")
