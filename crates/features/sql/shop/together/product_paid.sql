-- At which prices was a product sold to all customers, and how often?
-- grain: one row per product and price paid. inputs: product_paid of several parts. as-of column: that of the input.
-- output: product_ix, unit_minor, lines
select product_ix, unit_minor, sum(lines) as lines
from product_paid
group by 1, 2
order by 1, 2
