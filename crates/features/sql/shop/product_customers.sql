-- When did customers buy a product?
-- grain: one row per product and customer with a sale (of one part of the customers). inputs: product_days.
-- as-of column: day.
-- output: product_ix, customer_ix, first_day, last_day, days, recently, before (1 or 0: bought in the last 4 weeks, in
-- the 4 before)
select
  product_ix,
  customer_ix,
  min(day) as first_day,
  max(day) as last_day,
  count(*) as days,
  max(case when cast($as_of as int) - day <= 28 then 1 else 0 end) as recently,
  max(case when cast($as_of as int) - day between 29 and 56 then 1 else 0 end) as before
from product_days
where day < cast($as_of as int)
group by product_ix, customer_ix
