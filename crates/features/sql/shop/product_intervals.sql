-- At which intervals do customers buy a product again?
-- grain: one row per product and mean interval of a customer (of one part of the customers). inputs:
-- product_customers.
-- as-of column: that of product_customers.
-- output: product_ix, interval_days (a double), customers
select
  product_ix,
  cast(last_day - first_day as double) / cast(days - 1 as double) as interval_days,
  count(*) as customers
from product_customers
where days > 1
group by 1, 2
order by 1, 2
