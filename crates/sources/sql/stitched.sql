-- Which customer does an event belong to?
-- grain: one row per event; inputs: _in_interactions; as-of column: stitched_on
-- The event's own log-in, else the visitor's nearest earlier one, else the visitor's first one. In the last
-- case the customer is known only from that log-in's day on: 'stitched_on'. Without any log-in the visitor
-- is a customer of its own.
with logins as (
  select *,
    last_value(customer_id) ignore nulls over (
      partition by visitor_id order by occurred_at, _n rows between unbounded preceding and current row
    ) as earlier_id,
    first_value(customer_id) ignore nulls over (
      partition by visitor_id order by occurred_at, _n rows between current row and unbounded following
    ) as later_id,
    first_value(case when customer_id is not null then cast(occurred_at as date) end) ignore nulls over (
      partition by visitor_id order by occurred_at, _n rows between current row and unbounded following
    ) as later_on
  from _in_interactions
)
select {columns},
  coalesce(earlier_id, later_id, visitor_id) as customer_id,
  case when earlier_id is null then later_on end as stitched_on,
  customer_id is null and coalesce(earlier_id, later_id) is not null as _stitched,
  coalesce(earlier_id, later_id) is null as _anonymous
from logins
