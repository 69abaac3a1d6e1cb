-- Which products are sold but not in the products table?
-- grain: one row per product; inputs: _sold, _in_products
select s.product_id
from _sold s
left anti join _in_products p on s.product_id = p.product_id
order by s.product_id
