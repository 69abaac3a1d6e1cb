-- How much does a day in the past still count?
-- grain: one row per day with an order or an event. inputs: orders, views.
-- as-of column: day.
-- Millionths of 0.5 ^ (age / half-life), rounded, so that sums are of integers and do not depend on their
-- order. Category propensities halve every $category_half_life_days.
-- output: day, age_days, weight_micro
select
  day,
  cast($as_of as int) - day as age_days,
  cast(round(1e6 * power(0.5, cast(cast($as_of as int) - day as double) / $category_half_life_days))
    as bigint) as weight_micro
from (select day from orders union select day from views)
where day < cast($as_of as int)
order by day
