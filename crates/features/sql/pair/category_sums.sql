-- What did a customer do in a category, by buying and by browsing?
-- grain: one row per customer and category bought or browsed. inputs: category_days, views, day_weights.
-- as-of column: day.
-- Every count is decayed (day_weights), in millionths. A visit is a day with an order or an event in the category: one
-- with both is counted with its events.
-- output: customer_ix, category_ix, visits_micro, orders_micro, value_micro, events_micro, last_order_days,
-- last_event_days, last_visit_days
with daily as (
  select
    c.customer_ix,
    c.category_ix,
    c.day,
    c.orders,
    c.amount_minor,
    cast(0 as bigint) as events,
    case when v.day is null then 1 else 0 end as visits
  from category_days c
  left join views v
    on v.customer_ix = c.customer_ix and v.category_ix = c.category_ix and v.day = c.day
  where c.day < cast($as_of as int)
  union all
  select customer_ix, category_ix, day, 0 as orders, 0 as amount_minor, events, 1 as visits
  from views
  where day < cast($as_of as int) and category_ix >= 0
)
select
  d.customer_ix,
  d.category_ix,
  sum(d.visits * w.category_micro) as visits_micro,
  sum(d.orders * w.category_micro) as orders_micro,
  sum(greatest(d.amount_minor, 0) * w.category_micro) as value_micro,
  sum(d.events * w.category_micro) as events_micro,
  min(case when d.orders > 0 then w.age_days end) as last_order_days,
  min(case when d.events > 0 then w.age_days end) as last_event_days,
  min(w.age_days) as last_visit_days
from daily d
join day_weights w on w.day = d.day
group by d.customer_ix, d.category_ix
