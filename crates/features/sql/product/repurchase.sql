-- After how many days is a product bought again?
-- grain: one row per product that somebody bought on two days. inputs: customer_product.
-- as-of column: days in customer_product.
-- The median over customers of their mean interval.
-- output: product_ix, repurchase_days, repeat_buyers
select
  product_ix,
  median(interval_days) as repurchase_days,
  count(*) as repeat_buyers
from customer_product
where interval_days is not null
group by product_ix
order by product_ix
