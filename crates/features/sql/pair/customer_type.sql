-- How much of a product type did a customer buy, and is the next purchase due?
-- grain: one row per customer of pair_customers and type_ix bought, of the types in promotion_levels.
-- inputs: type_days, pair_customers, customer_maker_type, promotion_levels, type_medians.
-- as-of column: day.
-- due_micro is a renewal rate of purchases a week: 7 / interval, at most 1, less when long overdue (above
-- three intervals) or just bought (below half of one). The interval is the mean gap between purchase days,
-- else the type's median over active customers, else 60, from 2 to 180 days.
-- output: customer_ix, type_ix, n90_micro, due_micro
with types as (
  select distinct level_key / 4 as type_ix from promotion_levels where level_key % 4 = 0
),
spans as (
  select
    d.customer_ix,
    d.type_ix,
    cast(cast($as_of as int) - max(d.day) as double) as age_days,
    case when count(*) > 1
      then cast(max(d.day) - min(d.day) as double) / cast(count(*) - 1 as double)
    end as interval_days
  from type_days d
  join types t on t.type_ix = d.type_ix
  join pair_customers c on c.customer_ix = d.customer_ix
  where d.day < cast($as_of as int)
  group by d.customer_ix, d.type_ix
),
paced as (
  select
    s.customer_ix,
    s.type_ix,
    s.age_days,
    greatest(2.0, least(180.0, coalesce(s.interval_days, m.interval_days, 60.0))) as interval_days
  from spans s
  left join type_medians m on m.type_ix = s.type_ix
),
counts as (
  select m.customer_ix, m.type_ix, sum(m.n90_micro) as n90_micro
  from customer_maker_type m
  join types t on t.type_ix = m.type_ix
  group by m.customer_ix, m.type_ix
)
select
  p.customer_ix,
  p.type_ix,
  c.n90_micro,
  cast(round(
    1e6 * least(7.0 / p.interval_days, 1.0)
    * case when p.age_days > 3.0 * p.interval_days then 3.0 * p.interval_days / p.age_days else 1.0 end
    * case when p.age_days < 0.5 * p.interval_days then 0.7 else 1.0 end
  ) as bigint) as due_micro
from paced p
join counts c on c.customer_ix = p.customer_ix and c.type_ix = p.type_ix
order by p.customer_ix, p.type_ix
