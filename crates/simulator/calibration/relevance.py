"""How does the use of coupons hang on what was bought before, and how much of what is bought is new?

    pip install duckdb
    python relevance.py > relevance.json

Coupons of campaigns of type B and C, where it is exact who was mailed what: the share that is used, by the
products that the coupon holds for and by the days in the twelve weeks before on which one of them was bought.
New: lines and first purchases of products whose first sale lies within the eight weeks before, among products
with at least twenty sales; an upper bound, because a product that the panel finds late need not be new.
"""

import json
import pathlib

import duckdb

DATA = pathlib.Path(__file__).parents[3] / "examples" / "complete-journey" / "data"
db = duckdb.connect()
db.execute(f"""
create table lines as
select household_id as customer, product_id as product, cast(transaction_timestamp as date) as day
from '{DATA}/transactions.parquet'""")
db.execute(f"""
create table mailed as
select m.household_id as customer, m.campaign_id as campaign, d.start_date as start_date
from '{DATA}/campaigns.parquet' m
join '{DATA}/campaign_descriptions.parquet' d on d.campaign_id = m.campaign_id
where d.campaign_type <> 'Type A'""")
db.execute(f"""
create table scope as
select distinct campaign_id as campaign, coupon_upc as coupon, product_id as product
from '{DATA}/coupons.parquet'""")
db.execute("""
create table bought as
select m.customer, s.campaign, s.coupon, count(distinct l.day) as days
from mailed m
join scope s on s.campaign = m.campaign
join lines l on l.customer = m.customer and l.product = s.product
  and l.day < m.start_date and l.day >= m.start_date - 84
group by all""")
db.execute(f"""
create table sent as
select coalesce(b.days, 0) as days, k.breadth, u.customer is not null as used
from mailed m
join (select campaign, coupon, count(*) as breadth from scope group by all) k on k.campaign = m.campaign
left join bought b on b.customer = m.customer and b.campaign = k.campaign and b.coupon = k.coupon
left join (select distinct household_id as customer, campaign_id as campaign, coupon_upc as coupon
           from '{DATA}/coupon_redemptions.parquet') u
  on u.customer = m.customer and u.campaign = k.campaign and u.coupon = k.coupon""")
rows = db.execute("""
select case when breadth <= 100 then 'up to 100 products' else 'more than 100' end as breadth,
       case when days = 0 then 'never' when days < 3 then 'on 1 or 2 days' else 'on 3 days or more' end as bought,
       count(*) as mailed, count(*) filter (used) as used, round(avg(case when used then 1.0 else 0.0 end), 5) as rate
from sent group by all order by all""").fetchall()
new = db.execute("""
with first as (select product, min(day) as day from lines group by product having count(*) >= 20),
own as (
  select l.day, f.day as launch, l.day = min(l.day) over (partition by l.customer, l.product) as is_first
  from lines l left join first f on f.product = l.product)
select round(avg(case when is_new then 1.0 else 0.0 end), 5), round(avg(case when is_new and is_first then 1.0 else 0.0 end), 5)
from (select is_first, launch > date '2017-05-15' and day < launch + 56 as is_new
      from own where day > date '2017-07-10')""").fetchone()
names = ["breadth", "bought", "mailed", "used", "rate"]
print(json.dumps({
    "use_of_coupons": [dict(zip(names, row)) for row in rows],
    "new_product_share_of_lines": float(new[0]),
    "first_purchases_of_new_products_share_of_lines": float(new[1]),
}, indent=1))
