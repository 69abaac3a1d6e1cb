-- Which integer stands for a product?
-- grain: one row per product that is listed or that a promotion names. inputs: products,
-- promotion_products.
-- as-of column: none; numbers follow the order of the ids and carry no information.
-- Every product that was sold is listed: the sources see to it. One that was only looked at may have no row.
-- output: product_ix (0, 1, 2 … by product_id), product_id
select
  cast(row_number() over (order by product_id) - 1 as int) as product_ix,
  product_id
from (
  select product_id from products
  union
  select value as product_id from promotion_products where level = 'product'
)
order by product_ix
