-- Until when does each eligible product count?
-- grain: one row per promotion and eligible product, category or brand; inputs: _in_promotion_products,
-- _in_products; as-of column: discontinued_on
select {columns}, p.discontinued_on as discontinued_on
from _in_promotion_products pp
left join (select product_id, discontinued_on from _in_products where discontinued_on is not null) p
  on pp.level = 'product' and pp.value = p.product_id
