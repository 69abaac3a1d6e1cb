-- How many customers buy a product, and since when?
-- grain: one row per product with a sale (of one part of the customers). inputs: product_customers.
-- as-of column: that of product_customers.
-- output: product_ix, first_sold_day, last_sold_day, buyers_4w, buyers_prior_4w (in the 4 weeks before)
select
  product_ix,
  min(first_day) as first_sold_day,
  max(last_day) as last_sold_day,
  sum(recently) as buyers_4w,
  sum(before) as buyers_prior_4w
from product_customers
group by product_ix
order by product_ix
