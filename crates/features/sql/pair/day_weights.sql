-- How much does a day in the past still count?
-- grain: one row per day with an order or an event. inputs: orders, views.
-- as-of column: day.
-- Millionths of 0.5 ^ (age / half-life), rounded, so that sums are of integers and do not depend on their
-- order. Category propensities halve every $category_half_life_days, w14_micro every 14 days and so on.
-- output: day, age_days, category_micro, w14_micro, w60_micro, w90_micro, w120_micro, w180_micro
select
  day,
  age_days,
  cast(round(1e6 * power(0.5, age / $category_half_life_days)) as bigint) as category_micro,
  cast(round(1e6 * power(0.5, age / 14.0)) as bigint) as w14_micro,
  cast(round(1e6 * power(0.5, age / 60.0)) as bigint) as w60_micro,
  cast(round(1e6 * power(0.5, age / 90.0)) as bigint) as w90_micro,
  cast(round(1e6 * power(0.5, age / 120.0)) as bigint) as w120_micro,
  cast(round(1e6 * power(0.5, age / 180.0)) as bigint) as w180_micro
from (
  select day, cast($as_of as int) - day as age_days, cast(cast($as_of as int) - day as double) as age
  from (select day from orders union select day from views)
  where day < cast($as_of as int)
)
order by day
