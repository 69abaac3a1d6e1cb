-- What did units do in a week?
-- grain: one row per unit and week in which something happened. inputs: outcome_spend, outcome_products,
-- outcome_coupons, outcome_week_offers.
-- as-of column: week.
-- output: the columns of the table outcomes, in its order
select
  unit, cast(week as int) as week,
  sum(orders) as orders,
  sum(revenue_minor) as revenue_minor,
  sum(margin_minor) as margin_minor,
  sum(discount_minor) as discount_minor,
  sum(coupons_used) as coupons_used,
  sum(first_coupons) as first_coupons,
  sum(repeats) as repeats,
  sum(first_purchases) as first_purchases,
  sum(new_products) as new_products,
  sum(contacts) as contacts,
  sum(offers_sent) as offers_sent,
  sum(offers_seen) as offers_seen,
  sum(offers_used) as offers_used,
  sum(attributed_minor) as attributed_minor
from (
  select
    unit, week, orders, revenue_minor, margin_minor, discount_minor,
    0 as coupons_used, 0 as first_coupons, 0 as repeats, 0 as first_purchases, 0 as new_products,
    0 as contacts, 0 as offers_sent, 0 as offers_seen, 0 as offers_used, 0 as attributed_minor
  from outcome_spend
  union all
  select
    unit, week, 0, 0, 0, 0, 0, 0, repeats, first_purchases, new_products, 0, 0, 0, 0, 0
  from outcome_products
  union all
  select unit, week, 0, 0, 0, 0, coupons_used, first_coupons, 0, 0, 0, 0, 0, 0, 0, 0
  from outcome_coupons
  union all
  select
    unit, week, 0, 0, 0, 0, 0, 0, 0, 0, 0,
    contacts, offers_sent, offers_seen, offers_used, attributed_minor
  from outcome_week_offers
)
group by unit, week
order by unit, week
