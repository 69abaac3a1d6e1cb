-- How much does a day in the past still count?
-- grain: one row per day of the forty years before. inputs: none.
-- as-of column: day.
-- Millionths of 0.5 ^ (age / half-life), rounded, so that sums are of integers and do not depend on their
-- order. Category propensities halve every $category_half_life_days, w14_micro every 14 days and so on.
-- output: day, age_days, category_micro, w14_micro, w60_micro, w90_micro, w120_micro, w180_micro
select
  cast($as_of as int) - age_days as day,
  age_days,
  cast(round(1e6 * power(0.5, age / $category_half_life_days)) as bigint) as category_micro,
  cast(round(1e6 * power(0.5, age / 14.0)) as bigint) as w14_micro,
  cast(round(1e6 * power(0.5, age / 60.0)) as bigint) as w60_micro,
  cast(round(1e6 * power(0.5, age / 90.0)) as bigint) as w90_micro,
  cast(round(1e6 * power(0.5, age / 120.0)) as bigint) as w120_micro,
  cast(round(1e6 * power(0.5, age / 180.0)) as bigint) as w180_micro
from (
  select cast(age as int) as age_days, cast(age as double) as age
  from (select unnest(range(1, 14611)) as age)
)
order by day
