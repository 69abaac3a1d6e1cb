-- What did units spend, and what was the margin on it?
-- grain: one row per unit and week with a line. inputs: outcome_lines, units, product_launches.
-- as-of column: week; from $weeks_before weeks before the campaign on, and in it from the day a unit entered.
-- Margin: the product's rate of what it costs before coupons, less what coupons take off.
-- output: unit, week, orders, revenue_minor, margin_minor, discount_minor
with counted as (
  select
    l.unit, l.week, l.order_id, l.is_sale, l.amount_minor, l.coupon_minor,
    cast(round(
      (l.amount_minor + l.coupon_minor) * coalesce(m.margin_rate, $margin_rate)
    ) as bigint) - l.coupon_minor as margin_minor
  from units u
  join (product_launches m right join outcome_lines l on m.product_ix = l.product_ix)
    on u.unit = l.unit
  where l.week >= -$weeks_before and (l.week < 0 or l.day >= u.entered_day)
),
by_order as (
  select
    unit, week, order_id,
    max(is_sale) as is_sale,
    sum(amount_minor) as revenue_minor,
    sum(margin_minor) as margin_minor,
    sum(coupon_minor) as discount_minor
  from counted
  group by unit, week, order_id
)
select
  unit, week,
  sum(is_sale) as orders,
  sum(revenue_minor) as revenue_minor,
  sum(margin_minor) as margin_minor,
  sum(discount_minor) as discount_minor
from by_order
group by unit, week
