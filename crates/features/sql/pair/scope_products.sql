-- Which products count for the promotions in question?
-- grain: one row per promotion of pair_scope and eligible product. inputs: eligible_products, pair_scope.
-- as-of column: that of eligible_products.
-- output: promotion_ix, product_ix
select e.promotion_ix, e.product_ix
from eligible_products e
join pair_scope s on s.promotion_ix = e.promotion_ix
order by e.promotion_ix, e.product_ix
