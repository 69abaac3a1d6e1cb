-- When did customers last buy a product, within twelve weeks?
-- grain: one row per customer and product bought in twelve weeks (of one part of the customers). inputs:
-- product_customers.
-- as-of column: that of product_customers.
-- output: customer_ix, product_ix, age_days (of the last day)
select customer_ix, product_ix, cast($as_of as int) - last_day as age_days
from product_customers
where last_day >= cast($as_of as int) - 84
order by customer_ix
