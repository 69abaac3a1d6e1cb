"""How does the use of coupons hang on what was bought before, and how much of what is bought is new?

    pip install duckdb
    python relevance.py > relevance.json     (The Complete Journey)
    python relevance.py SHOP                 (the same of a simulated shop)

Coupons of campaigns of type B and C, where it is exact who was mailed what: the share that is used, by the
products that the coupon holds for, by the days in the twelve weeks before on which one of them was bought, and, for
who bought none, by the lines of the same categories in these weeks.
Of a simulated shop: a customer's first exposure to each promotion, behind the first twelve weeks; its product types
stand for categories.
New: lines and first purchases of products whose first sale lies within the eight weeks before, among products
with at least twenty sales; an upper bound, because a product that the panel finds late need not be new.
"""

import json
import pathlib
import sys

import duckdb

NARROW = 100
REAL = pathlib.Path(__file__).parents[3] / "examples" / "complete-journey" / "data"

db = duckdb.connect()


def real():
    """Tables `lines`, `products`, `mailed`, `scope` and `uses` of The Complete Journey."""
    db.execute(f"""
create table lines as
select household_id as customer, product_id as product, cast(transaction_timestamp as date) as day
from '{REAL}/transactions.parquet'""")
    db.execute(f"""
create table products as
select product_id as product, product_category as category from '{REAL}/products.parquet'""")
    db.execute(f"""
create table scope as
select distinct campaign_id || ' ' || coupon_upc as coupon, campaign_id as campaign, product_id as product
from '{REAL}/coupons.parquet'""")
    db.execute(f"""
create table mailed as
select distinct m.household_id as customer, s.coupon, d.start_date as sent_on
from '{REAL}/campaigns.parquet' m
join '{REAL}/campaign_descriptions.parquet' d on d.campaign_id = m.campaign_id
join (select distinct campaign, coupon from scope) s on s.campaign = m.campaign_id
where d.campaign_type <> 'Type A'""")
    db.execute(f"""
create table uses as
select distinct household_id as customer, campaign_id || ' ' || coupon_upc as coupon
from '{REAL}/coupon_redemptions.parquet'""")


def simulated(shop):
    """The same tables of a simulated shop."""
    def table(name):
        path = shop / "data" / name
        return f"'{path}/**/*.parquet'" if path.is_dir() else f"'{path}.parquet'"

    db.execute(f"""
create table lines as
select customer_id as customer, product_id as product, cast(occurred_at as date) as day
from {table("transactions")} where kind = 'sale'""")
    db.execute(f"""
create table products as
select product_id as product, product_type as category from {table("products")}""")
    db.execute(f"""
create table scope as
select distinct r.promotion_id as coupon, p.product_id as product
from {table("promotion_products")} r
join {table("products")} p on r.value = case r.level
  when 'product' then cast(p.product_id as varchar) when 'product_type' then p.product_type
  when 'brand' then p.brand else p.department end""")
    db.execute(f"""
create table mailed as
select customer_id as customer, promotion_id as coupon, min(cast(exposed_on as date)) as sent_on
from {table("exposures")} group by all
having sent_on >= (select min(day) + 84 from lines)""")
    db.execute(f"""
create table uses as
select distinct customer_id as customer, promotion_id as coupon from {table("redemptions")}""")


def sent():
    """Table `sent`: a row per customer and coupon, with what was bought before and whether it was used."""
    db.execute("""
create table bought as
select m.customer, m.coupon, count(distinct l.day) as days
from mailed m
join scope s on s.coupon = m.coupon
join lines l on l.customer = m.customer and l.product = s.product and l.day < m.sent_on and l.day >= m.sent_on - 84
group by all""")
    db.execute("""
create table alike as
select m.customer, m.coupon, count(*) as lines
from mailed m
join (select distinct s.coupon, p.category from scope s join products p on p.product = s.product
      where p.category is not null) c on c.coupon = m.coupon
join (select l.customer, l.day, p.category from lines l join products p on p.product = l.product) l
  on l.customer = m.customer and l.category = c.category and l.day < m.sent_on and l.day >= m.sent_on - 84
group by all""")
    db.execute("""
create table sent as
select coalesce(b.days, 0) as days, coalesce(a.lines, 0) as alike, k.breadth, u.customer is not null as used
from mailed m
join (select coupon, count(*) as breadth from scope group by all) k on k.coupon = m.coupon
left join bought b on b.customer = m.customer and b.coupon = m.coupon
left join alike a on a.customer = m.customer and a.coupon = m.coupon
left join uses u on u.customer = m.customer and u.coupon = m.coupon""")


RATE = "count(*) as mailed, count(*) filter (used) as used, round(avg(case when used then 1.0 else 0.0 end), 5) as rate"


def shares(names, keys, where):
    rows = db.execute(f"select {keys}, {RATE} from sent where {where} group by all order by all").fetchall()
    return [dict(zip([*names, "mailed", "used", "rate"], row)) for row in rows]


def new():
    """Shares of lines of new products, and of first purchases of them."""
    return db.execute("""
with first as (select product, min(day) as day from lines group by product having count(*) >= 20),
own as (
  select l.day, f.day as launch, l.day = min(l.day) over (partition by l.customer, l.product) as is_first
  from lines l left join first f on f.product = l.product)
select round(avg(case when is_new then 1.0 else 0.0 end), 5), round(avg(case when is_new and is_first then 1.0 else 0.0 end), 5)
from (select is_first, launch > date '2017-05-15' and day < launch + 56 as is_new
      from own where day > date '2017-07-10')""").fetchone()


if len(sys.argv) > 1:
    simulated(pathlib.Path(sys.argv[1]))
else:
    real()
sent()
found = {
    "use_of_coupons": shares(
        ["breadth", "bought"],
        f"""case when breadth <= {NARROW} then 'up to {NARROW} products' else 'more than {NARROW}' end,
        case when days = 0 then 'never' when days < 3 then 'on 1 or 2 days' else 'on 3 days or more' end""",
        "true"),
    "use_of_narrow_coupons_never_bought": shares(
        ["lines_of_the_category"],
        "case when alike = 0 then '0' when alike < 3 then '1 to 2' when alike < 6 then '3 to 5' else '6 or more' end",
        f"breadth <= {NARROW} and days = 0"),
}
if len(sys.argv) == 1:
    lines, firsts = new()
    found["new_product_share_of_lines"] = float(lines)
    found["first_purchases_of_new_products_share_of_lines"] = float(firsts)
print(json.dumps(found, indent=1))
