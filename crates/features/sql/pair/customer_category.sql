-- How close is a customer to a category, by buying and by browsing?
-- grain: one row per customer and category bought or browsed. inputs: category_days, views,
-- day_weights.
-- as-of column: day.
-- Every count is decayed (day_weights). A visit is a day with an order or an event in the category.
-- propensity is the mean of the customer's shares of visits, of orders and of order value that go to the
-- category (of those that the customer has at all), 0 to 1.
-- output: customer_ix, category_ix, visits, orders, value_minor, events (decayed, doubles), visit_share,
-- order_share, value_share, propensity, last_order_days, last_event_days, last_visit_days
with daily as (
  select customer_ix, category_ix, day, orders, amount_minor, cast(0 as bigint) as events
  from category_days
  where day < cast($as_of as int)
  union all
  select customer_ix, category_ix, day, 0 as orders, 0 as amount_minor, events
  from views
  where day < cast($as_of as int) and category_ix >= 0
),
visits as (
  select
    customer_ix,
    category_ix,
    day,
    sum(orders) as orders,
    sum(amount_minor) as amount_minor,
    sum(events) as events
  from daily
  group by customer_ix, category_ix, day
),
sums as (
  select
    v.customer_ix,
    v.category_ix,
    sum(w.category_micro) as visits_micro,
    sum(v.orders * w.category_micro) as orders_micro,
    sum(greatest(v.amount_minor, 0) * w.category_micro) as value_micro,
    sum(v.events * w.category_micro) as events_micro,
    min(case when v.orders > 0 then w.age_days end) as last_order_days,
    min(case when v.events > 0 then w.age_days end) as last_event_days,
    min(w.age_days) as last_visit_days
  from visits v
  join day_weights w on w.day = v.day
  group by v.customer_ix, v.category_ix
),
shares as (
  select
    s.*,
    coalesce(cast(s.visits_micro as double) / nullif(cast(t.visits_micro as double), 0.0), 0.0)
      as visit_share,
    coalesce(cast(s.orders_micro as double) / nullif(cast(t.orders_micro as double), 0.0), 0.0)
      as order_share,
    coalesce(cast(s.value_micro as double) / nullif(cast(t.value_micro as double), 0.0), 0.0)
      as value_share,
    case when t.orders_micro > 0 then 1.0 else 0.0 end as has_orders,
    case when t.value_micro > 0 then 1.0 else 0.0 end as has_value
  from sums s
  join (
    select
      customer_ix,
      sum(visits_micro) as visits_micro,
      sum(orders_micro) as orders_micro,
      sum(value_micro) as value_micro
    from sums
    group by customer_ix
  ) t on t.customer_ix = s.customer_ix
)
select
  customer_ix,
  category_ix,
  cast(visits_micro as double) / 1e6 as visits,
  cast(orders_micro as double) / 1e6 as orders,
  cast(value_micro as double) / 1e6 as value_minor,
  cast(events_micro as double) / 1e6 as events,
  visit_share,
  order_share,
  value_share,
  (visit_share + order_share + value_share) / (1.0 + has_orders + has_value) as propensity,
  last_order_days,
  last_event_days,
  last_visit_days
from shares
order by customer_ix, category_ix
