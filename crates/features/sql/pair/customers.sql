-- What are a customer's habits?
-- grain: one row per customer of pair_customers with an order. inputs: pair_customers, orders, lines,
-- product_days.
-- as-of column: day.
-- Lines of more than $bulk_quantity units (fuel by the drop, for example) say nothing about a basket's amount.
-- output: customer_ix, orders_12w, amount_12w_minor, tenure_days (since the first order), products_4w
-- (products bought in four weeks), new_products_4w (those never bought before)
with sums as (
  select
    o.customer_ix,
    sum(case when o.day >= cast($as_of as int) - 84 then o.is_sale else 0 end) as orders_12w,
    sum(case when o.day >= cast($as_of as int) - 84 then o.amount_minor else 0 end)
      as amount_12w_minor,
    cast($as_of as int) - min(case when o.is_sale = 1 then o.day end) as tenure_days
  from orders o
  join pair_customers a on a.customer_ix = o.customer_ix
  where o.day < cast($as_of as int)
  group by o.customer_ix
),
bulk as (
  select customer_ix, sum(amount_minor) as amount_minor
  from lines
  where day < cast($as_of as int) and day >= cast($as_of as int) - 84
    and quantity_milli > 1000 * $bulk_quantity
  group by customer_ix
),
products as (
  select
    customer_ix,
    count(distinct product_ix) as products_4w,
    sum(is_first) as new_products_4w
  from product_days
  where day < cast($as_of as int) and day >= cast($as_of as int) - 28
  group by customer_ix
)
select
  s.customer_ix,
  s.orders_12w,
  s.amount_12w_minor - coalesce(b.amount_minor, 0) as amount_12w_minor,
  s.tenure_days,
  coalesce(p.products_4w, 0) as products_4w,
  coalesce(p.new_products_4w, 0) as new_products_4w
from sums s
left join bulk b on b.customer_ix = s.customer_ix
left join products p on p.customer_ix = s.customer_ix
order by s.customer_ix
