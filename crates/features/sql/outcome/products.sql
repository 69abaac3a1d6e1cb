-- Which products did units buy again, for the first time, or while they were new in the shop?
-- grain: one row per unit and week with a sale. inputs: outcome_lines, units, product_launches.
-- as-of column: week; a product is new in the shop for $novelty_weeks weeks. What was bought before is known
-- from the beginning of the data.
-- output: unit, week, repeats, first_purchases, new_products
with bought as (
  select unit, product_ix, week, min(day) as day
  from outcome_lines
  where is_sale = 1
  group by unit, product_ix, week
),
firsts as (
  select unit, product_ix, min(week) as first_week
  from bought
  group by unit, product_ix
)
select
  b.unit, b.week,
  sum(case when f.first_week < b.week then 1 else 0 end) as repeats,
  sum(case when f.first_week = b.week then 1 else 0 end) as first_purchases,
  sum(case
    when f.first_week = b.week and b.week - l.launched_week < $novelty_weeks then 1 else 0
  end) as new_products
from units u
join (
  product_launches l
  right join (
    firsts f join bought b on f.unit = b.unit and f.product_ix = b.product_ix
  ) on l.product_ix = b.product_ix
) on u.unit = b.unit
where b.week >= -$weeks_before and (b.week < 0 or b.day >= u.entered_day)
group by b.unit, b.week
