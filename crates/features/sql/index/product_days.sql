-- On which days did a customer buy a product?
-- grain: one row per customer, product and day of a sale. inputs: lines.
-- as-of column: day. Returns take money off the day they happen on, and are no purchase.
-- is_first marks the first day of all on which the customer bought the product: later days do not change it.
-- output: customer_ix, product_ix, day, orders, amount_minor, is_first (1 or 0)
select
  customer_ix,
  product_ix,
  day,
  orders,
  amount_minor,
  cast(case when day = min(day) over (partition by customer_ix, product_ix) then 1 else 0 end as int)
    as is_first
from (
  select
    customer_ix,
    product_ix,
    day,
    count(*) as orders,
    sum(amount_minor) as amount_minor
  from lines
  where is_sale = 1
  group by customer_ix, product_ix, day
)
order by day, customer_ix, product_ix
