-- After how many days do customers usually buy a product type again?
-- grain: one row per type_ix in promotion_levels that an active customer bought on two days.
-- inputs: type_days, promotion_levels, active.
-- as-of column: day.
-- output: type_ix, interval_days (the median over active customers of the mean gap between purchase days)
with types as (
  select distinct level_key / 4 as type_ix from promotion_levels where level_key % 4 = 0
)
select type_ix, median(interval_days) as interval_days
from (
  select
    d.customer_ix,
    d.type_ix,
    cast(max(d.day) - min(d.day) as double) / cast(count(*) - 1 as double) as interval_days
  from type_days d
  join types t on t.type_ix = d.type_ix
  join active a on a.customer_ix = d.customer_ix
  where d.day < cast($as_of as int)
  group by d.customer_ix, d.type_ix
  having count(*) > 1
)
group by type_ix
order by type_ix
