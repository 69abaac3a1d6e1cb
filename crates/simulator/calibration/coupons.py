"""How long do coupons hold, how many of them at a time, how often do they come back to a category, and how much do they
differ in use?

    pip install duckdb numpy scipy
    python coupons.py > coupons.json     (The Complete Journey)
    python coupons.py SHOP                (the same of a simulated shop)

Coupons on up to a hundred products. Days are of all of them; how many begin in a week and hold at a time is of the
time from the first to the third quartile of their first days. A category comes back when another coupon on it began in the twelve weeks
before; of a simulated shop, product types stand for categories. Use: how a gamma distribution of the rate at which
coupons are used is shaped, each coupon drawing its rate and its number of uses a Poisson from it (the smaller, the more
coupons differ); of campaigns of type B and C, where it is exact who was mailed what, and of a simulated shop's first
exposures behind the first twelve weeks.
"""

import json
import pathlib
import sys

import duckdb
import numpy as np
from scipy.optimize import minimize
from scipy.special import gammaln

NARROW = 100
REAL = pathlib.Path(__file__).parents[3] / "examples" / "complete-journey" / "data"

db = duckdb.connect()


def real():
    """Tables `coupons` (id, first and last day), `scope` (coupon, category) and `mailed` (coupon, mailed, used)."""
    db.execute(f"""
create table scope as
select distinct c.campaign_id || ' ' || c.coupon_upc as coupon, c.campaign_id, c.coupon_upc, c.product_id,
  p.product_category as category
from '{REAL}/coupons.parquet' c left join '{REAL}/products.parquet' p on p.product_id = c.product_id""")
    db.execute(f"""
create table coupons as
select distinct coupon, d.start_date as first, d.end_date as last
from scope s join '{REAL}/campaign_descriptions.parquet' d on d.campaign_id = s.campaign_id""")
    db.execute(f"""
create table mailed as
select s.coupon, count(*) as mailed, count(u.household_id) as used
from (select distinct coupon, campaign_id, coupon_upc from scope) s
join '{REAL}/campaign_descriptions.parquet' d on d.campaign_id = s.campaign_id and d.campaign_type <> 'Type A'
join (select distinct household_id, campaign_id from '{REAL}/campaigns.parquet') m on m.campaign_id = s.campaign_id
left join (select distinct household_id, campaign_id, coupon_upc from '{REAL}/coupon_redemptions.parquet') u
  on u.household_id = m.household_id and u.campaign_id = s.campaign_id and u.coupon_upc = s.coupon_upc
group by s.coupon""")


def simulated(shop):
    """The same tables of a simulated shop."""
    def table(name):
        path = shop / "data" / name
        return f"'{path}/**/*.parquet'" if path.is_dir() else f"'{path}.parquet'"

    db.execute(f"""
create table scope as
select distinct r.promotion_id as coupon, p.product_id, p.product_type as category
from {table("promotion_products")} r
join {table("products")} p on r.value = case r.level
  when 'product' then cast(p.product_id as varchar) when 'product_type' then p.product_type
  when 'brand' then p.brand else p.department end""")
    db.execute(f"""
create table coupons as
select promotion_id as coupon, cast(valid_from as date) as first, cast(valid_to as date) as last
from {table("promotions")}""")
    db.execute(f"""
create table mailed as
select m.coupon, count(*) as mailed, count(u.customer) as used
from (select customer_id as customer, promotion_id as coupon, min(cast(exposed_on as date)) as day
      from {table("exposures")} group by all) m
left join (select distinct customer_id as customer, promotion_id as coupon from {table("redemptions")}) u
  on u.customer = m.customer and u.coupon = m.coupon
where m.day >= (select min(cast(exposed_on as date)) + 84 from {table("exposures")})
group by m.coupon""")


def narrow():
    """Keeps coupons on few products."""
    db.execute(f"""
create table few as
select c.coupon, c.first, c.last
from coupons c join (select coupon from scope group by coupon having count(distinct product_id) <= {NARROW}) s
  on s.coupon = c.coupon""")


def one(query):
    return [round(float(value), 3) for value in db.execute(query).fetchone()]


def shape():
    """The shape of the gamma distribution of coupons' rates of use: maximum likelihood."""
    rows = db.execute("select mailed, used from mailed join few using (coupon)").fetchnumpy()
    mailed, used = rows["mailed"].astype(float), rows["used"].astype(float)

    def loss(point):
        mean, size = mailed * np.exp(point[0]), np.exp(point[1])
        likely = gammaln(used + size) - gammaln(size) + size * np.log(size / (size + mean))
        return -(likely + used * np.log(mean / (size + mean))).sum()

    found = minimize(loss, [np.log(used.sum() / mailed.sum()), 0.0], method="Nelder-Mead")
    return {"coupons": len(used), "rate": round(float(np.exp(found.x[0])), 5), "shape": round(float(np.exp(found.x[1])), 3)}


if len(sys.argv) > 1:
    simulated(pathlib.Path(sys.argv[1]))
else:
    real()
narrow()
MIDDLE = "(select quantile_disc(first, 0.25) from few) and (select quantile_disc(first, 0.75) from few)"
holds = one("select avg(last - first + 1), quantile_cont(last - first + 1, 0.1), median(last - first + 1), quantile_cont(last - first + 1, 0.9) from few")
begin = one(f"select 7.0 * count(*) / (max(first) - min(first) + 1) from few where first between {MIDDLE}")
held = one(f"""
select avg(n) from (
  select d.day, count(*) as n
  from (select distinct cast(unnest(generate_series((select min(first) from few), (select max(first) from few), interval 7 day)) as date) as day) d
  join few on d.day between few.first and few.last
  where d.day between {MIDDLE} group by d.day)""")
back = one("""
with c as (select distinct s.coupon, s.category, f.first from scope s join few f on f.coupon = s.coupon where s.category is not null)
select avg(case when earlier > 0 then 1.0 else 0.0 end) from (
  select c.coupon, c.category, count(d.coupon) as earlier
  from c left join c d on d.category = c.category and d.first < c.first and d.first >= c.first - 84
  where c.first >= (select min(first) + 84 from c) group by all)""")
print(json.dumps({
    "days_a_coupon_holds": dict(zip(["mean", "p10", "median", "p90"], holds)),
    "begin_in_a_week": begin[0],
    "hold_at_a_time": held[0],
    "categories_that_come_back": back[0],
    "use": shape(),
}, indent=1))
