-- Which products does a customer lend to its neighbours?
-- grain: one row per active customer and product bought. inputs: product_days, active, day_weights.
-- as-of column: day.
-- output: customer_ix, product_ix, n60_micro (order lines, decayed, millionths)
select d.customer_ix, d.product_ix, sum(d.orders * w.w60_micro) as n60_micro
from product_days d
join active a on a.customer_ix = d.customer_ix
join day_weights w on w.day = d.day
group by d.customer_ix, d.product_ix
order by d.customer_ix, d.product_ix
