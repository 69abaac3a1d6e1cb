-- On which days did a customer buy a product?
-- grain: one row per customer, product and day of a sale. inputs: lines.
-- as-of column: day. Returns take money off the day they happen on, and are no purchase.
-- is_first marks the first day of all on which the customer bought the product: later days do not change it.
-- output: customer_ix, product_ix, day, orders, amount_minor, is_first (1 or 0)
with days as (
  select
    customer_ix,
    product_ix,
    day,
    count(*) as orders,
    sum(amount_minor) as amount_minor
  from lines
  where is_sale = 1
  group by customer_ix, product_ix, day
),
firsts as (
  select customer_ix, product_ix, min(day) as first_day
  from lines
  where is_sale = 1
  group by customer_ix, product_ix
)
select
  d.customer_ix,
  d.product_ix,
  d.day,
  d.orders,
  d.amount_minor,
  case when d.day = f.first_day then cast(1 as int) else cast(0 as int) end as is_first
from firsts f
join days d on f.customer_ix = d.customer_ix and f.product_ix = d.product_ix
