-- When did a customer first and last buy a product, and how often lately?
-- grain: one row per customer and product bought. inputs: product_days, day_weights.
-- as-of column: day.
-- output: customer_ix, product_ix, first_day, last_day, n60_micro (order lines, decayed, millionths)
select
  d.customer_ix,
  d.product_ix,
  min(d.day) as first_day,
  max(d.day) as last_day,
  sum(d.orders * w.w60_micro) as n60_micro
from product_days d
join day_weights w on w.day = d.day
group by d.customer_ix, d.product_ix
order by d.customer_ix, d.product_ix
