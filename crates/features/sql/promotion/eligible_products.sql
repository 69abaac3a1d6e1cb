-- Which products can be bought with a promotion, as of a day?
-- grain: one row per promotion known by then and product still sold. inputs: promotion_scope,
-- promotion_index, product_index, products.
-- as-of column: valid_from (a promotion is known from its first day), launched_on,
-- discontinued_on.
-- output: promotion_ix, product_ix
select s.promotion_ix, s.product_ix
from promotion_scope s
join promotion_index r on r.promotion_ix = s.promotion_ix
join product_index i on i.product_ix = s.product_ix
left join products p on p.product_id = i.product_id
where r.valid_from <= $as_of
  and (p.launched_on is null or p.launched_on <= $as_of)
  and (p.discontinued_on is null or p.discontinued_on > $as_of)
order by s.promotion_ix, s.product_ix
