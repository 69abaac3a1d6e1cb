-- At which intervals do all customers buy a product again?
-- grain: one row per product and mean interval. inputs: product_intervals of several parts. as-of column: that of
-- the input.
-- output: product_ix, interval_days, customers
select product_ix, interval_days, sum(customers) as customers
from product_intervals
group by 1, 2
order by 1, 2
