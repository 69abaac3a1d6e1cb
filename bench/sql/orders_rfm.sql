-- How recently, how often and for how much did each customer buy, order by order first?
-- As the features do it: lines become orders of a day, orders become customers.
with orders as (
  select
    customer_id,
    order_id,
    day_number(occurred_at) as day,
    max(case when kind = 'sale' then 1 else 0 end) as is_sale,
    sum(amount_minor) as amount_minor
  from transactions
  group by customer_id, order_id, day_number(occurred_at)
)
select
  count(*) as rows,
  sum(last_day) as last_day,
  sum(orders) as orders,
  sum(amount_minor) as amount_minor,
  sum((customer_id % 9973) * (last_day + 31 * orders + 17 * amount_minor)) as weighed
from (
  select
    customer_id,
    max(case when is_sale = 1 then day end) as last_day,
    sum(is_sale) as orders,
    sum(amount_minor) as amount_minor
  from orders
  group by customer_id
)
where orders > 0
