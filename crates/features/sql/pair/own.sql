-- What did a customer buy of a promotion's products before, and when is the next purchase due?
-- grain: one row per customer of pair_customers and promotion with a past purchase.
-- inputs: product_days, pair_customers, scope_products, day_weights.
-- as-of column: day.
-- output: customer_ix, promotion_ix, n14_micro, n60_micro, n180_micro (order lines, decayed, millionths),
-- v60_micro, v180_micro (amounts in minor units, decayed, millionths), days, age_days, interval_days
with daily as (
  select d.customer_ix, e.promotion_ix, d.day, sum(d.orders) as orders, sum(d.amount_minor) as amount_minor
  from product_days d
  join pair_customers c on c.customer_ix = d.customer_ix
  join scope_products e on e.product_ix = d.product_ix
  where d.day < cast($as_of as int)
  group by d.customer_ix, e.promotion_ix, d.day
)
select
  d.customer_ix,
  d.promotion_ix,
  sum(d.orders * w.w14_micro) as n14_micro,
  sum(d.orders * w.w60_micro) as n60_micro,
  sum(d.orders * w.w180_micro) as n180_micro,
  sum(d.amount_minor * w.w60_micro) as v60_micro,
  sum(d.amount_minor * w.w180_micro) as v180_micro,
  count(*) as days,
  min(w.age_days) as age_days,
  case when count(*) > 1
    then cast(max(d.day) - min(d.day) as double) / cast(count(*) - 1 as double)
  end as interval_days
from daily d
join day_weights w on w.day = d.day
group by d.customer_ix, d.promotion_ix
order by d.customer_ix, d.promotion_ix
