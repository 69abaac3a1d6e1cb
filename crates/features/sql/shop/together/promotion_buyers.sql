-- How many of all customers bought into a promotion's products lately?
-- grain: one row per promotion with a sale in twelve weeks. inputs: promotion_buyers of several parts. as-of column:
-- that of the input.
-- output: promotion_ix, buyers_4w, buyers_8w, buyers_12w
select
  promotion_ix,
  sum(buyers_4w) as buyers_4w,
  sum(buyers_8w) as buyers_8w,
  sum(buyers_12w) as buyers_12w
from promotion_buyers
group by promotion_ix
order by promotion_ix
