-- At which intervals do customers buy a product again?
-- grain: one row per product and mean interval of a customer (of one part of the customers). inputs:
-- product_days.
-- as-of column: day.
-- output: product_ix, interval_days (a double), customers
select product_ix, interval_days, count(*) as customers
from (
  select
    customer_ix,
    product_ix,
    cast(max(day) - min(day) as double) / cast(count(*) - 1 as double) as interval_days
  from product_days
  where day < cast($as_of as int)
  group by customer_ix, product_ix
  having count(*) > 1
)
group by 1, 2
order by 1, 2
