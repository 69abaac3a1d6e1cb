-- How many of all customers buy a product, and since when?
-- grain: one row per product with a sale. inputs: product_buyers of several parts. as-of column: that of the input.
-- output: product_ix, first_sold_day, last_sold_day, buyers_4w, buyers_prior_4w
select
  product_ix,
  min(first_sold_day) as first_sold_day,
  max(last_sold_day) as last_sold_day,
  sum(buyers_4w) as buyers_4w,
  sum(buyers_prior_4w) as buyers_prior_4w
from product_buyers
group by product_ix
order by product_ix
