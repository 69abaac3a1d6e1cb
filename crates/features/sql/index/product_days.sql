-- On which days did a customer buy a product?
-- grain: one row per customer, product and day of a sale. inputs: lines.
-- as-of column: day. Returns take money off the day they happen on, and are no purchase.
-- output: customer_ix, product_ix, day, orders, amount_minor
select
  customer_ix,
  product_ix,
  day,
  count(*) as orders,
  sum(amount_minor) as amount_minor
from lines
where is_sale = 1
group by customer_ix, product_ix, day
order by day, customer_ix, product_ix
