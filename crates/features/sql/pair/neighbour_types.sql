-- Which product types describe a customer to its neighbours?
-- grain: one row per active customer and type_ix bought. inputs: maker_type_days, maker_types, active,
-- day_weights.
-- as-of column: day.
-- output: customer_ix, type_ix, n90_micro (order lines, decayed, millionths), bought_12w (0 or 1)
select
  d.customer_ix,
  t.type_ix,
  sum(d.orders * w.w90_micro) as n90_micro,
  max(case when w.age_days <= 84 then 1 else 0 end) as bought_12w
from maker_type_days d
join active a on a.customer_ix = d.customer_ix
join maker_types t on t.maker_type_ix = d.maker_type_ix
join day_weights w on w.day = d.day
group by d.customer_ix, t.type_ix
order by d.customer_ix, t.type_ix
