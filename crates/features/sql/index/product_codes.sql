-- Where does a product stand in the hierarchy, in integers?
-- grain: one row per product of product_index. inputs: product_index, products.
-- as-of column: none (products are not dated).
-- A name that is missing counts as one name, '?', at its place in the hierarchy; a missing product type
-- is one type per department. maker_type is the type of one maker and brand: the closest substitutes.
-- output: product_ix, department_ix, category_ix, type_ix, brand_ix, maker_ix, maker_type_ix
with named as (
  select
    i.product_ix,
    coalesce(p.department, '?') as department,
    coalesce(p.department, '?') || '|' || coalesce(p.category, '?') as category,
    coalesce(p.department, '?') || '|' || coalesce(p.category, '?') || '|'
      || coalesce(p.product_type, '?') as product_type,
    coalesce(p.brand, '?') as brand,
    coalesce(p.manufacturer, '?') as maker
  from product_index i
  left join products p on p.product_id = i.product_id
)
select
  product_ix,
  cast(dense_rank() over (order by department) - 1 as int) as department_ix,
  cast(dense_rank() over (order by category) - 1 as int) as category_ix,
  cast(dense_rank() over (order by product_type) - 1 as int) as type_ix,
  cast(dense_rank() over (order by brand) - 1 as int) as brand_ix,
  cast(dense_rank() over (order by maker) - 1 as int) as maker_ix,
  cast(dense_rank() over (order by product_type, maker, brand) - 1 as int) as maker_type_ix
from named
order by product_ix
