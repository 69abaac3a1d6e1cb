-- When did a customer first and last buy a product?
-- grain: one row per customer and product bought. inputs: product_days.
-- as-of column: day.
-- output: customer_ix, product_ix, first_day, last_day
select customer_ix, product_ix, min(day) as first_day, max(day) as last_day
from product_days
where day < cast($as_of as int)
group by customer_ix, product_ix
order by customer_ix, product_ix
