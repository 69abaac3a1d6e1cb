-- What did units buy and bring back?
-- grain: one row per unit, order, product, day and direction. inputs: transactions, units, product_index.
-- as-of column: occurred_at; rows before $until_day (days since 1970-01-01) count, from the first one on.
-- Weeks count from $first_day, a Monday, and are negative before it.
-- A join holds its left side in memory: right joins keep the long table on the right.
-- output: unit, order_id, product_ix, day, week, is_sale (1 or 0), amount_minor, coupon_minor
select
  u.unit,
  t.order_id,
  p.product_ix,
  t.day,
  cast(floor((t.day - $first_day) / 7.0) as int) as week,
  t.is_sale,
  sum(t.amount_minor) as amount_minor,
  sum(t.coupon_minor) as coupon_minor
from product_index p
right join (
  units u
  join (
    select
      customer_id, order_id, product_id,
      cast(day_number(occurred_at) as bigint) as day,
      case
        when kind is not null then case when kind = 'sale' then 1 else 0 end
        when amount_minor < 0 then 0
        else 1
      end as is_sale,
      amount_minor,
      coalesce(coupon_discount_minor, 0) as coupon_minor
    from transactions
  ) t on t.customer_id = u.customer_id
) on p.product_id = t.product_id
where t.day < $until_day
group by 1, 2, 3, 4, 5, 6
