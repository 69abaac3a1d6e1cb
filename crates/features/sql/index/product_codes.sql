-- Where does a product stand in the hierarchy, in integers?
-- grain: one row per product of product_index. inputs: product_index, products.
-- as-of column: none (products are not dated); numbers follow the order of the names.
-- A name that is missing counts as one name, the last at its place: a missing product type is one type per
-- category. maker_type is the type of one maker and brand: the closest substitutes.
-- output: product_ix, department_ix, category_ix, type_ix, brand_ix, maker_ix, maker_type_ix
select
  i.product_ix,
  cast(dense_rank() over (order by p.department nulls last) - 1 as int) as department_ix,
  cast(dense_rank() over (order by p.department nulls last, p.category nulls last) - 1 as int)
    as category_ix,
  cast(dense_rank() over (
    order by p.department nulls last, p.category nulls last, p.product_type nulls last
  ) - 1 as int) as type_ix,
  cast(dense_rank() over (order by p.brand nulls last) - 1 as int) as brand_ix,
  cast(dense_rank() over (order by p.manufacturer nulls last) - 1 as int) as maker_ix,
  cast(dense_rank() over (
    order by p.department nulls last, p.category nulls last, p.product_type nulls last,
      p.manufacturer nulls last, p.brand nulls last
  ) - 1 as int) as maker_type_ix
from product_index i
left join products p on p.product_id = i.product_id
order by i.product_ix
