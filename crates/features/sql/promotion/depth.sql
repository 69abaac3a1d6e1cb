-- How deep is a promotion's discount, where the shop does not say?
-- grain: one row per promotion with a product. inputs: promotion_main_product, eligible_products,
-- product_redeemed.
-- as-of column: that of product_redeemed.
-- Coupon discount over amount, on lines of its products that a coupon was used on, at most 1; else the median
-- over the promotions of its main product type, else over all, else $default_discount_rate.
-- output: promotion_ix, depth_rate, redeemed_minor (mean amount of a redeemed line; null without)
with own as (
  select
    e.promotion_ix,
    least(1.0, cast(sum(r.coupon_discount_minor) as double) / cast(sum(r.amount_minor) as double))
      as depth_rate,
    sum(r.amount_minor) / sum(r.lines) as redeemed_minor
  from eligible_products e
  join product_redeemed r on r.product_ix = e.product_ix
  group by e.promotion_ix
),
by_type as (
  select m.type_ix, median(o.depth_rate) as depth_rate
  from own o
  join promotion_main_product m on m.promotion_ix = o.promotion_ix
  group by m.type_ix
),
overall as (select median(depth_rate) as depth_rate from own)
select
  m.promotion_ix,
  coalesce(o.depth_rate, t.depth_rate, a.depth_rate, $default_discount_rate) as depth_rate,
  o.redeemed_minor
from promotion_main_product m
cross join overall a
left join own o on o.promotion_ix = m.promotion_ix
left join by_type t on t.type_ix = m.type_ix
order by m.promotion_ix
