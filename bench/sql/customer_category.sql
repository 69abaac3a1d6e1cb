-- How recently, how often and for how much did each customer buy in each category?
-- One row per customer and category; of it, the numbers that rfm.sql shows.
select
  count(*) as rows,
  sum(last_day) as last_day,
  sum(orders) as orders,
  sum(amount_minor) as amount_minor,
  sum((customer_id % 9973) * (last_day + 31 * orders + 17 * amount_minor)) as weighed
from (
  select
    t.customer_id,
    p.category,
    day_number(max(case when t.kind = 'sale' then t.occurred_at end)) as last_day,
    count_unique(t.order_id) filter (where t.kind = 'sale') as orders,
    sum(t.amount_minor) as amount_minor
  from transactions t
  join products p on p.product_id = t.product_id
  group by t.customer_id, p.category
)
where orders > 0
