-- Which products are sold but not in the products table?
-- grain: one row per product; inputs: _in_transactions, _in_products
select distinct t.product_id
from _in_transactions t
left anti join _in_products p on t.product_id = p.product_id
order by t.product_id
