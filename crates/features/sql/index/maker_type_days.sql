-- On which days did a customer buy a maker's type?
-- grain: one row per customer, maker_type_ix and day of a sale. inputs: product_days,
-- product_codes.
-- as-of column: day.
-- output: customer_ix, maker_type_ix, day, orders (order lines)
select d.customer_ix, k.maker_type_ix, d.day, sum(d.orders) as orders
from product_days d
join product_codes k on k.product_ix = d.product_ix
group by d.customer_ix, k.maker_type_ix, d.day
