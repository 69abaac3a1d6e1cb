-- Which products counted for the promotions in question, on a past day?
-- grain: one row per promotion of pair_scope and product sold on that day. inputs: promotion_scope,
-- pair_scope, product_index, products.
-- as-of column: launched_on, discontinued_on.
-- A promotion may be one that did not run then: what is learnt is how its products sell.
-- output: promotion_ix, product_ix
select s.promotion_ix, s.product_ix
from promotion_scope s
join pair_scope r on r.promotion_ix = s.promotion_ix
join product_index i on i.product_ix = s.product_ix
left join products p on p.product_id = i.product_id
where (p.launched_on is null or p.launched_on <= $as_of)
  and (p.discontinued_on is null or p.discontinued_on > $as_of)
order by s.promotion_ix, s.product_ix
