-- What was bought and brought back, in integers?
-- grain: one row per customer, order, product, day and direction. inputs: transactions, and the numbers of
-- customers, products and orders as functions.
-- as-of column: day (days since 1970-01-01).
-- output: customer_ix, product_ix, order_ix, day, is_sale (0 for a return or cancellation),
-- amount_minor, quantity_milli, discount_minor, coupon_discount_minor
select
  customer_number(t.customer_id) as customer_ix,
  product_number(t.product_id) as product_ix,
  order_number(t.order_id) as order_ix,
  day_number(t.occurred_at) as day,
  case
    when t.kind is not null then case when t.kind = 'sale' then 1 else 0 end
    when t.amount_minor < 0 then 0
    else 1
  end as is_sale,
  sum(t.amount_minor) as amount_minor,
  sum(cast(round(1000 * t.quantity) as bigint)) as quantity_milli,
  sum(coalesce(t.discount_minor, 0)) as discount_minor,
  sum(coalesce(t.coupon_discount_minor, 0)) as coupon_discount_minor
from transactions t
group by 1, 2, 3, 4, 5
order by day, customer_ix, order_ix, product_ix, is_sale
