-- Which product type is each promotion of? Grain: one row per promotion, one that is of one type.
-- A promotion is of the type that more than half of its products are of; one on half the shop is of none.
with counted as (
  select s.promotion_ix, k.type_ix, count(*) as products
  from promotion_scope s
  join product_codes k on k.product_ix = s.product_ix
  group by s.promotion_ix, k.type_ix
),
breadth as (
  select promotion_ix, sum(products) as products from counted group by promotion_ix
)
select c.promotion_ix, c.type_ix
from counted c
join breadth b on b.promotion_ix = c.promotion_ix
where 2 * c.products > b.products
order by c.promotion_ix
