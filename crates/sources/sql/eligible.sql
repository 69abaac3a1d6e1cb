-- Which promotions have no eligible product?
-- grain: one row per promotion; inputs: _in_promotions, _in_promotion_products, _in_products,
-- _sold (a product that is sold exists, listed or not)
with covered as (
  select pp.promotion_id from _in_promotion_products pp
    left semi join _in_products p on pp.level = 'product' and pp.value = p.product_id
  union all
  select pp.promotion_id from _in_promotion_products pp
    left semi join _sold s on pp.level = 'product' and pp.value = s.product_id
  union all
  select pp.promotion_id from _in_promotion_products pp
    left semi join _in_products p on pp.level = 'department' and pp.value = p.department
  union all
  select pp.promotion_id from _in_promotion_products pp
    left semi join _in_products p on pp.level = 'category' and pp.value = p.category
  union all
  select pp.promotion_id from _in_promotion_products pp
    left semi join _in_products p on pp.level = 'product_type' and pp.value = p.product_type
  union all
  select pp.promotion_id from _in_promotion_products pp
    left semi join _in_products p on pp.level = 'brand' and pp.value = p.brand
  union all
  select pp.promotion_id from _in_promotion_products pp
    left semi join _in_products p on pp.level = 'manufacturer' and pp.value = p.manufacturer
)
select m._n, 'promotion ' || m.promotion_id || ' has no eligible product' as reason
from _in_promotions m
left anti join covered c on m.promotion_id = c.promotion_id
order by m._n
