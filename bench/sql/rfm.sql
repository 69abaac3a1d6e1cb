-- How recently, how often and for how much did each customer buy?
-- One pass over the lines. Of the result, which has a row per customer, only numbers that change with any of its
-- values are shown: rows, sums, and a sum in which each value weighs by its customer.
select
  count(*) as rows,
  sum(last_day) as last_day,
  sum(orders) as orders,
  sum(amount_minor) as amount_minor,
  sum((customer_id % 9973) * (last_day + 31 * orders + 17 * amount_minor)) as weighed
from (
  select
    customer_id,
    day_number(max(case when kind = 'sale' then occurred_at end)) as last_day,
    count_unique(order_id) filter (where kind = 'sale') as orders,
    sum(amount_minor) as amount_minor
  from transactions
  group by customer_id
)
where orders > 0
