-- When did customers last buy a product, within twelve weeks?
-- grain: one row per customer and product bought in twelve weeks (of one part of the customers). inputs: product_days.
-- as-of column: day.
-- output: customer_ix, product_ix, age_days (of the last day)
select customer_ix, product_ix, cast($as_of as int) - max(day) as age_days
from product_days
where day < cast($as_of as int) and day >= cast($as_of as int) - 84
group by customer_ix, product_ix
order by customer_ix
