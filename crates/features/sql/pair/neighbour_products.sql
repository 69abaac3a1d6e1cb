-- Which products does a customer lend to its neighbours?
-- grain: one row per active customer and product bought. inputs: bought, active.
-- as-of column: days in bought.
-- output: customer_ix, product_ix, n60_micro (order lines, decayed, millionths)
select b.customer_ix, b.product_ix, b.n60_micro
from bought b
join active a on a.customer_ix = b.customer_ix
order by b.customer_ix, b.product_ix
