-- How much did a customer buy of a maker's type, lately?
-- grain: one row per customer of pair_customers and maker_type_ix bought. inputs:
-- maker_type_days, maker_types, pair_customers, day_weights.
-- as-of column: day.
-- output: customer_ix, maker_type_ix, type_ix, category_ix, maker_ix, n90_micro, n120_micro (order lines,
-- decayed, millionths)
select
  n.customer_ix, n.maker_type_ix, t.type_ix, t.category_ix, t.maker_ix, n.n90_micro, n.n120_micro
from (
  select
    d.customer_ix,
    d.maker_type_ix,
    sum(d.orders * w.w90_micro) as n90_micro,
    sum(d.orders * w.w120_micro) as n120_micro
  from maker_type_days d
  join pair_customers c on c.customer_ix = d.customer_ix
  join day_weights w on w.day = d.day
  group by d.customer_ix, d.maker_type_ix
) n
join maker_types t on t.maker_type_ix = n.maker_type_ix
order by n.customer_ix, n.maker_type_ix
