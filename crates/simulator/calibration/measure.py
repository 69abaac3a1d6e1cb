"""Which margins is the simulator calibrated to? Measures them, and writes complete_journey.json beside it.

    pip install duckdb
    python measure.py            # writes the file
    python measure.py --check    # compares with the file that is there

The definitions are those of `src/margins.rs`: 26 weeks, orders and lines of purchases, customers with at
least one order. Redemptions are counted where it is exact who was mailed what: campaigns of type B and C.
"""

import json
import pathlib
import sys

import duckdb

HERE = pathlib.Path(__file__).parent
DATA = HERE.parents[2] / "examples" / "complete-journey" / "data"
FROM, UNTIL = "2017-02-06", "2017-08-07"  # 26 weeks, Monday to Monday

db = duckdb.connect()
db.execute(f"""
create view lines as
select household_id as customer, basket_id as basket, product_id as product, sales_value as spend,
       retail_disc as shelf, cast(transaction_timestamp as date) as day
from '{DATA}/transactions.parquet'
where transaction_timestamp >= '{FROM}' and transaction_timestamp < '{UNTIL}' and quantity > 0
""")
db.execute(f"""
create view mailed as
select m.household_id as customer, c.coupon_upc as coupon, c.campaign_id as campaign
from '{DATA}/campaigns.parquet' m
join '{DATA}/campaign_descriptions.parquet' d on d.campaign_id = m.campaign_id
join (select distinct coupon_upc, campaign_id from '{DATA}/coupons.parquet') c on c.campaign_id = m.campaign_id
where d.campaign_type <> 'Type A'
""")


def one(query):
    return float(db.execute(query).fetchone()[0])


margins = {
    "lines_per_order": one("select avg(n) from (select count(*) n from lines group by basket)"),
    "lines_per_order_median": one("select median(n) from (select count(*) n from lines group by basket)"),
    "orders_per_week": one(
        "select count(distinct basket) / count(distinct customer) / 26.0 from lines"
    ),
    "repeat_share": one("""
        select avg(case when day > first_day then 1.0 else 0.0 end) from (
            select day, min(day) over (partition by customer, product) first_day from lines)"""),
    "spend_variation": one("""
        select stddev_pop(s) / avg(s) from (select sum(spend) s from lines group by customer)"""),
    "gap_days_mean": one("""
        select avg(gap) from (select day - lag(day) over (partition by customer order by day) gap
                              from (select distinct customer, day from lines)) where gap is not null"""),
    "gap_days_median": one("""
        select median(gap) from (select day - lag(day) over (partition by customer order by day) gap
                                 from (select distinct customer, day from lines)) where gap is not null"""),
    "line_amount": one("select avg(spend) from lines"),
    "shelf_discount_share": one("select avg(case when shelf > 0 then 1.0 else 0.0 end) from lines"),
    "redemption_rate": one(f"""
        select count(distinct (r.household_id, r.coupon_upc, r.campaign_id)) / (select count(*) from mailed)
        from '{DATA}/coupon_redemptions.parquet' r
        join mailed m on m.customer = r.household_id and m.coupon = r.coupon_upc and m.campaign = r.campaign_id"""),
}
text = json.dumps({name: round(value, 5) for name, value in margins.items()}, indent=2) + "\n"
path = HERE / "complete_journey.json"
if "--check" in sys.argv:
    assert path.read_text() == text, "complete_journey.json is not what these data give"
else:
    path.write_text(text)
print(text)
