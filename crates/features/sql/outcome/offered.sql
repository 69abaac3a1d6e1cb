-- Which offers were units sent, and when did they count?
-- grain: one row per unit, week and promotion. inputs: run_decisions, units.
-- as-of column: as_of of the runs.
-- output: unit, week, promotion_id, arm (of the unit), from_day, to_day
select
  u.unit,
  cast(floor((cast(d.as_of as int) - $first_day) / 7.0) as int) as week,
  d.promotion_id,
  max(u.arm) as arm,
  min(cast(cast(d.window_from as int) as bigint)) as from_day,
  max(cast(cast(d.window_to as int) as bigint)) as to_day
from units u
join run_decisions d on d.customer_id = u.customer_id
where d.promotion_id is not null
  and cast(d.as_of as int) >= u.entered_day and cast(d.as_of as int) < $campaign_until_day
group by 1, 2, 3
order by 1, 2, 3
