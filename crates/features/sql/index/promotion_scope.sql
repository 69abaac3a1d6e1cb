-- Which products did a promotion ever cover?
-- grain: one row per promotion and product. inputs: promotion_products, promotion_index,
-- product_index, products.
-- as-of column: none; the eligible products as of a day are promotion/eligible_products.sql.
-- output: promotion_ix, product_ix
with scope as (
  select r.promotion_ix, pp.level, pp.value
  from promotion_products pp
  join promotion_index r on r.promotion_id = pp.promotion_id
),
named as (
  select i.product_ix, p.department, p.category, p.product_type, p.brand, p.manufacturer
  from products p
  join product_index i on i.product_id = p.product_id
)
select promotion_ix, product_ix
from (
  select s.promotion_ix, i.product_ix
  from scope s join product_index i on i.product_id = s.value
  where s.level = 'product'
  union
  select s.promotion_ix, n.product_ix
  from scope s join named n on n.department = s.value
  where s.level = 'department'
  union
  select s.promotion_ix, n.product_ix
  from scope s join named n on n.category = s.value
  where s.level = 'category'
  union
  select s.promotion_ix, n.product_ix
  from scope s join named n on n.product_type = s.value
  where s.level = 'product_type'
  union
  select s.promotion_ix, n.product_ix
  from scope s join named n on n.brand = s.value
  where s.level = 'brand'
  union
  select s.promotion_ix, n.product_ix
  from scope s join named n on n.manufacturer = s.value
  where s.level = 'manufacturer'
)
order by promotion_ix, product_ix
