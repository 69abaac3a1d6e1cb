-- How many customers bought into a promotion's products lately?
-- grain: one row per promotion with a sale in twelve weeks. inputs: eligible_products,
-- product_days.
-- as-of column: day.
-- output: promotion_ix, buyers_4w, buyers_8w, buyers_12w, bought_4w (products sold in 4 weeks)
with recent as (
  select customer_ix, product_ix, cast($as_of as int) - max(day) as age_days
  from product_days
  where day < cast($as_of as int) and day >= cast($as_of as int) - 84
  group by customer_ix, product_ix
),
buyers as (
  select promotion_ix, customer_ix, min(age_days) as age_days
  from recent r
  join eligible_products e on e.product_ix = r.product_ix
  group by promotion_ix, customer_ix
),
sold as (
  select product_ix, min(age_days) as age_days from recent group by product_ix
),
counted as (
  select promotion_ix, sum(case when age_days <= 28 then 1 else 0 end) as bought_4w
  from sold s
  join eligible_products e on e.product_ix = s.product_ix
  group by promotion_ix
)
select
  b.promotion_ix,
  sum(case when b.age_days <= 28 then 1 else 0 end) as buyers_4w,
  sum(case when b.age_days <= 56 then 1 else 0 end) as buyers_8w,
  count(*) as buyers_12w,
  max(c.bought_4w) as bought_4w
from buyers b
join counted c on c.promotion_ix = b.promotion_ix
group by b.promotion_ix
order by b.promotion_ix
