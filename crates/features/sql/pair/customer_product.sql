-- How often, and at what interval, does a customer buy a product?
-- grain: one row per customer and product bought. inputs: product_days.
-- as-of column: day.
-- The interval is the mean gap between purchase days; null with one day.
-- output: customer_ix, product_ix, orders, days, first_day, last_day, amount_minor, interval_days,
-- due_ratio (days since the last purchase over the interval; null with one day)
select
  customer_ix,
  product_ix,
  sum(orders) as orders,
  count(*) as days,
  min(day) as first_day,
  max(day) as last_day,
  sum(amount_minor) as amount_minor,
  case when count(*) > 1
    then cast(max(day) - min(day) as double) / cast(count(*) - 1 as double)
  end as interval_days,
  case when count(*) > 1
    then cast(cast($as_of as int) - max(day) as double) * cast(count(*) - 1 as double)
      / cast(max(day) - min(day) as double)
  end as due_ratio
from product_days
where day < cast($as_of as int)
group by customer_ix, product_ix
order by customer_ix, product_ix
