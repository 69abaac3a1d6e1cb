-- How close is a customer to a promotion's categories, by buying and by browsing?
-- grain: one row per customer and promotion with any. inputs: customer_category, scope_products,
-- product_codes, views.
-- as-of column: days in customer_category; views.day.
-- propensity is that of customer_category, each category weighted by its share of the promotion's products;
-- recencies are the smallest. product_events counts views of the promotion's own products, decayed.
-- output: customer_ix, promotion_ix, propensity_micro, events_micro, product_events_micro,
-- last_order_days, last_event_days, last_visit_days
with scope as (
  select
    e.promotion_ix,
    k.category_ix,
    1000000 * count(*) / sum(count(*)) over (partition by e.promotion_ix) as share_micro
  from scope_products e
  join product_codes k on k.product_ix = e.product_ix
  group by e.promotion_ix, k.category_ix
),
close as (
  select
    c.customer_ix,
    s.promotion_ix,
    sum(cast(round(c.propensity * cast(s.share_micro as double)) as bigint)) as propensity_micro,
    sum(cast(round(c.events * 1e6) as bigint)) as events_micro,
    min(c.last_order_days) as last_order_days,
    min(c.last_event_days) as last_event_days,
    min(c.last_visit_days) as last_visit_days
  from customer_category c
  join scope s on s.category_ix = c.category_ix
  group by c.customer_ix, s.promotion_ix
),
viewed as (
  select v.customer_ix, e.promotion_ix, sum(v.events * w.category_micro) as product_events_micro
  from views v
  join scope_products e on e.product_ix = v.product_ix
  join day_weights w on w.day = v.day
  group by v.customer_ix, e.promotion_ix
)
select
  c.customer_ix,
  c.promotion_ix,
  c.propensity_micro,
  c.events_micro,
  coalesce(v.product_events_micro, 0) as product_events_micro,
  c.last_order_days,
  c.last_event_days,
  c.last_visit_days
from close c
left join viewed v on v.customer_ix = c.customer_ix and v.promotion_ix = c.promotion_ix
order by c.customer_ix, c.promotion_ix
