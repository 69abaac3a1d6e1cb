-- Which promotions did units see or click, and when?
-- grain: one row per unit, promotion, day and kind. inputs: interactions, exposures, units.
-- as-of column: occurred_at, exposed_on; rows before $until_day count.
-- output: unit, promotion_id, day, is_click (1 for a click, 0 for a sight)
select distinct unit, promotion_id, day, is_click
from (
  select
    u.unit, e.promotion_id,
    cast(day_number(e.occurred_at) as bigint) as day,
    case when e.event_type = 'select_promotion' then 1 else 0 end as is_click
  from units u
  join interactions e on e.customer_id = u.customer_id
  where e.event_type in ('view_promotion', 'select_promotion') and e.promotion_id is not null
  union all
  select u.unit, x.promotion_id, cast(cast(x.exposed_on as int) as bigint) as day, 0 as is_click
  from units u
  join exposures x on x.customer_id = u.customer_id
)
where day >= $first_day and day < $until_day
