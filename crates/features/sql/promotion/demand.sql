-- How many customers bought into a promotion's products lately?
-- grain: one row per promotion with a sale in twelve weeks. inputs: eligible_products,
-- promotion_buyers, product_buyers.
-- as-of column: those of the inputs.
-- output: promotion_ix, buyers_4w, buyers_8w, buyers_12w, bought_4w (products sold in 4 weeks)
with sold as (
  select product_ix, cast($as_of as int) - last_sold_day as age_days
  from product_buyers
  where cast($as_of as int) - last_sold_day <= 84
),
counted as (
  select promotion_ix, sum(case when age_days <= 28 then 1 else 0 end) as bought_4w
  from sold s
  join eligible_products e on e.product_ix = s.product_ix
  group by promotion_ix
)
select b.promotion_ix, b.buyers_4w, b.buyers_8w, b.buyers_12w, c.bought_4w
from promotion_buyers b
join counted c on c.promotion_ix = b.promotion_ix
order by b.promotion_ix
