-- What is a promotion mainly about?
-- grain: one row per promotion with a product. inputs: eligible_products, product_codes.
-- as-of column: that of eligible_products.
-- The product type with most of its products, the smaller number on a tie, and what stands above it.
-- output: promotion_ix, breadth, types, type_ix, category_ix, department_ix
with counted as (
  select e.promotion_ix, k.type_ix, k.category_ix, k.department_ix, count(*) as products
  from eligible_products e
  join product_codes k on k.product_ix = e.product_ix
  group by e.promotion_ix, k.type_ix, k.category_ix, k.department_ix
)
select
  promotion_ix,
  cast(sum(products) as int) as breadth,
  cast(count(*) as int) as types,
  first_value(type_ix order by products desc, type_ix) as type_ix,
  first_value(category_ix order by products desc, type_ix) as category_ix,
  first_value(department_ix order by products desc, type_ix) as department_ix
from counted
group by promotion_ix
order by promotion_ix
