-- What share of each type, category, maker and maker's type does a promotion cover?
-- grain: one row per promotion and level_key. inputs: scope_products, product_sales, product_codes.
-- as-of column: that of product_sales.
-- level_key is 4 * number + level: 0 type, 1 category, 2 maker, 3 maker's type.
-- output: promotion_ix, level_key, share_e8 (hundred-millionths, by lines sold in twelve weeks; above 0)
with covered as (
  select e.promotion_ix, k.type_ix, k.category_ix, k.maker_ix, k.maker_type_ix,
    s.type_share_e8, s.category_share_e8, s.maker_share_e8, s.maker_type_share_e8
  from scope_products e
  join product_sales s on s.product_ix = e.product_ix
  join product_codes k on k.product_ix = e.product_ix
)
select promotion_ix, cast(level_key as int) as level_key, sum(product_e8) as share_e8
from (
  select promotion_ix, 4 * type_ix as level_key, type_share_e8 as product_e8 from covered
  union all
  select promotion_ix, 4 * category_ix + 1, category_share_e8 from covered
  union all
  select promotion_ix, 4 * maker_ix + 2, maker_share_e8 from covered
  union all
  select promotion_ix, 4 * maker_type_ix + 3, maker_type_share_e8 from covered
)
group by promotion_ix, level_key
having sum(product_e8) > 0
order by promotion_ix, level_key
