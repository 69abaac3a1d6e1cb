-- How many customers buy a product, and since when?
-- grain: one row per product with a sale (of one part of the customers). inputs: product_days.
-- as-of column: day.
-- output: product_ix, first_sold_day, last_sold_day, buyers_4w, buyers_prior_4w (in the 4 weeks before)
with known as (
  select
    product_ix,
    customer_ix,
    min(day) as first_day,
    max(day) as last_day,
    max(case when cast($as_of as int) - day <= 28 then 1 else 0 end) as recently,
    max(case when cast($as_of as int) - day between 29 and 56 then 1 else 0 end) as before
  from product_days
  where day < cast($as_of as int)
  group by product_ix, customer_ix
)
select
  product_ix,
  min(first_day) as first_sold_day,
  max(last_day) as last_sold_day,
  sum(recently) as buyers_4w,
  sum(before) as buyers_prior_4w
from known
group by product_ix
order by product_ix
