-- How close is a customer to a category, by buying and by browsing?
-- grain: one row per customer and category bought or browsed. inputs: category_sums.
-- as-of column: that of category_sums.
-- propensity is the mean of the customer's shares of visits, of orders and of order value that go to the
-- category (of those that the customer has at all), 0 to 1.
-- output: customer_ix, category_ix, visits, orders, value_minor, events (decayed, doubles), visit_share,
-- order_share, value_share, propensity, last_order_days, last_event_days, last_visit_days
with shares as (
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
  from category_sums s
  join (
    select
      customer_ix,
      sum(visits_micro) as visits_micro,
      sum(orders_micro) as orders_micro,
      sum(value_micro) as value_micro
    from category_sums
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
