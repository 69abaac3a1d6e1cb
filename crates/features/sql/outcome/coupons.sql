-- Which coupons did units use, whoever gave them?
-- grain: one row per unit and week with a redemption. inputs: redemptions, units.
-- as-of column: redeemed_on; rows before $until_day count. The same coupon counts once a day.
-- output: unit, week, coupons_used, first_coupons (1 in the week of the first redemption of all)
with used as (
  select distinct
    u.unit,
    r.promotion_id,
    u.entered_day,
    cast(cast(r.redeemed_on as int) as bigint) as day
  from units u
  join redemptions r on r.customer_id = u.customer_id
  where cast(r.redeemed_on as int) < $until_day
),
weeks as (
  select
    unit, entered_day, promotion_id, day,
    cast(floor((day - $first_day) / 7.0) as int) as week,
    min(day) over (partition by unit) as first_used_day
  from used
)
select
  unit, week,
  count(*) as coupons_used,
  max(case when day = first_used_day then 1 else 0 end) as first_coupons
from weeks
where week >= -$weeks_before and (week < 0 or day >= entered_day)
group by unit, week
